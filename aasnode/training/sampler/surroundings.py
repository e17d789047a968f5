"""What surrounds C1 and C2 on a film: a simulated neck without these two, projected once, and where they stood in it.

Two windows: the joint's neighbourhood at the scale of the closer looks, and the whole field of a film.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.articulation import Neck, anatomy_of, articulate, patient_in_room
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.landmarks import landmarks_of
from aasnode.training.simulate.materials import Layer, ThicknessMaps
from aasnode.training.simulate.meshes import Transform
from aasnode.training.simulate.patient import Patient, Variant, draw_patient
from aasnode.training.simulate.posture import Stand, draw_posture, draw_stand
from aasnode.training.simulate.priors import Priors, draw_view
from aasnode.training.simulate.projection import Beam, Placed, thickness_maps
from aasnode.training.simulate.scene import Window, beam_of, parts_of

SIDE_PX = 400
UNITS_PER_MM = 100  # of the stored thickness
_METAL_AS_TOOTH = 4.0  # fillings: a few mm hide what lies behind, whatever their thickness
_CEPHALOGRAMS = 0.3  # share: half the real films that a network meets are framed and magnified like these


class Reach(StrEnum):
    """How much of the patient is drawn."""

    NEIGHBOURHOOD = "neighbourhood"
    FIELD = "field"


PIXEL_MM = {Reach.NEIGHBOURHOOD: 0.4, Reach.FIELD: 0.9}
"""In the midline plane: 160 mm round the joint, or 360 mm."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where C1 and C2 of the same patient stood: points (2,) of the plane, mm from the window's first pixel."""

    c1_anterior_centre: tuple[float, float]
    c1_posterior_centre: tuple[float, float]
    dens_end: tuple[float, float]
    c2_inferior_centre: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Six maps: spine cortical, spine cancellous, skull cortical, skull diploe, dense, soft."""

    maps: npt.NDArray[np.uint16]  # (6, SIDE_PX, SIDE_PX), hundredths of a mm
    pixel_mm: float
    frame: Frame


def draw_surroundings(reach: Reach, bank: Bank, rng: np.random.Generator) -> Surroundings:
    """A patient's neck in some posture and beam. Draws again where a posture cannot be put together."""
    while True:
        patient = _draw_patient(rng)
        posture = draw_posture(patient.first_view, rng)
        stand = draw_stand(rng, cephalogram=bool(rng.random() < _CEPHALOGRAMS))
        try:
            neck = articulate(anatomy_of(patient, bank.bones(patient)), posture, 0.0)
        except ValueError:  # the C1 axis misses this dens
            continue
        return _projected(neck, stand, reach, rng)


def _draw_patient(rng: np.random.Generator) -> Patient:
    """Any neck; C1 and C2 are whole, for they only say where others will stand."""
    patient = draw_patient(0, rng, Priors.FILLED, first_view=draw_view(rng))
    return patient if patient.variant is Variant.FUSED_C2_C3 else replace(patient, variant=Variant.NONE)


def _projected(neck: Neck, stand: Stand, reach: Reach, rng: np.random.Generator) -> Surroundings:
    to_room = patient_in_room(neck, stand)
    points = {name: to_room(point) for name, point in landmarks_of(neck).items()}
    pixel_mm = PIXEL_MM[reach]
    window = Window(rows=SIDE_PX, columns=SIDE_PX, pixel_mm=pixel_mm * stand.magnification, on_joint=True)
    beam = beam_of(points, stand, window)
    maps = _six(thickness_maps(_without_joint(neck, to_room, rng), beam))
    stored = np.clip(maps * UNITS_PER_MM, 0, np.iinfo(np.uint16).max).astype(np.uint16)
    return Surroundings(maps=stored, pixel_mm=pixel_mm, frame=_frame(neck, to_room, beam, pixel_mm))


def _without_joint(neck: Neck, to_room: Transform, rng: np.random.Generator) -> list[Placed]:
    left_out = [neck.anatomy.bones[name] for name in ("c1", "c2")]
    return [part for part in parts_of(neck, to_room, rng) if not any(part.bone is bone for bone in left_out)]


def _six(maps: ThicknessMaps) -> npt.NDArray[np.float32]:
    dense = maps[Layer.TOOTH] + np.float32(_METAL_AS_TOOTH) * maps[Layer.METAL]
    spine = (maps[Layer.SPINE_CORTICAL], maps[Layer.SPINE_CANCELLOUS])
    skull = (maps[Layer.SKULL_CORTICAL], maps[Layer.SKULL_DIPLOE])
    return np.stack([*spine, *skull, dense, np.maximum(maps[Layer.SOFT] - maps[Layer.AIR], 0)])


def _frame(neck: Neck, to_room: Transform, beam: Beam, pixel_mm: float) -> Frame:
    def seen(bone: str, point: str) -> tuple[float, float]:
        in_bone = neck.anatomy.bones[bone.removesuffix("_midplane")].points[point]
        at = beam.pixel(to_room(neck.transforms[bone](in_bone)))
        return float(at.x * pixel_mm), float(at.y * pixel_mm)

    return Frame(
        c1_anterior_centre=seen("c1_midplane", "anterior_arch_centre"),
        c1_posterior_centre=seen("c1_midplane", "posterior_arch_centre"),
        dens_end=seen("c2", "dens_axis_end"),
        c2_inferior_centre=seen("c2", "inferior_centre"),
    )
