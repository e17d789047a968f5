"""What a model is worth: on simulated films, which say what disturbs them, and on a hospital's, which do not."""

import json
from pathlib import Path

import pytest

from aasnode.training import trial
from aasnode.training.assess import Robustness
from aasnode.training.evaluate import Estimate, _figures
from aasnode.training.report import Evaluation
from aasnode.training.trial import TEST_PART, headline, write_evaluation


def evaluation(error_mm: float, *disturbances: str) -> Evaluation:
    """One film of each."""
    rows = [
        Robustness(
            disturbance=name,
            weakest=0.0,
            strongest=0.3,
            films=1,
            error_mm=error_mm,
            adi_abstained=0.0,
            sac_abstained=0.0,
        )
        for name in disturbances
    ]
    figures = {name: Estimate(value=error_mm, low=0.0, high=9.0) for name in _figures()}
    return Evaluation(films=len(rows), patients=len(rows), figures=figures, robustness=rows, withheld=[])


def test_a_hospitals_films_have_figures_and_no_say_in_what_disturbances_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Robustness] = []
    monkeypatch.setattr(trial, "draw_robustness", lambda rows, path: drawn.extend(rows))
    simulated, annotated = evaluation(0.4, "none", "collar"), evaluation(0.9, "none")
    found = {"natural priors": simulated, TEST_PART: annotated}
    write_evaluation(found, tmp_path)
    assert drawn == simulated.robustness
    assert list(json.loads((tmp_path / "evaluation.json").read_text())) == list(found)
    assert headline(found)[f"{TEST_PART}: ADI MAE"] == 0.9
