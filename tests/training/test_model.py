"""A whole model by one call: every stage trained, the card beside the weights, and put on trial."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aasnode.errors import ConfigurationError
from aasnode.inference.card import Role, read_card
from aasnode.inference.detection import Outcome
from aasnode.inference.detector import load_detector
from aasnode.training.model import ModelRequest, make_model, train_stage
from aasnode.training.sampler.library import LibrarySize
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate
from aasnode.training.train import Preset

SIZE = LibrarySize(bones=2, lacking=1, sides=1, necks=1, neighbourhoods=1, fields=1)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> ModelRequest:
    """Hardly any training, and two films to be put on trial with."""
    folder = tmp_path_factory.mktemp("model")
    for priors in Priors:
        simulate(
            SimulationRequest(
                out=folder / "work" / f"evaluation-{priors}",
                seed=3,
                count=1,
                film_format=FilmFormat.PNG,
                priors=priors,
                pixel_mm=0.6,
                bank_size=1,
                cache=folder / "cache" / "bones",
            )
        )
    return ModelRequest(
        out=folder / "tiny",
        work=folder / "work",
        cache=folder / "cache",
        size=SIZE,
        images=32,
        calibration_films=0,
        evaluation_films=2,
        device="cpu",
    )


def test_one_call_makes_a_model_that_loads_and_tells_what_it_is_worth(request_: ModelRequest) -> None:
    alone = train_stage(request_, Role.JOINT)
    before = (request_.work / "joint" / "checkpoint.pt").stat().st_mtime_ns
    card = make_model(request_)
    assert [stage.role for stage in card.stages] == list(Role)
    assert card.stages[-1] == alone
    assert card == read_card(request_.out)
    events = list((request_.work / "joint").glob("events*"))
    assert len(events) == 2  # it went on where it was, which was at the end
    assert (request_.work / "joint" / "checkpoint.pt").stat().st_mtime_ns >= before
    found = json.loads((request_.out / "evaluation.json").read_text())
    assert [found[name]["films"] for name in ("natural priors", "filled priors")] == [1, 1]
    assert "<!-- measured -->" in (request_.out / "README.md").read_text()
    detector = load_detector(request_.out, "cpu")
    assert detector.detect(np.zeros((300, 200), np.float32), None).outcome is Outcome.OTHER_VIEW


def test_too_few_films_to_calibrate_are_refused_before_anything_is_simulated(request_: ModelRequest) -> None:
    with pytest.raises(ConfigurationError, match="20 films calibrate nothing"):
        make_model(replace(request_, calibration_films=20))


def test_the_paper_preset_wants_annotated_films(request_: ModelRequest, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name their folder with --films"):
        make_model(replace(request_, preset=Preset.PAPER, out=tmp_path))
