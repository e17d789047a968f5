"""The C1 axis and the four points on it, from the mid-sagittal sections of C1 and C2. Pure geometry, any frame.

The axis runs through the centroids of both arches' sections; the points are where it crosses the sections' edges
(docs/measurements.md). Sections are closed contours (n, 2), the last point equal to the first.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.meshes import area_and_centroid, crossings

Contour = npt.NDArray[np.float64]  # (n, 2) as x, y; closed
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Sections:
    """What the mid-sagittal plane cuts."""

    anterior_arch: Contour
    posterior_arch: Contour
    core: Contour  # body and dens of C2


@dataclass(frozen=True, kw_only=True)
class AxisPoints:
    """The four landmarks in their order, ventral to dorsal, and the centres of the arches."""

    landmarks: Points  # (4, 2)
    anterior_centre: Points  # (2,)
    posterior_centre: Points  # (2,)

    @property
    def diameter(self) -> float:
        """C1's inner sagittal diameter: point 1 to point 4."""
        return float(np.linalg.norm(self.landmarks[0] - self.landmarks[3]))

    @property
    def ventral(self) -> Points:
        """Unit vector along the axis, towards the face."""
        return np.asarray((self.landmarks[0] - self.landmarks[3]) / self.diameter)

    @property
    def adi(self) -> float:
        """Point 1 to point 2."""
        return float(np.linalg.norm(self.landmarks[0] - self.landmarks[1]))


def centroid(contour: Contour) -> Points:
    """Centre of the area within."""
    return area_and_centroid(contour)[1]


def axis_points(sections: Sections) -> AxisPoints | None:
    """The points; None where the axis misses the dens or they do not lie in their order."""
    front, back = centroid(sections.anterior_arch), centroid(sections.posterior_arch)
    along = (front - back) / np.linalg.norm(front - back)
    at_front, at_back, at_dens = (
        crossings([contour], back, along)
        for contour in (sections.anterior_arch, sections.posterior_arch, sections.core)
    )
    if min(len(at_front), len(at_back), len(at_dens)) < 2:
        return None
    at = np.array([at_front[0], at_dens[-1], at_dens[0], at_back[-1]])
    if not np.isfinite(at).all() or (np.diff(at) >= 0).any():
        return None
    return AxisPoints(landmarks=back + at[:, None] * along, anterior_centre=front, posterior_centre=back)
