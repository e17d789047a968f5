"""The C1 axis and the joint that is measured along it.

The axis is the line through the centres of the anterior and of the posterior arch in the mid-sagittal plane, a centre
being the centroid of the arch's cross-section. The node's four points are where this line cuts the four cortices
(docs/measurements.md); the convention of Liu 2015. All in the frame of C1 unless said otherwise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.bones.c1 import arches
from aasnode.training.simulate.meshes import Bone, Points, Transform, crossings

_DENS_REACH_MM = 12.0  # the dens' cortices lie within this distance of its axis
_STRETCHED_MM = 10.0  # |y| beyond which fitting a ring only moves bone; the arches keep their thickness


@dataclass(frozen=True, kw_only=True)
class AtlasAxis:
    """Where the C1 axis meets C1; ``direction`` points forward."""

    direction: Points
    anterior_arch_anterior: Points
    anterior_arch_posterior: Points
    posterior_arch_anterior: Points
    posterior_arch_posterior: Points

    @property
    def inner_diameter_mm(self) -> float:
        """Between the arches, along the axis."""
        return float(np.linalg.norm(self.anterior_arch_posterior - self.posterior_arch_anterior))


def atlas_axis(c1: Bone) -> AtlasAxis:
    """The axis of a C1, from its mid-sagittal profile."""
    front, back = arches(c1.profile)
    front_centre, back_centre = c1.points["anterior_arch_centre"], c1.points["posterior_arch_centre"]
    along = front_centre - back_centre
    along = along / np.linalg.norm(along)
    at_front = crossings([front], front_centre[1:], along[1:])
    at_back = crossings([back], back_centre[1:], along[1:])
    return AtlasAxis(
        direction=along,
        anterior_arch_anterior=front_centre + along * at_front[-1],
        anterior_arch_posterior=front_centre + along * at_front[0],
        posterior_arch_anterior=back_centre + along * at_back[-1],
        posterior_arch_posterior=back_centre + along * at_back[0],
    )


def fitted_ring(c1: Bone, inner_diameter_mm: float) -> Bone:
    """The same C1 with another inner diameter: its arches move apart or together and keep their shape."""
    for _ in range(3):  # the axis tilts a little as the arches move
        missing = inner_diameter_mm - atlas_axis(c1).inner_diameter_mm
        c1 = c1.warped(lambda points, d=missing: _pulled(points, d))  # type: ignore[misc]
    return c1


def _pulled(points: npt.NDArray[np.float64], distance_mm: float) -> Points:
    y = points[:, 1]
    moved = y + distance_mm / 2 * np.sin(np.pi / 2 * np.clip(y / _STRETCHED_MM, -1, 1))
    return np.stack([points[:, 0], moved, points[:, 2]], axis=1)


def dens_cortices(c2: Bone, origin: Points, direction: Points) -> tuple[Points, Points]:
    """Where a line through the dens enters its anterior and leaves its posterior cortex; all in the frame of C2."""
    at = crossings(c2.profile, origin[1:], direction[1:])
    ahead, behind = at[(at > 0) & (at < _DENS_REACH_MM)], at[(at < 0) & (at > -_DENS_REACH_MM)]
    if not len(ahead) or not len(behind):
        raise ValueError(f"no dens on the line through {origin.round(1)} along {direction.round(2)} (mm, frame of C2)")
    return origin + direction * ahead.max(), origin + direction * behind.min()


def dens_depth_mm(c2: Bone, level: float, direction: Points) -> float:
    """Depth of the dens along ``direction`` at a level of 0 (base) to 1 (tip) of its axis."""
    base, end = c2.points["dens_base"], c2.points["dens_axis_end"]
    front, back = dens_cortices(c2, base + (end - base) * level, direction)
    return float(np.linalg.norm(front - back))


@dataclass(frozen=True, kw_only=True)
class Joint:
    """C1 on C2 in the frame of C2, and the dens' points on the C1 axis there."""

    c1_in_c2: Transform
    dens_anterior: Points
    dens_posterior: Points


def joined(c1: Bone, c2: Bone, turn: npt.NDArray[np.float64], level: float, settling_mm: float, adi_mm: float) -> Joint:
    """Put C1, turned by ``turn`` against C2, so that the ADI on its axis is exact.

    C1 stands at ``level`` of the dens, ``settling_mm`` lower. Raises ``ValueError`` where the axis misses the dens.
    """
    axis = atlas_axis(c1)
    along = turn @ axis.direction
    base, end = c2.points["dens_base"], c2.points["dens_axis_end"]
    share = float(np.clip(level - settling_mm / np.linalg.norm(end - base), 0.1, 0.85))
    front, back = dens_cortices(c2, base + (end - base) * share, along)
    shift = front + along * adi_mm - turn @ axis.anterior_arch_posterior
    return Joint(c1_in_c2=Transform(rotation=turn, translation=shift), dens_anterior=front, dens_posterior=back)
