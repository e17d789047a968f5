"""Affine maps and elastic warps: of thickness maps by looking backwards, of sections by solving forwards.

A crop's pixel x shows the plane's point ``to_plane(x) + shift(x)``. A point p of the plane is therefore seen at the x
that solves ``to_plane(x) + shift(x) = p``; the shift is smooth and small against its own scale, so a fixed-point
iteration finds it.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.film import band_noise

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
_ITERATIONS = 8


@dataclass(frozen=True, kw_only=True)
class Affine:
    """``matrix @ point + offset``; points (..., 2) as x, y."""

    matrix: Points  # (2, 2)
    offset: Points  # (2,)

    def __call__(self, points: Points) -> Points:
        """Map points."""
        return np.asarray(points @ self.matrix.T + self.offset)

    @cached_property
    def inverse(self) -> "Affine":
        """The map back."""
        back = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return Affine(matrix=back, offset=-back @ self.offset)

    def after(self, first: "Affine") -> "Affine":
        """This map after ``first``."""
        return Affine(matrix=self.matrix @ first.matrix, offset=self(first.offset))

    def carrying(self, source: Points, target: Points) -> "Affine":
        """The same matrix, with the offset that carries ``source`` to ``target``."""
        return replace(self, offset=target - self.matrix @ source)


def turned(scale: float, angle: float, *, stretch: float = 1.0, mirrored: bool = False) -> Affine:
    """Scale, turn by ``angle`` (radians, x towards y), after stretching x and squeezing y, after mirroring x."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    widths = np.diag([-stretch if mirrored else stretch, 1 / stretch])
    return Affine(matrix=scale * turn @ widths, offset=np.zeros(2))


@dataclass(frozen=True, kw_only=True)
class Look:
    """A square crop of the plane, elastically warped: which point of the plane each pixel shows."""

    to_crop: Affine  # plane, mm → crop, pixels
    shift: Floats  # (2, n, n) mm, added to where a pixel would look

    @property
    def size(self) -> int:
        """Side in pixels."""
        return int(self.shift.shape[-1])

    @cached_property
    def plane(self) -> tuple[Floats, Floats]:
        """x and y in mm of the plane that each pixel shows, (n, n) each."""
        y, x = np.mgrid[0 : self.size, 0 : self.size].astype(np.float32)
        back = self.to_crop.inverse
        a, b = back.matrix.astype(np.float32), back.offset.astype(np.float32)
        across = a[0, 0] * x + a[0, 1] * y + b[0] + self.shift[0]
        down = a[1, 0] * x + a[1, 1] * y + b[1] + self.shift[1]
        return np.asarray(across, np.float32), np.asarray(down, np.float32)

    def sample(self, maps: npt.NDArray[np.uint16], to_plane: Affine, per_mm: float, *, endless: bool) -> Floats:
        """Maps (k, h, w) whose pixels lie in the plane by ``to_plane``, as the crop shows them: (k, n, n) mm.

        Beyond their border there is nothing, or the border repeated where ``endless``.
        """
        back = to_plane.inverse
        a, b = back.matrix.astype(np.float32), back.offset.astype(np.float32)
        x, y = self.plane
        columns, rows = a[0, 0] * x + a[0, 1] * y + b[0], a[1, 0] * x + a[1, 1] * y + b[1]
        border = cv2.BORDER_REPLICATE if endless else cv2.BORDER_CONSTANT
        seen = [cv2.remap(one, columns, rows, cv2.INTER_LINEAR, borderMode=border, borderValue=0) for one in maps]
        return np.stack(seen).astype(np.float32) / np.float32(per_mm)

    def find(self, points: Points) -> Points:
        """Where points (m, 2) of the plane are seen, in pixels; beyond the crop its border's shift is taken."""
        seen = self.to_crop(points)
        for _ in range(_ITERATIONS):
            at = np.clip(seen, 0, self.size - 1.001).astype(np.float32)
            shift = [cv2.remap(part, at[:, :1], at[:, 1:], cv2.INTER_LINEAR)[:, 0] for part in self.shift]
            seen = self.to_crop(points - np.stack(shift, 1))
        return seen


@dataclass(frozen=True, kw_only=True)
class Band:
    """Elastic shifts of one scale: mm; the amplitude is even from 0, per axis."""

    amplitude_mm: float
    scale_mm: tuple[float, float]


def draw_shift(bands: tuple[Band, ...], n: int, mm_per_px: float, rng: np.random.Generator) -> Floats:
    """A smooth field of shifts in mm, (2, n, n)."""
    shift = np.zeros((2, n, n), np.float32)
    for band in bands:
        sigma_px = rng.uniform(*band.scale_mm) / mm_per_px
        for axis in range(2):
            shift[axis] += np.float32(rng.uniform(0, band.amplitude_mm)) * band_noise(rng, (n, n), sigma_px)
    return shift
