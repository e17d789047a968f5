"""What a surgeon has put in: screws, rods, plates and wires, at the joint or further down.

Drawn on the crop where the joint lies; its mask is learnt beside the points, so that an operated neck is known as such
and not measured. Lengths in mm at the crop's scale.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.sampler.joint import AxisPoints, Points
from aasnode.training.sampler.sketch import FRAC_BITS, fixed_point
from aasnode.training.sampler.warp import Floats

_F = np.float32


@dataclass(frozen=True, kw_only=True)
class HardwarePriors:
    """Lengths in mm; ranges are even."""

    at_joint: float = 0.75  # share of the operated necks in which C1 and C2 are
    screw_mm: tuple[float, float] = (14.0, 34.0)
    screw_width_mm: tuple[float, float] = (2.6, 4.6)
    head_radius_mm: tuple[float, float] = (2.2, 4.0)
    rod_width_mm: tuple[float, float] = (2.8, 5.0)
    plate_width_mm: tuple[float, float] = (1.8, 5.0)
    wire_width_mm: tuple[float, float] = (0.7, 1.6)
    wire_radius_mm: tuple[float, float] = (3.0, 9.0)
    attenuation: tuple[float, float] = (0.8, 9.0)  # of what is drawn: metal a few mm thick lets little through
    level_mm: tuple[float, float] = (14.0, 19.0)  # from one vertebra to the next
    far_levels: tuple[int, int] = (2, 6)  # below C1, where the neck is operated further down


PRIORS = HardwarePriors()


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What it adds to the line integral, and where it lies, (n, n) each; ``covered`` hides what lies behind."""

    added: Floats
    covered: npt.NDArray[np.bool_]


class _Frame:
    """A canvas in the neck's own directions: ``at(forward, up)`` in mm from the joint's middle."""

    def __init__(self, axis: AxisPoints, foot: Points, mm_per_px: float, n: int) -> None:
        self._centre = axis.landmarks[1:3].mean(0)
        self._forward = axis.ventral
        down = foot - self._centre
        self._up = -down / max(float(np.hypot(*down)), 1e-6)
        self.mm_per_px = mm_per_px
        self.canvas = np.zeros((n, n), np.uint8)

    def at(self, forward_mm: float, up_mm: float) -> Points:
        return np.asarray(self._centre + (forward_mm * self._forward + up_mm * self._up) / self.mm_per_px)

    def stroke(self, points: Points, width_mm: float, *, closed: bool = False) -> None:
        width = max(1, round(width_mm / self.mm_per_px))
        cv2.polylines(self.canvas, [fixed_point(points)], closed, 255, width, cv2.LINE_AA, FRAC_BITS)

    def disc(self, centre: Points, radius_mm: float) -> None:
        radius = max(1.0, radius_mm / self.mm_per_px)
        around = np.linspace(0, 2 * math.pi, 24)
        outline = centre + radius * np.stack([np.cos(around), np.sin(around)], 1)
        cv2.fillPoly(self.canvas, [np.round(outline).astype(np.int32)], 255, cv2.LINE_AA)


def draw_hardware(
    axis: AxisPoints, foot: Points, mm_per_px: float, n: int, rng: np.random.Generator, priors: HardwarePriors = PRIORS
) -> Hardware:
    """One construct; ``foot`` is the middle of C2's lower end, all points in crop pixels."""
    frame = _Frame(axis, foot, mm_per_px, n)
    if rng.random() < priors.at_joint:
        _posterior(frame, 0, int(rng.integers(2, 5)), rng, priors)
        if rng.random() < 0.3:
            _wire(frame, rng, priors)
    else:
        first = int(rng.integers(*priors.far_levels))
        construct = _plate if rng.random() < 0.6 else _posterior
        construct(frame, first, int(rng.integers(2, 5)), rng, priors)
    drawn = cv2.GaussianBlur(frame.canvas.astype(_F) / 255, (0, 0), max(0.4, 0.25 / mm_per_px))
    return Hardware(added=np.asarray(_F(rng.uniform(*priors.attenuation)) * drawn, _F), covered=drawn > 0.5)


def _posterior(frame: _Frame, first: int, levels: int, rng: np.random.Generator, priors: HardwarePriors) -> None:
    """Screws from behind on a rod, once or on both sides."""
    step, back, tilt = rng.uniform(*priors.level_mm), rng.uniform(-26, -10), rng.normal(0.25, 0.25)
    for _ in range(rng.integers(1, 3)):
        aside = rng.normal(0, 1.8, 2)
        ups = -step * (first + np.arange(levels)) + rng.normal(0, 1.5, levels) + aside[1]
        heads = [(back - 0.5 * i + aside[0], float(up)) for i, up in enumerate(ups)]
        for forward, up in heads:
            _screw(frame, frame.at(forward, up), tilt + rng.normal(0, 0.1), rng, priors)
        first_end, last_end = (heads[0][0], ups[0] + rng.uniform(2, 8)), (heads[-1][0], ups[-1] - rng.uniform(2, 8))
        rod = [frame.at(*end) for end in (first_end, *heads, last_end)]
        frame.stroke(np.stack(rod), rng.uniform(*priors.rod_width_mm))


def _screw(frame: _Frame, head: Points, tilt: float, rng: np.random.Generator, priors: HardwarePriors) -> None:
    """From its head forward, by ``tilt`` radians upward."""
    length = rng.uniform(*priors.screw_mm)
    tip = head + frame.at(length * math.cos(tilt), length * math.sin(tilt)) - frame.at(0, 0)
    frame.stroke(np.stack([head, tip]), rng.uniform(*priors.screw_width_mm))
    frame.disc(head, rng.uniform(*priors.head_radius_mm))


def _plate(frame: _Frame, first: int, levels: int, rng: np.random.Generator, priors: HardwarePriors) -> None:
    """Before the vertebrae, with a screw at each end of each."""
    step, front = rng.uniform(*priors.level_mm), rng.uniform(2, 12)
    line = [frame.at(front - 0.6 * i, -step * (first + i) + 6) for i in range(levels)]
    frame.stroke(np.stack(line), rng.uniform(*priors.plate_width_mm))
    for at in line:
        _screw(frame, at, math.pi + rng.normal(0, 0.15), rng, priors)


def _wire(frame: _Frame, rng: np.random.Generator, priors: HardwarePriors) -> None:
    """A loop round an arch or a process."""
    middle, radii = frame.at(rng.uniform(-30, -15), rng.uniform(-14, 4)), rng.uniform(*priors.wire_radius_mm, 2)
    around = np.linspace(0, 2 * math.pi, 30)
    loop = middle + np.stack([np.cos(around), np.sin(around)], 1) * radii / frame.mm_per_px
    frame.stroke(loop, rng.uniform(*priors.wire_width_mm), closed=True)
