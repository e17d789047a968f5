"""Signed-distance solids on a grid: the clay of which the bones are made.

A field is float32 (x, y, z): mm to the surface, negative inside. Distances are exact for boxes and round cones and near
enough for ellipsoids (I. Quilez, "Distance functions"); only the zero level and a few mm inside it are ever used.
Knows no anatomy.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Field = npt.NDArray[np.float32]
Vector = Sequence[float] | npt.NDArray[np.float64]
Rotation = npt.NDArray[np.float64]
Axes = tuple[Field, Field, Field]

_F = np.float32


def rotation(axis: str, degrees: float) -> Rotation:
    """Right-handed rotation about ``x``, ``y`` or ``z``; (3, 3)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrices = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(matrices[axis], dtype=float)


class Grid:
    """A box of points ``step_mm`` apart, from ``low`` to at least ``high``.

    ``mirrored`` are the axes with |x|: a solid drawn on them is symmetric; ``axes`` tell left from right.
    """

    def __init__(self, low: Vector, high: Vector, step_mm: float) -> None:
        self.low = np.asarray(low, float)
        self.step_mm = step_mm
        size = np.ceil((np.asarray(high, float) - self.low) / step_mm).astype(int) + 1
        self.shape: tuple[int, int, int] = (int(size[0]), int(size[1]), int(size[2]))
        lines = [_F(self.low[i]) + np.arange(self.shape[i], dtype=_F) * _F(step_mm) for i in range(3)]
        x, y, z = np.meshgrid(*lines, indexing="ij", sparse=True)
        self.axes: Axes = (x, y, z)
        self.mirrored: Axes = (np.abs(x), y, z)

    def column_of_midline(self) -> int:
        """Index along x of the mid-sagittal plane x = 0."""
        return round(float(-self.low[0]) / self.step_mm)


def _local(p: Axes, centre: Vector, turn: Rotation | None) -> list[Field]:
    offset = [p[i] - _F(centre[i]) for i in range(3)]
    if turn is None:
        return offset
    return [sum((_F(turn[j][i]) * offset[j] for j in range(1, 3)), _F(turn[0][i]) * offset[0]) for i in range(3)]


def ellipsoid(p: Axes, centre: Vector, radii: Vector, turn: Rotation | None = None) -> Field:
    """Ellipsoid with the given half axes."""
    d = _local(p, centre, turn)
    q = [d[i] / _F(radii[i]) for i in range(3)]
    k0 = np.sqrt(q[0] ** 2 + q[1] ** 2 + q[2] ** 2) + _F(1e-6)
    k1 = np.sqrt(sum(((q[i] / _F(radii[i])) ** 2 for i in range(1, 3)), (q[0] / _F(radii[0])) ** 2)) + _F(1e-6)
    field: Field = k0 * (k0 - 1) / k1
    return field


def rounded_box(
    p: Axes, centre: Vector, half: Vector, radius: float, turn: Rotation | None = None, *,
    shear: float = 0.0, taper: float = 0.0,
) -> Field:  # fmt: skip
    """Box with half widths ``half`` that include the rounding ``radius``.

    ``shear`` lifts z by that much per mm of y; ``taper`` widens x and y from bottom to top by that share.
    """
    d = _local(p, centre, turn)
    if shear:
        d[2] = d[2] - _F(shear) * d[1]
    if taper:
        scale = 1 + _F(taper) * d[2] / _F(half[2])
        d[0], d[1] = d[0] / scale, d[1] / scale
    q = [np.abs(d[i]) - _F(half[i] - radius) for i in range(3)]
    outside = np.sqrt(np.maximum(q[0], 0) ** 2 + np.maximum(q[1], 0) ** 2 + np.maximum(q[2], 0) ** 2)
    inside = np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0)
    field: Field = outside + inside - _F(radius)
    return field


def cone(p: Axes, a: Vector, b: Vector, radius_a: float, radius_b: float, stretch: Vector = (1, 1, 1)) -> Field:
    """Round cone from ``a`` to ``b``; its cross-section is widened by ``stretch`` along each axis."""
    s = np.asarray(stretch, float)
    start, end = np.asarray(a, float) / s, np.asarray(b, float) / s
    along = end - start
    q = [p[i] / _F(s[i]) - _F(start[i]) for i in range(3)]
    t = (q[0] * _F(along[0]) + q[1] * _F(along[1]) + q[2] * _F(along[2])) / _F(float(along @ along) + 1e-9)
    t = np.clip(t, 0, 1)
    distance = np.sqrt(sum(((q[i] - t * _F(along[i])) ** 2 for i in range(1, 3)), (q[0] - t * _F(along[0])) ** 2))
    field: Field = (distance - (_F(radius_a) + t * _F(radius_b - radius_a))) * _F(s.min())
    return field


Station = tuple[Vector, float]
"""A point on a tube's centre line, and the radius there."""


def tube(p: Axes, stations: Sequence[Station], stretch: Vector = (1, 1, 1), blend_mm: float = 1.0) -> Field:
    """Round cones end to end through the stations."""
    return union([cone(p, a, b, ra, rb, stretch) for (a, ra), (b, rb) in pairwise(stations)], blend_mm)


def blend(a: Field, b: Field, blend_mm: float) -> Field:
    """Union of two solids with a fillet of about ``blend_mm``."""
    h = np.maximum(_F(blend_mm) - np.abs(a - b), 0) / _F(blend_mm)
    field: Field = np.minimum(a, b) - h * h * _F(blend_mm * 0.25)
    return field


def union(solids: Sequence[Field], blend_mm: float) -> Field:
    """Union of any number of solids with fillets."""
    field = solids[0]
    for other in solids[1:]:
        field = blend(field, other, blend_mm)
    return field


def intersection(a: Field, b: Field, blend_mm: float) -> Field:
    """What lies in both, with a rounded edge."""
    return -blend(-a, -b, blend_mm)


def carve(a: Field, b: Field, blend_mm: float = 0.6) -> Field:
    """``a`` without ``b``, with a rounded edge."""
    return intersection(a, -b, blend_mm)


def fade(x: Field, at: float, width_mm: float) -> Field:
    """Smooth step: 0 well below ``at``, 1 well above."""
    field: Field = 1 / (1 + np.exp(-np.clip((x - _F(at)) / _F(width_mm), -30, 30)))
    return field


def roughness(grid: Grid, amplitude_mm: float, scale_mm: float, rng: np.random.Generator) -> Field:
    """Smooth random relief, added to a solid's distance."""
    coarse = [max(3, math.ceil(n * grid.step_mm / scale_mm) + 3) for n in grid.shape]
    values = rng.standard_normal(coarse).astype(_F)
    lines = [np.arange(n, dtype=_F) * _F(grid.step_mm / scale_mm) for n in grid.shape]
    at = np.meshgrid(*lines, indexing="ij")
    relief: Field = ndimage.map_coordinates(values, at, order=1, mode="nearest") * _F(amplitude_mm)
    return relief
