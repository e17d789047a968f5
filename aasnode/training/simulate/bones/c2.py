"""The axis. Origin: middle of the inferior endplate; the dens leans back.

Sizes: dens 14.9 ± 1.5 to 17.6 ± 1.9 high, 10.6 ± 0.9 deep on dry bone (9.3 ± 1.3 fits films better), 8.5 to 9.8 wide;
body 14.9 ± 1.1 deep, 18.7 ± 2.2 high in front; canal 15.2 to 19.1; tilt of the dens 17° on average, to 35° (Monu 1987),
against the endplate here. The weight of its cortex is an estimate: on films its outline shows through C1.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aasnode.training.simulate.meshes import (
    Bone,
    Contour,
    Material,
    Points,
    area_and_centroid,
    bone_shells,
    outermost,
    section,
    shell,
)
from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Grid,
    blend,
    carve,
    cone,
    ellipsoid,
    fade,
    intersection,
    rotation,
    roughness,
    rounded_box,
    tube,
    union,
)


class DensVariant(StrEnum):
    """How much of the dens there is."""

    WHOLE = "whole"
    OS_ODONTOIDEUM = "os_odontoideum"  # a round ossicle apart from the body
    DESTROYED = "destroyed"  # whittled away by pannus


@dataclass(frozen=True, kw_only=True)
class Erosion:
    """A hole that pannus has eaten: an ellipsoid in the frame of the dens."""

    angle: float  # round the axis of the dens, radians
    level: float  # along it, 0 to 1
    radii_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class C2Shape:
    """Lengths in mm, angles in degrees."""

    body_depth_mm: float
    body_width_mm: float  # half
    body_height_mm: float
    canal_mm: float
    dens_height_mm: float
    dens_depth_mm: float
    dens_width: float  # share of its depth
    dens_tilt_degrees: float
    dens_step_mm: float  # its posterior wall in front of the body's
    waist: float  # share of the depth at the transverse ligament
    tip: float
    facet_height_mm: float
    facet_tilt_degrees: float
    spinous_mm: float
    cortex_mm: float
    dens_extra_cortex_mm: float
    dens_core: float  # share of cortical bone in the core of the dens, denser than the body
    erosions: tuple[Erosion, ...]
    variant: DensVariant


def _draw_erosions(rng: np.random.Generator) -> tuple[Erosion, ...]:
    found = []
    for _ in range(rng.integers(1, 5)):
        r = rng.uniform(1.0, 2.6)
        radii = (r * rng.uniform(0.7, 1.3), r, r * rng.uniform(0.8, 1.6))
        found.append(Erosion(angle=rng.uniform(0, 2 * math.pi), level=rng.uniform(0.15, 0.95), radii_mm=radii))
    return tuple(found)


def draw_c2_shape(
    rng: np.random.Generator, *, eroded: bool = False, variant: DensVariant = DensVariant.WHOLE
) -> C2Shape:
    """A C2 of a person of mean size; ``eroded`` by rheumatoid arthritis."""
    return C2Shape(
        body_depth_mm=rng.normal(15.6, 0.8),
        body_width_mm=rng.uniform(7.2, 9.2),
        body_height_mm=rng.normal(19.5, 1.2),
        canal_mm=rng.normal(15.5, 1.1),
        dens_height_mm=rng.normal(17.2, 1.5),
        dens_depth_mm=float(np.clip(rng.normal(9.6, 1.1), 7, 12.5)),
        dens_width=rng.uniform(0.82, 1.1),
        dens_tilt_degrees=rng.normal(9, 6),
        dens_step_mm=rng.uniform(-0.6, 2.0),
        waist=rng.uniform(0.84, 0.98),
        tip=rng.uniform(0.55, 0.85),
        facet_height_mm=rng.uniform(3, 4.6),
        facet_tilt_degrees=rng.uniform(16, 32),
        spinous_mm=rng.normal(16, 2),
        cortex_mm=float(np.clip(rng.normal(0.85, 0.18), 0.45, 1.4)),
        dens_extra_cortex_mm=rng.uniform(0.5, 2.0),
        dens_core=rng.uniform(0.05, 0.35),
        erosions=_draw_erosions(rng) if eroded else (),
        variant=variant,
    )


def _dens_frame(s: C2Shape) -> tuple[Points, Points]:
    """Base of the dens on its axis, and the axis' direction."""
    tilt = math.radians(s.dens_tilt_degrees)
    base = np.array([0, -s.body_depth_mm / 2 + 0.515 * s.dens_depth_mm + s.dens_step_mm, s.body_height_mm - 1])
    return base, np.array([0, -math.sin(tilt), math.cos(tilt)])


def _dens(p: Axes, s: C2Shape) -> Field:
    base, axis = _dens_frame(s)
    r, height = s.dens_depth_mm / 2, s.dens_height_mm
    stations = [(base - axis * s.body_height_mm * 0.3, 1.15 * r), (base, 1.03 * r),
                (base + axis * height * 0.28, s.waist * r), (base + axis * height * 0.55, r),
                (base + axis * (height - 0.7 * r), s.tip * r)]  # fmt: skip
    return tube(p, stations, (s.dens_width, 1, 1), 2.0)


def _body(p: Axes, s: C2Shape) -> Field:
    depth, height = s.body_depth_mm, s.body_height_mm
    half = (s.body_width_mm, depth / 2, 0.42 * height + 0.4)
    body = rounded_box(p, (0, 0, 0.42 * height), half, 2.6, taper=-0.10)
    body = carve(body, ellipsoid(p, (0, depth / 2 + 16.9, 0.45 * height), (40, 18, 0.75 * height)), 1.5)
    body = carve(body, ellipsoid(p, (0, 0, -11.4), (13, 11, 12.0)), 1.0)
    return blend(body, ellipsoid(p, (0, depth / 2 - 2.0, -0.8), (6.5, 3.2, 3.0)), 1.5)  # antero-inferior lip


def _facets(p: Axes, s: C2Shape) -> Field:
    height = s.body_height_mm
    top = ellipsoid(p, (13.8, -0.8, height - 2.6), (8.6, 8.7, s.facet_height_mm), rotation("y", s.facet_tilt_degrees))
    return blend(top, ellipsoid(p, (12.0, -2, 0.52 * height), (6.5, 7.5, 0.5 * height)), 3)


def _neural_arch(p: Axes, s: C2Shape) -> list[Field]:
    height = s.body_height_mm
    y = -s.body_depth_mm / 2 - s.canal_mm - 1.5
    pars = cone(p, (14, -6, 0.68 * height), (18.5, -15, 0.18 * height), 5.2, 4.6, (1, 1, 1.2))
    inferior = rounded_box(p, (19, -16.5, 1.5), (5, 4.2, 6.5), 2, rotation("x", 35))
    transverse = cone(p, (18, -3, 0.55 * height), (26.5, -6, 0.35 * height), 4.2, 2.8)
    lamina = cone(p, (16.5, -15, 7), (2.5, y - 1, 7.0), 3.4, 3.8, (1, 1, 2.2))
    spine = [((0, y, 7.0), 4.4), ((0, y - 9, 4.0), 4.2), ((1.6, y - s.spinous_mm, 0.0), 4.2)]
    spinous = tube(p, spine, (0.85, 1, 1.55), 2)
    spinous = carve(spinous, ellipsoid(p, (0, y - s.spinous_mm - 2, -5), (1.6, 9, 6)), 1)  # bifid
    return [pars, inferior, transverse, lamina, spinous]


def _eroded(solid: Field, grid: Grid, s: C2Shape) -> Field:
    base, axis = _dens_frame(s)
    for hole in s.erosions:
        round_axis = np.array([5.0 * math.cos(hole.angle), 5.0 * math.sin(hole.angle), 0])
        centre = base + axis * (s.dens_height_mm * hole.level) + round_axis
        solid = carve(solid, ellipsoid(grid.axes, centre, hole.radii_mm), 0.7)
    return solid


def _as_variant(solid: Field, p: Axes, s: C2Shape) -> Field:
    """The dens as this person has it."""
    if s.variant is DensVariant.WHOLE:
        return solid
    base, axis = _dens_frame(s)
    if s.variant is DensVariant.OS_ODONTOIDEUM:
        cleft = rounded_box(p, base + axis * s.dens_height_mm * 0.3, (14, 14, 1.8), 0.8, rotation("x", 5))
        return carve(solid, intersection(cleft, p[0] - np.float32(8), 0.5), 1.2)
    gone = ellipsoid(p, base + axis * s.dens_height_mm * 0.75, (9, 9, s.dens_height_mm * 0.5))
    return carve(solid, gone, 2.0)


def _points(profile: tuple[Contour, ...], s: C2Shape) -> dict[str, Points]:
    largest = sorted(profile, key=lambda c: -area_and_centroid(c)[0])
    body = next(c for c in largest if c[:, 0].max() > 0)
    spinous = next(c for c in largest if c[:, 0].max() < -s.body_depth_mm / 2)
    low = body[body[:, 1] < 0.4 * s.body_height_mm]
    base, axis = _dens_frame(s)
    facet = np.array([13.8, -0.8, s.body_height_mm - 2.6 + s.facet_height_mm])
    return {
        "dens_tip": outermost(body, (0, 1)),
        "dens_base": base,
        "dens_axis_end": base + axis * s.dens_height_mm,
        "inferior_anterior": outermost(low, (0.6, -0.8)),
        "inferior_middle": np.array([0, 0, np.interp(0, *_lower_edge(low))]),
        "inferior_posterior": outermost(low, (-0.8, -0.6)),
        "inferior_centre": np.zeros(3),
        "pedicle": np.array([13, -6.5, 0.62 * s.body_height_mm]),
        "superior_facet_left": facet,
        "superior_facet_right": facet * (-1, 1, 1),
        "spinolaminar": outermost(spinous, (1, 0)),
    }


def _lower_edge(low: Contour) -> tuple[list[float], list[float]]:
    """Lowest z of the body at every mm of y."""
    ys = np.arange(-4.0, 4.5, 1.0)
    return list(ys), [float(low[np.abs(low[:, 0] - y) < 1.0][:, 1].min()) for y in ys]


def build_c2(s: C2Shape, rng: np.random.Generator, step_mm: float = 0.6) -> Bone:
    """Build it. The profile keeps the whole dens where a variant lacks it; erosions are part of the profile."""
    grid = Grid((-34, -58, -9), (34, 18, 48), step_mm)
    p = grid.mirrored
    dens = _dens(p, s)
    solid = union([blend(_body(p, s), dens, 4.0), _facets(p, s), *_neural_arch(p, s)], 2.6)
    solid = carve(solid, cone(p, (19.5, -4.5, -3), (21, -4, 24), 2.9, 2.9), 0.8)  # foramen transversarium
    whole = _eroded(solid, grid, s) + roughness(grid, 0.2, 5, rng)
    profile = section(whole, grid)
    present = _as_variant(whole, p, s)
    extra_mm = s.dens_extra_cortex_mm * fade(p[2], s.body_height_mm, 1.5)
    shells = bone_shells(present, grid, s.cortex_mm, extra_cortex_mm=extra_mm)
    core = intersection(dens + np.float32(0.8), present + np.float32(0.5), 0.5)
    if core.min() < 0:
        shells.append(shell(core, grid, 0.0, {Material.CORTICAL: s.dens_core}))
    destroyed = float(s.variant is not DensVariant.WHOLE)
    return Bone(
        shells=tuple(shells), points=_points(profile, s), profile=profile, numbers={"dens_destroyed": destroyed}
    )
