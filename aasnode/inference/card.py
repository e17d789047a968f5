"""A model's card: ``models/<name>/card.toml``, everything but the weights that decides what the model answers.

Weights never travel without their card; a change to any of it is a new version. Lengths inside the detector are counted
in C1's inner sagittal diameter (point 1 to point 4, rigid bone), so nothing here needs a pixel spacing. No torch.
"""

import hashlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from aasnode.anatomy import LANDMARKS, Landmark
from aasnode.errors import ModelError
from aasnode.inference.detection import Reason
from aasnode.inference.record import RecordError, read_record, write_record
from aasnode.measurement import Calibration

CARD_FILE = "card.toml"
LENGTHS = ("adi", "sac")  # as decisions name them


class Role(StrEnum):
    """What a stage looks at, in the order in which stages run."""

    LOCATE = "locate"  # the whole film: where is C1, how large, which way does it lie
    REFINE = "refine"  # C1 and C2, upright: the four points
    JOINT = "joint"  # the atlantodental joint alone, too fine to see its neighbours


class Beyond(StrEnum):
    """What a crop shows beyond the film."""

    EDGE = "edge"  # the film's edge, repeated
    DARK = "dark"  # the film's darkest value, as a letterbox does


class Precision(StrEnum):
    """Numbers inside the networks; heatmaps are always decoded in float32."""

    AUTO = "auto"  # bfloat16 on a GPU that has it, else float32
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Normalisation(StrEnum):
    """How the intensities of a crop are prepared."""

    ROBUST = "robust"  # 1st to 99th percentile and a fifth beyond, zero mean, unit deviation


@dataclass(frozen=True, kw_only=True)
class StageCard:
    """One network and the crops it was trained on."""

    role: Role
    variant: str  # of hrnet.Variant
    weights: str  # file beside the card
    sha256: str
    input_px: int  # crops are square; a multiple of 32
    diameter_px: float  # C1's inner diameter in crop pixels
    trust: float = 2.0  # factor by which one crop may change the expected diameter, as far as the training varied it
    channels: tuple[str, ...]  # one point per heatmap, landmarks and auxiliary points by name
    masks: tuple[str, ...] = ()  # maps behind the points: share of the pixel that the named thing covers
    focus: tuple[Landmark, ...] = LANDMARKS  # the crop is centred on the mean of these ...
    offset: float = 0.0  # ... moved dorsally along the C1 axis by this many diameters
    beyond: Beyond = Beyond.EDGE
    measures: tuple[Landmark, ...] = LANDMARKS  # the points that this stage decides, over the stages before it
    passes: int = 1  # single crops, each placed by the one before; the last of them is the first view
    views: int = 1  # crops with small shifts, turns and scales whose median and spread count

    @property
    def maps(self) -> int:
        """Outputs of the network: points, then masks."""
        return len(self.channels) + len(self.masks)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which hypotheses on place, size and posture the first stage tries."""

    fields: tuple[float, ...] = (1.0,)  # side of the crop in longer sides of the film; 1 is the letterboxed film
    weak_turns_deg: tuple[float, ...] = (90.0, -90.0, 180.0)  # tried as well where the first place does not convince
    weak_confidence: float = 0.6  # of the first two looks, below which a place does not convince
    candidates: int = 2  # places that the next stage may look at, the second only where the first does not convince
    weak_candidates: int = 2  # the same of the turned ones
    caudal: tuple[str, ...] = ()  # channels that lie below C1, to tell a mirrored film from a turned one


@dataclass(frozen=True, kw_only=True)
class MaskRule:
    """A thing that forbids measuring: its mean share of what lies within reach, of the neck or of a point, and why."""

    share: float
    reason: Reason
    reach: float = 0.5  # diameters, about the points' middle ...
    at_points: bool = False  # ... or about each point that a length needs, and that point is not shown
    lengths: tuple[str, ...] = LENGTHS  # which of them it forbids


@dataclass(frozen=True, kw_only=True)
class Decision:
    """When to abstain. Lengths in C1 diameters."""

    film_confidence: float  # of all stages (decide.Answer.confidence); below: no lateral cervical view
    answer_confidence: float  # the same; below: perhaps such a view, not measured
    point_confidence: tuple[float, ...]  # of each landmark in its order, where a measurement needs it
    spread: float  # standard deviation over the views of each point that a measurement needs
    offset: float  # of the dens points from the line through points 1 and 4
    adi: tuple[float, ...]  # least and greatest plausible value
    dens: tuple[float, ...]
    sac: tuple[float, ...]
    diameter_mm: tuple[float, ...]  # where the spacing is known
    stage_disagreement: float = 1.0  # greatest distance of the same point between two stages
    masks: Mapping[str, MaskRule] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Posture:
    """Inclination of the C1 axis in one view: degrees by which its front stands above its back."""

    mean_deg: float
    deviation_deg: float
    share: float  # of films


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model as it ships."""

    name: str
    version: str
    landmarks: tuple[Landmark, ...]
    stages: tuple[StageCard, ...]
    decision: Decision
    calibration: Calibration
    normalisation: Normalisation = Normalisation.ROBUST
    decoding: str = "dark"  # of heatmap.Decoding
    precision: Precision = Precision.AUTO
    search: Search = Search()
    postures: Mapping[str, Posture] = field(default_factory=dict)  # by anatomy.View
    training: Mapping[str, str] = field(default_factory=dict)  # data, seeds, recipe: for people
    disturbances: Mapping[str, float] = field(default_factory=dict)  # shares of the simulated films on trial
    errors: Mapping[str, float] = field(default_factory=dict)  # what was measured on films never trained on, by name

    @property
    def model(self) -> str:
        """Name and version, as every result carries them."""
        return f"{self.name} {self.version}"

    def stage(self, role: Role) -> StageCard | None:
        """The stage of that role; only the locating stage is always there."""
        return next((stage for stage in self.stages if stage.role is role), None)


def read_card(model_dir: Path) -> Card:
    """Read and check ``model_dir/card.toml``. Raises ModelError naming every problem."""
    path = model_dir / CARD_FILE
    try:
        card = read_record(Card, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}; give the folder of a model") from error
    except RecordError as error:
        raise ModelError(f"{path}: {error}") from error
    problems = list(_problems(card))
    if problems:
        raise ModelError(f"{path}: {'; '.join(problems)}")
    return card


def write_card(card: Card, model_dir: Path) -> None:
    """Write ``model_dir/card.toml`` so that ``read_card`` gives an equal card."""
    model_dir.mkdir(parents=True, exist_ok=True)
    (model_dir / CARD_FILE).write_text(write_record(card), encoding="utf-8")


def verify_weights(stage: StageCard, model_dir: Path) -> Path:
    """The path of the stage's weights. Raises ModelError unless their SHA-256 is the card's."""
    path = model_dir / stage.weights
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path}: weights of stage {stage.role} cannot be read: {error}") from error
    if found != stage.sha256:
        raise ModelError(
            f"{path}: SHA-256 is {found}, the card says {stage.sha256}; restore the pair that belongs together"
        )
    return path


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _problems(card: Card) -> Iterator[str]:
    if card.landmarks != LANDMARKS:
        yield f"landmarks: must be {', '.join(LANDMARKS)} in this order"
    roles = [stage.role for stage in card.stages]
    if roles != [role for role in Role if role in roles] or Role.LOCATE not in roles:
        yield f"stages: must be in the order {', '.join(Role)}, each at most once, {Role.LOCATE} always"
    for stage in card.stages:
        yield from (f"stages.{stage.role}: {problem}" for problem in _stage_problems(stage))
    for name in ("adi", "dens", "sac", "diameter_mm"):
        limits = getattr(card.decision, name)
        if len(limits) != 2 or not limits[0] < limits[1]:
            yield f"decision.{name}: must be two ascending numbers, is {list(limits)}"
    yield from _calibration_problems(card.calibration)
    if len(card.decision.point_confidence) != len(LANDMARKS):
        yield f"decision.point_confidence: must be {len(LANDMARKS)} numbers, one a landmark"
    for name, rule in card.decision.masks.items():
        yield from (f"decision.masks.{name}: {problem}" for problem in _rule_problems(rule))
    closest = card.stage(Role.REFINE) or card.stage(Role.LOCATE)
    if closest and (unknown := set(card.decision.masks) - set(closest.masks)):
        yield f"decision.masks: stage {closest.role} does not have {', '.join(sorted(unknown))}"


def _calibration_problems(calibration: Calibration) -> Iterator[str]:
    for name, value in asdict(calibration).items():
        if isinstance(value, float) and not 0 <= value < math.inf:
            yield f"calibration.{name}: must be a number from 0, is {value}"


def _rule_problems(rule: MaskRule) -> Iterator[str]:
    if not rule.lengths or set(rule.lengths) - set(LENGTHS):
        yield f"lengths: must be of {' and '.join(LENGTHS)}, is {list(rule.lengths)}"
    if rule.at_points and set(rule.lengths) != set(LENGTHS):
        yield "at_points: hides a point from every length that needs it; leave lengths out"
    if not 0 < rule.share <= 1:
        yield f"share: must be above 0 and at most 1, is {rule.share}"
    if not rule.reach > 0:
        yield f"reach: must be positive, is {rule.reach}"


def _stage_problems(stage: StageCard) -> Iterator[str]:
    if stage.input_px < 64 or stage.input_px % 32:
        yield f"input_px: must be a multiple of 32 from 64, is {stage.input_px}"
    if not (math.isfinite(stage.diameter_px) and stage.diameter_px > 0):
        yield f"diameter_px: must be positive, is {stage.diameter_px}"
    if stage.trust < 1:
        yield f"trust: must be at least 1, is {stage.trust}"
    if Path(stage.weights).name != stage.weights:
        yield f"weights: must be a file beside the card, is {stage.weights!r}"
    if len(set(stage.channels)) != len(stage.channels):
        yield "channels: a name stands twice"
    if missing := [mark for mark in stage.measures if mark not in stage.channels]:
        yield f"measures: no channel for {', '.join(missing)}"
    if stage.role is not Role.JOINT and set(stage.measures) != set(LANDMARKS):
        yield "measures: must be all landmarks; only the joint stage may leave some out"
    if not stage.focus:
        yield "focus: must name a landmark"
    if stage.passes < 1 or stage.views < 1:
        yield f"passes {stage.passes}, views {stage.views}: at least 1 each"
