"""A detector asked about films with known truth: its answers, errors and abstentions land in the right places."""

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aasnode.anatomy import LANDMARKS, Facing, LandmarkEstimate, View
from aasnode.geometry import PixelSpacing, Point, SpacingRule
from aasnode.inference.detection import Detection, Outcome, Reason
from aasnode.measurement import Calibration
from aasnode.training.assess import assess, joined, robustness, withheld
from aasnode.training.calibrate import calibrate
from aasnode.training.dataset import AnnotatedFilm

SPACING = PixelSpacing(row_mm=0.2, column_mm=0.1, rule=SpacingRule.GIVEN)
TRUTH = np.array([[300.0, 100.0], [280.0, 100.0], [180.0, 100.0], [20.0, 100.0]])  # ADI 2, dens 10, SAC 16 mm


class Marker:
    """Answers with the truth of the film whose number its first pixel holds, off by a set number of columns."""

    model = "marker 1"
    calibration = Calibration(
        adi_quantile=2.0, sac_quantile=2.0, adi_floor_mm=0.3, sac_floor_mm=0.5, source="simulated films"
    )

    def __init__(self, off_px: dict[int, float], withheld: dict[int, tuple[Reason | None, Reason | None]]) -> None:
        self._off_px, self._withheld = off_px, withheld

    def detect(
        self, pixels: npt.NDArray[np.float32], spacing: PixelSpacing | None, aspect_ratio: float = 1.0
    ) -> Detection:
        number = round(float(pixels[0, 0]) * 255)
        x = TRUTH[:, 0] + np.array([self._off_px.get(number, 0.0), 0, 0, 0])
        adi, sac = self._withheld.get(number, (None, None))
        return Detection(
            outcome=Outcome.FOUND,
            landmarks={
                mark: LandmarkEstimate(
                    point=Point(x=float(x[row]), y=100.0), covariance_px2=((2.0, 0.0), (0.0, 2.0)), confidence=0.9
                )
                for row, mark in enumerate(LANDMARKS)
            },
            adi_reason=adi,
            sac_reason=sac,
            facing=Facing.RIGHT,
            facing_confidence=1.0,
            view=View.NEUTRAL,
            view_confidence=1.0,
            model=self.model,
        )


def film(folder: Path, number: int, **changes: object) -> AnnotatedFilm:
    pixels = np.zeros((200, 320), np.uint8)
    pixels[0, 0], pixels[-1, -1] = number, 255
    cv2.imwrite(str(folder / f"{number}.png"), pixels)
    known = AnnotatedFilm(
        path=folder / f"{number}.png",
        patient_id=f"P{number}",
        spacing=SPACING,
        points=TRUTH,
        visible=np.ones(4, bool),
    )
    return dataclasses.replace(known, **changes)  # type: ignore[arg-type]


def test_answers_stand_beside_their_truth_in_mm(tmp_path: Path) -> None:
    films = [film(tmp_path, 10), film(tmp_path, 20), film(tmp_path, 30, spacing=None)]
    found = assess(films, Marker({20: 5.0}, {}))
    assert [item.patient_id for item in found.films] == ["P10", "P20"]
    assert found.results.adi.truth == pytest.approx([2, 2])
    assert found.results.adi.measured == pytest.approx([2, 2.5])
    assert found.results.sac.measured == pytest.approx([16, 16])
    assert found.adi_sigmas_mm == pytest.approx([0.2, 0.2])  # two points of variance 2 px, 0.1 mm a column
    assert found.results.adi.high - found.results.adi.measured == pytest.approx([2 * math.hypot(0.2, 0.3)] * 2)
    assert found.results.sac.high - found.results.sac.measured == pytest.approx([2 * math.hypot(0.2, 0.5)] * 2)
    assert found.results.points - found.results.truth == pytest.approx(
        np.array([[[0, 0]] * 4, [[0.5, 0]] + [[0, 0]] * 3])
    )


def test_facing_and_view_are_held_against_what_the_folder_tells(tmp_path: Path) -> None:
    films = [
        film(tmp_path, 10, facing=Facing.LEFT, view=View.NEUTRAL),
        film(tmp_path, 20, facing=Facing.RIGHT, view=None),
    ]
    results = assess(films, Marker({}, {})).results
    assert (results.facing.truth.tolist(), results.facing.told.tolist()) == (["left", "right"], ["right", "right"])
    assert (results.view.truth.tolist(), results.view.told.tolist()) == (["neutral", ""], ["neutral", "neutral"])


def test_what_is_withheld_is_not_answered_and_what_cannot_be_measured_has_no_truth(tmp_path: Path) -> None:
    films = [film(tmp_path, 10), film(tmp_path, 20, sac_reason="operated_neck")]
    found = assess(films, Marker({}, {10: (Reason.POINT_HIDDEN, None)}))
    assert np.isnan(found.results.adi.measured).tolist() == [True, False]
    assert np.isnan(found.results.points[0]).any(1).tolist() == [True, True, False, False]
    assert np.isnan(found.results.sac.truth).tolist() == [False, True]
    adi, sac = found.residuals()
    assert (adi.patients.tolist(), sac.patients.tolist()) == (["P20"], ["P10"])


def test_a_calibration_follows_from_the_answers(tmp_path: Path) -> None:
    films = [film(tmp_path, number) for number in range(1, 121)]
    found = assess(films, Marker({number: number / 10 for number in range(1, 121)}, {}))
    fitted = calibrate(*found.residuals(), "marked films", floors_mm=(0.0, 0.1), length_share=0.0)
    # errors are 0.01 to 1.20 mm in even steps; the 109th of 120 is 1.09, in sigmas of 0.2 mm
    assert fitted.adi_quantile == pytest.approx(1.09 / 0.2)
    assert fitted.sac_quantile == 0


def test_the_robustness_table_bins_by_disturbance_and_strength(tmp_path: Path) -> None:
    films = [
        film(tmp_path, 10),
        film(tmp_path, 20, disturbances={"noise": 0.2}),
        film(tmp_path, 30, disturbances={"noise": 0.9, "collar": 0.5}),
    ]
    table = robustness(assess(films, Marker({20: 4.0, 30: 40.0}, {30: (None, Reason.LOW_CONFIDENCE)})))
    rows = {(row.disturbance, row.strongest): row for row in table}
    assert set(rows) == {("none", 0.0), ("noise", 0.34), ("noise", 1.0), ("collar", 0.67)}
    assert rows["none", 0.0].error_mm == 0
    assert rows["noise", 0.34].error_mm == pytest.approx(0.1)
    assert rows["noise", 1.0].error_mm == pytest.approx(2.0)  # the mean of points 1 and 2
    assert (rows["noise", 1.0].adi_abstained, rows["noise", 1.0].sac_abstained) == (0, 1)
    assert math.isclose(rows["collar", 0.67].error_mm, 2.0)


def test_what_is_there_or_not_has_no_degrees(tmp_path: Path) -> None:
    films = [film(tmp_path, 10 * n, disturbances={"turned": n / 4}) for n in (1, 2, 3)]
    (row,) = robustness(assess(films, Marker({}, {})))
    assert (row.disturbance, row.weakest, row.strongest, row.films) == ("turned", 0.0, 1.0, 3)


def test_sets_of_films_are_joined_and_no_patient_with_them(tmp_path: Path) -> None:
    one, two = (assess([film(tmp_path, at, disturbances={"noise": 0.2})], Marker({20: 4.0}, {})) for at in (10, 20))
    both = joined({"one": one, "two": two})
    assert len(both.films) == len(both.detections) == len(both.results.adi.truth) == len(both.adi_sigmas_mm) == 2
    assert both.results.points.shape == (2, 4, 2)
    assert len(set(both.results.patients.tolist())) == 2
    (row,) = robustness(both)
    assert (row.films, row.error_mm) == (2, pytest.approx(0.05))  # of eight points one is 0.4 mm off


def test_what_cannot_be_measured_is_counted_by_its_reason(tmp_path: Path) -> None:
    films = [
        film(tmp_path, 10, adi_reason="operated_neck", sac_reason="operated_neck"),
        film(tmp_path, 20, adi_reason="operated_neck", sac_reason="operated_neck"),
        film(tmp_path, 30, sac_reason="point_hidden"),
        film(tmp_path, 40),
    ]
    table = withheld(assess(films, Marker({}, {20: (Reason.OPERATED_NECK, None), 30: (None, Reason.POINT_HIDDEN)})))
    rows = {(row.length, row.reason): (row.films, row.withheld) for row in table}
    assert rows == {
        ("ADI", "operated_neck"): (2, 0.5),
        ("SAC", "operated_neck"): (2, 0.0),
        ("SAC", "point_hidden"): (1, 1.0),
    }
