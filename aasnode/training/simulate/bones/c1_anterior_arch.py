"""The anterior arch of the atlas: on films a solid half-moon, teardrop, spike or wedge, 9 to 15 high and 4 to 8 deep.

Its back is the facet of the dens (9.0 × 9.2); its form is an estimate after looking at lateral films.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Rotation,
    blend,
    carve,
    cone,
    ellipsoid,
    intersection,
    rotation,
    rounded_box,
)

_F = np.float32
_ENDLESS = 1e3  # half width of a bar that is cut to length later


class ArchForm(StrEnum):
    """Outline of the arch in the mid-sagittal plane."""

    HALF_MOON = "half_moon"
    SPIKE = "spike"  # a long thin anterior tubercle
    TEARDROP = "teardrop"
    ROUND = "round"
    FLAT = "flat"
    WEDGE = "wedge"


_FORM_SHARES = {
    ArchForm.HALF_MOON: 0.25,
    ArchForm.SPIKE: 0.17,
    ArchForm.TEARDROP: 0.20,
    ArchForm.ROUND: 0.10,
    ArchForm.FLAT: 0.12,
    ArchForm.WEDGE: 0.16,
}


@dataclass(frozen=True, kw_only=True)
class AnteriorArchShape:
    """Lengths in mm, angles in degrees, shares without unit."""

    form: ArchForm
    height_mm: float
    depth_mm: float
    tilt_degrees: float
    half_width_mm: float
    bow_per_mm: float  # how fast it curves back to the lateral masses
    squareness: float
    bulge: float  # of the front, share of the depth
    spread: float  # of the bulge, share of the height
    tubercle_level: float  # share of the height
    tubercle_mm: float
    tubercle_root_mm: float
    tubercle_tip_mm: float
    beak_above_mm: float  # 0: none
    beak_below_mm: float
    facet_radius_mm: float
    facet_level_mm: float
    facet_tilt: float  # share of the tilt
    facet_bend_per_mm: float
    extra_cortex_mm: float  # a dense arch looks solid
    cortex_to_front_per_mm: float


def draw_anterior_arch(rng: np.random.Generator) -> AnteriorArchShape:
    """An arch of a person of mean size."""
    u = rng.uniform
    form = list(_FORM_SHARES)[int(rng.choice(len(_FORM_SHARES), p=list(_FORM_SHARES.values())))]
    wedge = form is ArchForm.WEDGE
    return AnteriorArchShape(
        form=form,
        height_mm=u(9.0, 15.0),
        depth_mm=u(3.6, 5.2) if form is ArchForm.FLAT else u(4.4, 7.4),
        tilt_degrees=rng.normal(0, 9),
        half_width_mm=u(6.5, 10),
        bow_per_mm=u(0.02, 0.06),
        squareness=u(0.5, 0.95),
        bulge=u(0.4, 0.6),
        spread=u(0.28, 0.45),
        tubercle_level=u(-0.30, 0.12),
        tubercle_mm=u(2.0, 5.5),
        tubercle_root_mm=u(3.6, 5.4) if wedge else u(2.6, 4.2),
        tubercle_tip_mm=u(0.6, 1.4),
        beak_above_mm=u(0.5, 3.0) if rng.random() < 0.35 else 0.0,
        beak_below_mm=u(0.5, 2.5) if rng.random() < 0.25 else 0.0,
        facet_radius_mm=u(7, 16),
        facet_level_mm=u(-2, 2),
        facet_tilt=u(0.3, 1.0),
        facet_bend_per_mm=u(-0.012, 0.012),
        extra_cortex_mm=u(0.3, 2.8),
        cortex_to_front_per_mm=u(-0.4, -0.2) if wedge else u(-0.3, 0.35),
    )


def anterior_arch(p: Axes, s: AnteriorArchShape, inner_diameter_mm: float) -> Field:
    """The arch, its back at half the inner diameter in front of the origin."""
    section = _section_axes(p, s, inner_diameter_mm)
    deep, high = s.depth_mm / 2, s.height_mm / 2
    bar = ellipsoid(section, (0, 0, 0), (_ENDLESS, deep, high))
    core_deep, core_high = deep * s.squareness, high * s.squareness
    core = rounded_box(section, (0, -0.3, 0), (_ENDLESS, core_deep, core_high), min(1.6, 0.9 * core_deep))
    bar = _with_beaks(_formed(blend(bar, core, 1.5), p, section, s), section, s)
    thinner = _F(0.9 * 0.25) * np.clip(p[0] / _F(s.half_width_mm), 0, 2)
    arch = intersection(bar + thinner, p[0] - _F(s.half_width_mm + 3), 2.0)
    return carve(arch, _facet(p, s, inner_diameter_mm), 0.35)


def _section_axes(p: Axes, s: AnteriorArchShape, inner_diameter_mm: float) -> Axes:
    """Axes of the arch's section, tilted, following its bow; x is spent."""
    y = p[1] - _F((inner_diameter_mm + s.depth_mm) / 2) + _F(s.bow_per_mm) * p[0] ** 2
    turn: Rotation = rotation("x", s.tilt_degrees)
    return p[0] * 0, _F(turn[1][1]) * y + _F(turn[2][1]) * p[2], _F(turn[1][2]) * y + _F(turn[2][2]) * p[2]


def _formed(bar: Field, p: Axes, section: Axes, s: AnteriorArchShape) -> Field:
    """The bar with the tubercle of its form."""
    deep, high, level = s.depth_mm, s.height_mm, s.tubercle_level * s.height_mm
    front = deep / 2 + s.tubercle_mm
    narrowing = p[0] ** 2
    if s.form is ArchForm.WEDGE:
        wedge = cone(
            section, (0, -0.1 * deep, 0.3 * level), (0, front, 0.6 * level), s.tubercle_root_mm, s.tubercle_tip_mm
        )
        return blend(bar, wedge + _F(0.04) * narrowing, 1.5)
    if s.form is ArchForm.SPIKE:
        spike = cone(section, (0, -0.1 * deep, 0.4 * level), (0, front, level), s.tubercle_root_mm, s.tubercle_tip_mm)
        return blend(bar, spike + _F(0.05) * narrowing, 1.5)
    if s.form is ArchForm.TEARDROP:
        below = (0, -0.12 * deep, -high / 2 - 0.5 * s.tubercle_mm)
        above = (0, -0.1 * deep, high / 2 + 0.3 * s.tubercle_mm)
        drop = cone(section, (0, 0, 0.18 * high), below, 0.42 * deep, s.tubercle_tip_mm)
        return blend(blend(bar, drop, 1.5), cone(section, (0, 0, 0), above, 0.4 * deep, s.tubercle_tip_mm), 1.5)
    across = (p[0] * _F(0.55), section[1], section[2])
    if s.form is ArchForm.HALF_MOON:
        return blend(bar, ellipsoid(across, (0, 0.15 * deep, level), (3.5, s.bulge * deep, s.spread * high)), 1.5)
    if s.form is ArchForm.ROUND:
        return blend(bar, ellipsoid(across, (0, 0.12 * deep, 0.5 * level), (4, 0.55 * deep, 0.42 * high)), 1.5)
    return bar


def _with_beaks(bar: Field, section: Axes, s: AnteriorArchShape) -> Field:
    """Lips above and below, as ligaments ossify."""
    high = s.height_mm
    if s.beak_above_mm:
        bar = blend(bar, cone(section, (0, 0, 0.3 * high), (0, -1.0, high / 2 + s.beak_above_mm), 1.8, 0.8), 1.2)
    if s.beak_below_mm:
        bar = blend(bar, cone(section, (0, 0, -0.3 * high), (0, -0.5, -high / 2 - s.beak_below_mm), 1.8, 0.8), 1.2)
    return bar


def _facet(p: Axes, s: AnteriorArchShape, inner_diameter_mm: float) -> Field:
    """The hollow for the dens: a cylinder about the dens, a little tilted and bent."""
    lean = math.tan(math.radians(s.tilt_degrees * s.facet_tilt))
    z = p[2] - _F(s.facet_level_mm)
    y = p[1] - _F(lean) * z - _F(inner_diameter_mm / 2 - s.facet_radius_mm) + _F(s.facet_bend_per_mm) * z**2
    hollow: Field = np.sqrt(p[0] ** 2 + y**2) - _F(s.facet_radius_mm)
    return hollow
