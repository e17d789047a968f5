"""Make a model from a seed: build the library, train a network for each stage, write the card, put it on trial.

Read from top to bottom: ``make_model``. Everything may be stopped and started again; what is done is kept. The folder
``out`` holds what ships, weights and card; ``work`` holds checkpoints, curves, the films of the calibration, and which
patients of annotated films were held out.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError
from aasnode.inference.card import (
    CARD_FILE,
    Card,
    Decision,
    MaskRule,
    Role,
    Search,
    StageCard,
    read_card,
    sha256_of,
    write_card,
)
from aasnode.inference.detection import Reason
from aasnode.inference.hrnet import Variant
from aasnode.measurement import Calibration
from aasnode.training.calibrate import LEAST_PATIENTS
from aasnode.training.dataset import (
    FilmStream,
    Split,
    held_out_samples,
    keep_split,
    read_annotated_films,
    read_film,
    split_by_patient,
)
from aasnode.training.mixture import Mixture
from aasnode.training.postures import simulated_postures
from aasnode.training.sampler.compose import HELD_OUT, TRAINING, JointPriors
from aasnode.training.sampler.crops import (
    ARCH_DEFECT,
    CAUDAL,
    CONDITIONS,
    COVER,
    CROPS,
    DENS_DEFECT,
    HARDWARE,
    LOCATE,
    CloseUp,
    WholeFilm,
    stage_card,
)
from aasnode.training.sampler.library import Library, LibrarySize
from aasnode.training.sampler.missing import MissingPriors
from aasnode.training.sampler.stream import PRIORS as SAMPLED
from aasnode.training.sampler.stream import ComposedStream, StreamPriors
from aasnode.training.samples import Sample, SampleStream
from aasnode.training.simulate.disturbances import SHARES
from aasnode.training.simulate.patient import VARIANT_SHARES
from aasnode.training.train import CHECKPOINT, WEIGHTS, Preset, Recipe, learnt, recipe_of, train
from aasnode.training.trial import CALIBRATION_SEED, EVALUATION_SEED, Trial, assessable, calibrated, evaluated

SPLIT = "split.csv"  # in the work folder
STAGES: Mapping[Preset, tuple[Role, ...]] = {Preset.DEFAULT: tuple(CROPS), Preset.PAPER: (Role.LOCATE,)}

IMAGES: Mapping[Role, int] = {Role.LOCATE: 51_000, Role.REFINE: 91_000, Role.JOINT: 96_000}
"""Samples of each network. The shipped ones were stopped before the end (docs/training.md, "The shipped model")."""

VARIANTS: Mapping[Role, Variant] = {Role.REFINE: Variant.W18_SMALL_V2, Role.JOINT: Variant.W18_SMALL_V2}
"""Where it is not the smallest: the closer looks gain most from a larger one (docs/training.md)."""

DECISIVE_WEIGHT: Mapping[Role, float] = {Role.REFINE: 0.5, Role.JOINT: 1.0}
"""Of the masks that tell conditions: at 1.0 they took refine's precision at the posterior arch (SAC 0.1 mm worse)."""

PRIORS: Mapping[Role, StreamPriors] = {
    Role.REFINE: StreamPriors(joint=JointPriors(missing=MissingPriors(arch_open=0.10))),
}
"""How widely a stage's samples vary, where it is not as ``sampler.stream.PRIORS`` says: refine alone sees the posterior
arch closely, and must learn when it is open."""

DECISION = Decision(
    film_confidence=0.45,
    answer_confidence=0.58,
    point_confidence=(0.25, 0.25, 0.25, 0.60),
    spread=0.035,
    offset=0.09,
    adi=(0.0, 0.50),
    dens=(0.12, 0.55),
    sac=(0.10, 0.90),
    diameter_mm=(20.0, 52.0),
    stage_disagreement=0.12,
    masks={
        HARDWARE: MaskRule(share=0.025, reason=Reason.OPERATED_NECK),
        DENS_DEFECT: MaskRule(share=0.10, reason=Reason.JOINT_DESTROYED),
        ARCH_DEFECT: MaskRule(share=0.0125, reason=Reason.POINT_HIDDEN, reach=0.75, lengths=("sac",)),
        COVER: MaskRule(share=0.25, reason=Reason.POINT_HIDDEN, reach=0.04, at_points=True),
    },
)
"""When to abstain. Bounds of lengths: what C1 and a dens can measure, magnified. To be chosen afresh for a model that
differs; the card says how."""
THRESHOLDS = "chosen on a development set of real films and other radiographs; nothing was trained or calibrated on it"

SEARCH = Search(caudal=CAUDAL, fields=(1.0, 0.6), weak_candidates=1, weak_confidence=0.68)
"""Where to look: on the film as a whole and on parts of it; at a second place, and turned, where the first one does not
convince."""

UNCALIBRATED = Calibration(
    adi_quantile=5.0, sac_quantile=5.0, adi_floor_mm=2.0, sac_floor_mm=2.5, source="none: intervals are only a guess"
)
_VALIDATION_SAMPLES = 160


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What is wanted."""

    out: Path  # the model's folder; its name is the model's
    work: Path  # checkpoints, curves, films of the calibration
    version: str = "1.0.0"
    preset: Preset = Preset.DEFAULT
    films: Path | None = None  # a folder of annotated films; `paper` needs one, `default` adds it to what is simulated
    pretrained: Path | None = None  # weights for transfer learning of one network
    images: int | None = None  # samples of each network; None: as the preset says
    bfloat16: bool = True  # learn in it where the device computes in it
    calibration_films: int = 400
    evaluation_films: int = 2000
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
    _check(request, STAGES[request.preset])
    films = _annotated(request)
    stages = tuple(_trained(request, plan()) for plan in plans_of(request, films).values())
    card = _card(request, stages, Library(request.size, request.cache), films)
    _write_model(request, card)
    trial = trial_of(request, films)
    if request.calibration_films:
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
    _check(request, (role,))
    return _trained(request, plans_of(request, _annotated(request))[role]())


def _check(request: ModelRequest, roles: tuple[Role, ...]) -> None:
    """Raises ConfigurationError with all that would stop these networks or their model, before any is trained."""
    problems = [
        f"preset {request.preset}: has no stage {role}; it has {', '.join(STAGES[request.preset])}"
        for role in roles
        if role not in STAGES[request.preset]
    ]
    if request.preset is Preset.PAPER and request.films is None:
        problems.append("preset paper: trains on annotated films; name their folder with --films")
    if request.preset is Preset.PAPER and request.pretrained is None:
        problems.append("preset paper: starts from pretrained weights; name them with --pretrained")
    if request.pretrained is not None and len(roles) > 1:
        problems.append(
            f"{request.pretrained}: fits one network, and preset {request.preset} has {len(roles)} that differ; name"
            " the one with --only, then make the model without --pretrained"
        )
    if 0 < request.calibration_films < 2 * LEAST_PATIENTS:
        problems.append(f"{request.calibration_films} films calibrate nothing; ask for 0, or 400")
    problems += _taken(request)
    if problems:
        raise ConfigurationError(problems)


def _taken(request: ModelRequest) -> list[str]:
    """A model is a version: what the folder holds under this one must be this work's own."""
    if not (request.out / CARD_FILE).exists():
        return []
    card = read_card(request.out)
    if card.version != request.version or all(_is_own(request, stage) for stage in card.stages):
        return []
    return [f"{request.out}: holds another {card.model}; give this one a --version of its own, or another folder"]


def _is_own(request: ModelRequest, stage: StageCard) -> bool:
    folder = request.work / stage.role
    return (
        (folder / CHECKPOINT).exists() and (folder / WEIGHTS).exists() and sha256_of(folder / WEIGHTS) == stage.sha256
    )


def plans_of(request: ModelRequest, films: Split | None) -> Mapping[Role, Callable[[], Plan]]:
    """How each network is trained; nothing of a stage is drawn before its plan is called."""
    if request.preset is Preset.PAPER:
        assert films is not None
        return {Role.LOCATE: partial(plan_as_paper, request, films)}
    library = Library(request.size, request.cache)
    library.build(workers=request.workers, progress=request.progress)
    return {role: partial(plan_stage, request, crops, library, films) for role, crops in CROPS.items()}


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


def plan_stage(request: ModelRequest, crops: WholeFilm | CloseUp, library: Library, films: Split | None) -> Plan:
    """A stage of the shipped model: simulated crops, mixed with annotated films where there are any."""
    number = list(Role).index(crops.role)
    priors = PRIORS.get(crops.role, SAMPLED)
    simulated = ComposedStream(library, crops, TRAINING, priors)
    held_out = ComposedStream(library, crops, HELD_OUT, priors).held_out(_VALIDATION_SAMPLES, request.seed)
    card = stage_card(crops, variant="", weights="", sha256="")
    stream: SampleStream = simulated
    if films is not None:
        mixture = Mixture(simulated, FilmStream(films.train, card))
        held_out += [mixture.without_masks(sample) for sample in held_out_samples(films.validation, card)]
        stream = mixture
    images = IMAGES[crops.role] if request.images is None else request.images
    recipe = recipe_of(
        Preset.DEFAULT,
        0,
        variant=VARIANTS.get(crops.role, Variant.W18_SMALL),
        images=images,
        decisive=CONDITIONS if isinstance(crops, CloseUp) else (),
        decisive_weight=DECISIVE_WEIGHT.get(crops.role, 1.0),
        bfloat16=request.bfloat16,
        seed=request.seed + number,
        workers=request.workers,
    )
    return Plan(card=card, stream=stream, held_out=held_out, recipe=recipe)


def plan_as_paper(request: ModelRequest, films: Split) -> Plan:
    """One network on whole annotated films (Okita et al. 2023)."""
    card = stage_card(LOCATE, variant="", weights="", sha256="")
    card = dataclasses.replace(card, channels=tuple(LANDMARKS), masks=())
    stream = FilmStream(films.train, card)
    images = {} if request.images is None else {"images": request.images}
    recipe = recipe_of(
        Preset.PAPER, stream.films, bfloat16=request.bfloat16, seed=request.seed, workers=request.workers, **images
    )
    return Plan(card=card, stream=stream, held_out=held_out_samples(films.validation, card), recipe=recipe)


def _annotated(request: ModelRequest) -> Split | None:
    """The annotated films by part; who is in which is kept in the work folder."""
    if request.films is None:
        return None
    split = split_by_patient(read_annotated_films(request.films), request.seed)
    for film in split.test:
        read_film(film)  # last of all to be needed: better unreadable now
    keep_split(split, request.films, request.work / SPLIT)
    return split


def _trained(request: ModelRequest, plan: Plan) -> StageCard:
    """Train the network, or go on with it, in the work folder."""
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
    return dataclasses.replace(
        plan.card,
        variant=str(plan.recipe.variant),
        weights=f"{role}.safetensors",
        sha256=sha256_of(folder / WEIGHTS),
    )


def _write_model(request: ModelRequest, card: Card) -> None:
    """Weights and card, once all of them are there. Raises ConfigurationError where the version is taken."""
    if problems := _taken(request):
        raise ConfigurationError(problems)
    request.out.mkdir(parents=True, exist_ok=True)
    for stage in card.stages:
        shutil.copyfile(request.work / stage.role / WEIGHTS, request.out / stage.weights)
    write_card(card, request.out)


def _card(request: ModelRequest, stages: tuple[StageCard, ...], library: Library, films: Split | None) -> Card:
    simulated = request.preset is Preset.DEFAULT
    known = {mask for stage in stages for mask in stage.masks}
    rules = {name: rule for name, rule in DECISION.masks.items() if name in known}
    return Card(
        name=request.out.name,
        version=request.version,
        landmarks=LANDMARKS,
        stages=stages,
        decision=dataclasses.replace(DECISION, masks=rules),
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
            "films on trial": f"seeds {request.seed} + {CALIBRATION_SEED} and {EVALUATION_SEED}, priors in turn",
            "annotated": _parts(films),
            "thresholds": THRESHOLDS,
            **{stage.role: learnt(request.work / stage.role) for stage in stages},
        },
    )


def _parts(films: Split | None) -> str:
    """How many annotated films there are for what, in words."""
    if films is None:
        return "none"
    told = f"{len(films.train)} films to train on, {len(films.validation)} to validate with, {len(films.test)} held out"
    return told if assessable(films.test) else f"{told} and not assessed: none of them has a pixel spacing"
