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
    LATERAL,
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

_F = np.float32


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
class DensShape:
    """Lengths in mm, angles in degrees; widths along the dens as shares of its radius."""

    height_mm: float
    depth_mm: float
    width: float
    tilt_degrees: float  # backwards
    step_mm: float  # its posterior wall in front of the body's
    root: float
    base: float
    waist: float
    middle: float
    shoulder: float
    tip: float
    flat_facet: float  # share of the radius at which the front is cut flat for the arch; 0: round
    spur_mm: float  # at the tip; 0: none
    fillet_mm: float  # into the body
    extra_cortex_mm: float
    core_inset_mm: float
    core: float  # share of cortical bone in the core of the dens, denser than the body


@dataclass(frozen=True, kw_only=True)
class C2Shape:
    """Lengths in mm, angles in degrees."""

    body_depth_mm: float
    body_width_mm: float  # half
    body_height_mm: float
    canal_mm: float
    dens: DensShape
    facet_y_mm: float
    facet_z_mm: float
    facet_half_depth_mm: float
    facet_height_mm: float
    facet_tilt_degrees: float
    facet_slope_degrees: float
    spinous_mm: float
    cortex_mm: float
    lateral_cortex_mm: float
    lateral_weight: float  # share of bone beside the midline
    erosions: tuple[Erosion, ...]
    variant: DensVariant


def _draw_erosions(rng: np.random.Generator) -> tuple[Erosion, ...]:
    found = []
    for _ in range(rng.integers(1, 5)):
        r = rng.uniform(0.8, 2.6)
        radii = (r * rng.uniform(0.7, 1.3), r * rng.uniform(0.6, 1), r * rng.uniform(0.8, 1.6))
        found.append(Erosion(angle=rng.uniform(0, 2 * math.pi), level=rng.uniform(0.15, 0.95), radii_mm=radii))
    return tuple(found)


def _draw_dens(rng: np.random.Generator) -> DensShape:
    u = rng.uniform
    return DensShape(
        height_mm=float(np.clip(rng.normal(16.8, 1.9), 12.5, 21)),
        depth_mm=float(np.clip(rng.normal(9.5, 1.1), 7.2, 12)),
        width=u(0.8, 1.12),
        tilt_degrees=rng.normal(9, 7),
        step_mm=u(-0.8, 3.0),
        root=u(1.15, 1.45),
        base=u(1.0, 1.3),
        waist=u(0.84, 1.0),
        middle=u(0.95, 1.05),
        shoulder=u(0.8, 1.0),
        tip=u(0.45, 0.85),
        flat_facet=u(0.86, 0.98) if rng.random() < 0.5 else 0.0,
        spur_mm=u(1, 4) if rng.random() < 0.25 else 0.0,
        fillet_mm=u(3.5, 7.0),
        extra_cortex_mm=u(0.3, 2.2),
        core_inset_mm=u(0.3, 1.4),
        core=u(0.0, 0.35),
    )


def draw_c2_shape(
    rng: np.random.Generator, *, eroded: bool = False, variant: DensVariant = DensVariant.WHOLE
) -> C2Shape:
    """A C2 of a person of mean size; ``eroded`` by rheumatoid arthritis."""
    u = rng.uniform
    return C2Shape(
        body_depth_mm=float(np.clip(rng.normal(15.6, 0.9), 13.5, 17.8)),
        body_width_mm=u(7.2, 9.2),
        body_height_mm=float(np.clip(rng.normal(19.3, 1.3), 16.5, 22)),
        canal_mm=rng.normal(15.5, 1.1),
        dens=_draw_dens(rng),
        facet_y_mm=-0.8 + u(-2, 1.5),
        facet_z_mm=u(-2, 1),
        facet_half_depth_mm=u(6.5, 9.5),
        facet_height_mm=u(2.6, 4.4),
        facet_tilt_degrees=u(16, 32),
        facet_slope_degrees=u(-14, 14),
        spinous_mm=u(13, 20),
        cortex_mm=u(0.5, 1.2),
        lateral_cortex_mm=u(0.35, 0.9),
        lateral_weight=u(0.6, 1.0),
        erosions=_draw_erosions(rng) if eroded else (),
        variant=variant,
    )


def _dens_frame(s: C2Shape) -> tuple[Points, Points]:
    """Base of the dens on its axis, and the axis' direction."""
    tilt = math.radians(s.dens.tilt_degrees)
    base = np.array([0, -s.body_depth_mm / 2 + 0.515 * s.dens.depth_mm + s.dens.step_mm, s.body_height_mm - 1])
    return base, np.array([0, -math.sin(tilt), math.cos(tilt)])


def _dens(p: Axes, s: C2Shape) -> Field:
    base, axis = _dens_frame(s)
    d, r, height = s.dens, s.dens.depth_mm / 2, s.dens.height_mm
    tip = base + axis * (height - 0.7 * r)
    stations = [(base - axis * s.body_height_mm * 0.3, d.root * r), (base, d.base * r),
                (base + axis * height * 0.28, d.waist * r), (base + axis * height * 0.55, d.middle * r),
                (base + axis * height * 0.8, d.shoulder * r), (tip, d.tip * r)]  # fmt: skip
    dens = tube(p, stations, (d.width, 1, 1), 2.0)
    if d.flat_facet:
        forward = _F(axis[2]) * (p[1] - _F(base[1])) - _F(axis[1]) * (p[2] - _F(base[2]))
        dens = intersection(dens, forward - _F(d.flat_facet * r), 1.0)
    if d.spur_mm:
        dens = blend(dens, cone(p, tip, tip + axis * d.spur_mm, 0.4 * r, 0.8), 1.5)
    return dens


def _body(p: Axes, s: C2Shape) -> Field:
    depth, height = s.body_depth_mm, s.body_height_mm
    half = (s.body_width_mm, depth / 2, 0.42 * height + 0.4)
    body = rounded_box(p, (0, 0, 0.42 * height), half, 2.6, taper=-0.10)
    body = carve(body, ellipsoid(p, (0, depth / 2 + 17.2, 0.45 * height), (40, 18, 0.75 * height)), 1.5)
    body = carve(body, ellipsoid(p, (0, 0, -11.4), (13, 11, 12.0)), 1.0)
    return blend(body, ellipsoid(p, (0, depth / 2 - 2.0, -0.8), (6.5, 3.2, 3.0)), 1.5)  # antero-inferior lip


def _beside(p: Axes, s: C2Shape) -> Field:
    """Facets, pedicles, laminae, transverse and spinous processes."""
    height = s.body_height_mm
    y = -s.body_depth_mm / 2 - s.canal_mm - 1.5
    turn = rotation("y", s.facet_tilt_degrees) @ rotation("x", s.facet_slope_degrees)
    facet = ellipsoid(
        p, (13.8, s.facet_y_mm, height - 2.2 + s.facet_z_mm), (8.6, s.facet_half_depth_mm, s.facet_height_mm), turn
    )
    facet = blend(facet, ellipsoid(p, (12.0, -2.6, 0.62 * height), (6.2, 6.0, 0.36 * height)), 3)
    pars = cone(p, (14, -6, 0.68 * height), (18.5, -15, 0.18 * height), 5.2, 4.6, (1, 1, 1.2))
    inferior = rounded_box(p, (19, -16.5, 1.5), (5, 4.2, 6.5), 2, rotation("x", 35))
    transverse = cone(p, (18, -3, 0.55 * height), (26.5, -6, 0.35 * height), 4.2, 2.8)
    lamina = cone(p, (16.5, -15, 7), (2.5, y - 1, 7.0), 3.4, 3.8, (1, 1, 2.1))
    spine = [((0, y, 7.0), 4.3), ((0, y - 9, 4.5), 4.0), ((1.6, y - s.spinous_mm, 0.5), 4.0)]
    spinous = tube(p, spine, (0.85, 1, 1.55), 2)
    spinous = carve(spinous, ellipsoid(p, (0, y - s.spinous_mm - 2, -6), (1.6, 9, 6)), 1)  # bifid
    joined = union([facet, pars, inferior, transverse, lamina, spinous], 2.8)
    return carve(joined, cone(p, (19.5, -4.5, -3), (21, -4, 24), 2.9, 2.9), 0.8)  # foramen transversarium


def _eroded(solid: Field, grid: Grid, s: C2Shape) -> Field:
    base, axis = _dens_frame(s)
    r = s.dens.depth_mm / 2
    for hole in s.erosions:
        round_axis = np.array([r * math.cos(hole.angle), r * math.sin(hole.angle), 0])
        centre = base + axis * (s.dens.height_mm * hole.level) + round_axis
        solid = carve(solid, ellipsoid(grid.axes, centre, hole.radii_mm), 0.7)
    return solid


def _as_variant(solid: Field, p: Axes, s: C2Shape) -> Field:
    """The dens as this person has it."""
    if s.variant is DensVariant.WHOLE:
        return solid
    base, axis = _dens_frame(s)
    height = s.dens.height_mm
    if s.variant is DensVariant.OS_ODONTOIDEUM:
        cleft = rounded_box(p, base + axis * height * 0.3, (14, 14, 1.8), 0.8, rotation("x", 5))
        return carve(solid, cleft, 1.2)
    return carve(solid, ellipsoid(p, base + axis * height * 0.75, (9, 9, height * 0.5)), 2.0)


def _points(profile: tuple[Contour, ...], s: C2Shape) -> dict[str, Points]:
    largest = sorted(profile, key=lambda c: -area_and_centroid(c)[0])
    body = next(c for c in largest if c[:, 0].max() > 0)
    spinous = next(c for c in largest if c[:, 0].max() < -s.body_depth_mm / 2)
    low = body[body[:, 1] < 0.4 * s.body_height_mm]
    base, axis = _dens_frame(s)
    facet = np.array([13.8, s.facet_y_mm, s.body_height_mm - 2.2 + s.facet_z_mm + s.facet_height_mm])
    return {
        "dens_tip": outermost(body, (0, 1)),
        "dens_base": base,
        "dens_axis_end": base + axis * s.dens.height_mm,
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


def build_c2(s: C2Shape, rng: np.random.Generator, step_mm: float = 0.55) -> Bone:
    """Build it. The profile keeps the whole dens where a variant lacks it; erosions are part of the profile."""
    grid = Grid((-34, -62, -9), (34, 18, 48), step_mm)
    p = grid.mirrored
    dens = _dens(p, s)
    core = blend(_body(p, s), dens, s.dens.fillet_mm) + roughness(grid, 0.2, 4, rng)
    whole = _eroded(core, grid, s)
    present = _as_variant(whole, p, s)
    beside = np.maximum(_beside(p, s) + roughness(grid, 0.22, 5, rng), _F(0.15) - core)
    extra_mm = s.dens.extra_cortex_mm * fade(p[2], s.body_height_mm, 1.5)
    shells = bone_shells(present, grid, s.cortex_mm, extra_cortex_mm=extra_mm)
    dense = intersection(dens + _F(s.dens.core_inset_mm), present + _F(0.5), 0.5)
    if dense.min() < 0:
        shells.append(shell(dense, grid, 0.0, {Material.CORTICAL: s.dens.core}))
    shells += bone_shells(beside, grid, s.lateral_cortex_mm, materials=LATERAL, weight=s.lateral_weight)
    profile = (*section(whole, grid), *section(beside, grid))
    destroyed = float(s.variant is not DensVariant.WHOLE)
    return Bone(
        shells=tuple(shells), points=_points(profile, s), profile=profile, numbers={"dens_destroyed": destroyed}
    )
