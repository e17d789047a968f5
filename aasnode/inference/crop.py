"""Square crops of a film, turned, mirrored and scaled at will, resampled once from the original pixels.

Two frames. *Film*: ``x`` along columns, ``y`` along rows, in millimetres where the spacing is known and else in columns
(a row counts as the pixels' aspect ratio); 0, 0 is the centre of the first pixel. *Crop*: pixels, 0, 0 the centre of
the first. Only ``Film`` knows the stored pixels. No torch, no anatomy.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.geometry import PixelSpacing

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]  # (..., 2) as x, y


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A square window on a film.

    ``turn`` is the angle in radians from the film's x to the crop's x, counted towards the film's y. A mirrored crop
    has its x reversed against a crop of the same turn, so ``turn`` is then the angle of its -x.
    """

    centre: tuple[float, float]  # film frame
    scale: float  # film units per crop pixel
    turn: float
    mirrored: bool
    size: int  # crop pixels on each side

    @cached_property
    def _axes(self) -> Points:
        """(2, 2): columns are the crop's x and y as steps in the film frame."""
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        rotation = np.array([[cosine, -sine], [sine, cosine]])
        return np.asarray(self.scale * rotation @ np.diag([-1.0 if self.mirrored else 1.0, 1.0]), np.float64)

    def to_film(self, points: Points) -> Points:
        """Crop pixels → film frame, any leading shape."""
        return np.asarray((points - (self.size - 1) / 2) @ self._axes.T + np.asarray(self.centre), np.float64)

    def to_crop(self, points: Points) -> Points:
        """Film frame → crop pixels, any leading shape."""
        steps = (points - np.asarray(self.centre)) @ np.linalg.inv(self._axes).T
        return np.asarray(steps + (self.size - 1) / 2, np.float64)

    def covariance_to_film(self, covariances: Points) -> Points:
        """(..., 2, 2) in crop pixels squared → film units squared."""
        return np.asarray(self._axes @ covariances @ self._axes.T, np.float64)


class Film:
    """A radiograph in float32, bright = dense, and what its pixels measure."""

    def __init__(self, pixels: Floats, spacing: PixelSpacing | None, aspect_ratio: float = 1.0) -> None:
        """``pixels`` (rows, columns); a pixel that is not a number counts as the darkest.

        ``aspect_ratio``: distance between rows / between columns, used where there is no ``spacing``.
        """
        finite = np.isfinite(pixels)
        self._pixels = pixels if finite.all() else np.where(finite, pixels, pixels[finite].min(initial=0))
        self.has_spacing = spacing is not None
        self._step = np.array([spacing.column_mm, spacing.row_mm] if spacing else [1.0, aspect_ratio])
        self._reduced: dict[tuple[int, int], Floats] = {(0, 0): self._pixels}

    @property
    def width(self) -> float:
        """Along x, in film units."""
        return float(self._pixels.shape[1] * self._step[0])

    @property
    def height(self) -> float:
        """Along y, in film units."""
        return float(self._pixels.shape[0] * self._step[1])

    @property
    def centre(self) -> tuple[float, float]:
        """Film frame."""
        rows, columns = self._pixels.shape
        return (columns - 1) / 2 * float(self._step[0]), (rows - 1) / 2 * float(self._step[1])

    def to_pixels(self, points: Points) -> Points:
        """Film frame → pixels of the stored image."""
        return np.asarray(points / self._step, np.float64)

    def to_film(self, points: Points) -> Points:
        """Pixels of the stored image → film frame."""
        return np.asarray(points * self._step, np.float64)

    def covariance_to_pixels(self, covariances: Points) -> Points:
        """(..., 2, 2) in film units squared → pixels squared."""
        return np.asarray(covariances / np.outer(self._step, self._step), np.float64)

    def contains(self, points: Points, margin: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which points (film frame) lie on the film, at least ``margin`` film units from its edge."""
        x, y = points[..., 0], points[..., 1]
        inside_x = (x >= margin - self._step[0] / 2) & (x <= self.width - self._step[0] / 2 - margin)
        inside_y = (y >= margin - self._step[1] / 2) & (y <= self.height - self._step[1] / 2 - margin)
        return np.asarray(inside_x & inside_y)

    @cached_property
    def darkest(self) -> float:
        """The least value of any pixel."""
        return float(self._pixels.min())

    def cut(self, crop: Crop, *, dark_beyond: bool = False) -> Floats:
        """The crop's pixels, (size, size). Averages where it makes smaller.

        Beyond the film its edge is repeated, or with ``dark_beyond`` it is as dark as the film gets.
        """
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        origin, along_x, along_y = self.to_pixels(crop.to_film(corners))
        matrix = np.stack([along_x - origin, along_y - origin, origin], 1)
        reach = np.abs(matrix[:, :2]).sum(1)  # stored pixels per crop pixel, along columns and rows
        halvings = tuple(max(0, math.floor(math.log2(max(step, 1e-6)))) for step in reach)
        level = self._level(halvings[0], halvings[1])
        factor = np.array([2.0 ** halvings[0], 2.0 ** halvings[1]])
        matrix = matrix / factor[:, None]
        matrix[:, 2] += (1 / factor - 1) / 2
        return _resample(level, matrix, crop.size, reach / factor, self.darkest if dark_beyond else None)

    def _level(self, across: int, down: int) -> Floats:
        """The film averaged to half its columns ``across`` times and half its rows ``down`` times."""
        if (across, down) not in self._reduced:
            finer = self._level(across - 1, down) if across > 0 else self._level(across, down - 1)
            self._reduced[across, down] = _halve_columns(finer) if across > 0 else _halve_columns(finer.T).T
        return self._reduced[across, down]


def _halve_columns(pixels: Floats) -> Floats:
    even = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2)), mode="edge")
    return (even[:, 0::2] + even[:, 1::2]) / np.float32(2)


def _resample(level: Floats, matrix: Points, size: int, reach: Points, beyond: float | None) -> Floats:
    """Resample by ``matrix`` (crop pixels → pixels of ``level``), with a light blur where it still makes smaller."""
    corners = np.array([[-1.0, -1.0], [size, -1.0], [-1.0, size], [size, size]]) @ matrix[:, :2].T + matrix[:, 2]
    rows, columns = level.shape
    x0, x1 = _span(corners[:, 0], columns)
    y0, y1 = _span(corners[:, 1], rows)
    patch = np.ascontiguousarray(level[y0:y1, x0:x1])
    blur = [0.5 * math.sqrt(max(0.0, step**2 - 1)) for step in reach]
    if max(blur) > 0.2:
        blurred = cv2.GaussianBlur(
            patch, (0, 0), sigmaX=max(blur[0], 0.05), sigmaY=max(blur[1], 0.05), borderType=cv2.BORDER_REPLICATE
        )
        patch = np.asarray(blurred, np.float32)
    moved = matrix.copy()
    moved[:, 2] -= (x0, y0)
    kind = cv2.INTER_LINEAR if max(reach) > 0.7 else cv2.INTER_CUBIC
    border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    warped = cv2.warpAffine(
        patch, moved, (size, size), flags=kind | cv2.WARP_INVERSE_MAP, borderMode=border, borderValue=beyond or 0.0
    )
    return np.asarray(warped, np.float32)


def _span(values: Points, limit: int) -> tuple[int, int]:
    """A range of at least one pixel within 0..limit that holds ``values`` and a margin for blur and interpolation."""
    low = min(max(0, math.floor(values.min()) - 6), limit - 1)
    high = max(min(limit, math.ceil(values.max()) + 7), low + 1)
    return low, high


def normalise(crop: Floats, low_percentile: float = 1.0, high_percentile: float = 99.0, margin: float = 0.2) -> Floats:
    """Clip to robust percentiles and a margin, then zero mean and unit deviation; a flat crop gives zeros."""
    low, high = np.percentile(crop[::2, ::2], (low_percentile, high_percentile))
    if high <= low:  # nearly all of one grey: take what there is
        low, high = crop.min(), crop.max()
    span = float(high - low)
    if span <= 0:
        return np.zeros_like(crop)
    clipped = (np.clip(crop, low - margin * span, high + margin * span) - low) / span
    return np.asarray((clipped - clipped.mean()) / (clipped.std() + 1e-4), np.float32)
