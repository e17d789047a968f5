"""The closer looks: upright crops at a set size, each placed by the one before, and the median of slightly varied ones.

Serves the refining stage and the joint stage alike. No torch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aasnode.anatomy import Landmark
from aasnode.inference.crop import Film, Points
from aasnode.inference.pose import BACK, FRONT, Pose, focus_of, pose_of, sureness
from aasnode.inference.stage import Reading, Stage

# Turn in degrees, zoom, shift in shares of the side: small against what a stage was trained on, in an order in which
# the first one, three, five and seven of them are balanced.
_VARIATIONS: tuple[tuple[float, float, tuple[float, float]], ...] = (
    (0.0, 1.00, (0.000, 0.000)),
    (5.0, 1.06, (0.023, 0.012)),
    (-5.0, 0.95, (-0.023, -0.012)),
    (-3.0, 1.04, (0.012, -0.023)),
    (3.0, 0.96, (-0.012, 0.023)),
    (8.0, 0.98, (-0.035, 0.006)),
    (-8.0, 1.02, (0.035, -0.006)),
    (0.0, 1.09, (0.006, 0.035)),
    (0.0, 0.92, (-0.006, -0.035)),
)

_SEEN = 0.2  # least height of a peak that says where something is


@dataclass(frozen=True, kw_only=True)
class View:
    """What several crops of one place agree on, in the film's frame; K points in the order of the stage's channels."""

    stage: Stage
    pose: Pose
    points: Points  # (K, 2) medians
    confidences: Points  # (K,) means
    covariances: Points  # (K, 2, 2) of the heatmaps and between the crops, added
    spreads: Points  # (K,) standard deviation between the crops, per axis
    readings: Sequence[Reading]  # of the single crops

    def rows(self, marks: Sequence[Landmark]) -> list[int]:
        """Indices of these landmarks among the K points."""
        return [self.stage.index(mark) for mark in marks]

    def share(self, mask: str, reach: float, at: Points | None = None) -> float:
        """Mean over the crops of what the mask covers within so many diameters of ``at``, else of the pose's centre.

        0 where no crop shows the place.
        """
        centre = np.asarray(self.pose.centre) if at is None else at
        shares = [_share(reading, mask, centre, reach * self.pose.diameter) for reading in self.readings]
        known = [share for share in shares if share is not None]
        return float(np.mean(known)) if known else 0.0

    @property
    def confidence(self) -> float:
        """The stage's sureness."""
        return sureness(self.stage, self.confidences)


def glance(stage: Stage, film: Film, poses: Sequence[Pose], caudal: Sequence[str]) -> list[View]:
    """One crop at each pose, all in one batch."""
    readings = stage.read(film, [pose.crop(stage.card) for pose in poses])
    moved = [_moved(stage, reading, pose, caudal) for reading, pose in zip(readings, poses, strict=True)]
    return [_agree(stage, pose, [reading]) for reading, pose in zip(readings, moved, strict=True)]


def approach(view: View, film: Film, caudal: Sequence[str]) -> View:
    """From a first glance on, as many passes in all as the card says, each placed by the one before."""
    for _ in range(view.stage.card.passes - 1):
        (view,) = glance(view.stage, film, [view.pose], caudal)
    return view


def look(view: View, film: Film, caudal: Sequence[str]) -> View:
    """The view with further, slightly varied crops of its pose: as many in all as the card says."""
    stage, pose = view.stage, view.pose
    crops = [
        pose.crop(stage.card, math.radians(turn), zoom, shift)
        for turn, zoom, shift in _VARIATIONS[1 : stage.card.views]
    ]
    seen = _agree(stage, pose, [*view.readings, *stage.read(film, crops)])
    middle = Reading(
        crop=pose.crop(stage.card),
        points=seen.points,
        confidences=seen.confidences,
        covariances=seen.covariances,
        masks={},
    )
    return replace(seen, pose=_moved(stage, middle, pose, caudal))


def towards(stage: Stage, view: View) -> Pose:
    """The pose from which ``stage`` starts, by what the stage before it saw."""
    x, y = view.points[view.rows(stage.card.focus)].mean(0)
    return replace(view.pose, centre=(float(x), float(y)))


def _moved(stage: Stage, reading: Reading, pose: Pose, caudal: Sequence[str]) -> Pose:
    """The pose that follows from a reading; a stage that does not measure both ends of C1 only moves its centre.

    Where a point that decides is not seen, as of an arch that is missing, the pose stays as it was.
    """
    if reading.confidences[[stage.index(mark) for mark in stage.card.focus]].min() < _SEEN:
        return pose
    if {FRONT, BACK} <= set(stage.card.measures):
        return pose_of(stage, reading, caudal)
    return replace(pose, centre=focus_of(stage, reading))


def _agree(stage: Stage, pose: Pose, readings: Sequence[Reading]) -> View:
    points = np.stack([reading.points for reading in readings])
    middle = np.median(points, 0)
    off = points - middle
    between = np.einsum("nki,nkj->kij", off, off) / max(1, len(readings) - 1)
    return View(
        stage=stage,
        pose=pose,
        points=middle,
        confidences=np.mean([reading.confidences for reading in readings], 0),
        covariances=np.mean([reading.covariances for reading in readings], 0) + between,
        spreads=np.sqrt(np.trace(between, axis1=1, axis2=2) / 2),
        readings=readings,
    )


def _share(reading: Reading, mask: str, centre: Points, within: float) -> float | None:
    """Mean of a mask within that distance of a place in the film, its nearest pixel at least; None beyond the crop."""
    x, y = reading.crop.to_crop(centre)
    if not (0 <= x <= reading.crop.size - 1 and 0 <= y <= reading.crop.size - 1):
        return None
    values = reading.masks[mask]
    rows, columns = np.indices(values.shape)
    stride = reading.crop.size / values.shape[0]
    pixels = np.stack([columns, rows], -1).astype(np.float64) * stride + (stride - 1) / 2
    off = reading.crop.to_film(pixels) - centre
    away = np.hypot(off[..., 0], off[..., 1])
    return float(values[away <= max(within, away.min())].mean())
