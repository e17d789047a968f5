"""The cases and their answers are those of Cornerstone's getPixelSpacingInformation (metadata 5.14)."""

from typing import Any

import pytest
from pydicom.uid import ComputedRadiographyImageStorage, SecondaryCaptureImageStorage

from aasnode.dicom.spacing import read_spacings
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings, Unscaled
from tests.dicom.films import film


def spacings(**elements: Any) -> Spacings:
    found = read_spacings(film(**elements))
    assert isinstance(found, Spacings), found
    return found


@pytest.mark.parametrize(
    ("elements", "rule", "row_mm", "column_mm"),
    [
        (
            {"PixelSpacing": [0.12, 0.13], "PixelSpacingCalibrationType": "GEOMETRY", "ImagerPixelSpacing": [0.2, 0.2]},
            SpacingRule.GEOMETRY, 0.12, 0.13,
        ),
        (
            {
                "PixelSpacing": [0.12, 0.13], "PixelSpacingCalibrationType": "FIDUCIAL",
                "ImagerPixelSpacing": [0.15, 0.16], "EstimatedRadiographicMagnificationFactor": 1.5,
            },
            SpacingRule.FIDUCIAL, 0.12, 0.13,
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "EstimatedRadiographicMagnificationFactor": 1.25},
            SpacingRule.IMAGER_MAGNIFIED, 0.12, 0.24,
        ),
        (
            {
                "ImagerPixelSpacing": [0.15, 0.15], "PixelSpacing": [0.15, 0.15],
                "EstimatedRadiographicMagnificationFactor": 1.25, "DistanceSourceToDetector": 1800,
                "DistanceSourceToPatient": 1500,
            },
            SpacingRule.IMAGER_MAGNIFIED, 0.12, 0.12,
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1500},
            SpacingRule.SOURCE_DISTANCES, 0.125, 0.25,
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "DistanceSourceToDetector": 1800, "DistanceSourceToEntrance": 1500},
            SpacingRule.SOURCE_DISTANCES, 0.125, 0.25,
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "PixelSpacing": [0.13, 0.26]},
            SpacingRule.PIXEL_SPACING_CORRECTED, 0.13, 0.26,
        ),
        ({"ImagerPixelSpacing": [0.15, 0.3]}, SpacingRule.DETECTOR_PLANE, 0.15, 0.3),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "EstimatedRadiographicMagnificationFactor": 1},
            SpacingRule.DETECTOR_PLANE, 0.15, 0.3,
        ),
        ({"ImagerPixelSpacing": [0.15, 0.3], "PixelSpacing": [0.15, 0.3]}, SpacingRule.DETECTOR_PLANE, 0.15, 0.3),
        ({"ImagerPixelSpacing": [0.15, 0.3], "PixelSpacing": [0, 0]}, SpacingRule.DETECTOR_PLANE, 0.15, 0.3),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1800},
            SpacingRule.DETECTOR_PLANE, 0.15, 0.3,
        ),
        (
            {"ImagerPixelSpacing": [0.15, 0.3], "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 0},
            SpacingRule.DETECTOR_PLANE, 0.15, 0.3,
        ),
        ({"PixelSpacing": [0.15, 0.3]}, SpacingRule.PIXEL_SPACING_UNKNOWN, 0.15, 0.3),
        (
            {"PixelSpacing": [0.15, 0.3], "EstimatedRadiographicMagnificationFactor": 1.2},
            SpacingRule.PIXEL_SPACING_UNKNOWN, 0.15, 0.3,
        ),
        (
            {"SOPClassUID": SecondaryCaptureImageStorage, "PixelSpacing": [0.15, 0.3],
             "PixelSpacingCalibrationType": "GEOMETRY"},
            SpacingRule.GEOMETRY, 0.15, 0.3,
        ),
        (
            {"SOPClassUID": SecondaryCaptureImageStorage, "PixelSpacing": [0.15, 0.3],
             "PixelSpacingCalibrationType": "FIDUCIAL"},
            SpacingRule.FIDUCIAL, 0.15, 0.3,
        ),
        (
            {"SOPClassUID": SecondaryCaptureImageStorage, "PixelSpacing": [0.15, 0.3]},
            SpacingRule.PIXEL_SPACING_UNKNOWN, 0.15, 0.3,
        ),
        ({"ImagerPixelSpacing": [0.139, 0.139], "PixelSpacing": [0.1389, 0.1389]},
         SpacingRule.DETECTOR_PLANE, 0.1389, 0.1389),
    ],
)  # fmt: skip
def test_the_spacing_is_the_viewers(
    elements: dict[str, Any], rule: SpacingRule, row_mm: float, column_mm: float
) -> None:
    primary = spacings(**elements).primary
    assert primary == PixelSpacing(row_mm=pytest.approx(row_mm), column_mm=pytest.approx(column_mm), rule=rule)


def test_both_planes_are_kept_where_the_header_knows_both() -> None:
    found = spacings(ImagerPixelSpacing=[0.15, 0.3], EstimatedRadiographicMagnificationFactor=1.25)
    assert found.primary == found.corrected
    assert found.detector_plane == PixelSpacing(row_mm=0.15, column_mm=0.3, rule=SpacingRule.DETECTOR_PLANE)


def test_detector_plane_spacing_has_no_corrected_twin() -> None:
    found = spacings(ImagerPixelSpacing=[0.15, 0.15])
    assert found.primary == found.detector_plane
    assert found.corrected is None


def test_unstated_plane_is_neither() -> None:
    found = spacings(SOPClassUID=ComputedRadiographyImageStorage, PixelSpacing=[0.15, 0.15])
    assert found.detector_plane is None
    assert found.corrected is None


@pytest.mark.parametrize("pixel", [[0.3, 0.3], [0.13, 0.3], [0.3, 0.13], [0.15, 0.13]])
def test_pixel_spacing_that_no_magnification_explains_has_no_stated_plane(pixel: list[float]) -> None:
    found = spacings(ImagerPixelSpacing=[0.15, 0.15], PixelSpacing=pixel)
    rule = SpacingRule.PIXEL_SPACING_UNKNOWN
    assert found.primary == PixelSpacing(row_mm=pixel[0], column_mm=pixel[1], rule=rule)
    assert found.detector_plane is None
    assert found.corrected is None


def test_calibrated_secondary_capture_is_in_the_plane_of_the_patient() -> None:
    captured = {"SOPClassUID": SecondaryCaptureImageStorage, "PixelSpacing": [0.15, 0.15]}
    found = spacings(**captured, PixelSpacingCalibrationType="FIDUCIAL")
    assert found.corrected == found.primary
    assert found.detector_plane is None


def test_fiducial_without_imager_spacing_knows_the_corrected_plane_only() -> None:
    found = spacings(PixelSpacing=[0.15, 0.15], PixelSpacingCalibrationType="FIDUCIAL")
    assert found.detector_plane is None
    assert found.corrected == found.primary


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"PixelSpacing": [0, 0]},
        {"PixelSpacing": [0.15, 0]},
        {"PixelSpacing": [-0.15, -0.15]},
        {"PixelSpacing": [15, 15]},
        {"PixelSpacing": [0.0001, 0.0001]},
        {"PixelSpacing": [0.1, 1]},
        {"PixelSpacing": [0.15]},
        {"PixelSpacing": [1, 1], "Rows": 2500},
        {"ImagerPixelSpacing": [0.15, 0.15], "EstimatedRadiographicMagnificationFactor": 100},
        {"SOPClassUID": SecondaryCaptureImageStorage, "ImagerPixelSpacing": [0.15, 0.15]},
        {"NominalScannedPixelSpacing": [0.15, 0.15]},
    ],
)
def test_spacing_that_cannot_be_used_gives_no_millimetres_and_says_why(elements: dict[str, Any]) -> None:
    found = read_spacings(film(**elements))
    assert isinstance(found, Unscaled)
    assert "spacing" in found.reason.lower()


@pytest.mark.parametrize("text", ["nan", "inf", "0.1x", "1e-400"])
def test_broken_text_is_no_spacing(text: str) -> None:
    dataset = film()
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag("PixelSpacing")
    raw = f"{text}\\{text} ".encode()
    dataset._dict[tag] = RawDataElement(tag, "DS", len(raw), raw, 0, False, True)
    assert isinstance(read_spacings(dataset), Unscaled)


def test_shape_of_the_pixels_survives_without_millimetres() -> None:
    found = read_spacings(film(PixelAspectRatio=[2, 1]))
    assert isinstance(found, Unscaled)
    assert found.aspect_ratio == 2
    odd = read_spacings(film(PixelAspectRatio=[0, 1]))
    assert isinstance(odd, Unscaled)
    assert odd.aspect_ratio == 1
