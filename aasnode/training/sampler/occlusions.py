"""What else lies on a crop: ear rods, shadows of anything, letters, the collimator's edge, a patch cut out.

Drawn on the line integral where X-rays pass through, and on the finished picture where they do not; the latter say
which pixels no longer show the patient, so that a point there is not taught as visible.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.warp import Floats

_F = np.float32
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class OcclusionPriors:
    """Shares of the crops that are occluded at all; lengths in mm."""

    ear_rods: float = 0.5  # the films at hand are mostly cephalograms
    shadows: int = 3  # at most
    letters: float = 0.15
    edge: float = 0.35
    edge_black: float = 0.6
    patch: float = 0.2
    patch_mm: tuple[float, float] = (4.0, 14.0)
    rod_above_mm: tuple[float, float] = (12.0, 45.0)
    rod_radius_mm: tuple[float, float] = (4.0, 9.0)
    rod_aside_mm: float = 11.0


PRIORS = OcclusionPriors()


@dataclass(frozen=True, kw_only=True)
class Cover:
    """Pixels of the finished picture that show something else, from 0 its darkest to 1 its brightest value."""

    where: Mask  # (n, n)
    level: float


@dataclass(frozen=True, kw_only=True)
class Occlusions:
    """What is added to the line integral, and what covers the picture."""

    added: Floats  # (n, n)
    covers: tuple[Cover, ...]

    def over(self, picture: Floats) -> Floats:
        """The picture with its covers."""
        for cover in self.covers:
            low, high = picture.min(), picture.max()
            picture = np.where(cover.where, low + _F(cover.level) * (high - low), picture)
        return picture

    @property
    def covered(self) -> Mask:
        """Pixels that no longer show the patient."""
        return (
            np.any([cover.where for cover in self.covers], axis=0) if self.covers else np.zeros_like(self.added, bool)
        )


def no_occlusions(n: int) -> Occlusions:
    """A crop with nothing on it."""
    return Occlusions(added=np.zeros((n, n), _F), covers=())


def draw_occlusions(n: int, mm_per_px: float, rng: np.random.Generator, priors: OcclusionPriors = PRIORS) -> Occlusions:
    """Any mixture of them."""
    added = np.zeros((n, n), _F)
    if rng.random() < priors.ear_rods:
        added += _ear_rods(n, mm_per_px, rng, priors)
    for _ in range(rng.integers(0, priors.shadows + 1)):
        added += _shadow(n, mm_per_px, rng)
    if rng.random() < priors.letters:
        added += _letters(n, rng)
    covers = []
    if rng.random() < priors.edge:
        covers.append(_edge(n, rng, priors))
    if rng.random() < priors.patch:
        covers.append(_patch(n, mm_per_px, rng, priors))
    return Occlusions(added=added, covers=tuple(covers))


def _ear_rods(n: int, mm_per_px: float, rng: np.random.Generator, priors: OcclusionPriors) -> Floats:
    """One or two rings above C1, hollow or with a core."""
    aside, above = rng.normal(0, priors.rod_aside_mm), rng.uniform(*priors.rod_above_mm)
    centre = np.array([n / 2 + aside / mm_per_px, n / 2 - above / mm_per_px])
    radius, width = rng.uniform(*priors.rod_radius_mm) / mm_per_px, max(1, int(rng.uniform(0.5, 1.6) / mm_per_px))
    density, added = rng.uniform(0.15, 1.0), np.zeros((n, n), _F)
    for _ in range(rng.integers(1, 3)):
        canvas = np.zeros((n, n), np.uint8)
        at = centre + rng.normal(0, 2 / mm_per_px, 2)
        _circle(canvas, at, radius, width)
        if rng.random() < 0.6:
            _circle(canvas, at, radius * rng.uniform(0.4, 0.8), width if rng.random() < 0.5 else -1)
        added += _F(density) * _soft(canvas, 0.8)
    return added


def _circle(canvas: npt.NDArray[np.uint8], centre: npt.NDArray[np.float64], radius: float, width: int) -> None:
    """With centre and radius to an eighth of a pixel; a negative width fills."""
    cv2.circle(canvas, (int(centre[0] * 8), int(centre[1] * 8)), int(radius * 8), 255, width, cv2.LINE_AA, 3)


def _shadow(n: int, mm_per_px: float, rng: np.random.Generator) -> Floats:
    """An ellipse or a bar, denser or thinner than what lies there."""
    canvas = np.zeros((n, n), np.uint8)
    start, end = ((int(x), int(y)) for x, y in rng.uniform(0, n, (2, 2)))
    if rng.random() < 0.5:
        half = tuple(int(v) for v in rng.uniform(3, 45, 2) / mm_per_px)
        width = -1 if rng.random() < 0.6 else max(1, int(rng.uniform(0.5, 3) / mm_per_px))
        cv2.ellipse(canvas, start, half, rng.uniform(0, 180), 0, 360, 255, width, cv2.LINE_AA)
    else:
        cv2.line(canvas, start, end, 255, max(1, int(rng.uniform(0.4, 8) / mm_per_px)), cv2.LINE_AA)
    return _F(rng.uniform(-0.25, 0.45)) * _soft(canvas, rng.uniform(0.6, 4))


def _letters(n: int, rng: np.random.Generator) -> Floats:
    canvas = np.zeros((n, n), np.uint8)
    x, y = (int(v) for v in rng.uniform(0, n, 2))
    text, size, width = str(rng.choice(["R", "L", "12", "AB"])), rng.uniform(0.4, 1.6), int(rng.integers(1, 4))
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 255, width, cv2.LINE_AA)
    return np.asarray(_F(rng.uniform(0.5, 3)) * canvas / 255, _F)


def _edge(n: int, rng: np.random.Generator, priors: OcclusionPriors) -> Cover:
    """A straight edge of the collimator or of the film, some way from the middle."""
    angle, distance = rng.uniform(0, 2 * math.pi), rng.uniform(0.22, 0.56) * n
    y, x = np.mgrid[0:n, 0:n].astype(_F) - n / 2
    beyond = math.cos(angle) * x + math.sin(angle) * y > distance
    return Cover(where=beyond, level=0.0 if rng.random() < priors.edge_black else 1.0)


def _patch(n: int, mm_per_px: float, rng: np.random.Generator, priors: OcclusionPriors) -> Cover:
    width, height = np.minimum(rng.uniform(*priors.patch_mm, 2) / mm_per_px, n).astype(int)
    x, y = rng.integers(0, n - width + 1), rng.integers(0, n - height + 1)
    where = np.zeros((n, n), bool)
    where[y : y + height, x : x + width] = True
    return Cover(where=where, level=float(rng.uniform(0, 1)))


def _soft(canvas: npt.NDArray[np.uint8], sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(canvas.astype(_F) / 255, (0, 0), sigma_px), _F)
