"""What is wanted of a training, and whether it makes sense: what would stop it is told before anything is trained."""

from dataclasses import dataclass, field
from pathlib import Path

from aasnode.errors import ConfigurationError
from aasnode.inference.card import CARD_FILE, Role, StageCard, read_card, sha256_of, verify_weights
from aasnode.training.calibrate import LEAST_PATIENTS
from aasnode.training.sampler.library import LibrarySize
from aasnode.training.shipped import LEGS, STAGES, Leg, stage_without_weights
from aasnode.training.train import CHECKPOINT, WEIGHTS, Preset


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What is wanted."""

    out: Path  # the model's folder; its name is the model's
    work: Path  # checkpoints, curves, films of the calibration
    version: str = "1.0.0"
    preset: Preset = Preset.DEFAULT
    films: Path | None = None  # a folder of annotated films; `paper` needs one, `default` adds it to what is simulated
    pretrained: Path | None = None  # to start from: a model's folder, or a file of weights for one network
    images: int | None = None  # samples of each network, in one leg; None: in the legs that the preset says
    rate: float | None = None  # the highest learning rate of every leg; None: as the preset says
    bfloat16: bool = True  # learn in it where the device computes in it
    calibration_films: int = 800
    evaluation_films: int = 2000
    seed: int = 1
    size: LibrarySize = field(default_factory=LibrarySize)
    cache: Path | None = None
    workers: int = 1
    device: str = "auto"
    progress: bool = False


def check(request: ModelRequest, roles: tuple[Role, ...]) -> None:
    """Raises ConfigurationError with all that would stop these networks or their model, before any is trained, and
    ModelError where a pretrained model cannot be used.
    """
    problems = [
        f"preset {request.preset}: has no stage {role}; it has {', '.join(STAGES[request.preset])}"
        for role in roles
        if role not in STAGES[request.preset]
    ]
    if request.preset is Preset.PAPER and request.films is None:
        problems.append("preset paper: trains on annotated films; name their folder with --films")
    if request.preset is Preset.PAPER and request.pretrained is None:
        problems.append("preset paper: starts from pretrained weights; name them with --pretrained")
    if 0 < request.calibration_films < 2 * LEAST_PATIENTS:
        problems.append(
            f"{request.calibration_films} films calibrate nothing; ask for 0, or at least {2 * LEAST_PATIENTS}"
        )
    if not problems:
        problems += pretrained_problems(request, roles) + _leg_problems(request, roles) + version_problems(request)
    if problems:
        raise ConfigurationError(problems)


def pretrained_problems(request: ModelRequest, roles: tuple[Role, ...]) -> list[str]:
    """Why these networks cannot start from what is pretrained; raises ModelError where that cannot be read."""
    path = request.pretrained
    if path is None:
        return []
    if not path.exists():
        return [f"{path}: is not there; name a model's folder, or a file of weights"]
    if not path.is_dir():
        if len(roles) == 1:
            return []
        told = f"{path}: fits one network, and preset {request.preset} has {len(roles)} that differ"
        return [f"{told}; name a model's folder, or the one with --only and make the model without --pretrained then"]
    if path.resolve() == request.out.resolve():
        return [f"{path}: would be overwritten by the model that starts from it; name another --out"]
    return [problem for role in roles if (problem := _stage_problem(request, role))]


def _stage_problem(request: ModelRequest, role: Role) -> str | None:
    """A network goes on as it is, so it must be of the same kind, with the same maps."""
    assert request.pretrained is not None
    stages = {stage.role: stage for stage in read_card(request.pretrained).stages}
    if role not in stages:
        return f"{request.pretrained}: has no network {role} to start from"
    there, wanted = stages[role], stage_without_weights(request.preset, role)
    if (there.variant, there.channels, there.masks) != (wanted.variant, wanted.channels, wanted.masks):
        return f"{request.pretrained}: its network {role} is of another kind, or finds other points or masks"
    verify_weights(there, request.pretrained)
    return None


def pretrained_of(request: ModelRequest, role: Role) -> Path | None:
    """The weights that a network starts from; None where it starts from nothing."""
    if request.pretrained is None or not request.pretrained.is_dir():
        return request.pretrained
    [stage] = [stage for stage in read_card(request.pretrained).stages if stage.role == role]
    return request.pretrained / stage.weights


def version_problems(request: ModelRequest) -> list[str]:
    """A model is a version: what the folder holds under this one must be this work's own."""
    if not (request.out / CARD_FILE).exists():
        return []
    card = read_card(request.out)
    if card.version != request.version or all(_is_own(request, stage) for stage in card.stages):
        return []
    return [f"{request.out}: holds another {card.model}; give this one a --version of its own, or another folder"]


def legs_of(request: ModelRequest, role: Role) -> tuple[Leg, ...]:
    """Those of a network of the preset ``default``: the shipped model's, or one of so many samples as are asked for."""
    return LEGS[role] if request.images is None else (Leg(images=request.images),)


def legs_in_work(request: ModelRequest, role: Role) -> tuple[Path, ...]:
    """The folder of each leg of a network: of several one each, ``leg-1`` and so on; the preset ``paper`` has one."""
    folder = request.work / role
    legs = 1 if request.preset is Preset.PAPER else len(legs_of(request, role))
    return (folder,) if legs == 1 else tuple(folder / f"leg-{number}" for number in range(1, legs + 1))


def _leg_problems(request: ModelRequest, roles: tuple[Role, ...]) -> list[str]:
    """What was begun in one go is not gone on with in legs, nor the other way round."""
    return [
        f"{request.work / role}: holds a training in other legs; choose another --work or remove it"
        for role in roles
        if {path.parent for path in (request.work / role).rglob(CHECKPOINT)} - set(legs_in_work(request, role))
    ]


def _is_own(request: ModelRequest, stage: StageCard) -> bool:
    folder, last = request.work / stage.role, legs_in_work(request, stage.role)[-1]
    is_learnt = (last / CHECKPOINT).exists() and (folder / WEIGHTS).exists()
    return is_learnt and sha256_of(folder / WEIGHTS) == stage.sha256
