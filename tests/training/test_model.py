"""A whole model by one call: every stage trained, the card beside the weights, and put on trial."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError, ModelError
from aasnode.inference.card import CARD_FILE, Card, Role, read_card, sha256_of, verify_weights, write_card
from aasnode.inference.detection import Outcome
from aasnode.inference.detector import load_detector
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import read_tensors, write_weights
from aasnode.training import model, plan, report, shipped
from aasnode.training.calibrate import UNCALIBRATED
from aasnode.training.dataset import FilmStream, read_annotated_films, split_by_patient
from aasnode.training.evaluate import summarise
from aasnode.training.model import _card, make_model, train_stage
from aasnode.training.plan import plan_as_paper
from aasnode.training.postures import simulated_postures
from aasnode.training.report import ALL, EVALUATION
from aasnode.training.request import ModelRequest, check, pretrained_of, version_problems
from aasnode.training.sampler.crops import LOCATE, stage_card
from aasnode.training.sampler.library import Library
from aasnode.training.simulate.disturbances import SHARES, Disturbance
from aasnode.training.simulate.patient import VARIANT_SHARES
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate, version
from aasnode.training.train import CHECKPOINT, Preset, learnt
from aasnode.training.trial import (
    TEST_PART,
    TO_CALIBRATE,
    TO_EVALUATE,
    Purpose,
    SiteRequest,
    Trial,
    assessable,
    calibrate_for_site,
    copy_calibrated,
    simulated_films,
)

from .conftest import SIZE


def simulated(out: Path, cache: Path, count: int, priors: Priors = Priors.NATURAL) -> Path:
    """A few coarse films."""
    simulate(
        SimulationRequest(
            out=out,
            seed=3,
            count=count,
            film_format=FilmFormat.PNG,
            priors=priors,
            pixel_mm=0.6,
            bank_size=1,
            cache=cache / "bones",
        )
    )
    return out


def pass_for(folder: Path, purpose: Purpose, count: int, priors: Priors) -> None:
    """The one film of the folder stands for so many."""
    seed = 1 + purpose.seed + list(Priors).index(priors)
    told = {"seed": seed, "films": count, "priors": priors, "bones": purpose.edition, "simulator": version()}
    (folder / "request.json").write_text(json.dumps(told))


@pytest.fixture(scope="module", autouse=True)
def little_is_enough() -> Iterator[None]:
    """To validate with, and to draw the intervals of figures from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_VALIDATION_SAMPLES", 4)
        patch.setattr(report, "summarise", partial(summarise, draws=20))
        patch.setattr(model, "simulated_postures", partial(simulated_postures, necks=20))
        yield


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory, training_cache: Path) -> ModelRequest:
    """Hardly any training, and two films to be put on trial with."""
    folder = tmp_path_factory.mktemp("model")
    for priors in Priors:
        films = simulated(folder / "work" / f"evaluation-{priors}", training_cache, 1, priors)
        pass_for(films, TO_EVALUATE, 1, priors)
    return ModelRequest(
        out=folder / "tiny",
        work=folder / "work",
        cache=training_cache,
        size=SIZE,
        images=16,
        calibration_films=0,
        evaluation_films=2,
        device="cpu",
    )


@pytest.fixture(scope="module")
def made(request_: ModelRequest) -> Card:
    """The finished model of the request, by whatever test it was made."""
    return make_model(replace(request_, evaluation_films=0))


@pytest.fixture(scope="module")
def annotated(request_: ModelRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine films to train on, two to validate with, one held out; of the first, point 4 was not marked."""
    assert request_.cache is not None
    folder = simulated(tmp_path_factory.mktemp("annotated"), request_.cache, 12)
    path = folder / "annotations.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    unmarked = split_by_patient(read_annotated_films(folder), request_.seed).train[0].path.name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row for row in rows if (row["path"], row["landmark"]) != (unmarked, LANDMARKS[3]))
    return folder


@pytest.fixture
def with_films(request_: ModelRequest, annotated: Path, tmp_path: Path) -> ModelRequest:
    """One batch of each network, on annotated films."""
    for priors in Priors:
        shutil.copytree(request_.work / f"evaluation-{priors}", tmp_path / "work" / f"evaluation-{priors}")
    return replace(request_, out=tmp_path / "site", work=tmp_path / "work", films=annotated, images=16)


def test_one_call_makes_a_model_that_loads_and_tells_what_it_is_worth(request_: ModelRequest) -> None:
    alone = train_stage(request_, Role.JOINT)
    assert not request_.out.exists()  # weights never travel without their card
    before = (request_.work / "joint" / "checkpoint.pt").stat().st_mtime_ns
    card = make_model(request_)
    assert [stage.role for stage in card.stages] == list(Role)
    assert card.stages[-1] == alone
    assert card == read_card(request_.out)
    assert card.training["joint"] == learnt(request_.work / "joint")
    assert card.training["joint"].startswith("16 samples in ")
    assert (request_.work / "joint" / "checkpoint.pt").stat().st_mtime_ns == before  # there was nothing left to learn
    found = json.loads((request_.out / "evaluation.json").read_text())
    assert {name: one["films"] for name, one in found.items()} == {"natural priors": 1, "filled priors": 1, ALL: 2}
    assert "<!-- measured -->" in (request_.out / "README.md").read_text()
    detector = load_detector(request_.out, "cpu")
    assert detector.detect(np.zeros((300, 200), np.float32), None).outcome is Outcome.OTHER_VIEW
    assert make_model(replace(request_, evaluation_films=0)).stages == card.stages  # as often as one likes


def test_annotated_films_are_learnt_from_and_those_held_out_are_assessed(with_films: ModelRequest) -> None:
    card = make_model(with_films)
    with (with_films.work / "split.csv").open(encoding="utf-8") as file:
        parts = [row["part"] for row in csv.DictReader(file)]
    assert [parts.count(part) for part in ("train", "validation", "test")] == [9, 2, 1]
    assert card.training["annotated"] == "9 films to train on, 2 to validate with, 1 held out"
    assert json.loads((with_films.out / "evaluation.json").read_text())[TEST_PART]["films"] == 1
    assert TEST_PART in (with_films.out / "README.md").read_text()
    assert not (with_films.out / "split.csv").exists()


def test_a_model_as_in_the_paper_is_kept_though_it_answers_too_little_to_be_calibrated(
    with_films: ModelRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "LOCATE", replace(LOCATE, input_px=64))  # a batch of the paper's network takes long
    for priors in Priors:
        films = with_films.work / f"calibration-{priors}"
        shutil.copytree(with_films.work / f"evaluation-{priors}", films)
        pass_for(films, TO_CALIBRATE, 100, priors)
    write_weights(PoseHRNet(Variant.W32, maps=17), tmp_path / "coco.safetensors")
    request = replace(with_films, preset=Preset.PAPER, pretrained=tmp_path / "coco.safetensors", calibration_films=200)
    card = make_model(request)
    (with_films.work / "locate" / "checkpoint.pt").unlink()  # half a gigabyte
    assert card == read_card(request.out)
    assert [(stage.role, stage.variant) for stage in card.stages] == [(Role.LOCATE, "w32")]
    assert card.calibration == UNCALIBRATED
    assert card.training["intervals"].endswith("0 patients answered; needed are 100")
    assert TEST_PART in json.loads((request.out / "evaluation.json").read_text())


def test_an_epoch_counts_the_films_that_are_drawn_from(with_films: ModelRequest, annotated: Path) -> None:
    split = split_by_patient(read_annotated_films(annotated), with_films.seed)
    planned = plan_as_paper(replace(with_films, images=None), split)
    assert isinstance(planned.stream, FilmStream)
    assert planned.recipes[0].images == 40 * planned.stream.films < 40 * len(split.train)


def test_held_out_films_without_spacing_are_left_out_and_the_card_says_so(
    request_: ModelRequest, annotated: Path
) -> None:
    split = split_by_patient(read_annotated_films(annotated), request_.seed)
    test = tuple(replace(film, spacing=None) for film in split.test)
    stage = stage_card(LOCATE, "w18_small", "locate.safetensors", "0" * 64)
    card = _card(request_, (stage,), Library(SIZE, request_.cache), replace(split, test=test))
    assert card.training["annotated"].endswith("1 held out and not assessed: none of them has a pixel spacing")
    assert (assessable(split.test), assessable(test), assessable(())) == (True, False, False)


def test_a_version_is_not_given_to_other_weights(request_: ModelRequest, tmp_path: Path) -> None:
    other = replace(request_, out=tmp_path / "tiny", work=tmp_path / "work")
    weights = tmp_path / "work" / "locate" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"these")
    weights.with_name(CHECKPOINT).touch()
    stage = stage_card(LOCATE, "w18_small", "locate.safetensors", sha256_of(weights))
    write_card(_card(other, (stage,), Library(SIZE, request_.cache), None), other.out)
    assert version_problems(other) == []  # its own
    weights.write_bytes(b"those")
    for start in (make_model, lambda wanted: train_stage(wanted, Role.JOINT)):
        with pytest.raises(ConfigurationError, match=r"holds another tiny 1\.0\.0; give this one a --version"):
            start(other)
    assert list(other.work.iterdir()) == [weights.parent]  # nothing was begun
    assert version_problems(replace(other, version="1.0.1")) == []


def test_pretrained_weights_of_one_network_are_refused_for_several(request_: ModelRequest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    request = replace(request_, out=tmp_path / "out", work=tmp_path / "work", pretrained=tmp_path / "file")
    with pytest.raises(ConfigurationError, match="or the one with --only"):
        make_model(request)
    check(request, (Role.REFINE,))
    with pytest.raises(ConfigurationError, match="is not there; name a model's folder"):
        check(replace(request, pretrained=tmp_path / "fill"), (Role.REFINE,))
    assert not request.work.exists()


def test_every_network_goes_on_from_its_own_of_a_pretrained_model(
    request_: ModelRequest, made: Card, tmp_path: Path
) -> None:
    request = replace(
        request_, out=tmp_path / "on", work=tmp_path / "work", pretrained=request_.out, images=1, rate=1e-7, seed=5
    )
    assert [pretrained_of(request, stage.role) for stage in made.stages] == [
        request_.out / stage.weights for stage in made.stages
    ]
    [locate, *_] = made.stages
    train_stage(request, Role.LOCATE)
    reached = request.work / "locate" / "weights.safetensors"
    before, after = (read_tensors(path) for path in (request_.out / locate.weights, reached))
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before if name.endswith("weight"))
    assert learnt(reached.parent).endswith(f", from weights {locate.sha256[:12]}")
    train_stage(replace(request, pretrained=None), Role.LOCATE)  # there is nothing left to start
    assert learnt(reached.parent).endswith(f", from weights {locate.sha256[:12]}")
    with pytest.raises(ConfigurationError, match="learns from other weights than"):
        train_stage(replace(request, pretrained=reached), Role.LOCATE)


def test_what_cannot_be_started_from_is_told_before_anything_is_trained(
    request_: ModelRequest, made: Card, tmp_path: Path
) -> None:
    request = replace(request_, out=tmp_path / "on", work=tmp_path / "work", pretrained=tmp_path / "source")
    shutil.copytree(request_.out, tmp_path / "source")
    every = tuple(Role)
    with pytest.raises(ConfigurationError, match="would be overwritten by the model that starts from it"):
        check(replace(request, out=tmp_path / "source"), every)
    write_card(replace(made, stages=made.stages[:1]), tmp_path / "source")
    with pytest.raises(ConfigurationError, match="has no network refine to start from"):
        check(request, every)
    locate, *rest = made.stages
    write_card(replace(made, stages=(replace(locate, masks=locate.masks[:-1]), *rest)), tmp_path / "source")
    with pytest.raises(ConfigurationError, match="its network locate is of another kind"):
        check(request, every)
    write_card(made, tmp_path / "source")
    check(request, every)
    (tmp_path / "source" / locate.weights).unlink()
    with pytest.raises(ModelError, match="weights of stage locate cannot be read"):
        check(request, every)


def test_a_version_keeps_its_rules_intervals_and_figures(
    request_: ModelRequest, made: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(request_, out=tmp_path / "tiny", evaluation_films=0)
    known = replace(made, calibration=replace(UNCALIBRATED, adi_quantile=1.0), errors={"point error": 1.0})
    write_card(known, request.out)
    assert make_model(replace(request, calibration_films=200)) == known
    monkeypatch.setattr(model, "SEARCH", replace(shipped.SEARCH, weak_confidence=0.99))
    with pytest.raises(ConfigurationError, match="looks or abstains by other rules"):
        make_model(request)
    assert read_card(request.out) == known
    assert make_model(replace(request, version="2")).search.weak_confidence == 0.99


def test_too_few_films_to_calibrate_are_refused_before_anything_is_trained(
    request_: ModelRequest, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="20 films calibrate nothing"):
        make_model(replace(request_, work=tmp_path / "work", out=tmp_path / "out", calibration_films=20))
    assert not (tmp_path / "work").exists()


def test_films_of_another_request_are_not_taken_for_these(request_: ModelRequest) -> None:
    trial = Trial(out=request_.out, work=request_.work, seed=2, cache=request_.cache)
    with pytest.raises(ConfigurationError, match="holds other films than these"):
        simulated_films(trial, TO_EVALUATE, 2)


def test_the_paper_preset_wants_annotated_films_and_pretrained_weights(request_: ModelRequest, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name their folder with --films"):
        make_model(replace(request_, preset=Preset.PAPER, out=tmp_path))
    with pytest.raises(ConfigurationError, match="name them with --pretrained"):
        make_model(replace(request_, preset=Preset.PAPER, out=tmp_path, films=tmp_path))


def test_a_card_of_the_paper_preset_can_be_read(request_: ModelRequest, tmp_path: Path) -> None:
    """One stage without masks has no rules for them."""
    paper = replace(request_, preset=Preset.PAPER, out=tmp_path)
    stage = replace(stage_card(LOCATE, "w32", "locate.safetensors", "0" * 64), channels=LANDMARKS, masks=())
    write_card(_card(paper, (stage,), Library(SIZE, request_.cache), None), tmp_path)
    assert read_card(tmp_path).decision.masks == {}


def test_the_card_says_what_films_on_trial_show(request_: ModelRequest) -> None:
    stage = stage_card(LOCATE, "w18_small", "locate.safetensors", "0" * 64)
    card = _card(request_, (stage,), Library(SIZE, request_.cache), None)
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


def test_a_calibrated_copy_shows_no_figures_of_the_intervals_before(request_: ModelRequest, tmp_path: Path) -> None:
    assert (request_.out / EVALUATION).exists()
    fitted = replace(read_card(request_.out).calibration, adi_quantile=1.25, source="annotated films of this site")
    copy_calibrated(request_.out, tmp_path / "site", fitted, "1.0.0+site.1")
    card = read_card(tmp_path / "site")
    assert (card.version, card.calibration.adi_quantile) == ("1.0.0+site.1", 1.25)
    for stage in card.stages:
        verify_weights(stage, tmp_path / "site")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        CARD_FILE,
        "README.md",
        *(stage.weights for stage in card.stages),
    }
    assert "intervals from annotated films of this site" in (tmp_path / "site" / "README.md").read_text()
