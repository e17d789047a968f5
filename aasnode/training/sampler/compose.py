"""One C1 on one C2 in one surroundings, none of which ever met: where each lies in the plane, at a known ADI.

Sizes, turns and stretches are drawn for each bone by itself, so that nothing but the joint's own edges tells the ADI.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.joint import AxisPoints, Contour, Points, Sections, axis_points, centroid
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.missing import PRIORS as MISSING
from aasnode.training.sampler.missing import Missing, MissingPriors, bone_kinds, draw_missing
from aasnode.training.sampler.projected import PIXEL_MM, ProjectedBone
from aasnode.training.sampler.surroundings import Reach, Surroundings
from aasnode.training.sampler.warp import Affine, turned
from aasnode.training.simulate.meshes import crossings


@dataclass(frozen=True, kw_only=True)
class JointPriors:
    """How C1 and C2 meet; mm and degrees, standard deviations unless said otherwise."""

    adi_even_share: float = 0.40  # large ADI as frequent as small: the network may not bet on a normal joint
    adi_even_mm: tuple[float, float] = (0.25, 12.0)
    adi_threshold_share: float = 0.15  # round 3 mm, where the call is made
    adi_threshold_mm: tuple[float, float] = (2.0, 5.0)
    adi_normal_mm: float = 1.2  # median of the rest, log-normal
    adi_normal_log: float = 0.45
    adi_normal_limits_mm: tuple[float, float] = (0.25, 3.5)
    size_log: float = 0.09  # of each bone: dens and ring vary without each other
    c1_stretch_log: float = 0.06
    c2_stretch_log: float = 0.05
    c1_turn: float = 6.7  # against the axis of the patient who lent the surroundings
    c2_turn: float = 4.0
    c2_shift_mm: float = 0.8
    dens_level: tuple[float, float] = (0.38, 0.86)  # even; where the C1 axis crosses the dens, 0 its base
    missing: MissingPriors = MISSING


PRIORS = JointPriors()
_TRIES = 8  # levels at which the axis is sought on one dens


@dataclass(frozen=True, kw_only=True)
class PlacedBone:
    """One side of a projected bone and where it lies."""

    maps: npt.NDArray[np.uint16]  # (4, rows, columns)
    to_plane: Affine  # pixels of the maps → mm


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What a film would show, before it is warped; sections and points in mm of the plane."""

    c1: PlacedBone
    c2: PlacedBone
    surroundings: Surroundings
    sections: Sections
    axis: AxisPoints
    c2_inferior_centre: Points  # (2,)
    dens: Points  # (2, 2): middle of its base, its end
    missing: Missing | None = None  # sections and points of that part are where it would be


@dataclass(frozen=True, kw_only=True)
class Split:
    """The share of the library that is drawn from: bones and surroundings of one share never show in another."""

    low: float = 0.0
    high: float = 1.0


TRAINING = Split(high=0.92)
HELD_OUT = Split(low=0.92)
_T = TypeVar("_T")


def draw_adi_mm(rng: np.random.Generator, priors: JointPriors = PRIORS) -> float:
    """An ADI for training: the tails are filled."""
    kind = rng.random()
    if kind < priors.adi_even_share:
        return float(rng.uniform(*priors.adi_even_mm))
    if kind < priors.adi_even_share + priors.adi_threshold_share:
        return float(rng.uniform(*priors.adi_threshold_mm))
    normal = rng.lognormal(math.log(priors.adi_normal_mm), priors.adi_normal_log)
    return float(np.clip(normal, *priors.adi_normal_limits_mm))


def draw_composition(
    library: Library, reach: Reach, split: Split, rng: np.random.Generator, priors: JointPriors = PRIORS
) -> Composition:
    """Any C1, any C2, any surroundings of the split, joined; draws again until they fit together."""
    missing = draw_missing(rng, priors.missing)
    while True:
        around = _pick(library.surroundings(reach), split, rng)
        c1, c2 = (_pick(library.bones(name), split, rng) for name in bone_kinds(missing))
        found = join(c1, c2, around, draw_adi_mm(rng, priors), rng, priors)
        if found is not None:
            return replace(found, missing=missing)


def _pick(shelf: Sequence[_T], split: Split, rng: np.random.Generator) -> _T:
    """One of the split's share; at least one item belongs to every share."""
    first, end = round(split.low * len(shelf)), round(split.high * len(shelf))
    if first == end:  # a shelf too short to be split
        first, end = max(0, end - 1), max(1, end)
    return shelf[int(rng.integers(first, end))]


def join(
    c1: ProjectedBone,
    c2: ProjectedBone,
    around: Surroundings,
    adi_mm: float,
    rng: np.random.Generator,
    priors: JointPriors = PRIORS,
) -> Composition | None:
    """Put them together so that the ADI on the C1 axis is exact; None where the axis misses the dens."""
    side1, side2 = int(rng.integers(len(c1.maps))), int(rng.integers(len(c2.maps)))
    at_c2 = _place_c2(_of_side(c2.points, side2), around, rng, priors)
    core = at_c2(c2.sections["core"][side2])
    base, end = (at_c2(c2.points[name][side2]) for name in ("dens_base", "dens_axis_end"))
    front, back = c1.sections["anterior_arch"][side1], c1.sections["posterior_arch"][side1]
    oriented = _orient_c1(front, back, around, rng, priors)
    at_c1 = _seat_c1(oriented, front, back, core, (base, end), adi_mm, rng, priors)
    if at_c1 is None:
        return None
    sections = Sections(anterior_arch=at_c1(front), posterior_arch=at_c1(back), core=core)
    axis = axis_points(sections)
    if axis is None:
        return None
    return Composition(
        c1=PlacedBone(maps=c1.maps[side1], to_plane=at_c1),
        c2=PlacedBone(maps=c2.maps[side2], to_plane=at_c2),
        surroundings=around,
        sections=sections,
        axis=axis,
        c2_inferior_centre=at_c2(c2.points["inferior_centre"][side2]),
        dens=np.stack([base, end]),
    )


def _of_side(points: Mapping[str, Points], side: int) -> dict[str, Points]:
    return {name: at[side] for name, at in points.items()}


def _place_c2(
    points: Mapping[str, Points], around: Surroundings, rng: np.random.Generator, priors: JointPriors
) -> Affine:
    """Where the C2 of the surroundings stood, about as it leant."""
    foot = np.asarray(around.frame.c2_inferior_centre)
    lean = _angle(np.asarray(around.frame.dens_end) - foot)
    own = _angle(points["dens_axis_end"] - points["inferior_centre"])
    size = PIXEL_MM * math.exp(rng.normal(0, priors.size_log))
    stretch = math.exp(rng.normal(0, priors.c2_stretch_log))
    turn = lean - own + math.radians(rng.normal(0, priors.c2_turn))
    where = foot + rng.normal(0, priors.c2_shift_mm, 2)
    return turned(size, turn, stretch=stretch).carrying(points["inferior_centre"], where)


def _orient_c1(
    front: Contour, back: Contour, around: Surroundings, rng: np.random.Generator, priors: JointPriors
) -> Affine:
    """C1's size and turn, about as the C1 of the surroundings lay; not yet where."""
    frame = around.frame
    lay = _angle(np.asarray(frame.c1_anterior_centre) - np.asarray(frame.c1_posterior_centre))
    own = _angle(centroid(front) - centroid(back))
    size = PIXEL_MM * math.exp(rng.normal(0, priors.size_log))
    stretch = math.exp(rng.normal(0, priors.c1_stretch_log))
    return turned(size, lay - own + math.radians(rng.normal(0, priors.c1_turn)), stretch=stretch)


def _seat_c1(
    at_c1: Affine,
    front: Contour,
    back: Contour,
    core: Contour,
    dens: tuple[Points, Points],
    adi_mm: float,
    rng: np.random.Generator,
    priors: JointPriors,
) -> Affine | None:
    """C1 moved so that its axis crosses the dens at some level and leaves the ADI before it."""
    centre = at_c1(centroid(back))
    along = at_c1(centroid(front)) - centre
    along = along / np.linalg.norm(along)
    at_arch = crossings([at_c1(front)], centre, along)
    if len(at_arch) < 2:
        return None
    arch = centre + along * at_arch[0]  # point 1 before C1 is moved
    for _ in range(_TRIES):
        through = dens[0] + (dens[1] - dens[0]) * rng.uniform(*priors.dens_level)
        at_dens = crossings([core], through, along)
        if len(at_dens) >= 2 and at_dens[-1] > 0:
            target = through + along * (at_dens[-1] + adi_mm)
            return Affine(matrix=at_c1.matrix, offset=at_c1.offset + target - arch)
    return None


def _angle(direction: Points) -> float:
    return math.atan2(direction[1], direction[0])
