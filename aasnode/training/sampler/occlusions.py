"""What else lies on a crop: ear rods, jewellery, letters, shadows of anything, the collimator's edge, a patch cut out.

Drawn on the line integral where X-rays pass through, else on the finished picture. Both say which pixels no longer show
the patient, so that a point there is not taught as visible and the network learns what covers it. Small metal is often
put right over a point: by chance it would seldom lie there, and a network that has not seen it guesses on. What lets
the points through is not aimed at them, for it would tell where they are.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.warp import Floats, Points

_F = np.float32
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class OcclusionPriors:
    """Shares of the crops that are occluded at all; lengths in mm."""

    ear_rods: float = 0.5  # the films at hand are mostly cephalograms
    shadows: int = 3  # at most
    letters: float = 0.22
    letters_mm: tuple[float, float] = (3.0, 15.0)  # of their height
    letters_dense: float = 0.7  # share that lets nothing through
    rings: float = 0.22  # ear-rings, clasps, hooks
    ring_mm: tuple[float, float] = (1.5, 8.0)  # radius
    ring_width_mm: tuple[float, float] = (0.6, 2.4)
    ring_filled: float = 0.15  # share: studs, buttons
    metal_density: tuple[float, float] = (0.4, 6.0)  # log-even, of the line integral
    opaque: float = 1.5  # line integral of metal from which it hides a cortex: 0.8 mm
    over_a_point: float = 0.5  # share of what hides, where the points are known
    aim_mm: float = 0.3  # standard deviation
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
    opaque: Mask  # (n, n); where what is added hides what lies behind
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
        return np.asarray(np.any([self.opaque, *(cover.where for cover in self.covers)], axis=0))


def no_occlusions(n: int) -> Occlusions:
    """A crop with nothing on it."""
    return Occlusions(added=np.zeros((n, n), _F), opaque=np.zeros((n, n), bool), covers=())


def draw_occlusions(
    n: int,
    mm_per_px: float,
    rng: np.random.Generator,
    points: Points | None = None,
    priors: OcclusionPriors = PRIORS,
) -> Occlusions:
    """Any mixture of them; ``points`` (m, 2): what small metal may hide. What lets them through lies anywhere."""
    shadows, metal, covers = np.zeros((n, n), _F), np.zeros((n, n), _F), []
    if rng.random() < priors.ear_rods:
        metal += _ear_rods(n, mm_per_px, rng, priors)
    for _ in range(rng.integers(0, priors.shadows + 1)):
        shadows += _shadow(n, mm_per_px, rng)
    if rng.random() < priors.rings:
        metal += _rings(n, mm_per_px, rng, points, priors)
    if rng.random() < priors.letters:
        if rng.random() < priors.letters_dense:
            drawn = _letters(n, mm_per_px, rng, points, priors)
            covers.append(Cover(where=drawn > 0.5, level=float(rng.uniform(0.75, 1.0))))
        else:
            density = _metal_density(rng, priors)
            hides = density > priors.opaque
            metal += density * _letters(n, mm_per_px, rng, points if hides else None, priors)
    if rng.random() < priors.edge:
        covers.append(_edge(n, rng, priors))
    if rng.random() < priors.patch:
        covers.append(_patch(n, mm_per_px, rng, priors))
    return Occlusions(added=shadows + metal, opaque=metal > priors.opaque, covers=tuple(covers))


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


def _rings(
    n: int, mm_per_px: float, rng: np.random.Generator, points: Points | None, priors: OcclusionPriors
) -> Floats:
    """One or two rings or discs of metal, on the line integral."""
    added = np.zeros((n, n), _F)
    density = _metal_density(rng, priors)
    hidden = points if density > priors.opaque else None
    for _ in range(rng.integers(1, 3)):
        radius, width = rng.uniform(*priors.ring_mm) / mm_per_px, rng.uniform(*priors.ring_width_mm) / mm_per_px
        turn, filled = rng.uniform(0, 2 * math.pi), rng.random() < priors.ring_filled
        away = radius * (rng.random() if filled else 1.0) * np.array([math.cos(turn), math.sin(turn)])
        canvas = np.zeros((n, n), np.uint8)
        _circle(canvas, _aim(n, mm_per_px, rng, hidden, priors) + away, radius, -1 if filled else max(1, round(width)))
        added = np.maximum(added, density * _soft(canvas, max(0.4, 0.25 / mm_per_px)))
    return added


def _letters(
    n: int, mm_per_px: float, rng: np.random.Generator, points: Points | None, priors: OcclusionPriors
) -> Floats:
    """A word of lead, drawn with 1; may stand reversed, as on a film from the other side."""
    text = str(rng.choice(["R", "L", "LAT", "12", "AB", "HWS"]))
    height_px = rng.uniform(*priors.letters_mm) / mm_per_px
    width = max(1, round(height_px * rng.uniform(0.08, 0.22)))
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, height_px / 22, width)
    x, y = _aim(n, mm_per_px, rng, points, priors) + rng.uniform(-1, 0, 2) * (wide, high)
    canvas = np.zeros((n, n), np.uint8)
    reversed_ = rng.random() < 0.3
    start = (round(n - 1 - x - wide if reversed_ else x), round(y + high))
    cv2.putText(canvas, text, start, cv2.FONT_HERSHEY_SIMPLEX, height_px / 22, 255, width, cv2.LINE_AA)
    return np.asarray((canvas[:, ::-1] if reversed_ else canvas) / _F(255), _F)


def _metal_density(rng: np.random.Generator, priors: OcclusionPriors) -> np.float32:
    return _F(math.exp(rng.uniform(*np.log(priors.metal_density))))


def _aim(n: int, mm_per_px: float, rng: np.random.Generator, points: Points | None, priors: OcclusionPriors) -> Points:
    """(2,) one of the points, or anywhere."""
    if points is None or len(points) == 0 or rng.random() >= priors.over_a_point:
        return rng.uniform(0, n, 2)
    return np.asarray(points[int(rng.integers(len(points)))] + rng.normal(0, priors.aim_mm / mm_per_px, 2))


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
