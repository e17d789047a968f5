"""Strokes, outlines and bones drawn in the plane: what the sketches of other parts of the body are made of.

Canvases are (n, n), 255 where something is; points are (m, 2) pixels.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import blurred

_F = np.float32
SOFT_PER_MM = 0.022  # attenuation at 50 to 60 keV
_RIM: tuple[float, float] = (0.05, 0.8)  # attenuation of a cortex seen on edge, and of what lies within
_BODY: tuple[float, float] = (0.05, 1.1)
FRAC_BITS = 4  # sub-pixel bits of what OpenCV draws

Canvas = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


def stroke(n: int, points: Points, width_px: float, *, closed: bool = False) -> Canvas:
    """A line of that width."""
    canvas = np.zeros((n, n), np.uint8)
    cv2.polylines(canvas, [fixed_point(points)], closed, 255, max(1, round(width_px)), cv2.LINE_AA, FRAC_BITS)
    return canvas


def filled(n: int, points: Points) -> Canvas:
    """What the outline holds."""
    canvas = np.zeros((n, n), np.uint8)
    cv2.fillPoly(canvas, [fixed_point(points)], 255, cv2.LINE_AA, FRAC_BITS)
    return canvas


def ellipse(centre: Points, radii: Points, angle: float, start: float = 0.0, end: float = 2 * math.pi) -> Points:
    """(40, 2) of an arc, or of the whole."""
    around = np.linspace(start, end, 40)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(centre + (np.stack([np.cos(around), np.sin(around)], 1) * radii) @ turn.T)


def shaft(n: int, points: Points, width_px: float, rng: np.random.Generator) -> Canvas:
    """A long bone with heads."""
    heads = [ellipse(end, width_px * rng.uniform(0.5, 1.0, 2), rng.uniform(0, 3)) for end in (points[0], points[-1])]
    return np.asarray(np.maximum.reduce([stroke(n, points, width_px), *[filled(n, head) for head in heads]]), np.uint8)


def vertebrae(
    n: int, centres: Points, rng: np.random.Generator, *, high: float, broad: float, lateral: bool
) -> list[Canvas]:
    """Boxes along a line, (m, 2), with a process or two pedicles each; sizes as shares of their distance."""
    found = []
    for centre, step in zip(centres, np.gradient(centres, axis=0), strict=True):
        across = np.array([-step[1], step[0]]) * broad
        box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [high, 0.5] * rng.uniform(0.92, 1.08, (4, 2))
        sides = [0.9] if lateral else [-0.3, 0.3]
        blunt = [np.hypot(*step) * rng.uniform(0.1, 0.3, 2) for _ in sides]
        ends = [
            ellipse(centre + side * across, radii, rng.uniform(0, 3)) for side, radii in zip(sides, blunt, strict=True)
        ]
        found += [filled(n, outline) for outline in (centre + box[:, :1] * step + box[:, 1:] * across, *ends)]
    return found


def as_bone(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """A drawn outline's attenuation: a rim that is dense, and a body that thins towards it."""
    depth = cv2.distanceTransform((canvas > 127).astype(np.uint8), cv2.DIST_L2, 3)
    deepest = max(1.0, float(depth.max()))
    rim = (depth > 0) * np.exp(-depth / _F(rng.uniform(0.8, 3.0)))
    body = np.sqrt(1 - (1 - np.minimum(depth / _F(deepest * rng.uniform(0.4, 1.0)), 1)) ** 2)
    added = np.asarray(_F(rng.uniform(*_RIM)) * rim + _F(rng.uniform(*_BODY)) * body, _F)
    return blurred(added, rng.uniform(0.4, 1.5))


def softened(canvas: Canvas, sigma_px: float) -> Floats:
    """0 to 1, with a wide edge."""
    return blurred(canvas.astype(_F) / _F(255), sigma_px, shrink=4)


def fixed_point(points: Points) -> npt.NDArray[np.int32]:
    """As OpenCV's drawing takes them with ``FRAC_BITS``."""
    return np.asarray(np.round(points * 2**FRAC_BITS), np.int32)
