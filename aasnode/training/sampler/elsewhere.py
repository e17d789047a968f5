"""Radiographs of other parts of the body, roughly: chests, shafts, columns of vertebrae, ribs, rings, plates, hands.

Nothing of them is to be found, and that is all they teach: a network that only ever saw necks is sure of a pelvis. They
are sketches in the plane, not anatomy; sizes are shares of the crop's side, as any scale may be met.
"""

import math
from collections.abc import Callable

import numpy as np

from aasnode.training.sampler.chest import draw_chest
from aasnode.training.sampler.sketch import (
    SOFT_PER_MM,
    Canvas,
    Points,
    as_bone,
    ellipse,
    filled,
    shaft,
    softened,
    stroke,
    vertebrae,
)
from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import band_noise

_F = np.float32
_CHESTS = 0.4  # share: no radiograph is taken more often


def draw_elsewhere(n: int, rng: np.random.Generator) -> Floats:
    """Attenuation along every ray, (n, n): a chest, or one to four groups of bones in soft tissue."""
    if rng.random() < _CHESTS:
        return draw_chest(n, rng)
    total = SOFT_PER_MM * _soft_tissue(n, rng)
    for _ in range(rng.integers(1, 5)):
        for canvas in _GROUPS[rng.integers(len(_GROUPS))](n, rng):
            total += as_bone(canvas, rng)
    return np.asarray(total, _F)


def _soft_tissue(n: int, rng: np.random.Generator) -> Floats:
    """A limb or a trunk, uneven, in mm."""
    whole = np.full((n, n), 255, np.uint8)
    canvas = stroke(n, _line(n, rng, bend=0.15), rng.uniform(0.3, 1.4) * n) if rng.random() < 0.7 else whole
    edge = softened(canvas, rng.uniform(0.02, 0.15) * n)
    uneven = 1 + _F(rng.uniform(0, 0.2)) * band_noise(rng, (n, n), rng.uniform(0.02, 0.2) * n)
    return np.asarray(_F(rng.uniform(20, 200)) * edge * uneven, _F)


def _line(n: int, rng: np.random.Generator, bend: float) -> Points:
    """A bowed line through the crop, (9, 2)."""
    middle, angle, half = rng.uniform(0.1, 0.9, 2) * n, rng.uniform(0, math.pi), rng.uniform(0.3, 1.0) * n
    along = np.array([math.cos(angle), math.sin(angle)])
    share = np.linspace(-1, 1, 9)[:, None]
    bow = rng.normal(0, bend) * half * (1 - share**2)
    return np.asarray(middle + half * share * along + bow * np.array([-along[1], along[0]]))


def _shafts(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Thigh, shin, forearm: one to three, side by side."""
    first, width = _line(n, rng, bend=0.08), rng.uniform(0.05, 0.22) * n
    aside = rng.uniform(1.1, 2.5) * width * np.array([1.0, rng.uniform(-0.3, 0.3)])
    return [shaft(n, first + i * aside, width * rng.uniform(0.6, 1.1), rng) for i in range(rng.integers(1, 4))]


def _column(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Vertebrae from the front or the side."""
    points, count = _line(n, rng, bend=0.12), int(rng.integers(3, 10))
    at = np.linspace(0, len(points) - 1.001, count)
    centres = np.stack([np.interp(at, range(len(points)), points[:, i]) for i in range(2)], 1)
    high, broad = rng.uniform(0.36, 0.48), rng.uniform(0.4, 0.9)
    return vertebrae(n, centres, rng, high=high, broad=broad, lateral=rng.random() < 0.5)


def _ribs(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Arcs, one below the other."""
    centre, radii = rng.uniform(0, 1, 2) * n, rng.uniform([0.2, 0.1], [0.8, 0.5]) * n
    gap, width, angle = rng.uniform(0.05, 0.16) * n, rng.uniform(0.012, 0.05) * n, rng.normal(0, 0.5)
    start = rng.uniform(0, math.pi)
    return [
        stroke(n, ellipse(centre + [0, number * gap], radii, angle, start, start + rng.uniform(1.5, 3)), width)
        for number in range(rng.integers(4, 11))
    ]


def _rings(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Pelvis, orbits, an obturator foramen: rings of bone, often in pairs."""
    centre, radii = rng.uniform(0.1, 0.9, 2) * n, rng.uniform(0.05, 0.4, 2) * n
    width, angle, aside = rng.uniform(0.02, 0.12) * n, rng.uniform(0, math.pi), rng.uniform(0.1, 0.5) * n
    return [
        stroke(n, ellipse(centre + [number * aside, 0], radii, angle * (1 - 2 * number)), width, closed=True)
        for number in range(rng.integers(1, 3))
    ]


def _plates(n: int, rng: np.random.Generator) -> list[Canvas]:
    """Skull, shoulder blade, ilium, foot: irregular, large."""
    found = []
    for _ in range(rng.integers(1, 4)):
        around = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        waves = sum(rng.normal(0, 0.25 / k) * np.cos(k * around + rng.uniform(0, 6)) for k in range(1, 5))
        radius = rng.uniform(0.06, 0.4) * n * np.exp(waves)
        outline = rng.uniform(0, 1, 2) * n + np.stack([np.cos(around), np.sin(around)], 1) * radius[:, None]
        found.append(filled(n, outline))
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
            found.append(shaft(n, np.stack([at, end]), width * rng.uniform(0.7, 1.1), rng))
            at = end + along * width * 0.8
    return found


_GROUPS: tuple[Callable[[int, np.random.Generator], list[Canvas]], ...] = (
    _shafts, _column, _ribs, _rings, _plates, _hand
)  # fmt: skip
