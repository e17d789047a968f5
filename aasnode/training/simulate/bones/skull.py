"""Skull base and vault, with the maxilla and the upper teeth. Origin: centre of the foramen magnum.

Estimates: foramen magnum 35 deep, basion to palate 45, clivus 40 to 45 long at about 52°, vault 6 thick. On films of
the neck the base is a background: what matters is that it is bright, uneven and in the right place.
"""

import math
from dataclasses import dataclass

import numpy as np

from aasnode.training.simulate.meshes import Bone, Material, Shell, bone_shells, shell
from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Grid,
    blend,
    carve,
    cone,
    ellipsoid,
    intersection,
    rotation,
    roughness,
    rounded_box,
    tube,
    union,
)


@dataclass(frozen=True, kw_only=True)
class SkullShape:
    """Lengths in mm; shared by skull and mandible, which must fit."""

    vault_thickness_mm: float
    mastoid_x_mm: float
    mastoid_y_mm: float
    mastoid_z_mm: float
    mastoid_radius_mm: float
    mastoid_tip_mm: float
    palate_z_mm: float
    gonion_drop_mm: float
    chin_drop_mm: float
    ramus_tilt_degrees: float
    missing_teeth: float  # share
    fillings: float  # expected number of metal fillings or crowns a row


def draw_skull_shape(rng: np.random.Generator) -> SkullShape:
    """A skull of mean size."""
    return SkullShape(
        vault_thickness_mm=float(np.clip(rng.normal(6, 0.9), 3.5, 9)),
        mastoid_x_mm=rng.normal(51, 1.5),
        mastoid_y_mm=-3 + rng.uniform(-4, 4),
        mastoid_z_mm=rng.uniform(-19, -3),
        mastoid_radius_mm=rng.uniform(7, 11),
        mastoid_tip_mm=rng.uniform(3.5, 6),
        palate_z_mm=rng.normal(0, 3),
        gonion_drop_mm=rng.normal(0, 3),
        chin_drop_mm=rng.normal(9, 4),
        ramus_tilt_degrees=rng.normal(-10, 4),
        missing_teeth=rng.uniform(0, 0.5),
        fillings=float(rng.choice([0.0, 0.7, 2.0])),
    )


def _vault(p: Axes, s: SkullShape) -> Field:
    outer = ellipsoid(p, (0, 4, 70), (71, 94, 74))
    wall = np.maximum(outer, -(outer + np.float32(s.vault_thickness_mm)))
    wall = intersection(wall, -rounded_box(p, (0, 85, 0), (90, 60, 40), 8), 3.0)  # no face below the anterior fossa
    return carve(wall, ellipsoid(p, (0, 0, 0), (14.5, 17.3, 16)), 2)  # foramen magnum


def _base(p: Axes, s: SkullShape) -> list[Field]:
    mastoid_top, mastoid_tip = (s.mastoid_x_mm + 3, -10, 10), (s.mastoid_x_mm, s.mastoid_y_mm, s.mastoid_z_mm)
    return [
        rounded_box(p, (0, 30, 17), (11.5, 21, 4.0), 3, rotation("x", 52)),  # clivus
        ellipsoid(p, (0, -20.1, 0), (14, 3.0, 3.2)),  # rim of the opisthion
        ellipsoid(p, (0, -62, 16), (10, 10, 7)),  # inion
        ellipsoid(p, (15.5, 9, -4.5), (6.2, 11.5, 6.5), rotation("z", -25)),  # condyles
        cone(p, (18, 27, 20), (52, 2, 20), 6.5, 10.5),  # petrous bones
        cone(p, mastoid_top, mastoid_tip, s.mastoid_radius_mm, s.mastoid_tip_mm),
        rounded_box(p, (0, 46, 44), (8, 1.3, 6.5), 1.2, rotation("x", 15)),  # back of the sella
    ]


def _sinuses(p: Axes) -> Field:
    sphenoid = ellipsoid(p, (0, 52, 30), (11, 13, 8))
    ear_canal = cone(p, (60, 3, 12), (40, 5, 12), 3.2, 3.2)
    return np.minimum(sphenoid, ear_canal)


def _mastoid_cells(p: Axes, grid: Grid, skull: Field, rng: np.random.Generator) -> list[Shell]:
    region = blend(ellipsoid(p, (53, -8, 0), (7, 12, 20)), ellipsoid(p, (46, 6, 18), (14, 9, 8)), 3)
    cells = intersection(region, np.float32(0.1) - roughness(grid, 1.0, 3.6, rng), 0.5)
    cells = intersection(cells, skull + np.float32(1.5), 0.5)
    return [shell(cells, grid, 0.0, {Material.DIPLOE: -0.75})] if cells.min() < 0 else []


def _cranium(s: SkullShape, rng: np.random.Generator, step_mm: float) -> list[Shell]:
    grid = Grid((-84, -102, -34), (84, 108, 152), step_mm)
    p = grid.mirrored
    skull = carve(union([_vault(p, s), *_base(p, s)], 3.5), _sinuses(p), 1.0) + roughness(grid, 0.8, 9, rng)
    floor = rounded_box(p, (0, 62, 41), (22, 28, 1.6), 1.5, rotation("x", 4)) + roughness(grid, 0.8, 9, rng)
    middle = rounded_box(p, (32, 32, 22), (20, 22, 1.4), 1.2, rotation("x", 14)) + roughness(grid, 1.0, 7, rng)
    return [
        *bone_shells(skull, grid, 1.9, materials=(Material.CORTICAL, Material.DIPLOE)),
        shell(floor, grid, 0.0, {Material.CORTICAL: 0.35}),
        shell(middle, grid, 0.0, {Material.CORTICAL: 0.3}),
        *_mastoid_cells(p, grid, skull, rng),
    ]


def _maxilla(s: SkullShape, rng: np.random.Generator) -> list[Shell]:
    grid = Grid((-62, 40, -42), (62, 122, 62), 1.1)
    p, z = grid.mirrored, s.palate_z_mm
    spine = cone(p, (0, 60, z + 1), (0, 63, z + 1), 2.0, 2.0)  # posterior nasal spine
    palate = blend(rounded_box(p, (0, 86, z), (18, 26, 2.0), 1.5), spine, 2)
    row = [((25, 66, z - 6), 5), ((22, 88, z - 6), 5), ((11, 106, z - 6), 4.5), ((0, 110, z - 6), 4.5)]
    jaw = blend(palate, tube(p, row, (1, 1, 1.5), 3), 3) + roughness(grid, 0.4, 6, rng)
    sinus = ellipsoid(p, (22, 84, z + 17), (16, 23, 20), rotation("x", 12))
    sinus = np.maximum(sinus, -(sinus + np.float32(2.0)))
    orbit = ellipsoid(p, (32, 88, z + 42), (19, 22, 19))
    orbit = intersection(np.maximum(orbit, -(orbit + np.float32(2.2))), p[1] - np.float32(96), 1)
    plates = rounded_box(p, (13, 60, z + 9), (1.8, 6, 15), 1.2, rotation("x", -8))  # pterygoid
    arch = tube(p, [((40, 84, z + 22), 4), ((56, 60, z + 22), 2.6), ((58, 44, z + 20), 2.6)], (1, 1, 1.4), 2)  # zygoma
    thin = union([sinus, orbit, plates, arch], 2) + roughness(grid, 0.5, 6, rng)
    return [*bone_shells(jaw, grid, 0.9, weight=0.7), shell(thin, grid, 0.0, {Material.CORTICAL: 0.4})]


def teeth(z_crown_mm: float, z_root_mm: float, s: SkullShape, rng: np.random.Generator) -> list[Shell]:
    """One row of teeth, mirrored, and its fillings."""
    low, high = sorted((z_crown_mm, z_root_mm))
    grid = Grid((-34, 55, low - 8), (34, 122, high + 8), 0.9)
    standing = [i for i in range(7) if rng.random() >= s.missing_teeth]
    places = [_on_dental_arch((i + 0.5) / 7) for i in standing]
    cones = [
        cone(grid.mirrored, (x, y, z_root_mm), (x, y, z_crown_mm), 2.2, 4.0 if i > 3 else 3.2)
        for i, (x, y) in zip(standing, places, strict=True)
    ]
    shells = [shell(union(cones, 0.1), grid, 0.0, {Material.TOOTH: 1.0})] if cones else []
    for _ in range(rng.poisson(s.fillings)):
        x, y = _on_dental_arch(rng.uniform(0.05, 0.7))
        z = z_crown_mm + math.copysign(2, z_root_mm - z_crown_mm)
        filling = ellipsoid(grid.axes, (x * rng.choice([-1, 1]), y, z), rng.uniform(1.6, 3.4, 3))
        shells.append(shell(filling, grid, 0.0, {Material.METAL: 1.0}))
    return shells


def _on_dental_arch(share: float) -> tuple[float, float]:
    return 27 * math.sin(1.5 * share) ** 0.7, 62 + 49 * math.cos(1.45 * share) ** 0.75


def build_skull(s: SkullShape, rng: np.random.Generator, step_mm: float = 1.4) -> Bone:
    """Skull base, vault and maxilla with the upper teeth; the jaw has its own frame below."""
    z = s.palate_z_mm
    crown, root = z - 24, z - 8
    return Bone(
        shells=(*_cranium(s, rng, step_mm), *_maxilla(s, rng), *teeth(crown, root, s, rng)),
        points={
            "basion": np.array([0, 17.5, -0.5]),
            "opisthion": np.array([0, -17.5, -1.2]),
            "occiput_lowest": np.array([0, -24.0, -4.2]),
            "posterior_nasal_spine": np.array([0, 58.0, z + 1]),
            "ear_canal": np.array([0, 4.0, 12.0]),
            "condyle": np.array([0, 9.0, -2.0]),
            "jaw_joint": np.array([0, 36.0, 19.0]),
        },
    )
