"""Make a model from a seed: build the library, train a network for each stage, write the card, put it on trial.

Read from top to bottom: ``make_model``. Everything may be stopped and started again; what is done is kept. The folder
``out`` holds what ships, weights and card; ``work`` holds checkpoints, curves, the films of the calibration, and which
patients of annotated films were held out.
"""

import dataclasses
import json
import shutil
from pathlib import Path

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError
from aasnode.inference.card import CARD_FILE, Card, Role, Search, StageCard, read_card, sha256_of, write_card
from aasnode.training.calibrate import UNCALIBRATED
from aasnode.training.dataset import Split
from aasnode.training.legs import story, train_legs
from aasnode.training.plan import Plan, annotated_films, plans_of
from aasnode.training.postures import simulated_postures
from aasnode.training.request import ModelRequest, check, legs_in_work, pretrained_of, version_problems
from aasnode.training.sampler.library import Library
from aasnode.training.shipped import SEARCH, STAGES, THRESHOLDS, decision_of
from aasnode.training.simulate.disturbances import SHARES
from aasnode.training.simulate.patient import VARIANT_SHARES
from aasnode.training.train import WEIGHTS, Preset
from aasnode.training.trial import TO_CALIBRATE, TO_EVALUATE, Trial, assessable, calibrated, evaluated


def make_model(request: ModelRequest) -> Card:
    """Make it and write it into ``request.out``. Raises ConfigurationError where the request does not make sense."""
    check(request, STAGES[request.preset])
    films = annotated_films(request)
    stages = tuple(_trained(request, plan()) for plan in plans_of(request, films).values())
    card = _write_model(request, _card(request, stages, Library(request.size, request.cache), films))
    trial = trial_of(request, films)
    if request.calibration_films and card.calibration == UNCALIBRATED:
        card = calibrated(trial, card, request.calibration_films)
        write_card(card, request.out)
    if request.evaluation_films:
        card = evaluated(trial, card, request.evaluation_films)
        write_card(card, request.out)
    return card


def train_stage(request: ModelRequest, role: Role) -> StageCard:
    """One network alone, so that several machines or processes can share the work; ``make_model`` then finds it done.

    Raises ConfigurationError where the request does not make sense, or the preset has no such stage.
    """
    check(request, (role,))
    return _trained(request, plans_of(request, annotated_films(request))[role]())


def trial_of(request: ModelRequest, films: Split | None) -> Trial:
    """How the finished model is calibrated and evaluated."""
    return Trial(
        out=request.out,
        work=request.work,
        seed=request.seed,
        annotated=() if films is None else films.test,
        cache=request.cache,
        workers=request.workers,
        device=request.device,
        progress=request.progress,
    )


def _trained(request: ModelRequest, plan: Plan) -> StageCard:
    """Train the network, or go on with it, in the work folder."""
    role = plan.card.role
    weights = request.work / role / WEIGHTS
    train_legs(
        plan,
        legs_in_work(request, role),
        weights,
        pretrained=pretrained_of(request, role),
        device=request.device,
        progress=request.progress,
    )
    return dataclasses.replace(plan.card, weights=f"{role}.safetensors", sha256=sha256_of(weights))


def _write_model(request: ModelRequest, card: Card) -> Card:
    """Weights and card, once all of them are there. Raises ConfigurationError where the version is another model's."""
    if problems := version_problems(request):
        raise ConfigurationError(problems)
    card = _with_what_is_known(card, request.out)
    request.out.mkdir(parents=True, exist_ok=True)
    for stage in card.stages:
        shutil.copyfile(request.work / stage.role / WEIGHTS, request.out / stage.weights)
    write_card(card, request.out)
    return card


def _with_what_is_known(card: Card, folder: Path) -> Card:
    """The card with the intervals and figures of the same model, where it is there and has them.

    Raises ConfigurationError where it has the same version and would answer otherwise.
    """
    if not (folder / CARD_FILE).exists():
        return card
    there = read_card(folder)
    if there.version != card.version:
        return card
    known = dataclasses.replace(card, calibration=there.calibration, errors=there.errors)
    if dataclasses.replace(there, training=known.training) != known:
        raise ConfigurationError(
            [f"{folder}: {there.model} looks or abstains by other rules than it would now; give this one a --version"]
        )
    return known


def _card(request: ModelRequest, stages: tuple[StageCard, ...], library: Library, films: Split | None) -> Card:
    simulated = request.preset is Preset.DEFAULT
    return Card(
        name=request.out.name,
        version=request.version,
        landmarks=LANDMARKS,
        stages=stages,
        decision=decision_of(stages),
        calibration=UNCALIBRATED,
        search=SEARCH if simulated else Search(),
        postures=simulated_postures(library.bank, request.seed),
        disturbances={str(name): share for name, share in [*SHARES.items(), *VARIANT_SHARES.items()]},
        training={
            "preset": str(request.preset),
            "seed": str(request.seed),
            "simulated": f"library {library.folder.name}: {json.dumps(dataclasses.asdict(request.size))}"
            if simulated
            else "none",
            "films on trial": (
                f"seeds {request.seed} + {TO_CALIBRATE.seed} and {TO_EVALUATE.seed}, priors in turn; "
                f"bones of editions {TO_CALIBRATE.edition} and {TO_EVALUATE.edition}"
            ),
            "annotated": _parts(films),
            "thresholds": THRESHOLDS,
            **{stage.role: story(legs_in_work(request, stage.role)) for stage in stages},
        },
    )


def _parts(films: Split | None) -> str:
    """How many annotated films there are for what, in words."""
    if films is None:
        return "none"
    told = f"{len(films.train)} films to train on, {len(films.validation)} to validate with, {len(films.test)} held out"
    return told if assessable(films.test) else f"{told} and not assessed: none of them has a pixel spacing"
