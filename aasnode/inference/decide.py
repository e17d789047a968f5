"""Answer or abstain, per measurement and with the reason; facing and position of the neck from the picture.

All lengths in C1 diameters; the thresholds stand in the model's card. No torch.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS, Facing, Landmark
from aasnode.anatomy import View as NeckView
from aasnode.inference.card import Decision, Posture
from aasnode.inference.crop import Film, Points
from aasnode.inference.detection import Outcome, Reason
from aasnode.inference.pose import Pose
from aasnode.measurement import ADI_ENDS, SAC_ENDS

DENS_POINTS = (Landmark.DENS_ANTERIOR, Landmark.DENS_POSTERIOR)
ARCH_POINTS = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)
_ENDS = {"adi": ADI_ENDS, "sac": SAC_ENDS}  # by the names that the card has for the lengths
_EDGE = 0.05  # diameters from the film's edge within which an uncertain point counts as outside
_STEEP_DEG = 65.0  # a C1 axis steeper than this says nothing of left and right: the patient may lie
_EXTENDED_DEG = 85.0  # except where its front is above: so far extension lifts it, which is the commoner reason
_LYING = 0.04  # share of films that lie on their side, an estimate; 0.033 of the simulator's do


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the stages together say, in the film's frame; the four landmarks in their order."""

    pose: Pose
    points: Points  # (4, 2); those of the dens on the line through both ends of C1, where these are seen
    offsets: Points  # (4,) film units: how far off that line they were found
    covariances: Points  # (4, 2, 2)
    confidences: Points  # (4,)
    spreads: Points  # (4,) film units
    disagreements: Points  # (4,) distance between the last two stages that measured the point, film units
    shares: Mapping[str, Points]  # of each mask that has a rule (4,), by landmark
    stages: tuple[float, ...]  # sureness of each stage that looked

    @property
    def confidence(self) -> float:
        """Of all stages together."""
        return common_sureness(self.stages)


def common_sureness(stages: Sequence[float]) -> float:
    """Geometric mean of the stages' sureness: each sees another scale, and all must know what they see."""
    return math.prod(stages) ** (1 / len(stages))


def with_height_shared(points: Points, earlier: Points, shared: npt.NDArray[np.bool_]) -> Points:
    """(4, 2) points that keep their place along the C1 axis; across it, where ``shared``, the mean with ``earlier``.

    The finest look measures the gap, but how high on the arch it is measured the wider look knows as well: each errs
    there by itself, and the lengths do not feel it.
    """
    ventral = _ventral(points)
    across = np.array([-ventral[1], ventral[0]])
    halfway = (earlier - points) @ across / 2
    return np.asarray(points + np.where(shared, halfway, 0.0)[:, None] * across)


def on_axis(points: Points) -> tuple[Points, Points]:
    """(4, 2) points with those of the dens put on the line through both ends of C1, and how far off it they were.

    The definition puts all four on one line (docs/measurements.md); what lies beside it is error.
    """
    back, ventral = points[3], _ventral(points)
    placed = back + ((points - back) @ ventral)[:, None] * ventral
    placed[[0, 3]] = points[[0, 3]]
    return placed, np.hypot(*(points - placed).T)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which measurements stand, and which landmarks may be shown."""

    outcome: Outcome
    adi_reason: Reason | None
    sac_reason: Reason | None
    shown: tuple[bool, ...]  # per landmark; none where no measurement stands


def decide(answer: Answer | None, film: Film, decision: Decision) -> Verdict:
    """The verdict by the card's thresholds; no answer, or one without confidence, is another view."""
    if answer is None or answer.confidence < decision.film_confidence:
        return _withheld(Outcome.OTHER_VIEW, *[Reason.NO_LATERAL_CERVICAL_VIEW] * 2)
    if answer.confidence < decision.answer_confidence:
        known = (next(_conditions(answer, decision, name), Reason.LOW_CONFIDENCE) for name in _ENDS)
        return _withheld(Outcome.ABSTAINED, *known)
    adi = next(_objections(answer, film, decision, "adi"), None)
    sac = next(_objections(answer, film, decision, "sac"), None)
    if adi is not None and sac is not None:
        return _withheld(Outcome.ABSTAINED, adi, sac)
    inside = film.contains(answer.points)
    shown = tuple(bool(ok) for ok in inside & seen(answer.confidences, decision) & ~_covered(answer, decision))
    return Verdict(outcome=Outcome.FOUND, adi_reason=adi, sac_reason=sac, shown=shown)


def _withheld(outcome: Outcome, adi_reason: Reason, sac_reason: Reason) -> Verdict:
    return Verdict(outcome=outcome, adi_reason=adi_reason, sac_reason=sac_reason, shown=(False,) * len(LANDMARKS))


def seen(confidences: Points, decision: Decision) -> npt.NDArray[np.bool_]:
    """(4,) which landmarks are sure enough."""
    return np.asarray(confidences >= np.array(decision.point_confidence))


def _conditions(answer: Answer, decision: Decision, length: str) -> Iterator[Reason]:
    """What of the neck itself forbids a measurement: metal, a defect, or no dens between plain arches."""
    rows = _rows(length)
    for name, rule in decision.masks.items():
        if length in rule.lengths and answer.shares[name][rows].max() >= rule.share:
            yield rule.reason
    is_seen = dict(zip(LANDMARKS, seen(answer.confidences, decision).tolist(), strict=True))
    if all(is_seen[mark] for mark in ARCH_POINTS) and not any(is_seen[mark] for mark in DENS_POINTS):
        yield Reason.JOINT_DESTROYED


def _rows(length: str) -> list[int]:
    """Which landmarks a length lies between."""
    return [LANDMARKS.index(mark) for mark in _ENDS[length]]


def _covered(answer: Answer, decision: Decision) -> npt.NDArray[np.bool_]:
    """(4,) which landmarks lie under something that hides them."""
    hidden = [answer.shares[name] >= rule.share for name, rule in decision.masks.items() if rule.at_points]
    return np.any(hidden, axis=0) if hidden else np.zeros(len(LANDMARKS), bool)


def _objections(answer: Answer, film: Film, decision: Decision, length: str) -> Iterator[Reason]:
    """What speaks against the measurement of this length, the plainest reason first."""
    rows = _rows(length)
    diameter = answer.pose.diameter
    yield from _conditions(answer, decision, length)
    unsure = ~seen(answer.confidences, decision)[rows]
    at_edge = ~film.contains(answer.points[rows], _EDGE * diameter)
    if (~film.contains(answer.points[rows])).any() or (unsure & at_edge).any():
        yield Reason.POINT_OUTSIDE_FIELD
    if unsure.any():
        yield Reason.POINT_HIDDEN
    if not _plausible(answer, film, decision, length):
        yield Reason.IMPLAUSIBLE_GEOMETRY
    if (answer.spreads[rows] > decision.spread * diameter).any():
        yield Reason.LOW_CONFIDENCE
    if (answer.disagreements[rows] > decision.stage_disagreement * diameter).any():
        yield Reason.LOW_CONFIDENCE


def _plausible(answer: Answer, film: Film, decision: Decision, length: str) -> bool:
    """Whether the points of this length lie in their order near the C1 axis, at distances that bones allow."""
    along = _along_axis(answer)
    gaps = {"adi": along[0] - along[1], "dens": along[1] - along[2], "sac": along[2] - along[3]}
    dens_point = next(LANDMARKS.index(mark) for mark in _ENDS[length] if mark in DENS_POINTS)
    low, high = decision.diameter_mm
    return (
        all(_within(gaps[name], getattr(decision, name)) for name in (length, "dens"))
        and float(answer.offsets[dens_point]) <= decision.offset * answer.pose.diameter
        and (not film.has_spacing or low <= answer.pose.diameter <= high)
    )


def _along_axis(answer: Answer) -> Points:
    """(4,) along the line from point 4 to point 1, ventral positive, in diameters."""
    along = (answer.points - answer.points[3]) @ _ventral(answer.points)
    return np.asarray(along / max(answer.pose.diameter, 1e-6))


def _ventral(points: Points) -> Points:
    """(2,) unit vector of the C1 axis, from point 4 to point 1."""
    axis = points[0] - points[3]
    return np.asarray(axis / max(float(np.hypot(*axis)), 1e-6))


def _within(value: float, limits: Sequence[float]) -> bool:
    return limits[0] <= value <= limits[1]


def facing_of(pose: Pose) -> Facing:
    """The side to which the face points; unknown where the C1 axis is steep, as on a film of a lying patient."""
    if _shows_head_up(pose):
        return Facing.LEFT if pose.mirrored else Facing.RIGHT
    slope = math.degrees(math.acos(min(1.0, abs(math.cos(pose.angle)))))
    if slope > _STEEP_DEG:
        return Facing.UNKNOWN
    return Facing.RIGHT if math.cos(pose.angle) > 0 else Facing.LEFT


def neck_view_of(pose: Pose, postures: Mapping[str, Posture]) -> tuple[NeckView, float]:
    """Neutral, flexion or extension by the inclination of the C1 axis on an upright film, and its probability.

    That the film lies on its side after all speaks against any.
    """
    if not postures or not _shows_head_up(pose):
        return NeckView.UNKNOWN, 0.0
    inclination = _inclination_deg(pose)
    weights = _weights(inclination, postures)
    lying = sum(sum(_weights(inclination + turn, postures).values()) for turn in (90.0, -90.0)) / 2
    best = max(weights, key=lambda name: weights[name])
    total = (1 - _LYING) * sum(weights.values()) + _LYING * lying
    return (NeckView(best), (1 - _LYING) * weights[best] / total) if total > 0 else (NeckView.UNKNOWN, 0.0)


def _weights(inclination_deg: float, postures: Mapping[str, Posture]) -> dict[str, float]:
    return {name: posture.share * _density(inclination_deg, posture) for name, posture in postures.items()}


def _shows_head_up(pose: Pose) -> bool:
    """Whether the film shows the patient head up, as far as C1 can tell."""
    return -_STEEP_DEG <= _inclination_deg(pose) <= _EXTENDED_DEG


def _inclination_deg(pose: Pose) -> float:
    """By how much the front of the C1 axis stands above its back, were the film upright."""
    ventral = -math.cos(pose.angle) if pose.mirrored else math.cos(pose.angle)
    return math.degrees(math.atan2(-math.sin(pose.angle), ventral))


def _density(inclination_deg: float, posture: Posture) -> float:
    z = (inclination_deg - posture.mean_deg) / posture.deviation_deg
    return math.exp(-z * z / 2) / posture.deviation_deg
