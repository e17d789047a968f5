"""The posterior arch of the atlas: on lateral films a thin bar that flares into a ring, whose front border is point 4.

Its form is an estimate after looking at lateral films: the ring is the arch's middle seen end-on, 6 to 13 mm high and 4
to 8 deep (measured: 8.7 high, 6.4 ± .9 deep; canal 26.6 wide; Patel, Rekha, Kaur), mostly lower behind and hollow. Its
front border is a thin bright line, for there the beam runs along the cortex of the canal's back wall. The bar lies
under the vertebral artery.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from aasnode.training.simulate.solids import (
    Axes,
    Field,
    blend,
    carve,
    cone,
    ellipsoid,
    intersection,
    rotation,
    rounded_box,
    tube,
)

_F = np.float32
_REACH_MM = 15.0  # how far beside the midline the sweep is drawn; a strut leads on to the lateral mass


class PosteriorArch(StrEnum):
    """Whether the ring is closed behind (open: 4 % of people, Currarino 1994; missing: far rarer)."""

    CLOSED = "closed"
    OPEN = "open"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class PosteriorArchShape:
    """Lengths in mm, angles in degrees, shares without unit."""

    depth_mm: float  # in the midline
    height_mm: float
    level_mm: float  # over the anterior arch
    bar_depth_mm: float  # of the thin part under the vertebral artery
    bar_height_mm: float
    bar_level_mm: float
    flare_mm: float  # how far beside the midline the bar widens into the ring
    flare_power: float  # 2: gently, more: like a trumpet
    curve_mm: float  # radius of the canal's back wall
    lean: float  # forward per mm upward, of the ring
    squareness: float  # of the section: 2 an ellipse, more a box
    taper: float  # how much lower the ring is behind than in front, share of its height
    body_share: float  # of a swelling, of the ring's size
    body_back_mm: float
    body_tilt_degrees: float
    tubercle_mm: float  # 0: none
    tubercle_rise_mm: float
    cortex_mm: float
    extra_cortex_mm: float
    marrow: float  # its weight, of full cancellous bone: the ring is hollow


def draw_posterior_arch(rng: np.random.Generator) -> PosteriorArchShape:
    """An arch of a person of mean size."""
    u = rng.uniform
    depth, height = u(4.0, 8.0), u(6.0, 13.0)
    return PosteriorArchShape(
        depth_mm=depth,
        height_mm=height,
        level_mm=u(-3.5, 3.0),
        bar_depth_mm=min(depth, u(2.6, 5.0)),
        bar_height_mm=min(height, u(2.8, 6.0)),
        bar_level_mm=u(-1.5, 3.5),
        flare_mm=u(4.0, 11.0),
        flare_power=u(1.6, 3.5),
        curve_mm=u(10.0, 20.0),
        lean=rng.normal(0, 0.15),
        squareness=u(2.0, 3.6),
        taper=u(-0.2, 1.0),
        body_share=u(0.6, 1.0) if rng.random() < 0.4 else 0.0,
        body_back_mm=u(-0.5, 1.5),
        body_tilt_degrees=u(-35, 35),
        tubercle_mm=u(1.5, 6) if rng.random() < 0.7 else 0.0,
        tubercle_rise_mm=u(-2.5, 2.0),
        cortex_mm=u(0.35, 1.1),
        extra_cortex_mm=u(0, 1.4) if rng.random() < 0.5 else 0.0,
        marrow=u(0.1, 1.0),
    )


def posterior_arch(p: Axes, s: PosteriorArchShape, inner_diameter_mm: float, front_mm: float) -> Field:
    """The closed arch, its front at half the inner diameter behind the origin; ``front_mm``: the anterior arch."""
    swept = intersection(_sweep(p, s, inner_diameter_mm), p[0] - _F(_REACH_MM), 1.0)
    arch = blend(swept, _strut(p, s, inner_diameter_mm, front_mm), 2.0)
    middle = -(inner_diameter_mm + s.depth_mm) / 2
    if s.body_share:
        radii = (3.0, 0.5 * s.body_share * s.depth_mm, 0.5 * s.body_share * s.height_mm)
        centre = (0, middle - s.body_back_mm, s.level_mm + 0.3 * s.tubercle_rise_mm)
        arch = blend(arch, ellipsoid(p, centre, radii, rotation("x", s.body_tilt_degrees)), 1.5)
    if s.tubercle_mm:
        back = middle - s.depth_mm / 2
        tip = (0, back - s.tubercle_mm + 2, s.level_mm + s.tubercle_rise_mm)
        arch = blend(arch, cone(p, (0, middle - 0.5, s.level_mm), tip, 2.2, 1.1), 1.5)
    return arch


def incomplete_arch(
    p: Axes, s: PosteriorArchShape, variant: PosteriorArch, inner_diameter_mm: float, front_mm: float
) -> Field:
    """An arch that is open, two bars that end blunt beside the midline, or gone but for its roots."""
    blunt = replace(
        s,
        depth_mm=min(s.depth_mm, 1.3 * s.bar_depth_mm),
        height_mm=min(s.height_mm, 1.4 * s.bar_height_mm),
        body_share=0.0,
        tubercle_mm=0.0,
    )
    bars = posterior_arch(p, blunt, inner_diameter_mm, front_mm)
    if variant is PosteriorArch.OPEN:
        return carve(bars, rounded_box(p, (0, -25, 0), (3.5, 14, 30), 1.0), 1.0)
    return carve(bars, rounded_box(p, (0, -26, 0), (30, 18, 30), 2.0), 1.0)


def _sweep(p: Axes, s: PosteriorArchShape, inner_diameter_mm: float) -> Field:
    """A section led along the canal's back wall: a superellipse that shrinks from the ring to the bar."""
    ring = np.exp(-((p[0] / _F(s.flare_mm)) ** _F(s.flare_power)))  # 1 in the midline, 0 far from it
    deep = (_F(s.bar_depth_mm) + _F(s.depth_mm - s.bar_depth_mm) * ring) / 2
    high = (_F(s.bar_height_mm) + _F(s.height_mm - s.bar_height_mm) * ring) / 2
    wall, slope = _wall(p[0], s, inner_diameter_mm)
    level = _F(s.bar_level_mm) + _F(s.level_mm - s.bar_level_mm) * ring
    z = p[2] - level
    y = (p[1] - wall - _F(s.lean) * ring * z) / np.sqrt(1 + slope**2) + deep  # across the arch
    high = high * (1 + _F(0.5 * s.taper) * ring * np.clip(y / deep, -1, 1))
    return _superellipse(np.abs(y), np.abs(z), deep, high, s.squareness)


def _wall(x: Field, s: PosteriorArchShape, inner_diameter_mm: float) -> tuple[Field, Field]:
    """y of the canal's back wall, and how fast it comes forward beside the midline."""
    return _F(-inner_diameter_mm / 2) + x**2 / _F(2 * s.curve_mm), x / _F(s.curve_mm)


def _superellipse(y: Field, z: Field, deep: Field, high: Field, power: float) -> Field:
    """mm to ``(y / deep)^n + (z / high)^n = 1``, to first order."""
    n = _F(power)
    across, up = y / deep, z / high
    q = (across**n + up**n + _F(1e-9)) ** (1 / n)
    steep = q ** (1 - n) * np.sqrt((across ** (n - 1) / deep) ** 2 + (up ** (n - 1) / high) ** 2)
    field: Field = np.asarray((q - 1) / np.maximum(steep, 0.8 / np.maximum(deep, high)), _F)
    return field


def _strut(p: Axes, s: PosteriorArchShape, inner_diameter_mm: float, front_mm: float) -> Field:
    """From the bar to the lateral mass."""
    thin = min(s.bar_depth_mm, s.bar_height_mm) / 2
    wall = -inner_diameter_mm / 2 + _REACH_MM**2 / (2 * s.curve_mm)
    start = (_REACH_MM - 1.5, wall - s.bar_depth_mm / 2 - 0.5, s.bar_level_mm)
    stations = [(start, thin), ((18, (wall + front_mm - 19) / 2 - 1, s.bar_level_mm), thin),
                ((17.5, front_mm - 17, 0.7 * s.bar_level_mm), 2.8)]  # fmt: skip
    return tube(p, stations, (1, 1, 1), 2.0)
