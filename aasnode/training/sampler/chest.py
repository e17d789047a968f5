"""Chests, roughly, from the front and the side: no radiograph is taken more often, and none looked more like a neck.

A sketch in a frame of its own: x to the patient's left, or to the front, the lungs about 2 wide; y down, 0 at their
tops. It is then put anywhere into the crop, at any size, whole or in part.
"""

import math
from dataclasses import dataclass

import numpy as np

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
from aasnode.training.sampler.warp import Affine, Floats, turned
from aasnode.training.simulate.film import band_noise

_F = np.float32
_TRUNK = ((-0.3, -2.5), (-0.3, -0.5), (-0.5, -0.2), (-1.3, 0.05), (-1.45, 0.7), (-1.2, 1.6), (-1.3, 5.0))
_LUNG = ((0.4, 0.0), (0.7, 0.25), (0.88, 0.8), (0.95, 1.45), (0.6, 1.2), (0.2, 1.3), (0.17, 0.6), (0.22, 0.15))
_SIDE_TRUNK = ((0.15, -2.5), (0.2, -0.5), (0.5, -0.1), (0.8, 0.5), (0.85, 1.4), (0.8, 5.0),
               (-0.9, 5.0), (-0.95, 1.2), (-0.9, 0.4), (-0.55, -0.2), (-0.35, -2.5))  # fmt: skip
_SIDE_LUNG = ((0.0, 0.0), (0.4, 0.2), (0.66, 0.7), (0.62, 1.1), (0.1, 1.15), (-0.4, 1.4), (-0.72, 1.6), (-0.8, 0.9),
              (-0.65, 0.35), (-0.3, 0.05))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Sketch:
    """Where the chest lies in the crop, and who draws."""

    n: int
    to_crop: Affine
    unit_px: float
    rng: np.random.Generator

    def put(self, points: Points, jitter: float = 0.0) -> Points:
        """Points of the chest's frame, in crop pixels."""
        return self.to_crop(points + self.rng.normal(0, 1, points.shape) * jitter)

    def region(self, outline: tuple[tuple[float, float], ...], mirrored: bool = False) -> Floats:
        """What a rounded outline holds, 0 to 1, with soft edges."""
        points = _rounded(np.array(outline)) * [-1.0 if mirrored else 1.0, 1.0]
        edge_px = max(0.8, self.rng.uniform(0.01, 0.05) * self.unit_px)
        return softened(filled(self.n, self.put(points, 0.01)), edge_px)

    def organ(self, at: tuple[float, float], least: float, most: float) -> Floats:
        """A round one, such as the heart, 0 to 1; radii between these."""
        around = ellipse(np.array(at), self.rng.uniform(least, most, 2), self.rng.uniform(0, 3))
        return softened(filled(self.n, self.put(around)), 0.03 * self.unit_px)

    def line(self, points: Points, width: float) -> Canvas:
        """A curve that a few points draw (``_curve``)."""
        return stroke(self.n, self.put(_curve(points)), width * self.unit_px)


def draw_chest(n: int, rng: np.random.Generator) -> Floats:
    """Attenuation along every ray, (n, n)."""
    unit_px = n * math.exp(rng.uniform(math.log(0.28), math.log(0.9)))
    quarter = rng.integers(4) * math.pi / 2 if rng.random() < 0.25 else 0.0
    turn = turned(unit_px, quarter + rng.normal(0, 0.12), stretch=rng.uniform(0.9, 1.1), mirrored=rng.random() < 0.5)
    middle = np.array([0.0, rng.uniform(-0.2, 1.4)])
    sketch = _Sketch(n=n, to_crop=turn.carrying(middle, rng.uniform(0.25, 0.75, 2) * n), unit_px=unit_px, rng=rng)
    soft, bones = _from_the_front(sketch) if rng.random() < 0.6 else _from_the_side(sketch)
    uneven = 1 + _F(rng.uniform(0, 0.1)) * band_noise(rng, (n, n), rng.uniform(0.05, 0.3) * n)
    total = SOFT_PER_MM * _F(rng.uniform(90, 260)) * soft * uneven
    weight = _F(rng.uniform(0.2, 1.0))
    for canvas in bones:
        total = total + weight * as_bone(canvas, rng)
    return np.asarray(total, _F)


def _from_the_front(sketch: _Sketch) -> tuple[Floats, list[Canvas]]:
    """Soft tissue as a share of the trunk's depth, and bones."""
    rng = sketch.rng
    mirror = np.array([-1.0, 1.0])
    trunk = sketch.region((*_TRUNK, *[(-x, y) for x, y in reversed(_TRUNK)]))
    lungs = sketch.region(_LUNG) + sketch.region(_LUNG, mirrored=True)
    heart = sketch.organ((0.15, 0.95), 0.25, 0.5)
    air = rng.uniform(0.4, 0.8) * lungs * (1 - rng.uniform(0.5, 1.0) * heart)
    halves = (np.ones(2), mirror)
    bones = [sketch.line(rib * side, rng.uniform(0.035, 0.06)) for rib in _ribs_of_one_side(rng) for side in halves]
    clavicle = np.array([[0.1, 0.1], [0.4, 0.06], [0.7, -0.1], [1.0, -0.12]]) + rng.normal(0, 0.03, (4, 2))
    bones += [shaft(sketch.n, sketch.put(_curve(clavicle * side)), 0.06 * sketch.unit_px, rng) for side in halves]
    blade = np.array([[0.75, 0.05], [1.05, 0.1], [1.0, 0.4], [0.85, 0.75], [0.78, 0.4]])
    bones += [filled(sketch.n, sketch.put(blade * side, 0.02)) for side in halves]
    spine = np.stack([rng.normal(0, 0.03) + np.zeros(16), np.linspace(-0.6, 2.4, 16)], 1)
    bones += vertebrae(sketch.n, sketch.put(spine, 0.005), rng, high=0.42, broad=rng.uniform(0.9, 1.3), lateral=False)
    return np.asarray(trunk * (1 - air), _F), bones + _vessels(sketch, np.array([0.22, 0.65]))


def _from_the_side(sketch: _Sketch) -> tuple[Floats, list[Canvas]]:
    """Soft tissue as a share of the trunk's depth, and bones."""
    rng = sketch.rng
    trunk, lung = sketch.region(_SIDE_TRUNK), sketch.region(_SIDE_LUNG)
    heart = sketch.organ((0.2, 0.9), 0.2, 0.4)
    air = rng.uniform(0.4, 0.85) * lung * (1 - rng.uniform(0.3, 0.9) * heart)
    heights = np.linspace(-0.5, 2.2, 17)
    back = np.stack([-0.45 - rng.uniform(0.2, 0.4) * np.sin((heights + 0.4) / 2.4 * math.pi), heights], 1)
    bones = vertebrae(sketch.n, sketch.put(back, 0.005), rng, high=0.4, broad=rng.uniform(0.8, 1.2), lateral=True)
    for start in back[4:14]:
        drop, reach = rng.uniform(0.3, 0.7), rng.uniform(0.9, 1.5)
        rib = start + np.array([[0, 0], [-0.15, 0.08], [0.3 * reach, 0.6 * drop], [reach, drop]])
        bones.append(sketch.line(rib, rng.uniform(0.03, 0.05)))
    breastbone = np.array([[0.4, 0.1], [0.65, 0.45], [0.72, 0.95]]) + rng.normal(0, 0.02, (3, 2))
    bones.append(sketch.line(breastbone, rng.uniform(0.05, 0.09)))
    return np.asarray(trunk * (1 - air), _F), bones + _vessels(sketch, np.array([0.0, 0.7]))


def _ribs_of_one_side(rng: np.random.Generator) -> list[Points]:
    """From the spine outwards, down and back to the front."""
    slope, front = rng.uniform(0.0, 0.3), rng.uniform(0.25, 0.6)
    found = []
    for number, y in enumerate(np.arange(0.02, 1.5, rng.uniform(0.12, 0.17))):
        wall = min(0.95, 0.55 + 0.1 * number)
        end = max(0.3, 0.45 * wall)
        found.append(np.array([[0.12, y], [wall, y], [1.4 * wall, y + slope + 0.2], [end, y + slope + front]]))
    return found


def _vessels(sketch: _Sketch, hilum: Points) -> list[Canvas]:
    """Branches from the root of a lung, thin; none on half of the chests."""
    rng, found = sketch.rng, []
    for _ in range(rng.integers(4, 14) if rng.random() < 0.5 else 0):
        angle, length = rng.uniform(0, 2 * math.pi), rng.uniform(0.2, 0.6)
        steps = np.array([[math.cos(angle + bend), math.sin(angle + bend)] for bend in rng.normal(0, 0.3, 3)])
        branch = hilum + np.vstack([np.zeros(2), np.cumsum(steps, 0) * length / 3])
        found.append(sketch.line(branch, rng.uniform(0.008, 0.025)))
    return found


def _curve(points: Points) -> Points:
    """(24, 2) on the Bézier curve of these points' polygon."""
    at = np.linspace(0, 1, 24)[:, None, None]
    between = points[None]
    while between.shape[1] > 1:
        between = (1 - at) * between[:, :-1] + at * between[:, 1:]
    return np.asarray(between[:, 0])


def _rounded(outline: Points) -> Points:
    """A closed polygon with its corners cut three times (Chaikin 1974)."""
    for _ in range(3):
        following = np.roll(outline, -1, 0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1).reshape(-1, 2)
    return outline
