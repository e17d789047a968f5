"""Make a model from a seed: build the library, train a network for each stage, write the card, calibrate.

Read from top to bottom: ``make_model``. Everything may be stopped and started again; what is done is kept. The folder
``out`` holds what ships, weights and card; ``work`` holds checkpoints, curves and the films of the calibration.
"""

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError
from aasnode.inference.card import Card, Decision, Role, Search, StageCard, sha256_of, write_card
from aasnode.inference.detector import load_detector
from aasnode.measurement import Calibration
from aasnode.training.assess import assess
from aasnode.training.calibrate import LEAST_PATIENTS, calibrate
from aasnode.training.dataset import FilmStream, Split, held_out_samples, read_annotated_films, split_by_patient
from aasnode.training.evaluate import summarise
from aasnode.training.mixture import Mixture
from aasnode.training.postures import simulated_postures
from aasnode.training.sampler.compose import HELD_OUT, TRAINING
from aasnode.training.sampler.crops import CAUDAL, CROPS, LOCATE, CloseUp, WholeFilm, stage_card
from aasnode.training.sampler.library import Library, LibrarySize
from aasnode.training.sampler.stream import ComposedStream
from aasnode.training.samples import Sample, SampleStream
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate
from aasnode.training.train import WEIGHTS, Preset, Recipe, recipe_of, train

IMAGES: Mapping[Role, int] = {Role.LOCATE: 36_000, Role.REFINE: 44_000, Role.JOINT: 64_000}
"""Samples of each network; an estimate: on real films the first trials changed little beyond a tenth of them."""

DECISION = Decision(
    film_confidence=0.45,
    answer_confidence=0.60,
    point_confidence=0.25,
    spread=0.035,
    offset=0.12,
    adi=(0.0, 0.50),
    dens=(0.12, 0.55),
    sac=(0.10, 0.90),
    diameter_mm=(20.0, 52.0),
    stage_disagreement=0.12,
)
"""When to abstain. Bounds of lengths: what C1 and a dens can measure, magnified. All are first estimates, to be chosen
afresh for every trained model; the card says so."""

UNCALIBRATED = Calibration(
    adi_quantile=5.0, sac_quantile=5.0, adi_floor_mm=2.0, sac_floor_mm=2.5, source="none: intervals are only a guess"
)
FLOORS_MM = (0.4, 0.6)  # least half-widths of ADI and SAC: readers differ by as much
_VALIDATION_SAMPLES = 160
_CALIBRATION_SEED = 900_000  # added to the seed: far from every seed of training


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What is wanted."""

    out: Path  # the model's folder; its name is the model's
    work: Path  # checkpoints, curves, films of the calibration
    version: str = "1.0.0"
    preset: Preset = Preset.DEFAULT
    films: Path | None = None  # a folder of annotated films; `paper` needs one, `default` adds it to what is simulated
    pretrained: Path | None = None  # weights for transfer learning
    images: int | None = None  # samples of each network; None: as the preset says
    calibration_films: int = 400
    seed: int = 1
    size: LibrarySize = field(default_factory=LibrarySize)
    cache: Path | None = None
    workers: int = 1
    device: str = "auto"
    progress: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One network: its crops, where its samples come from, and its recipe."""

    card: StageCard  # without weights
    stream: SampleStream
    held_out: Sequence[Sample]
    recipe: Recipe


def make_model(request: ModelRequest) -> Card:
    """Make it and write it into ``request.out``. Raises ConfigurationError where the request does not make sense."""
    split = _annotated(request)
    library = Library(request.size, request.cache)
    if request.preset is Preset.DEFAULT:
        library.build(workers=request.workers, progress=request.progress)
        plans = [plan_stage(request, crops, library, split) for crops in CROPS.values()]
    else:
        assert split is not None
        plans = [plan_as_paper(request, split)]
    stages = tuple(_trained(request, plan) for plan in plans)
    card = _card(request, stages, library)
    write_card(card, request.out)
    if request.calibration_films:
        card = calibrated(request, card)
        write_card(card, request.out)
    return card


def plan_stage(request: ModelRequest, crops: WholeFilm | CloseUp, library: Library, films: Split | None) -> Plan:
    """A stage of the shipped model: simulated crops, mixed with annotated films where there are any."""
    number = list(Role).index(crops.role)
    simulated = ComposedStream(library, crops, TRAINING)
    held_out = ComposedStream(library, crops, HELD_OUT).held_out(_VALIDATION_SAMPLES, request.seed)
    card = stage_card(crops, variant="", weights="", sha256="")
    stream: SampleStream = simulated
    if films is not None:
        mixture = Mixture(simulated, FilmStream(films.train, card))
        held_out += [mixture.without_masks(sample) for sample in held_out_samples(films.validation, card)]
        stream = mixture
    images = IMAGES[crops.role] if request.images is None else request.images
    recipe = recipe_of(Preset.DEFAULT, 0, images=images, seed=request.seed + number, workers=request.workers)
    return Plan(card=card, stream=stream, held_out=held_out, recipe=recipe)


def plan_as_paper(request: ModelRequest, films: Split) -> Plan:
    """One network on whole annotated films (Okita et al. 2023)."""
    card = stage_card(LOCATE, variant="", weights="", sha256="")
    card = dataclasses.replace(card, channels=tuple(LANDMARKS), masks=())
    changes = {} if request.images is None else {"images": request.images}
    recipe = recipe_of(Preset.PAPER, len(films.train), seed=request.seed, workers=request.workers, **changes)
    stream = FilmStream(films.train, card)
    return Plan(card=card, stream=stream, held_out=held_out_samples(films.validation, card), recipe=recipe)


def _annotated(request: ModelRequest) -> Split | None:
    if request.films is not None:
        return split_by_patient(read_annotated_films(request.films), request.seed)
    if request.preset is Preset.PAPER:
        raise ConfigurationError(["preset paper: trains on annotated films; name their folder with --films"])
    return None


def _trained(request: ModelRequest, plan: Plan) -> StageCard:
    """Train the network, or go on with it, and put its weights into the model's folder."""
    role = plan.card.role
    folder = request.work / role
    train(
        plan.stream,
        plan.held_out,
        plan.recipe,
        folder,
        pretrained=request.pretrained,
        device=request.device,
        progress=request.progress,
    )
    request.out.mkdir(parents=True, exist_ok=True)
    weights = request.out / f"{role}.safetensors"
    shutil.copyfile(folder / WEIGHTS, weights)
    return dataclasses.replace(
        plan.card, variant=str(plan.recipe.variant), weights=weights.name, sha256=sha256_of(weights)
    )


def _card(request: ModelRequest, stages: tuple[StageCard, ...], library: Library) -> Card:
    simulated = request.preset is Preset.DEFAULT
    return Card(
        name=request.out.name,
        version=request.version,
        landmarks=LANDMARKS,
        stages=stages,
        decision=DECISION,
        calibration=UNCALIBRATED,
        search=Search(caudal=CAUDAL, fields=(1.0, 0.6)) if simulated else Search(),
        postures=simulated_postures(library.bank, request.seed),
        training={
            "preset": str(request.preset),
            "seed": str(request.seed),
            "simulated": f"library {library.folder.name}: {json.dumps(dataclasses.asdict(request.size))}"
            if simulated
            else "none",
            "annotated": "none" if request.films is None else "a folder of annotated films",
            "thresholds": "first estimates, not chosen for this model",
        },
    )


def calibrated(request: ModelRequest, card: Card) -> Card:
    """The card with intervals and errors from simulated films of seeds never trained on, half with filled tails.

    Raises ConfigurationError where too few films are answered to calibrate.
    """
    folders = [_calibration_films(request, priors) for priors in Priors]
    films = [film for folder in folders for film in read_annotated_films(folder)]
    assessed = assess(films, load_detector(request.out, request.device), progress=request.progress)
    adi, sac = assessed.residuals()
    source = f"simulated films, {len(films)} of seeds never trained on"
    calibration = calibrate(adi, sac, source, floors_mm=FLOORS_MM, seed=request.seed)
    figures = {name: round(figure.value, 3) for name, figure in summarise(assessed.results, request.seed).items()}
    return dataclasses.replace(card, calibration=calibration, errors=figures)


def _calibration_films(request: ModelRequest, priors: Priors) -> Path:
    """A folder of simulated films with these priors, simulated where it is not there yet."""
    if request.calibration_films < 2 * LEAST_PATIENTS:
        raise ConfigurationError([f"{request.calibration_films} films calibrate nothing; ask for 0, or 400"])
    folder = request.work / f"calibration-{priors}"
    if not (folder / "images.csv").exists():
        number = list(Priors).index(priors)
        simulate(
            SimulationRequest(
                out=folder,
                seed=request.seed + _CALIBRATION_SEED + number,
                count=request.calibration_films // 2,
                film_format=FilmFormat.PNG,
                priors=priors,
                workers=request.workers,
                cache=None if request.cache is None else request.cache / "bones",
                progress=request.progress,
            )
        )
    return folder
