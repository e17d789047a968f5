"""What a model card tells: figures with intervals, what was rightly withheld, and a picture of what disturbs."""

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from aasnode.training.assess import Assessed, Robustness, Withheld
from aasnode.training.dataset import AnnotatedFilm
from aasnode.training.evaluate import Lengths, Results, Told
from aasnode.training.plot import draw_robustness
from aasnode.training.report import ALL, BEGIN, END, Evaluation, as_json, evaluation_of, tables, with_tables
from aasnode.training.trial import write_evaluation

NAN = math.nan


def lengths(truth: list[float], measured: list[float]) -> Lengths:
    at = np.array(measured)
    known = np.array(truth)
    return Lengths(truth=known, measured=at, low=at - 0.5, high=at + 0.5, lost=np.isnan(known))


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Four films of four patients; the last cannot be measured, and is not."""
    points = np.array([[[20.0, 0], [18.0, 0], [8.0, 0], [-8.0, 0]]] * 4)
    found = points + [[[0.3, 0.4]] * 4]  # 0.5 mm off
    found[3] = NAN
    results = Results(
        points=found,
        truth=points,
        adi=lengths([2.0, 5.0, 4.0, NAN], [2.0, 5.2, 3.2, NAN]),
        sac=lengths([16.0, 12.0, 20.0, NAN], [16.0, 12.0, 20.0, NAN]),
        facing=Told(truth=np.array(["right"] * 4), told=np.array(["right", "right", "right", ""])),
        view=Told(truth=np.array([""] * 4), told=np.array(["flexion"] * 4)),
        patients=np.array(["a", "b", "c", "d"]),
    )
    films = tuple(
        AnnotatedFilm(
            path=Path(f"{number}.png"),
            patient_id="abcd"[number],
            spacing=None,
            points=points[number],
            visible=np.ones(4, bool),
            adi_reason="operated_neck" if number == 3 else None,
            sac_reason="operated_neck" if number == 3 else None,
            disturbances={"collar": 0.5} if number == 1 else {},
        )
        for number in range(4)
    )
    sigmas = np.full(4, 0.2)
    return evaluation_of(
        Assessed(films=films, detections=(), results=results, adi_sigmas_mm=sigmas, sac_sigmas_mm=sigmas), seed=1
    )


def test_every_figure_stands_in_the_table_with_its_interval(evaluation: Evaluation) -> None:
    page = tables({"natural priors": evaluation})
    assert "| | natural priors, 4 films |" in page
    assert "| Point error: mean | 0.50 mm |" in page  # the same on every film
    assert "| ADI > 3 mm: sensitivity, “uncertain” is wrong | 100.0 % (34.2–100.0) |" in page
    assert "| ADI > 3 mm, uncertain where the interval spans it: sensitivity | 50.0 % (0.0–100.0) |" in page
    assert "| ADI > 3 mm by the value alone: abnormal films that are called normal | 0.0 % (0.0–65.8) |" in page
    assert "| Facing: right, where told | 100 % (44–100) |" in page
    assert "| View: right, where told | – |" in page
    assert "| operated neck | 1 of 1 (21–100 %) | 1 of 1 (21–100 %) |" in page


def test_figures_of_one_patient_have_no_interval(evaluation: Evaluation) -> None:
    alone = {name: replace(one, low=math.nan, high=math.nan) for name, one in evaluation.figures.items()}
    page = tables({"natural priors": replace(evaluation, figures=alone)})
    assert "| Point error: mean | 0.50 mm |" in page
    assert "| Facing: right, where told | 100 % |" in page


def test_the_table_of_disturbances_says_of_how_many_films(evaluation: Evaluation) -> None:
    page = tables({"natural priors": evaluation})
    assert "| collar | middle | 1 | 0.50 mm | 0 % | 0 % |" in page
    assert "| none |  | 3 | 0.50 mm | 0 % | 0 % |" in page


def test_the_set_of_all_films_is_not_counted_twice(evaluation: Evaluation) -> None:
    page = tables({"natural priors": evaluation, ALL: evaluation})
    assert "| operated neck | 1 of 1 (21–100 %) | 1 of 1 (21–100 %) |" in page


def test_sets_of_films_stand_side_by_side(evaluation: Evaluation) -> None:
    page = tables({"natural priors": evaluation, "filled priors": evaluation, ALL: evaluation})
    assert "| Point error: mean | 0.50 mm | 0.50 mm | 0.50 mm |" in page


def test_a_page_keeps_what_people_wrote_about_the_tables(evaluation: Evaluation) -> None:
    page = with_tables(f"# Model\n\nBefore.\n\n{BEGIN}\nyesterday\n{END}\n\nAfter.\n", {"natural": evaluation})
    assert page.startswith("# Model\n\nBefore.\n")
    assert page.endswith("\n\nAfter.\n")
    assert "yesterday" not in page
    assert with_tables(page, {"natural": evaluation}) == page
    assert BEGIN in with_tables("# Model\n", {"natural": evaluation})


def test_scripts_read_null_where_nothing_could_be_computed(evaluation: Evaluation) -> None:
    found = json.loads(as_json({"natural": evaluation}))["natural"]
    assert found["films"] == 4
    assert found["figures"]["ADI MAE"]["value"] == pytest.approx(1 / 3)
    assert found["withheld"][0] == {"length": "ADI", "reason": "operated_neck", "films": 1, "withheld": 1.0}
    assert "NaN" not in as_json({"natural": evaluation})


def row(name: str, strength: float, error_mm: float, films: int = 10) -> Robustness:
    return Robustness(
        disturbance=name,
        weakest=strength,
        strongest=strength + 0.33,
        films=films,
        error_mm=error_mm,
        adi_abstained=0.1,
        sac_abstained=0.1,
    )


def test_the_plot_has_a_line_for_each_disturbance(tmp_path: Path) -> None:
    few = [row("none", 0.0, 0.4), row("collar", 0.0, 0.5), row("collar", 0.67, NAN)]
    draw_robustness(few, tmp_path / "few.png")
    draw_robustness([*few, *(row(f"thing {n}", 0.34, 0.6) for n in range(12))], tmp_path / "many.png")
    heights = [cv2.imread(str(tmp_path / name)).shape[0] for name in ("few.png", "many.png")]
    assert heights[1] > heights[0]


def test_a_model_folder_gets_figures_plot_and_tables(evaluation: Evaluation, tmp_path: Path) -> None:
    write_evaluation({"natural": evaluation}, tmp_path)
    assert json.loads((tmp_path / "evaluation.json").read_text())["natural"]["patients"] == 4
    assert cv2.imread(str(tmp_path / "robustness.png")) is not None
    assert "Point error" in (tmp_path / "README.md").read_text()
    assert Withheld(length="ADI", reason="operated_neck", films=1, withheld=1.0) in evaluation.withheld
