"""What is no bone: skin, airway, hyoid and larynx, shaped after the neck of the film.

Prevertebral width 6 mm at C1, 4.2 at C3, 13.5 at C6 (upper limits: Rojas 2009); neck 115 ± 8 mm wide, 110 to 125 deep.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.articulation import Neck
from aasnode.training.simulate.meshes import Bone, Material, bone_shells, shell
from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Grid,
    blend,
    cone,
    ellipsoid,
    rotation,
    roughness,
    rounded_box,
    tube,
)
from aasnode.training.simulate.solids import union as union_of

_PREVERTEBRAL_MM = np.array([6, 4.2, 4.3, 6, 10, 13.5, 14, 14])  # C1 to T1
_AIRWAY_MM = np.array([7.5, 6.5, 6.5, 6, 5.5, 7.0, 8.2, 8.2])  # radius, C1 to T1

Line = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SoftTissue:
    """Skin and airway as closed shells, hyoid and larynx as bones; in the patient's frame."""

    skin: Bone
    airway: Bone
    hyoid: Bone


def build_soft_tissue(neck: Neck, rng: np.random.Generator) -> SoftTissue:
    """Build them round the neck."""
    front = _front_of_spine(neck)
    return SoftTissue(skin=_skin(neck, front, rng), airway=_airway(neck, front, rng), hyoid=_hyoid(neck, front, rng))


def _front_of_spine(neck: Neck) -> Line:
    """(y, z) of the front of C1 to T1, (8, 2) mm."""
    levels = ["c2", "c3", "c4", "c5", "c6", "c7", "t1"]
    lower = [neck.at(name, "inferior_anterior")[1:] for name in levels]
    return np.array([neck.atlas_point("anterior_arch_anterior")[1:], *lower])


def _skin(neck: Neck, front: Line, rng: np.random.Generator) -> Bone:
    width = neck.anatomy.patient.size * neck.anatomy.patient.neck_width
    shoulder_drop = -62 + rng.normal(0, 10)
    head = neck.transforms["skull"]
    reach = head([[0, y, z] for y in (-98, 136) for z in (-85, 160)])

    stations = [
        (np.r_[0, front[0] + [-8, 6]], 62 * width),
        (np.r_[0, front[3] + [-14, -2]], 57 * width),
        (np.r_[0, front[6] + [-14, 0]], 62 * width),
        (np.r_[0, front[7] + [-20, -30]], 80 * width),
    ]

    def solid(p: Axes) -> Field:
        body = tube(p, stations, (0.95 * width, 1.05, 1), 20)
        body = blend(body, ellipsoid(p, head([0, 12, 62]), (79, 106, 92), head.rotation), 25)
        body = blend(body, ellipsoid(p, head([0, 74, -18]), (56, 48, 62), head.rotation), 20)
        nose = ellipsoid(p, head([0, 122, 14]), (12, 14, 20), head.rotation)
        body = blend(body, nose, 8)
        return blend(body, ellipsoid(p, np.r_[0, front[7] + [-14, shoulder_drop]], (205, 86, 54)), 45)

    low = np.array([-215, min(front[:, 0].min() - 140, reach[:, 1].min()), front[7, 1] - 100])
    high = np.array([215, max(front[:, 0].max() + 90, reach[:, 1].max()), reach[:, 2].max()])
    grid = Grid(low, high, 6.0)
    return Bone(shells=(shell(solid(grid.mirrored), grid, 0.0, {Material.SOFT: 1.0}),), points={})


def _airway(neck: Neck, front: Line, rng: np.random.Generator) -> Bone:
    """Nasopharynx to trachea, with the epiglottis and the cleft over the tongue left standing."""
    radius = _AIRWAY_MM * rng.normal(1, 0.2)
    y = front[:, 0] + _PREVERTEBRAL_MM * rng.normal(1, 0.2) + radius
    nose = neck.at("skull", "posterior_nasal_spine")
    below = np.r_[0, y[7] - 14, front[7, 1] - 60]
    stations = [(nose + [0, -9, 14], 7.0), *((np.r_[0, y[i], front[i, 1]], radius[i]) for i in range(8)), (below, 8.2)]
    low, high = np.array([-24, y.min() - 50, front[7, 1] - 62]), np.array([24, y.max() + 45, nose[2] + 34])
    grid = Grid(low, high, 1.8)
    p = grid.mirrored
    air = tube(p, stations, (1.45, 1, 1), 4)
    sinus = ellipsoid(p, nose + [0, 26, 16], (15, 22, 12), neck.transforms["skull"].rotation)  # nasal cavity
    air = blend(air, sinus, 3)
    if rng.random() < 0.6:  # vallecula, in front of the epiglottis
        at = (front[2] + front[3]) / 2 + [_PREVERTEBRAL_MM[2] + 2.6 * radius[2] + 5, 4]
        air = blend(air, ellipsoid(p, np.r_[0, at], (8, 3, 7), rotation("x", -20)), 1)
    return Bone(shells=(shell(air, grid, 0.0, {Material.AIR: 1.0}),), points={})


def _hyoid(neck: Neck, front: Line, rng: np.random.Generator) -> Bone:
    """Hyoid bone, and a thyroid cartilage that is calcified in some."""
    width = neck.anatomy.patient.size
    at = np.r_[0, (front[2] + front[3]) / 2 + [37 * width, -8]]
    grid = Grid(at + [-28, -34, -12], at + [28, 10, 18], 1.0)
    p = grid.mirrored
    greater_horn = cone(p, at + [11, -4, 1], at + [18, -24, 6], 2.0, 1.2, (1, 0.9, 1.2))
    hyoid = blend(tube(p, [(at, 3.4), (at + [11, -4, 1], 2.3)], (1, 0.7, 1.5), 2), greater_horn, 2)
    shells = bone_shells(hyoid, grid, 0.7)
    at = np.r_[0, (front[4] + front[5]) / 2 + [30 * width, 0]]
    grid = Grid(at + [-26, -36, -24], at + [26, 14, 28], 1.2)
    plate = rounded_box(grid.mirrored, at + [10, -10, 0], (1.6, 15, 14), 1.2, rotation("z", 35))
    plate = union_of([plate + roughness(grid, 1.4, 5, rng)], 1)
    if plate.min() < -0.8:
        shells.append(shell(plate, grid, -0.5, {Material.CORTICAL: rng.uniform(0, 0.35)}))
    return Bone(shells=tuple(shells), points={})
