"""The 50 landmarks of a neck, in the patient: the node's four on the C1 axis, then skull base to T1."""

import numpy as np

from aasnode.anatomy import Landmark
from aasnode.training.simulate.articulation import Neck
from aasnode.training.simulate.meshes import Points
from aasnode.training.simulate.truth import SCENE_LANDMARKS

_OF_C1 = (
    "anterior_arch_superior",
    "anterior_arch_inferior",
    "posterior_arch_superior",
    "posterior_arch_inferior",
)
_OF_C2 = {
    "dens_tip": "dens_tip",
    "dens_base": "dens_base",
    "c2_pedicle": "pedicle",
    "c2_superior_facet_left": "superior_facet_left",
    "c2_superior_facet_right": "superior_facet_right",
    "c2_inferior_anterior": "inferior_anterior",
    "c2_inferior_middle": "inferior_middle",
    "c2_inferior_posterior": "inferior_posterior",
    "c2_spinolaminar": "spinolaminar",
}
_CORNERS = ("superior_anterior", "superior_posterior", "inferior_anterior", "inferior_posterior", "spinolaminar")
_OF_SKULL = ("posterior_nasal_spine", "occiput_lowest", "basion", "opisthion")


def landmarks_of(neck: Neck) -> dict[str, Points]:
    """Every landmark of SCENE_LANDMARKS, in order; (3,) mm in the patient."""
    found: dict[str, Points] = {
        Landmark.C1_ANTERIOR_ARCH_POSTERIOR: neck.atlas_point("anterior_arch_posterior"),
        Landmark.DENS_ANTERIOR: neck.dens_anterior,
        Landmark.DENS_POSTERIOR: neck.dens_posterior,
        Landmark.C1_POSTERIOR_ARCH_ANTERIOR: neck.atlas_point("posterior_arch_anterior"),
        "c1_anterior_arch_anterior": neck.atlas_point("anterior_arch_anterior"),
        "c1_posterior_arch_posterior": neck.atlas_point("posterior_arch_posterior"),
    }
    c1 = neck.anatomy.bones["c1"]
    found |= {f"c1_{name}": neck.transforms["c1_midplane"](c1.points[name]) for name in _OF_C1}
    found |= {ours: neck.at("c2", theirs) for ours, theirs in _OF_C2.items()}
    found |= {f"c{level}_{corner}": neck.at(f"c{level}", corner) for level in range(3, 8) for corner in _CORNERS}
    found |= {f"t1_{corner}": neck.at("t1", corner) for corner in _CORNERS[:2]}
    found |= {name: neck.at("skull", name) for name in _OF_SKULL}
    return {name: np.asarray(found[name], float) for name in SCENE_LANDMARKS}


def absent_landmarks(neck: Neck) -> frozenset[str]:
    """Landmarks that this anatomy lacks: an open or missing posterior arch, a dens that is apart or destroyed."""
    bones = neck.anatomy.bones
    absent: set[str] = set()
    if bones["c1"].numbers.get("posterior_arch_absent"):
        absent |= {name for name in SCENE_LANDMARKS if name.startswith("c1_posterior_arch")}
    if bones["c2"].numbers.get("dens_destroyed"):
        absent |= {Landmark.DENS_ANTERIOR.value, Landmark.DENS_POSTERIOR.value, "dens_tip"}
    return frozenset(absent)
