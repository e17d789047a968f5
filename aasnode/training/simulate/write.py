"""A film on disk: a complete DICOM DX that says what it is, or a PNG; and the truth of all films beside them.

Tags follow PS3.3 A.26 (Digital X-Ray Image IOD) and hide nothing: the maker is this simulator, names begin with
SIMULATED, comments say so. (Synthetic Data, 0008,001C, would say it too, but validators in use refuse it.) Spacing is
the detector's, Imager Pixel Spacing; SID is always given, the magnification on some.
"""

import csv
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from aasnode import __version__
from aasnode.anatomy import LANDMARKS, Facing, View
from aasnode.training.simulate.disturbances import Disturbance
from aasnode.training.simulate.exposure import Film
from aasnode.training.simulate.film import BITS_STORED, WHITE
from aasnode.training.simulate.on_film import is_left_side, jpeg_quality
from aasnode.training.simulate.truth import FilmTruth

_IMPLEMENTATION = "2.25.301879544563893640104218541962412303317"
_DESCRIPTIONS = {
    View.NEUTRAL: "C-spine lateral neutral",
    View.FLEXION: "C-spine lateral flexion",
    View.EXTENSION: "C-spine lateral extension",
}


def write_png(film: Film, path: Path) -> FilmTruth:
    """16 bits, the 12 of the film stretched over them, bright = dense: a picture cannot say that it is inverted.

    So the truth of what was written, which is given back, knows nothing of that either.
    """
    pixels = WHITE - film.pixels if film.monochrome1 else film.pixels
    if not cv2.imwrite(str(path), pixels * (65535 // WHITE)):
        raise OSError(f"cannot write {path}")
    shown = {name: strength for name, strength in film.truth.disturbances.items() if name != Disturbance.MONOCHROME1}
    return dataclasses.replace(film.truth, disturbances=shown)


def write_dicom(film: Film, path: Path) -> FilmTruth:
    """A Part 10 file, explicit little endian; its truth."""
    dataset = build_dataset(film)
    dataset.save_as(path, enforce_file_format=True)
    return film.truth


def uid_of(*words: object) -> UID:
    """A UID that is the same for the same words (PS3.5 B.2, derived from a UUID)."""
    digest = bytearray(hashlib.sha256("/".join(str(word) for word in words).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80  # version 8 and variant of RFC 9562
    digest[8] = digest[8] & 0x3F | 0x80
    return UID(f"2.25.{int.from_bytes(digest, 'big')}")


def build_dataset(film: Film) -> Dataset:
    """The whole data set."""
    dataset = Dataset()
    dataset.update(_patient_and_study(film))
    dataset.update(_series_and_equipment(film))
    dataset.update(_anatomy_and_position(film))
    dataset.update(_detector(film))
    dataset.update(_image(film))
    dataset.update(_lossy_compression(film))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    dataset.file_meta.ImplementationVersionName = f"AASNODE_SIM_{__version__}"[:16]
    return dataset


def _of(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _patient_and_study(film: Film) -> Dataset:
    patient, begun = film.appointment.patient, film.appointment.begun
    first = film.appointment.acquired.year - round(film.appointment.years)
    study = uid_of("study", film.truth.patient_id, film.appointment.visit, _fingerprint(film))
    return _of(
        SpecificCharacterSet="ISO_IR 192",
        PatientName=f"SIMULATED^P{patient.number:05d}",
        PatientID=film.truth.patient_id,
        IssuerOfPatientID="aasnode simulator",
        PatientBirthDate=f"{first - patient.age_years:04d}0101",
        PatientSex=patient.sex.value,
        PatientAge=f"{patient.age_years + int(film.appointment.years):03d}Y",
        StudyInstanceUID=study,
        StudyDate=begun.strftime("%Y%m%d"),
        StudyTime=begun.strftime("%H%M%S"),
        StudyID=f"{film.appointment.visit + 1}",
        AccessionNumber=f"S{int(str(study)[5:]) % 10**10:010d}",
        ReferringPhysicianName="",
        StudyDescription="Cervical spine, lateral, simulated",
        TimezoneOffsetFromUTC="+0000",
    )


def _series_and_equipment(film: Film) -> Dataset:
    number = film.appointment.film + 1
    description = _DESCRIPTIONS[film.appointment.view]
    return _of(
        Modality="DX",
        PresentationIntentType="FOR PRESENTATION",
        SeriesInstanceUID=uid_of("series", *_film_key(film)),
        SeriesNumber=number,
        SeriesDescription=description,
        ProtocolName=description,
        BodyPartExamined="CSPINE",
        Manufacturer="aasnode simulator",
        ManufacturerModelName="parametric neck",
        SoftwareVersions=__version__,
        DeviceSerialNumber=str(film.appointment.seed[0]),
    )


def _anatomy_and_position(film: Film) -> Dataset:
    is_left = is_left_side(film.truth.disturbances.get(Disturbance.MIRRORED, 0))  # a mirror image stays right
    view = _code(codes.cid4010.LeftLateral if is_left else codes.cid4010.RightLateral)
    bend = {View.FLEXION: codes.SCT.Flexion, View.EXTENSION: codes.SCT.Extension}.get(film.appointment.view)
    view.ViewModifierCodeSequence = [] if bend is None else [_code(bend)]
    return _of(
        AnatomicRegionSequence=[_code(codes.SCT.CervicalSpine)],
        ImageLaterality="U",
        ViewPosition="LL" if is_left else "RL",
        ViewCodeSequence=[view],
        PatientOrientation=_patient_orientation(film),
        AcquisitionContextSequence=[],
        PositionerType="NONE",
    )


def _code(code: Any) -> Dataset:
    return _of(CodeValue=code.value, CodingSchemeDesignator=code.scheme_designator, CodeMeaning=code.meaning)


def _patient_orientation(film: Film) -> list[str]:
    """Where rows and columns of the stored image run (PS3.3 C.7.6.1.1.1)."""
    right, down = ("P" if film.storage.mirrored else "A"), "F"
    opposite = {"A": "P", "P": "A", "F": "H", "H": "F"}
    for _ in range(film.storage.quarter_turns):  # counter-clockwise: what pointed down points right
        right, down = down, opposite[right]
    return [right, down]


def _detector(film: Film) -> Dataset:
    stand, pixel_mm = film.stand, film.truth.pixel_mm
    dataset = _of(
        DetectorType="DIRECT",
        DetectorConfiguration="AREA",
        ImagerPixelSpacing=[f"{pixel_mm:.6g}", f"{pixel_mm:.6g}"],
        DistanceSourceToDetector=f"{stand.source_to_image_mm:.1f}",
    )
    if film.appointment.device.states_magnification:
        dataset.DistanceSourceToPatient = f"{stand.source_to_image_mm - stand.object_to_image_mm:.1f}"
        dataset.EstimatedRadiographicMagnificationFactor = f"{film.truth.magnification:.5f}"
    return dataset


def _image(film: Film) -> Dataset:
    at, inverted = film.truth.acquired, film.monochrome1
    when = {"Date": at.strftime("%Y%m%d"), "Time": at.strftime("%H%M%S")}
    times = {f"{stem}{part}": value for stem in ("Content", "Acquisition", "Series") for part, value in when.items()}
    return _of(
        SOPClassUID=DigitalXRayImageStorageForPresentation,
        SOPInstanceUID=uid_of("image", *_film_key(film)),
        InstanceNumber=1,
        ImageType=["ORIGINAL", "PRIMARY"],
        ImageComments="Simulated radiograph; shows no patient",
        BurnedInAnnotation="YES" if "text" in film.truth.disturbances else "NO",
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME1" if inverted else "MONOCHROME2",
        Rows=film.pixels.shape[0],
        Columns=film.pixels.shape[1],
        BitsAllocated=16,
        BitsStored=BITS_STORED,
        HighBit=BITS_STORED - 1,
        PixelRepresentation=0,
        PixelIntensityRelationship="LOG",
        PixelIntensityRelationshipSign=1 if inverted else -1,
        RescaleIntercept="0",
        RescaleSlope="1",
        RescaleType="US",
        PresentationLUTShape="INVERSE" if inverted else "IDENTITY",
        WindowCenter=f"{(WHITE + 1) // 2}",
        WindowWidth=f"{WHITE + 1}",
        PixelData=film.pixels.astype("<u2").tobytes(),
        **times,
    )


def _lossy_compression(film: Film) -> Dataset:
    """What a film that once was a JPEG says for ever (PS3.3 C.7.6.1.1.5); the ratio is that of coding it again."""
    strength = film.truth.disturbances.get(Disturbance.LOSSY)
    if strength is None:
        return _of(LossyImageCompression="00")
    bytes_ = np.round(film.pixels * (255 / WHITE)).astype(np.uint8)
    coded = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality(strength)])[1]
    return _of(
        LossyImageCompression="01",
        LossyImageCompressionRatio=f"{bytes_.size / coded.size:.3g}",
        LossyImageCompressionMethod="ISO_10918_1",
    )


def _fingerprint(film: Film) -> str:
    """Tells runs with other settings apart, so that two different films never share a UID."""
    return f"{__version__}/{film.truth.pixel_mm}/{film.appointment.patient.priors}/{film.appointment.patient.laxity}"


def _film_key(film: Film) -> tuple[object, ...]:
    digest = hashlib.sha256(film.pixels.tobytes()).hexdigest()
    return (film.truth.patient_id, film.appointment.visit, film.appointment.film, _fingerprint(film), digest)


_IMAGE_COLUMNS = (
    "path", "source", "kind", "patient_id", "view", "position", "facing", "row_spacing_mm", "column_spacing_mm",
)  # fmt: skip


def write_truth(films: Sequence[FilmTruth], out: Path) -> None:
    """Tables as training and evaluation read them, ``images.csv`` and ``annotations.csv``; ``truth.json`` with all."""
    _write_csv(out / "images.csv", _IMAGE_COLUMNS, [_image_row(film) for film in films])
    rows = [row for film in films for row in _annotation_rows(film)]
    _write_csv(out / "annotations.csv", ("path", "landmark", "x", "y", "reader", "confidence"), rows)
    with (out / "truth.json").open("w", encoding="utf-8") as file:
        json.dump([asdict(film) for film in films], file, indent=1, default=str)
        file.write("\n")


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _image_row(film: FilmTruth) -> list[object]:
    facing = film.facing.value if film.facing is not Facing.UNKNOWN else ""
    kind = "lateral cephalogram" if "cephalogram" in film.disturbances else "lateral cervical spine"
    return [film.path, "aasnode simulator", kind, film.patient_id, film.view.value, film.view.value, facing,
            film.pixel_mm, film.pixel_mm]  # fmt: skip


def _annotation_rows(film: FilmTruth) -> list[list[object]]:
    rows: list[list[object]] = []
    for name in LANDMARKS:
        truth = film.landmark(name)
        x, y = (round(truth.point.x, 3), round(truth.point.y, 3)) if truth.visible else ("", "")
        confidence = "good" if truth.visible else "not visible"
        rows.append([film.path, name.value, x, y, "simulator", confidence])
    return rows
