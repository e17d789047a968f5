"""A whole model by one call: every stage trained, the card beside the weights, and put on trial."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError
from aasnode.inference.card import Role, read_card, write_card
from aasnode.inference.detection import Outcome
from aasnode.inference.detector import load_detector
from aasnode.training.model import ModelRequest, _card, make_model, train_stage
from aasnode.training.sampler.crops import LOCATE, stage_card
from aasnode.training.sampler.library import Library, LibrarySize
from aasnode.training.simulate.disturbances import SHARES, Disturbance
from aasnode.training.simulate.patient import VARIANT_SHARES
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate, version
from aasnode.training.train import Preset
from aasnode.training.trial import EVALUATION_SEED, SiteRequest, Trial, calibrate_for_site, simulated_films

SIZE = LibrarySize(bones=2, lacking=1, sides=1, necks=1, neighbourhoods=1, fields=1)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> ModelRequest:
    """Hardly any training, and two films to be put on trial with."""
    folder = tmp_path_factory.mktemp("model")
    for number, priors in enumerate(Priors):
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
        told = {"seed": 1 + EVALUATION_SEED + number, "films": 1, "priors": priors, "simulator": version()}
        (folder / "work" / f"evaluation-{priors}" / "request.json").write_text(json.dumps(told))
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


def test_films_of_another_request_are_not_taken_for_these(request_: ModelRequest) -> None:
    trial = Trial(out=request_.out, work=request_.work, seed=2, cache=request_.cache)
    with pytest.raises(ConfigurationError, match="holds other films than these"):
        simulated_films(trial, "evaluation", 2, EVALUATION_SEED)


def test_the_paper_preset_wants_annotated_films_and_pretrained_weights(request_: ModelRequest, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name their folder with --films"):
        make_model(replace(request_, preset=Preset.PAPER, out=tmp_path))
    with pytest.raises(ConfigurationError, match="name them with --pretrained"):
        make_model(replace(request_, preset=Preset.PAPER, out=tmp_path, films=tmp_path))


def test_a_card_of_the_paper_preset_can_be_read(request_: ModelRequest, tmp_path: Path) -> None:
    """One stage without masks has no rules for them."""
    paper = replace(request_, preset=Preset.PAPER, out=tmp_path)
    stage = replace(stage_card(LOCATE, "w32", "locate.safetensors", "0" * 64), channels=LANDMARKS, masks=())
    write_card(_card(paper, (stage,), Library(SIZE, request_.cache)), tmp_path)
    assert read_card(tmp_path).decision.masks == {}


def test_the_card_says_what_films_on_trial_show(request_: ModelRequest) -> None:
    stage = stage_card(LOCATE, "w18_small", "locate.safetensors", "0" * 64)
    card = _card(request_, (stage,), Library(SIZE, request_.cache))
    assert set(card.disturbances) == {*SHARES, *VARIANT_SHARES}
    assert card.disturbances["upper_fusion"] == SHARES[Disturbance.UPPER_FUSION]


def test_a_model_calibrated_on_a_sites_films_is_another_version(request_: ModelRequest, tmp_path: Path) -> None:
    site = SiteRequest(
        films=request_.work / "evaluation-natural", model=request_.out, out=tmp_path / "site", version="1.0.0"
    )
    with pytest.raises(ConfigurationError, match=r"version 1\.0\.0 is that of the model"):
        calibrate_for_site(site)
    with pytest.raises(ConfigurationError, match="0 patients answered; needed are 100"):
        calibrate_for_site(replace(site, version="1.0.1"))
    with pytest.raises(ConfigurationError, match="is not empty"):
        calibrate_for_site(replace(site, out=request_.out, version="1.0.1"))
    assert not site.out.exists()
