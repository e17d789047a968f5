"""Bones become a neck: T1 at the origin, one vertebra upon the other, C1 on the dens, the skull on C1.

Everything is placed in the mid-sagittal frame of the patient; ``Neck.placed`` then turns the whole patient by yaw,
roll and pitch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aasnode.training.simulate.atlantoaxial import (
    AtlasAxis,
    atlas_axis,
    dens_depth_mm,
    fitted_ring,
    joined,
)
from aasnode.training.simulate.bank import level_name
from aasnode.training.simulate.meshes import Bone, Points, Transform
from aasnode.training.simulate.patient import Patient, Variant
from aasnode.training.simulate.posture import C1_ON_C2_DEGREES, Posture, Stand
from aasnode.training.simulate.solids import rotation

_MIDDLE_OF_NECK = "c3"
_CONDYLE_IN_SKULL = np.array([0.0, 9.0, -2.0])


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A patient's bones at the patient's size; the same on every film."""

    patient: Patient
    bones: Mapping[str, Bone]
    atlas: AtlasAxis


@dataclass(frozen=True, kw_only=True)
class Neck:
    """Where every bone of an anatomy is on one film, and the dens' two points on the C1 axis."""

    anatomy: Anatomy
    transforms: Mapping[str, Transform]
    dens_anterior: Points
    dens_posterior: Points

    def at(self, bone: str, name: str) -> Points:
        """A named point of a bone, in the patient."""
        return self.transforms[bone](self.anatomy.bones[bone].points[name])

    @property
    def adi_mm(self) -> float:
        """Along the C1 axis."""
        return float(np.linalg.norm(self.atlas_point("anterior_arch_posterior") - self.dens_anterior))

    @property
    def sac_mm(self) -> float:
        """Along the C1 axis."""
        return float(np.linalg.norm(self.dens_posterior - self.atlas_point("posterior_arch_anterior")))

    def atlas_point(self, name: str) -> Points:
        """One of the points where the C1 axis meets C1, in the patient's mid-sagittal plane."""
        point: Points = self.transforms["c1_midplane"](getattr(self.anatomy.atlas, name))
        return point


def anatomy_of(patient: Patient, bank: Mapping[str, Bone]) -> Anatomy:
    """The patient's bones: those of the bank at the patient's size, C1's ring fitted to the dens and the room.

    Bones without shells will do where only landmarks are wanted.
    """
    scale = patient.size * np.asarray(patient.stretch)
    bones = {name: bone.scaled(tuple(scale)) for name, bone in bank.items()}
    along = rotation("x", C1_ON_C2_DEGREES) @ atlas_axis(bones["c1"]).direction
    dens_mm = dens_depth_mm(bones["c2"], patient.dens_level, along)
    bones["c1"] = fitted_ring(bones["c1"], patient.inner_diameter_mm(dens_mm))
    return Anatomy(patient=patient, bones=bones, atlas=atlas_axis(bones["c1"]))


def articulate(anatomy: Anatomy, posture: Posture, years: float) -> Neck:
    """Put the bones together as they are ``years`` after the first visit, in this posture.

    Raises ``ValueError`` where the C1 axis misses the dens: such a neck cannot be measured.
    """
    patient, bones = anatomy.patient, anatomy.bones
    transforms, tilt = _spine(anatomy, posture, years)
    on_c2 = transforms["c2"]
    joint = joined(
        bones["c1"],
        bones["c2"],
        rotation("x", posture.c1_on_c2),
        patient.dens_level,
        patient.settling_mm + patient.settling_mm_per_year * years,
        patient.adi_mm(years, posture.view),
    )
    midplane = on_c2.after(joint.c1_in_c2)
    transforms["c1_midplane"] = midplane
    transforms["c1"] = midplane.after(_turned_about_dens(anatomy.atlas, posture))
    transforms.update(_head(anatomy, posture, midplane, tilt + posture.c1_on_c2))
    return Neck(
        anatomy=anatomy,
        transforms=transforms,
        dens_anterior=on_c2(joint.dens_anterior),
        dens_posterior=on_c2(joint.dens_posterior),
    )


def _spine(anatomy: Anatomy, posture: Posture, years: float) -> tuple[dict[str, Transform], float]:
    """Transforms of T1 to C2 and the tilt of C2, degrees."""
    patient, bones = anatomy.patient, anatomy.bones
    tilt = -posture.t1_tilt
    transforms = {"t1": Transform(rotation=rotation("x", tilt), translation=np.zeros(3))}
    for level in range(7, 1, -1):
        gap = level - 2
        below, name = level_name(level + 1), level_name(level)
        up, forward = rotation("x", tilt)[:, 2], rotation("x", tilt)[:, 1]
        fused = patient.variant is Variant.FUSED_C2_C3 and level == 2
        disc = (0.6 if fused else patient.disc_mm[gap]) * patient.size
        slip = _slip_mm(patient, gap, years, posture)
        seat = transforms[below](bones[below].points["superior_centre"]) + up * disc + forward * slip
        bend = 0.0 if fused else posture.segments[gap]
        tilt += patient.lordosis_degrees[gap] + bend + (2.0 if level > 2 else 0.0)
        turn = rotation("x", tilt)
        transforms[name] = Transform(rotation=turn, translation=seat - turn @ bones[name].points["inferior_centre"])
    return transforms, tilt


def _slip_mm(patient: Patient, gap: int, years: float, posture: Posture) -> float:
    """Forward step of the vertebra over its lower neighbour; a level that slips grows, and opens in flexion."""
    slip = patient.slips_mm[gap]
    if abs(slip) > 1.5:
        slip += float(np.sign(slip)) * patient.slip_mm_per_year * years
    return slip - 0.06 * posture.segments[gap]


def _turned_about_dens(atlas: AtlasAxis, posture: Posture) -> Transform:
    """Axial rotation of C1 about the front of the dens, and a shift to the side: double contours, the same midline."""
    turn = rotation("z", posture.c1_turn)
    centre = atlas.anterior_arch_posterior
    shift = np.array([posture.c1_shift_mm, 0.0, 0.0])
    return Transform(rotation=turn, translation=centre - turn @ centre + shift)


def _head(anatomy: Anatomy, posture: Posture, c1: Transform, tilt: float) -> dict[str, Transform]:
    turn = rotation("x", tilt + posture.skull_on_c1)
    seat = c1(anatomy.bones["c1"].points["condyle_seat"])
    scale = anatomy.patient.size * np.asarray(anatomy.patient.stretch)
    skull = Transform(rotation=turn, translation=seat - turn @ (_CONDYLE_IN_SKULL * scale))
    joint = anatomy.bones["skull"].points["jaw_joint"]
    opened = rotation("x", -posture.jaw_opening)
    jaw = Transform(rotation=opened, translation=joint - opened @ joint)
    return {"skull": skull, "mandible": skull.after(jaw)}


def patient_in_room(neck: Neck, stand: Stand) -> Transform:
    """From the patient's frame to the room's: the middle of the neck at the origin, turned by yaw, roll and pitch."""
    turn = rotation("z", stand.yaw) @ rotation("y", stand.roll) @ rotation("x", stand.pitch)
    centre = neck.transforms[_MIDDLE_OF_NECK].translation
    return Transform(rotation=turn, translation=-turn @ centre)
