"""What is wanted of a training, and whether it makes sense: what would stop it is told before anything is trained."""

from dataclasses import dataclass, field
from pathlib import Path

from aasnode.errors import ConfigurationError
from aasnode.inference.card import CARD_FILE, Role, StageCard, read_card, sha256_of
from aasnode.measurement import Calibration
from aasnode.training.calibrate import LEAST_PATIENTS
from aasnode.training.sampler.library import LibrarySize
from aasnode.training.shipped import STAGES, decision_of
from aasnode.training.train import CHECKPOINT, WEIGHTS, Preset

UNCALIBRATED = Calibration(
    adi_quantile=5.0, sac_quantile=5.0, adi_floor_mm=2.0, sac_floor_mm=2.5, source="none: intervals are only a guess"
)


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What is wanted."""

    out: Path  # the model's folder; its name is the model's
    work: Path  # checkpoints, curves, films of the calibration
    version: str = "1.0.0"
    preset: Preset = Preset.DEFAULT
    films: Path | None = None  # a folder of annotated films; `paper` needs one, `default` adds it to what is simulated
    pretrained: Path | None = None  # to start from: a model's folder, or a file of weights for one network
    images: int | None = None  # samples of each network; None: as the preset says
    rate: float | None = None  # the highest learning rate; None: as the preset says
    bfloat16: bool = True  # learn in it where the device computes in it
    calibration_films: int = 400
    evaluation_films: int = 2000
    seed: int = 1
    size: LibrarySize = field(default_factory=LibrarySize)
    cache: Path | None = None
    workers: int = 1
    device: str = "auto"
    progress: bool = False


def check(request: ModelRequest, roles: tuple[Role, ...]) -> None:
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
    problems += _unfit(request, roles)
    if 0 < request.calibration_films < 2 * LEAST_PATIENTS:
        problems.append(f"{request.calibration_films} films calibrate nothing; ask for 0, or 400")
    problems += taken(request)
    if problems:
        raise ConfigurationError(problems)


def _unfit(request: ModelRequest, roles: tuple[Role, ...]) -> list[str]:
    """What is pretrained must fit every network that is to start from it."""
    if request.pretrained is None:
        return []
    if not request.pretrained.is_dir():
        if len(roles) == 1:
            return []
        told = f"{request.pretrained}: fits one network, and preset {request.preset} has {len(roles)} that differ"
        return [f"{told}; name a model's folder, or the one with --only and make the model without --pretrained then"]
    missing = [str(role) for role in roles if pretrained_of(request, role) is None]
    return [f"{request.pretrained}: has no network {', '.join(missing)} to start from"] if missing else []


def pretrained_of(request: ModelRequest, role: Role) -> Path | None:
    """The weights that a network starts from; None where it starts from nothing."""
    if request.pretrained is None or not request.pretrained.is_dir():
        return request.pretrained
    weights = {stage.role: stage.weights for stage in read_card(request.pretrained).stages}
    return request.pretrained / weights[role] if role in weights else None


def taken(request: ModelRequest) -> list[str]:
    """A model is a version: what the folder holds under this one must be this work's own, and must stay as it is."""
    if not (request.out / CARD_FILE).exists():
        return []
    card = read_card(request.out)
    if card.version != request.version:
        return []
    if not all(_is_own(request, stage) for stage in card.stages):
        return [f"{request.out}: holds another {card.model}; give this one a --version of its own, or another folder"]
    if card.decision != decision_of(card.stages):
        return [f"{request.out}: {card.model} abstains by other rules; give this one a --version of its own"]
    if card.calibration != UNCALIBRATED and not request.calibration_films:
        return [f"{request.out}: {card.model} would lose its intervals; ask for films to calibrate it with"]
    return []


def _is_own(request: ModelRequest, stage: StageCard) -> bool:
    folder = request.work / stage.role
    return (
        (folder / CHECKPOINT).exists() and (folder / WEIGHTS).exists() and sha256_of(folder / WEIGHTS) == stage.sha256
    )
