"""Divergent beam onto a flat detector: the exact chord length of every material at every pixel.

The L-buffer of Freud et al. (2006) and gVXR: each triangle adds its signed distance from the source to the pixels it
covers, so that a closed mesh leaves the length of the ray inside it. The reciprocal of that distance is affine on the
detector, hence exact. Rows follow a half-open scan-line rule, so neighbouring triangles neither overlap nor leak.
Knows no anatomy.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from aasnode.geometry import Point
from aasnode.training.simulate.materials import LAYERS, Layer
from aasnode.training.simulate.meshes import Bone, Material, Points, Transform

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Beam:
    """Source and detector in the frame of the room: the detector is the plane x = ``detector_x_mm``, facing +x.

    The detector's columns run along +y (to the face), its rows along −z. ``origin_mm`` is (y, z) of the first pixel.
    """

    source_mm: tuple[float, float, float]
    detector_x_mm: float
    origin_mm: tuple[float, float]
    rows: int
    columns: int
    pixel_mm: float

    @property
    def source_to_image_mm(self) -> float:
        """Distance from the source to the detector (SID)."""
        return self.source_mm[0] - self.detector_x_mm

    def magnification(self, x_mm: float = 0.0) -> float:
        """Of a plane parallel to the detector."""
        return self.source_to_image_mm / (self.source_mm[0] - x_mm)

    def on_detector(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Points (n, 3) in the room to (y, z) mm in the detector's plane, (n, 2)."""
        at = np.atleast_2d(np.asarray(points, float))
        source = np.asarray(self.source_mm)
        share = (self.detector_x_mm - source[0]) / (at[:, 0] - source[0])
        cast: npt.NDArray[np.float64] = source[1:] + (at[:, 1:] - source[1:]) * share[:, None]
        return cast

    def pixel(self, point: npt.ArrayLike) -> Point:
        """Where a point (3,) falls, in pixels."""
        y, z = self.on_detector(point)[0]
        return Point(x=(y - self.origin_mm[0]) / self.pixel_mm, y=(self.origin_mm[1] - z) / self.pixel_mm)

    def obliquity(self) -> Image:
        """Length of each pixel's ray per mm along x, (rows, columns)."""
        depth = self.source_to_image_mm
        y = self.origin_mm[0] + np.arange(self.columns) * self.pixel_mm - self.source_mm[1]
        z = self.origin_mm[1] - np.arange(self.rows) * self.pixel_mm - self.source_mm[2]
        lengths: Image = np.sqrt(1 + (y[None, :] ** 2 + z[:, None] ** 2) / depth**2).astype(np.float32)
        return lengths


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A bone in the room, and the layer that each of its materials goes to."""

    bone: Bone
    transform: Transform
    layers: Mapping[Material, Layer]


def thickness_maps(parts: Iterable[Placed], beam: Beam) -> dict[Layer, Image]:
    """Thickness of every layer in mm along the ray, (rows, columns) each."""
    sums = np.zeros((len(LAYERS), beam.rows, beam.columns), np.float32)
    for part in parts:
        for piece in part.bone.shells:
            _add(part.transform(piece.vertices), piece.faces, _shares(piece.shares, part.layers), beam, sums)
    lengths = beam.obliquity()
    np.multiply(np.maximum(sums, 0, out=sums), lengths, out=sums)
    return dict(zip(LAYERS, sums, strict=True))


def _shares(shares: Sequence[tuple[Material, float]], layers: Mapping[Material, Layer]) -> list[tuple[int, float]]:
    return [(LAYERS.index(layers[material]), weight) for material, weight in shares]


def _add(
    vertices: Points,
    faces: npt.NDArray[np.int32],
    shares: list[tuple[int, float]],
    beam: Beam,
    sums: Image,
) -> None:
    first, weight = shares[0]
    second, other = shares[1] if len(shares) > 1 else (first, 0.0)
    cast = beam.on_detector(vertices)
    u = (cast[:, 0] - beam.origin_mm[0]) / beam.pixel_mm
    v = (beam.origin_mm[1] - cast[:, 1]) / beam.pixel_mm
    inverse_depth = 1.0 / (vertices[:, 0] - beam.source_mm[0])
    _scan(u, v, inverse_depth, faces, beam.source_mm[0], sums[first], -weight, sums[second], -other)


@numba.njit(cache=True)
def _scan(  # noqa: C901 (one loop nest, compiled as a whole)
    u: Points, v: Points, inverse_depth: Points, faces: npt.NDArray[np.int32],
    source_x: float, out: Image, weight: float, other: Image, other_weight: float,
) -> None:  # fmt: skip
    """Add weight × signed x of every triangle to ``out`` (and ``other``), scan line by scan line.

    x from the patient's middle, not from the source, keeps the sums small: single precision is then good to 0.001 mm.
    """
    rows, columns = out.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        u0, v0, u1, v1, u2, v2 = u[a], v[a], u[b], v[b], u[c], v[c]
        area = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
        if area == 0.0:
            continue
        low = max(0, math.ceil(min(v0, v1, v2)))
        high = min(rows - 1, math.floor(max(v0, v1, v2)))
        sign = 1.0 if area > 0 else -1.0
        q0 = inverse_depth[a]
        q1, q2 = inverse_depth[b] - q0, inverse_depth[c] - q0
        q_per_column = (q1 * (v2 - v0) - q2 * (v1 - v0)) / area
        q_per_row = (q2 * (u1 - u0) - q1 * (u2 - u0)) / area
        for i in range(low, high + 1):
            left, right = 1e18, -1e18
            for e in range(3):
                if e == 0:
                    ua, va, ub, vb = u0, v0, u1, v1
                elif e == 1:
                    ua, va, ub, vb = u1, v1, u2, v2
                else:
                    ua, va, ub, vb = u2, v2, u0, v0
                if va > vb:  # the same float result for an edge that two triangles share
                    ua, va, ub, vb = ub, vb, ua, va
                if va <= i < vb:
                    x = ua + (i - va) / (vb - va) * (ub - ua)
                    left, right = min(left, x), max(right, x)
            if left > right:
                continue
            for j in range(max(0, math.ceil(left)), min(columns - 1, math.ceil(right) - 1) + 1):
                q = q0 + q_per_column * (j - u0) + q_per_row * (i - v0)
                x_mm = sign * (source_x + 1.0 / q)
                out[i, j] += weight * x_mm
                if other_weight != 0.0:
                    other[i, j] += other_weight * x_mm
