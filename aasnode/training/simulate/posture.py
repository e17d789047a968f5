"""How the patient holds the neck on one film, and where source and detector stand.

Angles in degrees, extension positive. Ranges of motion: C2/3 13.5° to C4/5 22.6° from flexion to extension (Wu 2007),
C0/1 15 to 20°, C1/2 10 to 15°. SID 150 to 200 cm; neck 19 to 33 cm from the detector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aasnode.anatomy import View

_BEND: Mapping[View, float] = {View.NEUTRAL: 0.0, View.FLEXION: -1.0, View.EXTENSION: 1.0}
_RANGE_DEGREES = np.array([5, 7, 8.5, 8.5, 7.5, 3.5])  # C2/3 to C7/T1, from neutral to either end
C1_ON_C2_DEGREES = 19.0
"""Front of C1 above that of C2, the normal atlantoaxial lordosis.

On twelve real films the middle of C2's lower end lies 0.19 diameters of C1 behind the dens, along the C1 axis; with
this angle it does so here.
"""
SKULL_ON_C1_DEGREES = -13.0  # takes most of it back: the head is held level
NEAR_HORIZONTAL_SHARE = 0.12  # of flexion films: the spine lies almost flat, where the paper's model failed


@dataclass(frozen=True, kw_only=True)
class Posture:
    """Angles between neighbours, over the patient's own lordosis."""

    view: View
    near_horizontal: bool
    t1_tilt: float  # of T1, forward positive
    segments: tuple[float, ...]  # C2/3 to C7/T1
    c1_on_c2: float
    skull_on_c1: float
    jaw_opening: float
    c1_turn: float  # axial rotation of C1 against C2: double contours
    c1_shift_mm: float


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Source, detector, and how the patient stands to them."""

    source_to_image_mm: float
    object_to_image_mm: float
    source_offset_mm: tuple[float, float]  # (y, z) from the middle of the neck
    centre_offset_mm: tuple[float, float]  # of the film from the middle of the neck
    yaw: float
    roll: float
    pitch: float

    @property
    def magnification(self) -> float:
        """Of the mid-sagittal plane."""
        return self.source_to_image_mm / (self.source_to_image_mm - self.object_to_image_mm)


def draw_posture(view: View, rng: np.random.Generator) -> Posture:
    """A posture for the view, at 45 to 100 % of the range of motion."""
    near_horizontal = view is View.FLEXION and rng.random() < NEAR_HORIZONTAL_SHARE
    amplitude = rng.uniform(1.1, 1.5) if near_horizontal else rng.uniform(0.45, 1.0)
    bend = _BEND.get(view, 0.0) * amplitude
    return Posture(
        view=view,
        near_horizontal=near_horizontal,
        t1_tilt=rng.normal(22, 6) - 6 * bend + (rng.uniform(15, 30) if near_horizontal else 0.0),
        segments=tuple(bend * _RANGE_DEGREES + rng.normal(0, 1.0, 6)),
        c1_on_c2=rng.normal(C1_ON_C2_DEGREES, 5) + 7 * bend,
        skull_on_c1=rng.normal(SKULL_ON_C1_DEGREES, 4) + 8 * bend,
        jaw_opening=abs(rng.normal(0, 5)),
        c1_turn=rng.normal(0, 2.5),
        c1_shift_mm=rng.normal(0, 0.7),
    )


def straight(posture: Posture) -> Posture:
    """The same posture without axial rotation and shift of C1."""
    return replace(posture, c1_turn=0.0, c1_shift_mm=0.0)


def draw_stand(rng: np.random.Generator, *, cephalogram: bool = False) -> Stand:
    """Geometry of an ordinary film, or of a cephalogram (150 to 165 cm, head close to the detector and in ear rods)."""
    turn = 1.5 if cephalogram else 4.0
    centre = (45.0, 55.0) if cephalogram else (8.0, -2.0)
    routine = rng.choice([1500.0, 1800.0, 1830.0, 2000.0], p=[0.15, 0.4, 0.3, 0.15])
    sid = rng.uniform(1500, 1650) if cephalogram else routine
    return Stand(
        source_to_image_mm=float(sid),
        object_to_image_mm=float(rng.uniform(100, 150) if cephalogram else rng.uniform(190, 330)),
        source_offset_mm=(rng.normal(0, 18), rng.normal(-5, 22)),
        centre_offset_mm=(rng.normal(centre[0], 8), rng.normal(centre[1], 9)),
        yaw=rng.normal(0, turn),
        roll=rng.normal(0, 0.75 * turn),
        pitch=rng.normal(0, turn),
    )


def square(stand: Stand) -> Stand:
    """The same stand without yaw and roll."""
    return replace(stand, yaw=0.0, roll=0.0)
