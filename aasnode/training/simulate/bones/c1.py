"""The atlas. Origin: middle of the ring's inner sagittal diameter, at the height of the anterior arch.

Sizes: inner sagittal diameter 28.2 to 29.9 ± 2.6 mm (Patel; Rekha; Kaur), arch heights 10.2 and 8.7, dens facet
9.0 × 9.2, superior facet 20.8 × 11.4, width 71 to 72.5, canal 26.6 wide. Thickness of the arches 6.2 ± .6 and
6.4 ± .9 and everything about their outline are estimates: on films the anterior arch is a solid half-moon or teardrop.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aasnode.training.simulate.meshes import (
    Bone,
    Contour,
    Material,
    Points,
    Shell,
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
)


class PosteriorArch(StrEnum):
    """Whether the ring is closed behind (open: 4 % of people, Currarino 1994; missing: far rarer)."""

    CLOSED = "closed"
    OPEN = "open"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class C1Shape:
    """Lengths in mm, angles in degrees; shares without unit."""

    inner_diameter_mm: float
    anterior_thickness_mm: float
    anterior_height_mm: float
    posterior_thickness_mm: float
    posterior_height_mm: float
    posterior_level_mm: float  # height of the posterior arch over the anterior one
    bar_radius_mm: float  # of the thin arch behind the lateral masses, under the vertebral artery
    bar_level_mm: float
    tubercle_thickness: float  # of the anterior tubercle, share of the arch
    tubercle_height: float
    tubercle_level: float
    tubercle_tilt_degrees: float
    width: float  # share of a mean width
    mass_tilt_degrees: float
    mass_marrow: float  # share of marrow in the lateral masses: light ones let the dens through
    cortex_mm: float
    anterior_extra_cortex_mm: float  # a dense anterior arch looks solid
    posterior_extra_cortex_mm: float
    posterior_arch: PosteriorArch


def draw_c1_shape(rng: np.random.Generator, posterior_arch: PosteriorArch = PosteriorArch.CLOSED) -> C1Shape:
    """A C1 of a person of mean size."""
    return C1Shape(
        inner_diameter_mm=rng.normal(29.3, 1.6),
        anterior_thickness_mm=float(np.clip(rng.normal(6.1, 0.6), 4.8, 7.5)),
        anterior_height_mm=float(np.clip(rng.normal(11.3, 1.1), 9, 14)),
        posterior_thickness_mm=float(np.clip(rng.normal(6.2, 1.0), 4, 9)),
        posterior_height_mm=float(np.clip(rng.normal(9.6, 1.5), 6, 13)),
        posterior_level_mm=rng.uniform(-2.5, 2.0),
        bar_radius_mm=rng.uniform(1.6, 2.5),
        bar_level_mm=rng.uniform(0, 3.5),
        tubercle_thickness=rng.uniform(0.3, 0.55),
        tubercle_height=rng.uniform(0.2, 0.42),
        tubercle_level=rng.uniform(-0.3, 0.15),
        tubercle_tilt_degrees=rng.uniform(-25, 25),
        width=rng.normal(1, 0.03),
        mass_tilt_degrees=rng.normal(0, 6),
        mass_marrow=rng.uniform(0.25, 0.7),
        cortex_mm=float(np.clip(rng.normal(0.85, 0.17), 0.45, 1.4)),
        anterior_extra_cortex_mm=rng.uniform(0.5, 2.6),
        posterior_extra_cortex_mm=rng.uniform(0.2, 1.6),
        posterior_arch=posterior_arch,
    )


def _anterior_arch(p: Axes, s: C1Shape) -> Field:
    half, thick, height = s.inner_diameter_mm / 2, s.anterior_thickness_mm, s.anterior_height_mm
    y = half + 0.36 * thick  # the half-moon: an ellipse whose back is cut flat by the facet of the dens
    stations = [((0, y, 0), 0.64 * thick), ((6, y - 0.6, 0), 0.60 * thick),
                ((11, y - 4, -0.3), 0.48 * thick), ((15, y - 8, 0), 0.55 * thick)]  # fmt: skip
    arch = tube(p, stations, (1, 1, height / (1.28 * thick)), 2.0)
    tubercle = ellipsoid(
        p,
        (0, half + 0.75 * thick, s.tubercle_level * height),
        (3.2, s.tubercle_thickness * thick, s.tubercle_height * height),
        rotation("x", s.tubercle_tilt_degrees),
    )
    facet = ellipsoid(p, (0, half - 9, 0), (8.5, 9, 40))
    return carve(blend(arch, tubercle, 1.5), facet, 1.2)


def _posterior_arch(p: Axes, s: C1Shape) -> Field:
    y_front = s.inner_diameter_mm / 2 + s.anterior_thickness_mm / 2
    thick, level = s.posterior_thickness_mm, s.posterior_level_mm
    y = -(s.inner_diameter_mm / 2 + thick / 2)
    stations = [((17, y_front - 19, s.bar_level_mm), 2.6), ((19, y_front - 25, s.bar_level_mm), s.bar_radius_mm),
                ((16, y + 9, 0.6 * s.bar_level_mm + 0.4 * level), 1.12 * s.bar_radius_mm),
                ((8, y + 2.2, 0.8 * level), 0.36 * thick), ((0, y, level), 0.5 * thick)]  # fmt: skip
    arch = tube(p, stations, (1, 1, s.posterior_height_mm / thick), 2.0)
    body = ellipsoid(p, (0, y - 0.3, level), (3.5, 0.5 * thick, 0.48 * s.posterior_height_mm))
    tubercle = cone(p, (0, y - 1, level), (0, y - 4, level), 2.4, 1.5)
    return blend(blend(arch, body, 1.8), tubercle, 1.5)


def _lateral_masses(p: Axes, s: C1Shape) -> Field:
    y = s.inner_diameter_mm / 2 + s.anterior_thickness_mm / 2 - 12
    core = rounded_box(p, (17.0, y, -0.5), (6.0, 8.0, 8.3), 4.5, rotation("y", 8) @ rotation("x", s.mass_tilt_degrees))
    mass = blend(ellipsoid(p, (17.2, y, -0.3), (7.6, 10.5, 10.5), rotation("y", 10)), core, 2)
    mass = carve(mass, ellipsoid(p, (14.5, y + 1, 16), (11, 14, 10.5)), 1.5)  # superior facet
    mass = carve(mass, ellipsoid(p, (20, y - 1, -19), (17, 16, 10.8), rotation("y", -22)), 1.5)  # inferior facet
    ligament = ellipsoid(p, (10.6, y + 2.5, -1), (1.6, 2.4, 2.4))  # tubercle of the transverse ligament
    return blend(mass, ligament, 1.5)


def _solid(p: Axes, s: C1Shape, masses: Field) -> Field:
    y = s.inner_diameter_mm / 2 + s.anterior_thickness_mm / 2
    process = cone(p, (22, y - 12, -2), (34.5 * s.width, y - 14.5, -3.5), 4.2, 3.0, (1, 1.15, 0.8))
    ring = blend(blend(_anterior_arch(p, s), masses, 3), blend(_posterior_arch(p, s), masses, 3), 0.5)
    foramen = cone(p, (27, y - 12.5, -20), (27, y - 12.5, 20), 3.2, 3.2)
    return carve(blend(ring, process, 2.5), foramen, 0.8)


def _opened(solid: Field, p: Axes, s: C1Shape) -> Field:
    """The ring as this person has it: closed, with a cleft behind, or without its posterior arch."""
    if s.posterior_arch is PosteriorArch.CLOSED:
        return solid
    if s.posterior_arch is PosteriorArch.OPEN:
        return carve(solid, rounded_box(p, (0, -25, 0), (3.5, 14, 30), 1.0), 1.0)
    return carve(solid, rounded_box(p, (0, -26, 0), (30, 18, 30), 2.0), 1.0)


def arches(profile: tuple[Contour, ...]) -> tuple[Contour, Contour]:
    """The contours of the anterior and of the posterior arch."""
    largest = sorted(profile, key=lambda c: -area_and_centroid(c)[0])
    front = next(c for c in largest if c[:, 0].mean() > 0)
    back = next(c for c in largest if c[:, 0].mean() < 0)
    return front, back


def _points(profile: tuple[Contour, ...], s: C1Shape) -> dict[str, Points]:
    front, back = arches(profile)
    y = s.inner_diameter_mm / 2 + s.anterior_thickness_mm / 2
    return {
        "anterior_arch_centre": np.array([0, *area_and_centroid(front)[1]]),
        "posterior_arch_centre": np.array([0, *area_and_centroid(back)[1]]),
        "anterior_arch_superior": outermost(front, (0, 1)),
        "anterior_arch_inferior": outermost(front, (0, -1)),
        "posterior_arch_superior": outermost(back, (0, 1)),
        "posterior_arch_inferior": outermost(back, (0, -1)),
        "condyle_seat": np.array([0, y - 11.5, 12.5]),
    }


def build_c1(s: C1Shape, rng: np.random.Generator, step_mm: float = 0.6) -> Bone:
    """Build it. The profile is that of the closed ring: an arch that is open has no contour of its own."""
    grid = Grid((-42, -34, -17), (42, 32, 17), step_mm)
    p = grid.mirrored
    masses = _lateral_masses(p, s)
    closed = _solid(p, s, masses) + roughness(grid, 0.2, 5, rng)
    profile = section(closed, grid)
    solid = _opened(closed, p, s)
    front_share = fade(p[1], 0, 2)
    in_arches = 1 - fade(p[0], 14, 1)
    extra_mm = s.posterior_extra_cortex_mm + (s.anterior_extra_cortex_mm - s.posterior_extra_cortex_mm) * front_share
    shells = bone_shells(
        solid, grid, s.cortex_mm, extra_cortex_mm=extra_mm * in_arches - np.float32(0.35), marrow_share=0.8
    )
    return Bone(
        shells=(*shells, *_lighter_masses(masses, solid, grid, s)),
        points=_points(profile, s),
        profile=profile,
        numbers={"posterior_arch_absent": float(s.posterior_arch is not PosteriorArch.CLOSED)},
    )


def _lighter_masses(masses: Field, solid: Field, grid: Grid, s: C1Shape) -> list[Shell]:
    inner = intersection(masses + np.float32(1.2), solid + np.float32(1.2), 0.5)
    if inner.min() >= 0:
        return []
    return [shell(inner, grid, 0.0, {Material.CANCELLOUS: s.mass_marrow - 0.8})]
