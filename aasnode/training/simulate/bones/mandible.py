"""The mandible with the lower teeth, in the frame of the skull with closed teeth.

Estimates: ramus 31 deep and 60 high, 47 off the midline; chin 68 below the palate.
"""

import numpy as np

from aasnode.training.simulate.bones.skull import SkullShape, teeth
from aasnode.training.simulate.meshes import Bone, bone_shells
from aasnode.training.simulate.solids import Axes, Field, Grid, blend, cone, rotation, roughness, rounded_box, tube


def _ramus(p: Axes, s: SkullShape) -> Field:
    ramus = rounded_box(p, (47.5, 50, -8), (3.6, 15.5, 27), 2.5, rotation("x", s.ramus_tilt_degrees))
    condyle = cone(p, (49, 40, 8), (51, 36, 19), 4, 6.0, (1.4, 0.8, 1))
    coronoid = cone(p, (47, 62, 6), (46, 66, 16), 3, 1.8)
    return blend(blend(ramus, condyle, 4), coronoid, 3)


def _body(p: Axes, s: SkullShape) -> Field:
    gonion, chin = -27 - 0.3 * s.gonion_drop_mm, -46 - s.gonion_drop_mm - s.chin_drop_mm
    between = gonion + 0.5 * (chin - gonion)
    stations = [((46.5, 48, gonion), 6.5), ((37, 74, between + 3), 7.4), ((20, 103, chin + 3), 7.8),
                ((0, 113, chin), 7.6)]  # fmt: skip
    return tube(p, stations, (0.85, 1, 1.75), 4)


def build_mandible(s: SkullShape, rng: np.random.Generator, step_mm: float = 1.1) -> Bone:
    """Build it; it turns about the skull's ``jaw_joint``."""
    grid = Grid((-60, 16, -104), (60, 134, 30), step_mm)
    solid = blend(_ramus(grid.mirrored, s), _body(grid.mirrored, s), 5) + roughness(grid, 0.4, 7, rng)
    crown, root = s.palate_z_mm - 27, s.palate_z_mm - 46
    return Bone(
        shells=(*bone_shells(solid, grid, 2.2), *teeth(crown, root, s, rng)),
        points={"chin": np.array([0, 118.0, -46 - s.gonion_drop_mm - s.chin_drop_mm])},
    )
