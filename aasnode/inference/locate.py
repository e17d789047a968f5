"""The first look: hypotheses over the whole film on where C1 is, how large it is and which way it points. No torch.

Nothing here needs millimetres. Where they are known, no C1 of impossible size is proposed, and of a turned film only
the widest field is tried, which bounds the number of passes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aasnode.inference.card import Search
from aasnode.inference.crop import Crop, Film
from aasnode.inference.pose import Pose, pose_of, sureness
from aasnode.inference.stage import Reading, Stage

_SAME_PLACE = 0.4  # C1 diameters
_SAME_SIZE = 1.3  # ratio
_SAME_ANGLE = math.radians(40)
_SLACK = 0.25  # share of a tile that may be missing at the film's ends


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A place where C1 may be."""

    pose: Pose
    confidence: float  # the stage's sureness
    reading: Reading


def locate(
    stage: Stage, film: Film, search: Search, turns_deg: Sequence[float], diameter_mm: Sequence[float], most: int
) -> list[Candidate]:
    """The most promising distinct places, best first, at most so many.

    ``diameter_mm``: least and greatest size of C1, looked at where the film's spacing is known.
    """
    crops = [
        crop
        for turn in turns_deg
        for field in (search.fields if turn == 0 or not film.has_spacing else (max(search.fields),))
        for crop in tiles(film, field * max(film.width, film.height), math.radians(turn), stage.card.input_px)
    ]
    found = [candidate(stage, reading, search.caudal) for reading in stage.read(film, crops)]
    found = [item for item in found if _is_possible(item.pose, film, diameter_mm)]
    return distinct(found)[:most]


def candidate(stage: Stage, reading: Reading, caudal: Sequence[str]) -> Candidate:
    """What one crop proposes."""
    confidence = sureness(stage, reading.confidences)
    return Candidate(pose=pose_of(stage, reading, caudal), confidence=confidence, reading=reading)


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first, without those that say the same as a better one."""
    kept: list[Candidate] = []
    for item in sorted(candidates, key=lambda c: -c.confidence):
        if not any(_same(item.pose, better.pose) for better in kept):
            kept.append(item)
    return kept


def tiles(film: Film, side: float, turn: float, size: int) -> list[Crop]:
    """Crops of ``side`` film units that cover the film side by side, evenly spread; one where it fits in."""
    across, down = (_centres(extent, side) for extent in (film.width, film.height))
    middle = film.centre
    return [
        Crop(centre=(middle[0] + x, middle[1] + y), scale=side / size, turn=turn, mirrored=False, size=size)
        for y in down
        for x in across
    ]


def _centres(extent: float, side: float) -> list[float]:
    count = max(1, math.ceil(extent / side - _SLACK))
    reach = max(0.0, (extent - side) / 2)
    return [0.0] if count == 1 else [float(x) for x in np.linspace(-reach, reach, count)]


def _is_possible(pose: Pose, film: Film, diameter_mm: Sequence[float]) -> bool:
    low, high = diameter_mm
    return bool(film.contains(np.array(pose.centre))) and (not film.has_spacing or low <= pose.diameter <= high)


def _same(a: Pose, b: Pose) -> bool:
    size = max(a.diameter, b.diameter)
    turned = abs(math.remainder(a.angle - b.angle, 2 * math.pi))
    return (
        math.dist(a.centre, b.centre) < _SAME_PLACE * size
        and size < _SAME_SIZE * min(a.diameter, b.diameter)
        and turned < _SAME_ANGLE
        and a.mirrored == b.mirrored
    )
