// Reads a structured report as the OHIF viewer does (cornerstone adapters) and prints one JSON line per annotation,
// then one per image with the pixel spacing that the viewer measures with.
// Usage: node hydrate.js REPORT IMAGE...
import fs from 'node:fs';
import dcmjs from 'dcmjs';

// The viewer's libraries expect a browser; these are the names that they touch on import.
globalThis.window ??= globalThis;
globalThis.self ??= globalThis;
if (!globalThis.navigator) {
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'node', hardwareConcurrency: 1 } });
}
const element = () => ({ getContext: () => null, style: {}, appendChild() {} });
globalThis.document ??= {
  createElement: element,
  createTextNode: () => ({}),
  addEventListener() {},
  getElementsByTagName: () => [element()],
  body: element(),
  head: element(),
};

const { adaptersSR } = await import('@cornerstonejs/adapters');
const core = await import('@cornerstonejs/core');
const metadata = await import('@cornerstonejs/metadata');
const { getPixelSpacingInformation } = metadata.utilities ?? metadata;

const { DicomMessage, DicomMetaDictionary } = dcmjs.data;

function read(path) {
  const bytes = fs.readFileSync(path);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  // dcmjs refuses code extensions (ISO 2022) in files; the viewer itself gets its texts as UTF-8 by DICOMweb.
  const file = DicomMessage.readFile(buffer, { ignoreErrors: true });
  const dataset = DicomMetaDictionary.naturalizeDataset(file.dict);
  dataset._meta = DicomMetaDictionary.namifyDataset(file.meta);
  return dataset;
}

const [reportPath, ...imagePaths] = process.argv.slice(2);
const images = new Map();
const imageIds = {};
for (const path of imagePaths) {
  const image = read(path);
  const imageId = `imageId:${image.SOPInstanceUID}`;
  imageIds[image.SOPInstanceUID] = imageIds[`${image.SOPInstanceUID}:1`] = imageId;
  images.set(imageId, image);
}

core.metaData.addProvider((type, imageId) => {
  const image = images.get(imageId);
  if (!image) return undefined;
  if (type === 'instance') return image;
  if (type === 'imagePixelModule') return { rows: image.Rows, columns: image.Columns };
  if (type !== 'imagePlaneModule') return undefined;
  const spacing = getPixelSpacingInformation(image)?.PixelSpacing ?? image.PixelSpacing ?? image.ImagerPixelSpacing;
  const [row, column] = spacing ?? [1, 1];
  return {
    rows: image.Rows,
    columns: image.Columns,
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: [0, 0, 0],
    pixelSpacing: [row, column],
    rowPixelSpacing: row,
    columnPixelSpacing: column,
    usingDefaultValues: true,
  };
}, 10000);

const toolState = adaptersSR.Cornerstone3D.MeasurementReport.generateToolState(read(reportPath), imageIds, core.metaData, {});
for (const [tool, measurements] of Object.entries(toolState)) {
  for (const measurement of measurements) {
    const { data, metadata: about } = measurement.annotation;
    console.log(JSON.stringify({
      tool,
      label: data.label,
      trackingUid: measurement.TrackingUniqueIdentifier,
      image: about.referencedImageId,
      points: data.handles.points.map((point) => Array.from(point)),
      statistics: Object.values(data.cachedStats)[0],
    }));
  }
}
for (const [image, dataset] of images) {
  console.log(JSON.stringify({ image, spacing: getPixelSpacingInformation(dataset) ?? null }));
}
