"""The millimetres of a pixel, by the same precedence as viewers, so that our values equal theirs.

The order is that of ``getPixelSpacingInformation`` in Cornerstone (OHIF), which follows PS3.3 10.7.1.3 for projection
radiographs; docs/measurements.md has it as a table. Values that cannot be used count as absent.
"""

import math

from pydicom import Dataset

from aasnode.dicom.elements import integer, number, numbers, text
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings, Unscaled

Pair = tuple[float, float]
"""Distance between rows, distance between columns, in mm."""

_PROJECTION_SOP_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{suffix}"
    for suffix in (
        "1",  # CR
        "1.1",  # DX for presentation
        "1.1.1",  # DX for processing
        "1.2",
        "1.2.1",
        "1.3",
        "1.3.1",
        "12.1",  # XA
        "12.1.1",
        "12.2",  # RF
        "12.2.1",
        "12.3",
    )
)

SMALLEST_MM, LARGEST_MM = 0.01, 2.0  # detectors have 0.05 to 0.4 mm, reduced copies up to about 1 mm
_LARGEST_FIELD_MM = 1500.0  # a stitched whole spine
_LARGEST_ASPECT = 5.0
_ROUNDING = 1e-3  # relative: 0.139 and 0.1389 are one spacing


def read_spacings(dataset: Dataset) -> Spacings | Unscaled:
    """The spacing that a viewer measures with, and both planes where the header knows both.

    Zero, negative, not finite and absurd values count as absent; without a usable one the answer says why.
    """
    pixel, imager = _usable(dataset, "PixelSpacing"), _usable(dataset, "ImagerPixelSpacing")
    if text(dataset, "SOPClassUID") in _PROJECTION_SOP_CLASSES:
        spacings = _of_projection(dataset, pixel, imager)
    else:
        spacings = _of_other_class(dataset, pixel)
    if spacings is None or not _is_sane((spacings.primary.row_mm, spacings.primary.column_mm)):
        return Unscaled(reason=_why_none(dataset), aspect_ratio=_aspect_ratio(dataset, pixel or imager))
    return spacings


def _of_projection(dataset: Dataset, pixel: Pair | None, imager: Pair | None) -> Spacings | None:
    """The steps of the precedence, in their order."""
    if pixel and (calibration := _calibration(dataset)):
        return _both(calibration, corrected=pixel, detector=imager)
    if imager is None:
        return _alone(pixel, SpacingRule.PIXEL_SPACING_UNKNOWN) if pixel else None
    if magnification := _magnification(dataset):
        factor, rule = magnification
        return _both(rule, corrected=(imager[0] / factor, imager[1] / factor), detector=imager)
    if pixel is None or _is_equal(pixel, imager):
        plane = _spacing(pixel or imager, SpacingRule.DETECTOR_PLANE)
        return Spacings(primary=plane, detector_plane=plane, corrected=None)
    if pixel[0] < imager[0] and pixel[1] < imager[1]:
        return _both(SpacingRule.PIXEL_SPACING_CORRECTED, corrected=pixel, detector=imager)
    return _alone(pixel, SpacingRule.PIXEL_SPACING_UNKNOWN)  # larger than at the detector: no magnification does that


def _of_other_class(dataset: Dataset, pixel: Pair | None) -> Spacings | None:
    """Pixel Spacing as it stands, as viewers take it; what it is calibrated to is known even so."""
    if pixel is None:
        return None
    if calibration := _calibration(dataset):
        return _both(calibration, corrected=pixel, detector=None)
    return _alone(pixel, SpacingRule.PIXEL_SPACING_UNKNOWN)


def _calibration(dataset: Dataset) -> SpacingRule | None:
    """The rule that Pixel Spacing Calibration Type states, if any."""
    calibrations = {"GEOMETRY": SpacingRule.GEOMETRY, "FIDUCIAL": SpacingRule.FIDUCIAL}
    return calibrations.get(text(dataset, "PixelSpacingCalibrationType"))


def _magnification(dataset: Dataset) -> tuple[float, SpacingRule] | None:
    """The magnification that viewers divide by, and the rule that it stands for."""
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor")
    if factor is not None and factor > 1:
        return factor, SpacingRule.IMAGER_MAGNIFIED
    to_detector = number(dataset, "DistanceSourceToDetector")
    to_patient = number(dataset, "DistanceSourceToPatient") or number(dataset, "DistanceSourceToEntrance")
    if to_detector and to_patient and 0 < to_patient < to_detector:
        return to_detector / to_patient, SpacingRule.SOURCE_DISTANCES
    return None


def _usable(dataset: Dataset, keyword: str) -> Pair | None:
    found = numbers(dataset, keyword)
    if len(found) != 2 or not _is_sane((found[0], found[1])):
        return None
    field_mm = max((integer(dataset, "Rows") or 0) * found[0], (integer(dataset, "Columns") or 0) * found[1])
    return (found[0], found[1]) if field_mm <= _LARGEST_FIELD_MM else None


def _is_sane(pair: Pair) -> bool:
    within = all(SMALLEST_MM <= mm <= LARGEST_MM for mm in pair)
    return within and max(pair) / min(pair) <= _LARGEST_ASPECT


def _is_equal(one: Pair, other: Pair) -> bool:
    """Equal but for the digits that they are written with."""
    return all(math.isclose(a, b, rel_tol=_ROUNDING) for a, b in zip(one, other, strict=True))


def _spacing(pair: Pair, rule: SpacingRule) -> PixelSpacing:
    return PixelSpacing(row_mm=pair[0], column_mm=pair[1], rule=rule)


def _both(rule: SpacingRule, *, corrected: Pair, detector: Pair | None) -> Spacings:
    primary = _spacing(corrected, rule)
    plane = _spacing(detector, SpacingRule.DETECTOR_PLANE) if detector else None
    return Spacings(primary=primary, detector_plane=plane, corrected=primary)


def _alone(pair: Pair, rule: SpacingRule) -> Spacings:
    return Spacings(primary=_spacing(pair, rule), detector_plane=None, corrected=None)


def _why_none(dataset: Dataset) -> str:
    """What the header holds instead of a usable spacing; the values are no identity and may be shown."""
    held = [
        f"{keyword} {written}"
        for keyword in ("PixelSpacing", "ImagerPixelSpacing")
        if (written := text(dataset, keyword)[:40])
    ]
    if not held:
        return "no pixel spacing in the header"
    if text(dataset, "SOPClassUID") not in _PROJECTION_SOP_CLASSES and not text(dataset, "PixelSpacing"):
        return "only ImagerPixelSpacing, which viewers do not measure with in this SOP class"
    return f"no usable pixel spacing: {', '.join(held)}"


def _aspect_ratio(dataset: Dataset, pair: Pair | None) -> float:
    """Distance between rows / between columns: of the spacing where there is one, else Pixel Aspect Ratio, else 1."""
    if pair:
        return pair[0] / pair[1]
    found = numbers(dataset, "PixelAspectRatio")
    if len(found) == 2 and min(found) > 0 and max(found) / min(found) <= _LARGEST_ASPECT:
        return found[0] / found[1]
    return 1.0
