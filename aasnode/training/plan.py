"""How each network of a model is trained: its crops, where its samples come from, and its recipes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aasnode.inference.card import Role, StageCard
from aasnode.inference.hrnet import Variant
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
from aasnode.training.request import ModelRequest, legs_of
from aasnode.training.sampler.compose import HELD_OUT, TRAINING
from aasnode.training.sampler.crops import CONDITIONS, CROPS, CloseUp, WholeFilm
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.stream import PRIORS as SAMPLED
from aasnode.training.sampler.stream import ComposedStream
from aasnode.training.samples import Sample, SampleStream
from aasnode.training.shipped import DECISIVE_WEIGHT, PRIORS, Leg, stage_without_weights
from aasnode.training.train import Preset, Recipe, recipe_of

SPLIT = "split.csv"  # in the work folder
_VALIDATION_SAMPLES = 160


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One network: its crops, where its samples come from, and the recipes of its legs."""

    card: StageCard  # without weights
    stream: SampleStream
    held_out: Sequence[Sample]
    recipes: tuple[Recipe, ...]


def plans_of(request: ModelRequest, films: Split | None) -> Mapping[Role, Callable[[], Plan]]:
    """How each network is trained; nothing of a stage is drawn before its plan is called."""
    if request.preset is Preset.PAPER:
        assert films is not None
        return {Role.LOCATE: partial(plan_as_paper, request, films)}
    library = Library(request.size, request.cache)
    library.build(workers=request.workers, progress=request.progress)
    return {role: partial(plan_stage, request, crops, library, films) for role, crops in CROPS.items()}


def plan_stage(request: ModelRequest, crops: WholeFilm | CloseUp, library: Library, films: Split | None) -> Plan:
    """A stage of the shipped model: simulated crops, mixed with annotated films where there are any."""
    priors = PRIORS.get(crops.role, SAMPLED)
    simulated = ComposedStream(library, crops, TRAINING, priors)
    held_out = ComposedStream(library, crops, HELD_OUT, priors).held_out(_VALIDATION_SAMPLES, request.seed)
    card = stage_without_weights(request.preset, crops.role)
    stream: SampleStream = simulated
    if films is not None:
        mixture = Mixture(simulated, FilmStream(films.train, card))
        held_out += [mixture.without_masks(sample) for sample in held_out_samples(films.validation, card)]
        stream = mixture
    recipes = tuple(_recipe_of(leg, request, card, crops) for leg in legs_of(request, crops.role))
    return Plan(card=card, stream=stream, held_out=held_out, recipes=recipes)


def _recipe_of(leg: Leg, request: ModelRequest, card: StageCard, crops: WholeFilm | CloseUp) -> Recipe:
    own = {"images": leg.images} if leg.rate is None else {"images": leg.images, "rate": leg.rate}
    return recipe_of(
        Preset.DEFAULT,
        0,
        variant=Variant(card.variant),
        decisive=CONDITIONS if isinstance(crops, CloseUp) else (),
        decisive_weight=DECISIVE_WEIGHT.get(crops.role, 1.0),
        seed=request.seed + list(Role).index(crops.role) + leg.seed,
        **{**own, **_changes(request)},
    )


def plan_as_paper(request: ModelRequest, films: Split) -> Plan:
    """One network on whole annotated films (Okita et al. 2023)."""
    card = stage_without_weights(request.preset, Role.LOCATE)
    stream = FilmStream(films.train, card)
    recipe = recipe_of(Preset.PAPER, stream.films, seed=request.seed, **_changes(request))
    return Plan(card=card, stream=stream, held_out=held_out_samples(films.validation, card), recipes=(recipe,))


def _changes(request: ModelRequest) -> dict[str, float]:
    """Fields of a recipe that the request tells; what it leaves open, the preset says."""
    told = {"images": request.images, "rate": request.rate, "bfloat16": request.bfloat16, "workers": request.workers}
    return {name: value for name, value in told.items() if value is not None}


def annotated_films(request: ModelRequest) -> Split | None:
    """The annotated films by part; who is in which is kept in the work folder."""
    if request.films is None:
        return None
    split = split_by_patient(read_annotated_films(request.films), request.seed)
    for film in split.test:
        read_film(film)  # last of all to be needed: better unreadable now
    keep_split(split, request.films, request.work / SPLIT)
    return split
