"""Radiographs of other parts of the body, roughly: shafts, columns of vertebrae, ribs, rings, plates, hands.

Nothing of them is to be found, and that is all they teach: a network that only ever saw necks is sure of a pelvis. They
are sketches in the plane, not anatomy; sizes are shares of the crop's side, as any scale may be met.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import band_noise, blurred

_F = np.float32
_SOFT_PER_MM = 0.022  # attenuation at 50 to 60 keV
_RIM: tuple[float, float] = (0.05, 0.8)  # attenuation of a cortex seen on edge, and of what lies within
_BODY: tuple[float, float] = (0.05, 1.1)
_FRAC_BITS = 4

Canvas = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


def draw_elsewhere(n: int, rng: np.random.Generator) -> Floats:
    """Attenuation along every ray, (n, n): one to four groups of bones in soft tissue."""
    total = _SOFT_PER_MM * _soft_tissue(n, rng)
    for _ in range(rng.integers(1, 5)):
        for canvas in _GROUPS[rng.integers(len(_GROUPS))](n, rng):
            total += _bone(canvas, rng)
    return np.asarray(total, _F)


def _soft_tissue(n: int, rng: np.random.Generator) -> Floats:
    """A limb or a trunk, uneven, in mm."""
    canvas = np.zeros((n, n), np.uint8)
    if rng.random() < 0.7:
        _stroke(canvas, _line(n, rng, bend=0.15), rng.uniform(0.3, 1.4) * n)
    else:
        canvas[:] = 255
    edge = blurred(canvas.astype(_F) / _F(255), rng.uniform(0.02, 0.15) * n, shrink=4)
    uneven = 1 + _F(rng.uniform(0, 0.2)) * band_noise(rng, (n, n), rng.uniform(0.02, 0.2) * n)
    return np.asarray(_F(rng.uniform(20, 200)) * edge * uneven, _F)


def _bone(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """A drawn outline as a bone: a rim that is dense, and a body that thins towards it."""
    depth = cv2.distanceTransform((canvas > 127).astype(np.uint8), cv2.DIST_L2, 3)
    deepest = max(1.0, float(depth.max()))
    rim = (depth > 0) * np.exp(-depth / _F(rng.uniform(0.8, 3.0)))
    body = np.sqrt(1 - (1 - np.minimum(depth / _F(deepest * rng.uniform(0.4, 1.0)), 1)) ** 2)
    added = np.asarray(_F(rng.uniform(*_RIM)) * rim + _F(rng.uniform(*_BODY)) * body, _F)
    return blurred(added, rng.uniform(0.4, 1.5))


def _line(n: int, rng: np.random.Generator, bend: float) -> Points:
    """A bowed line through the crop, (9, 2)."""
    middle, angle, half = rng.uniform(0.1, 0.9, 2) * n, rng.uniform(0, math.pi), rng.uniform(0.3, 1.0) * n
    along = np.array([math.cos(angle), math.sin(angle)])
    share = np.linspace(-1, 1, 9)[:, None]
    bow = rng.normal(0, bend) * half * (1 - share**2)
    return np.asarray(middle + half * share * along + bow * np.array([-along[1], along[0]]))


def _stroke(canvas: Canvas, points: Points, width_px: float, *, closed: bool = False) -> None:
    fixed = np.round(points * 2**_FRAC_BITS).astype(np.int32)
    cv2.polylines(canvas, [fixed], closed, 255, max(1, round(width_px)), cv2.LINE_AA, _FRAC_BITS)


def _filled(n: int, points: Points) -> Canvas:
    canvas = np.zeros((n, n), np.uint8)
    cv2.fillPoly(canvas, [np.round(points * 2**_FRAC_BITS).astype(np.int32)], 255, cv2.LINE_AA, _FRAC_BITS)
    return canvas


def _ellipse(centre: Points, radii: Points, angle: float, start: float = 0.0, end: float = 2 * math.pi) -> Points:
    around = np.linspace(start, end, 40)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(centre + (np.stack([np.cos(around), np.sin(around)], 1) * radii) @ turn.T)


def _shaft(n: int, points: Points, width_px: float, rng: np.random.Generator) -> Canvas:
    """A long bone with heads."""
    canvas = np.zeros((n, n), np.uint8)
    _stroke(canvas, points, width_px)
    for end in (points[0], points[-1]):
        radii = width_px * rng.uniform(0.5, 1.0, 2)
        cv2.fillPoly(canvas, [np.round(_ellipse(end, radii, rng.uniform(0, 3))).astype(np.int32)], 255, cv2.LINE_AA)
    return canvas


def _shafts(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Thigh, shin, forearm: one to three, side by side."""
    first, width = _line(n, rng, bend=0.08), rng.uniform(0.05, 0.22) * n
    aside = rng.uniform(1.1, 2.5) * width * np.array([1.0, rng.uniform(-0.3, 0.3)])
    return [_shaft(n, first + i * aside, width * rng.uniform(0.6, 1.1), rng) for i in range(rng.integers(1, 4))]


def _column(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Vertebrae from the front or the side, with a process or two pedicles each."""
    points, count = _line(n, rng, bend=0.12), int(rng.integers(3, 10))
    at = np.linspace(0, len(points) - 1.001, count)
    centres = np.stack([np.interp(at, range(len(points)), points[:, i]) for i in range(2)], 1)
    steps = np.gradient(centres, axis=0)
    high, broad, lateral = rng.uniform(0.36, 0.48), rng.uniform(0.4, 0.9), rng.random() < 0.5
    found = []
    for centre, step in zip(centres, steps, strict=True):
        across = np.array([-step[1], step[0]]) * broad
        box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [high, 0.5] * rng.uniform(0.92, 1.08, (4, 2))
        found.append(_filled(n, centre + box[:, :1] * step + box[:, 1:] * across))
        sides = [0.9] if lateral else [-0.3, 0.3]
        processes = [_ellipse(centre + side * across, _blunt(step, rng), rng.uniform(0, 3)) for side in sides]
        found += [_filled(n, outline) for outline in processes]
    return found


def _blunt(step: Points, rng: np.random.Generator) -> Points:
    """Radii of a process or a pedicle, for vertebrae that are ``step`` apart."""
    return np.asarray(np.hypot(*step) * rng.uniform(0.1, 0.3, 2))


def _ribs(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Arcs, one below the other."""
    centre, radii = rng.uniform(0, 1, 2) * n, rng.uniform([0.2, 0.1], [0.8, 0.5]) * n
    gap, width, angle = rng.uniform(0.05, 0.16) * n, rng.uniform(0.012, 0.05) * n, rng.normal(0, 0.5)
    start = rng.uniform(0, math.pi)
    found = []
    for number in range(rng.integers(4, 11)):
        canvas = np.zeros((n, n), np.uint8)
        _stroke(canvas, _ellipse(centre + [0, number * gap], radii, angle, start, start + rng.uniform(1.5, 3)), width)
        found.append(canvas)
    return found


def _rings(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Pelvis, orbits, an obturator foramen: rings of bone, often in pairs."""
    centre, radii = rng.uniform(0.1, 0.9, 2) * n, rng.uniform(0.05, 0.4, 2) * n
    width, angle, aside = rng.uniform(0.02, 0.12) * n, rng.uniform(0, math.pi), rng.uniform(0.1, 0.5) * n
    found = []
    for number in range(rng.integers(1, 3)):
        canvas = np.zeros((n, n), np.uint8)
        _stroke(canvas, _ellipse(centre + [number * aside, 0], radii, angle * (1 - 2 * number)), width, closed=True)
        found.append(canvas)
    return found


def _plates(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Skull, shoulder blade, ilium, foot: irregular, large."""
    found = []
    for _ in range(rng.integers(1, 4)):
        around = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        waves = sum(rng.normal(0, 0.25 / k) * np.cos(k * around + rng.uniform(0, 6)) for k in range(1, 5))
        radius = rng.uniform(0.06, 0.4) * n * np.exp(waves)
        outline = rng.uniform(0, 1, 2) * n + np.stack([np.cos(around), np.sin(around)], 1) * radius[:, None]
        found.append(_filled(n, outline))
    return found


def _hand(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Rays of short bones from a wrist or an ankle."""
    root, first, spread = rng.uniform(0, 1, 2) * n, rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.35)
    width, length = rng.uniform(0.015, 0.05) * n, rng.uniform(0.1, 0.3) * n
    found = []
    for ray in range(rng.integers(2, 6)):
        along = np.array([math.cos(first + ray * spread), math.sin(first + ray * spread)])
        at = root + along * length * 0.4
        for joint in range(rng.integers(2, 5)):
            end = at + along * length * 0.8**joint
            found.append(_shaft(n, np.stack([at, end]), width * rng.uniform(0.7, 1.1), rng))
            at = end + along * width * 0.8
    return found


_GROUPS: tuple[Callable[[int, np.random.Generator], list[Canvas]], ...] = (
    _shafts, _column, _ribs, _rings, _plates, _hand
)  # fmt: skip
