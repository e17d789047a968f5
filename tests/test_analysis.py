import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import Dataset

from aasnode.analysis import Analysis, AnalysisSettings, analyse, analyse_file, as_json
from aasnode.anatomy import LANDMARKS, Facing, Landmark, View
from aasnode.config import Config, SelectionRule, Then
from aasnode.dicom.selection import ViewSource
from aasnode.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.crop import Film
from aasnode.inference.detection import Detection, Outcome
from aasnode.measurement import FilmStatus
from tests.dicom.encoders import PREFIX, in_syntax
from tests.dicom.films import film, written
from tests.marks import ADI_MM, SAC_MM, MarksDetector, marked_film

SETTINGS = AnalysisSettings.of(Config())
SQUARE = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
KEYS = [
    "file", "status", "reason", "view", "facing", "landmarks",
    "adi_mm", "adi_interval_mm", "adi_finding", "adi_ratio", "sac_mm", "sac_interval_mm", "sac_finding", "sac_ratio",
    "assessment", "assessment_reason", "criteria", "assumption",
    "spacing_mm", "spacing_rule", "model", "interval_source",
]  # fmt: skip


def exposed(pixels: np.ndarray, spacing: PixelSpacing = SQUARE, **elements: Any) -> Dataset:
    given = {"BitsStored": 12, "ImagerPixelSpacing": [spacing.row_mm, spacing.column_mm]}
    return film(np.ascontiguousarray(pixels), **(given | elements))


def measured(dataset: Dataset) -> Analysis:
    analysis = analyse(dataset, MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.MEASURED, analysis.reason
    return analysis


def assert_true_lengths(analysis: Analysis) -> None:
    measurement = analysis.measurement
    assert measurement is not None
    for length, true_mm in ((measurement.adi, ADI_MM), (measurement.sac, SAC_MM)):
        assert length is not None
        assert length.low_mm <= true_mm <= length.high_mm
        assert length.mm == pytest.approx(true_mm, abs=0.08)


def test_film_is_measured_in_millimetres() -> None:
    analysis = measured(exposed(marked_film(SQUARE)))
    assert_true_lengths(analysis)
    assert analysis.facing is Facing.LEFT
    assert analysis.reason is None
    assert analysis.model == "marks 1.0.0"
    assert (analysis.rows, analysis.columns) == marked_film(SQUARE).shape


def test_monochrome1_gives_the_same_millimetres() -> None:
    assert_true_lengths(measured(exposed(4095 - marked_film(SQUARE), PhotometricInterpretation="MONOCHROME1")))


def test_mirrored_film_gives_the_same_millimetres_and_faces_the_other_way() -> None:
    analysis = measured(exposed(marked_film(SQUARE)[:, ::-1]))
    assert_true_lengths(analysis)
    assert analysis.facing is Facing.RIGHT


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotated_film_gives_the_same_millimetres(quarters: int) -> None:
    assert_true_lengths(measured(exposed(np.rot90(marked_film(SQUARE), quarters))))


@pytest.mark.parametrize(("row_mm", "column_mm"), [(0.1, 0.2), (0.2, 0.1)])
def test_pixels_that_are_not_square_give_the_same_millimetres(row_mm: float, column_mm: float) -> None:
    spacing = PixelSpacing(row_mm=row_mm, column_mm=column_mm, rule=SpacingRule.DETECTOR_PLANE)
    assert_true_lengths(measured(exposed(marked_film(spacing), spacing)))


@pytest.mark.parametrize("suffix", [row.uid.removeprefix(PREFIX) for row in TRANSFER_SYNTAXES])
def test_each_transfer_syntax_gives_the_same_millimetres(suffix: str, tmp_path: Path) -> None:
    in_syntax(exposed(marked_film(SQUARE)), suffix, tmp_path / "film.dcm")
    analysis = analyse_file(tmp_path / "film.dcm", MarksDetector(), SETTINGS, None)
    assert analysis.status is FilmStatus.MEASURED, analysis.reason
    assert_true_lengths(analysis)


def test_each_length_stands_by_its_own_points() -> None:
    analysis = measured(exposed(marked_film(SQUARE, marks=2)))
    assert analysis.measurement is not None
    assert analysis.measurement.adi is not None
    assert analysis.measurement.sac is None
    assert analysis.reason == "SAC not measured (point_hidden)"


def test_film_without_spacing_is_located_and_has_ratios() -> None:
    dataset = exposed(marked_film(SQUARE), ImagerPixelSpacing=None)
    analysis = analyse(dataset, MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.LOCATED
    assert analysis.reason == "no pixel spacing in the header"
    assert analysis.measurement is not None
    assert analysis.measurement.adi is None
    assert analysis.measurement.adi_ratio == pytest.approx(ADI_MM / 30, abs=0.005)


def test_located_film_says_which_length_was_withheld_besides() -> None:
    dataset = exposed(marked_film(SQUARE, marks=2), ImagerPixelSpacing=None)
    analysis = analyse(dataset, MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.LOCATED
    assert analysis.reason == "no pixel spacing in the header; SAC not measured (point_hidden)"


def test_pixel_aspect_ratio_keeps_ratios_right_without_millimetres() -> None:
    spacing = PixelSpacing(row_mm=0.1, column_mm=0.2, rule=SpacingRule.DETECTOR_PLANE)
    dataset = exposed(marked_film(spacing), spacing, ImagerPixelSpacing=None, PixelAspectRatio=[1, 2])
    analysis = analyse(dataset, MarksDetector(), SETTINGS)
    assert analysis.measurement is not None
    assert analysis.measurement.sac_ratio == pytest.approx(SAC_MM / 30, abs=0.01)


def test_film_with_one_point_is_abstained_from() -> None:
    analysis = analyse(exposed(marked_film(SQUARE, marks=1)), MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.ABSTAINED
    assert analysis.reason == "point_hidden"
    assert analysis.measurement is None


def test_picture_of_something_else_is_rejected() -> None:
    analysis = analyse(exposed(marked_film(SQUARE, marks=0)), MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.REJECTED
    assert analysis.reason == "no_lateral_cervical_view"


def test_tags_of_something_else_are_rejected_with_their_rule() -> None:
    analysis = analyse(exposed(marked_film(SQUARE), BodyPartExamined="CHEST"), MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.REJECTED
    assert analysis.rule == "other-body-part"


def test_the_rule_that_saved_a_film_is_kept_beside_the_one_that_gave_its_view() -> None:
    spine_room = SelectionRule(name="spine-room", elements=("StationName",), words=("spine room",), then=Then.SELECT)
    settings = replace(SETTINGS, selection=replace(SETTINGS.selection, site_rules=(spine_room,)))
    chest = exposed(
        marked_film(SQUARE), BodyPartExamined="CHEST", StationName="Spine room 2", SeriesDescription="flexion"
    )
    analysis = analyse(chest, MarksDetector(), settings)
    assert analysis.status is FilmStatus.MEASURED
    assert (analysis.rule, analysis.selected_by) == ("flexion", "spine-room")
    assert analyse(chest, MarksDetector(), SETTINGS).selected_by is None


def test_broken_pixels_are_a_failed_film_and_no_exception() -> None:
    analysis = analyse(exposed(marked_film(SQUARE), PixelData=b"\0\0"), MarksDetector(), SETTINGS)
    assert analysis.status is FilmStatus.FAILED
    assert analysis.reason is not None
    assert "decoded" in analysis.reason


def test_view_comes_from_the_tags_then_from_a_sure_picture() -> None:
    tagged = measured(exposed(marked_film(SQUARE), SeriesDescription="C-spine extension"))
    assert (tagged.view, tagged.view_source, tagged.rule) == (View.EXTENSION, ViewSource.TAGS, "extension")
    seen = measured(exposed(marked_film(SQUARE)))
    assert (seen.view, seen.view_source) == (View.FLEXION, ViewSource.PICTURE)
    unsure = replace(SETTINGS, measurement=replace(SETTINGS.measurement, view_confidence=0.99))
    unknown = analyse(exposed(marked_film(SQUARE)), MarksDetector(), unsure)
    assert (unknown.view, unknown.view_source) == (View.UNKNOWN, ViewSource.NONE)


def test_child_is_measured_and_not_assessed() -> None:
    analysis = measured(exposed(marked_film(SQUARE), PatientAge="012Y"))
    assert analysis.measurement is not None
    assert analysis.measurement.assessment == "not_assessed"


def test_json_has_every_key_always(tmp_path: Path) -> None:
    films = {
        "measured": exposed(marked_film(SQUARE)),
        "located": exposed(marked_film(SQUARE), ImagerPixelSpacing=None),
        "abstained": exposed(marked_film(SQUARE, marks=1)),
        "rejected": exposed(marked_film(SQUARE), BodyPartExamined="HAND"),
        "failed": exposed(marked_film(SQUARE), BitsAllocated=32),
    }
    for status, dataset in films.items():
        answer = as_json(analyse(dataset, MarksDetector(), SETTINGS), "a.dcm")
        assert list(answer) == KEYS
        assert answer["status"] == status
        assert answer["file"] == "a.dcm"
        assert list(answer["landmarks"]) == list(LANDMARKS)  # type: ignore[call-overload]
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_json_says_what_was_measured() -> None:
    answer = as_json(measured(exposed(marked_film(SQUARE), SeriesDescription="flexion", PatientAge="061Y")), "a.dcm")
    assert answer["view"] == "flexion"
    assert answer["facing"] == "left"
    assert answer["adi_mm"] == pytest.approx(ADI_MM, abs=0.08)
    low, high = answer["adi_interval_mm"]  # type: ignore[misc]
    assert low < ADI_MM < high
    assert answer["assessment"] == "aas_suspected"
    assert answer["spacing_mm"] == [0.15, 0.15]
    assert answer["spacing_rule"] == "detector_plane"
    assert answer["interval_source"] == "drawn marks"
    point = answer["landmarks"][Landmark.C1_ANTERIOR_ARCH_POSTERIOR]  # type: ignore[index]
    assert point["x"] == pytest.approx(20 / 0.15, abs=0.3)
    assert point["y"] == pytest.approx(20 / 0.15, abs=0.3)
    assert set(point) == {"x", "y", "sigma_px", "confidence"}


@pytest.mark.parametrize("name", ["film.png", "film.tif", "film.jpg"])
def test_picture_is_measured_with_the_spacing_that_is_given(name: str, tmp_path: Path) -> None:
    pixels = marked_film(SQUARE)
    cv2.imwrite(str(tmp_path / name), pixels << 4 if name != "film.jpg" else (pixels >> 4).astype(np.uint8))
    given = replace(SQUARE, rule=SpacingRule.GIVEN)
    analysis = analyse_file(tmp_path / name, MarksDetector(), SETTINGS, given)
    assert analysis.status is FilmStatus.MEASURED, analysis.reason
    assert_true_lengths(analysis)
    assert as_json(analysis, name)["spacing_rule"] == "given"


def test_picture_without_spacing_is_located(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "film.png"), marked_film(SQUARE))
    analysis = analyse_file(tmp_path / "film.png", MarksDetector(), SETTINGS, None)
    assert analysis.status is FilmStatus.LOCATED
    assert analysis.reason is not None
    assert "--pixel-spacing" in analysis.reason


def test_dicom_file_ignores_the_spacing_that_is_given(tmp_path: Path) -> None:
    path = written(exposed(marked_film(SQUARE)), tmp_path / "film.dcm")
    analysis = analyse_file(path, MarksDetector(), SETTINGS, replace(SQUARE, row_mm=1.0, rule=SpacingRule.GIVEN))
    assert_true_lengths(analysis)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM", bytes(128) + b"DICMxxxx"]
)
def test_unreadable_file_is_a_failed_film(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    analysis = analyse_file(tmp_path / "x", MarksDetector(), SETTINGS, None)
    assert analysis.status is FilmStatus.FAILED
    assert analysis.reason


def test_missing_file_is_a_failed_film(tmp_path: Path) -> None:
    analysis = analyse_file(tmp_path / "none.dcm", MarksDetector(), SETTINGS, None)
    assert analysis.status is FilmStatus.FAILED
    assert analysis.reason == "none.dcm: cannot be read (No such file or directory)"


class ShapeDetector(MarksDetector):
    """Knows a film only in its true shape, 80 to 60."""

    def detect(self, pixels: np.ndarray, spacing: PixelSpacing | None, aspect_ratio: float = 1.0) -> Detection:
        seen = Film(pixels, spacing, aspect_ratio)
        found = super().detect(pixels, spacing)
        is_true = seen.width / seen.height == pytest.approx(80 / 60, rel=0.01)
        return found if is_true else replace(found, outcome=Outcome.ABSTAINED)


def test_detector_is_told_the_shape_of_pixels_without_millimetres() -> None:
    tall = PixelSpacing(row_mm=0.3, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    dataset = exposed(marked_film(tall), ImagerPixelSpacing=None, PixelAspectRatio=[2, 1])
    analysis = analyse(dataset, ShapeDetector(), SETTINGS)
    assert analysis.status is FilmStatus.LOCATED
    assert analysis.measurement is not None
    assert analysis.measurement.adi_ratio == pytest.approx(ADI_MM / (ADI_MM + 10 + SAC_MM), abs=0.01)
