"""What each stage of the detector looks at: where its crops lie in the plane, and how far they may lie off.

Refine and joint crops are upright, ventral to the right, C1 at a set size, as ``inference.pose`` cuts them; the
locating stage sees whole films of any field, either side and any turn.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aasnode.anatomy import LANDMARKS, Landmark
from aasnode.inference.card import Beyond, Role, StageCard
from aasnode.training.sampler.compose import Composition
from aasnode.training.sampler.joint import Points
from aasnode.training.sampler.surroundings import PIXEL_MM, SIDE_PX, Reach
from aasnode.training.sampler.warp import Affine, Band, turned

NOMINAL_DIAMETER_MM = 34.0  # of C1: lengths of a close-up are counted at this size
CENTRES = ("c1_anterior_arch_centre", "c1_posterior_arch_centre")
CAUDAL = ("c2_inferior_centre",)  # tells a mirrored film from one that hangs upside down
SECTIONS = ("c1_anterior_arch", "c1_posterior_arch", "c2_body_and_dens")
HARDWARE = "hardware"  # of a surgeon's: what tells an operated neck
ARCH_DEFECT, DENS_DEFECT = "posterior_arch_defect", "dens_defect"  # where a part is open, gone, destroyed or apart
COVER = "cover"  # whatever hides the patient: letters of lead, rings, metal, patches, a collimated edge
CONDITIONS = (HARDWARE, ARCH_DEFECT, DENS_DEFECT, COVER)
"""Masks by which something is decided: what forbids a measurement, painted where it is seen."""
MASKS = (*SECTIONS, *CONDITIONS)


@dataclass(frozen=True, kw_only=True)
class CloseUp:
    """Crops of a stage that knows about where C1 is. Lengths in mm at the nominal size of C1."""

    role: Role
    input_px: int
    mm_per_px: float
    focus: tuple[Landmark, ...]
    channels: tuple[str, ...]
    measures: tuple[Landmark, ...]
    passes: int
    zoom_log: float  # even, either way
    turn_degrees: float  # even, either way
    shift_mm: float  # even, either way, along both axes
    views: int = 2
    misplaced: float = 0.2  # share: beside the joint, reversed or mirrored, with nothing to find
    misplaced_mm: tuple[float, float] = (22.0, 60.0)  # how far beside, at least beyond what ``shift_mm`` may bring
    elsewhere: float = 0.06  # share: other parts of the body
    operated: float = 0.15  # share with hardware
    about_arch_mm: float = 0.0  # how far beyond an arch that is open or gone its defect is painted
    occluded: float = 0.7  # share
    common: tuple[Band, ...] = (Band(amplitude_mm=1.4, scale_mm=(8.0, 15.0)),)
    own: tuple[Band, ...] = (  # of C1 and of C2, each by itself
        Band(amplitude_mm=0.8, scale_mm=(4.0, 8.0)),
        Band(amplitude_mm=0.35, scale_mm=(2.0, 4.0)),
    )
    skull_turn_degrees: float = 5.0  # the skull's base lies anyhow against the neck; standard deviation
    skull_shift_mm: float = 4.0
    skull_far_share: float = 0.2
    skull_far_mm: float = 9.0

    @property
    def diameter_px(self) -> float:
        """C1's inner diameter in crop pixels."""
        return NOMINAL_DIAMETER_MM / self.mm_per_px


@dataclass(frozen=True, kw_only=True)
class WholeFilm:
    """Crops of the locating stage: letterboxed films."""

    input_px: int = 192
    field_mm: tuple[float, float] = (85.0, 330.0)  # log-even: a cropped cephalogram to a 35 × 43 cm film
    channels: tuple[str, ...] = (*LANDMARKS, *CENTRES, *CAUDAL)
    focus: tuple[Landmark, ...] = LANDMARKS
    upright_share: float = 0.7
    upright_degrees: float = 12.0  # standard deviation
    turned_share: float = 0.2  # by anything to 110 degrees: flexion, supine films
    turned_degrees: float = 110.0  # the rest lies by quarter turns
    mirrored: float = 0.5
    empty: float = 0.10  # films that do not show the joint
    empty_reach_mm: tuple[float, float] = (10.0, 60.0)  # how far beyond the edge it lies
    elsewhere: float = 0.14  # share: other parts of the body
    operated: float = 0.06  # share with hardware
    margin_mm: float = 22.0  # of the points' centre from the edge: half a C1 and some
    collimated: float = 0.75
    occluded: float = 0.8
    common: tuple[Band, ...] = (Band(amplitude_mm=5.0, scale_mm=(12.5, 30.0)),)

    @property
    def role(self) -> Role:
        """Always the first stage."""
        return Role.LOCATE

    @property
    def diameter_px(self) -> float:
        """C1's inner diameter in crop pixels on a film of the middle field."""
        return NOMINAL_DIAMETER_MM / math.sqrt(self.field_mm[0] * self.field_mm[1]) * self.input_px


REFINE = CloseUp(
    role=Role.REFINE,
    input_px=192,
    mm_per_px=0.45,
    focus=LANDMARKS,
    channels=(*LANDMARKS, *CENTRES, *CAUDAL),
    measures=LANDMARKS,
    passes=2,  # the locating stage tells the size roughly
    operated=0.10,
    about_arch_mm=4.0,
    zoom_log=0.22,
    turn_degrees=22,
    shift_mm=9,
)
JOINT = CloseUp(
    role=Role.JOINT,
    input_px=160,
    mm_per_px=0.2,  # a gap of 1 to 3 mm is 5 to 15 pixels; the neighbours are out of sight
    focus=LANDMARKS[:3],
    channels=(*LANDMARKS, *CENTRES),
    passes=1,
    measures=LANDMARKS[:2],  # point 3 is surer where the posterior arch shows: 0.9 against 1.6 mm on real films
    zoom_log=0.14,
    turn_degrees=14,
    shift_mm=5,
)
LOCATE = WholeFilm()

CROPS: Mapping[Role, WholeFilm | CloseUp] = {Role.LOCATE: LOCATE, Role.REFINE: REFINE, Role.JOINT: JOINT}


def stage_card(crops: WholeFilm | CloseUp, variant: str, weights: str, sha256: str) -> StageCard:
    """The card of a network that was trained on these crops."""
    card = StageCard(
        role=crops.role,
        variant=variant,
        weights=weights,
        sha256=sha256,
        input_px=crops.input_px,
        diameter_px=crops.diameter_px,
        channels=crops.channels,
        masks=MASKS,
        focus=crops.focus,
    )
    if isinstance(crops, WholeFilm):
        return replace(card, trust=math.sqrt(crops.field_mm[1] / crops.field_mm[0]), beyond=Beyond.DARK)
    return replace(
        card, trust=math.exp(2 * crops.zoom_log), measures=crops.measures, passes=crops.passes, views=crops.views
    )


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A crop in the plane."""

    to_crop: Affine  # mm → pixels
    mm_per_px: float
    shows_joint: bool = True


def place_close_up(crops: CloseUp, composition: Composition, rng: np.random.Generator) -> Placed:
    """Upright on its focus, then off by what the stage before may be off; or, seldom, in a wrong place.

    A stage that never saw a wrong place is as sure there as anywhere: taught so, it found a joint on 32 of 110
    radiographs of other parts of the body, and on 1 with wrong places among its samples.
    """
    axis = composition.axis
    zoom = math.exp(rng.uniform(-crops.zoom_log, crops.zoom_log))
    mm_per_px = axis.diameter / crops.diameter_px / zoom
    level = -math.atan2(axis.ventral[1], axis.ventral[0])
    turn = level + math.radians(rng.uniform(-crops.turn_degrees, crops.turn_degrees))
    focus = axis.landmarks[[LANDMARKS.index(mark) for mark in crops.focus]].mean(0)
    middle = np.full(2, (crops.input_px - 1) / 2)
    middle += rng.uniform(-crops.shift_mm, crops.shift_mm, 2) / crops.mm_per_px
    if rng.random() < crops.misplaced:
        return Placed(to_crop=_misplace(crops, mm_per_px, turn, focus, rng), mm_per_px=mm_per_px, shows_joint=False)
    return Placed(to_crop=turned(1 / mm_per_px, turn).carrying(focus, middle), mm_per_px=mm_per_px)


def _misplace(crops: CloseUp, mm_per_px: float, turn: float, focus: Points, rng: np.random.Generator) -> Affine:
    """Half beside the joint at any turn, the rest on it but head down or mirrored."""
    kind, middle = rng.random(), np.full(2, (crops.input_px - 1) / 2)
    if kind < 0.5:
        direction = rng.uniform(0, 2 * math.pi)
        away_mm = rng.uniform(*crops.misplaced_mm) * mm_per_px / crops.mm_per_px
        focus = focus + away_mm * np.array([math.cos(direction), math.sin(direction)])
        turn += rng.uniform(-0.6, 0.6) if rng.random() < 0.6 else rng.uniform(-math.pi, math.pi)
    elif kind < 0.8:
        turn += math.pi + rng.uniform(-0.5, 0.5)
    else:
        turn = math.pi * rng.integers(2) - turn
    return turned(1 / mm_per_px, turn, mirrored=kind >= 0.8).carrying(focus, middle)


def place_whole_film(crops: WholeFilm, composition: Composition, rng: np.random.Generator) -> Placed:
    """A film of some field that holds the joint somewhere, or, seldom, does not."""
    low, high = np.log(crops.field_mm)
    field_mm = math.exp(rng.uniform(low, high))
    mm_per_px = field_mm / crops.input_px
    to_crop = turned(1 / mm_per_px, math.radians(_draw_turn(crops, rng)), mirrored=bool(rng.random() < crops.mirrored))
    shows_joint = bool(rng.random() >= crops.empty)
    room_mm = max(0.5 * field_mm - crops.margin_mm, 4.0)
    offset_mm = 0.93 * room_mm * rng.uniform(-1, 1, 2) if shows_joint else _beyond(crops, field_mm, rng)
    middle = np.full(2, (crops.input_px - 1) / 2) + offset_mm / mm_per_px
    focus = composition.axis.landmarks.mean(0)
    return Placed(to_crop=to_crop.carrying(focus, middle), mm_per_px=mm_per_px, shows_joint=shows_joint)


def _draw_turn(crops: WholeFilm, rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < crops.upright_share:
        return float(rng.normal(0, crops.upright_degrees))
    if kind < crops.upright_share + crops.turned_share:
        return float(rng.uniform(-crops.turned_degrees, crops.turned_degrees))
    return float(rng.choice([90.0, -90.0, 180.0]) + rng.normal(0, 8))


def _beyond(
    crops: WholeFilm, field_mm: float, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """An offset that puts the joint off the film, along one axis at least."""
    reach = 0.5 * field_mm + rng.uniform(*crops.empty_reach_mm, 2)
    return np.asarray(rng.choice([-1, 1], 2) * reach * rng.permutation([1, rng.uniform(0, 0.6)]))


def share_of_patient(placed: Placed, size: int, reach: Reach = Reach.FIELD) -> float:
    """Share of the crop that lies on the surroundings' maps."""
    y, x = np.mgrid[0:size:8, 0:size:8]
    at = placed.to_crop.inverse(np.stack([x.ravel(), y.ravel()], 1).astype(float))
    side_mm = SIDE_PX * PIXEL_MM[reach]
    return float(((at > 0) & (at < side_mm)).all(1).mean())
