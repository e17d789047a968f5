"""The atlas. Origin: middle of the ring's inner sagittal diameter, at the height of the anterior arch.

Sizes: inner sagittal diameter 28.2 to 29.9 ± 2.6 mm (Patel; Rekha; Kaur), posterior arch 8.7 high and 6.4 ± .9 deep,
superior facet 20.8 × 11.4, width 71 to 72.5, canal 26.6 wide. The arches and what lies beside the midline are apart:
the lateral masses cover the dens on films, and how much they weigh decides whether it can be seen through them.
"""

from dataclasses import dataclass

import numpy as np

from aasnode.training.simulate.bones.c1_anterior_arch import AnteriorArchShape, anterior_arch, draw_anterior_arch
from aasnode.training.simulate.bones.c1_posterior_arch import (
    PosteriorArch,
    PosteriorArchShape,
    draw_posterior_arch,
    incomplete_arch,
    posterior_arch,
)
from aasnode.training.simulate.meshes import (
    LATERAL,
    Bone,
    Contour,
    Points,
    Shell,
    area_and_centroid,
    bone_shells,
    outermost,
    section,
)
from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Grid,
    Rotation,
    blend,
    carve,
    cone,
    ellipsoid,
    rotation,
    roughness,
    rounded_box,
)

_F = np.float32
_INNER_DIAMETER_MM = 29.5  # of the drawn ring; patients fit it to their own


@dataclass(frozen=True, kw_only=True)
class LateralMassShape:
    """Lengths in mm, angles in degrees, shares without unit."""

    behind_front_mm: float
    half_depth_mm: float
    half_height_mm: float
    tilt_degrees: float
    facet_hollow_mm: float
    width: float
    cortex_mm: float
    weight: float  # share of bone: light masses let the dens through


@dataclass(frozen=True, kw_only=True)
class C1Shape:
    """The atlas in its parts."""

    anterior: AnteriorArchShape
    posterior: PosteriorArchShape
    masses: LateralMassShape
    cortex_mm: float
    posterior_arch: PosteriorArch


def draw_c1_shape(rng: np.random.Generator, posterior_arch: PosteriorArch = PosteriorArch.CLOSED) -> C1Shape:
    """A C1 of a person of mean size."""
    return C1Shape(
        anterior=draw_anterior_arch(rng),
        posterior=draw_posterior_arch(rng),
        masses=_draw_masses(rng),
        cortex_mm=rng.uniform(0.6, 1.4),
        posterior_arch=posterior_arch,
    )


def _draw_masses(rng: np.random.Generator) -> LateralMassShape:
    u = rng.uniform
    return LateralMassShape(
        behind_front_mm=u(9.5, 14.5),
        half_depth_mm=u(7.5, 10.0),
        half_height_mm=u(8.0, 10.5),
        tilt_degrees=rng.normal(0, 8),
        facet_hollow_mm=u(9, 11),
        width=rng.normal(1, 0.03),
        cortex_mm=u(0.3, 0.9),
        weight=u(0.35, 0.9),
    )


def _front_mm(s: C1Shape) -> float:
    return (_INNER_DIAMETER_MM + s.anterior.depth_mm) / 2


def _lateral_masses(p: Axes, s: C1Shape) -> Field:
    """Both masses with their bridges to the anterior arch and the transverse processes."""
    m, front = s.masses, _front_mm(s)
    y = front - m.behind_front_mm
    turn: Rotation = rotation("y", 9) @ rotation("x", m.tilt_degrees)
    core = rounded_box(p, (17.0, y, -0.5), (6.0, 0.82 * m.half_depth_mm, 0.82 * m.half_height_mm), 4.5, turn)
    mass = blend(ellipsoid(p, (17.2, y, -0.3), (7.6, m.half_depth_mm, m.half_height_mm), turn), core, 2)
    mass = carve(mass, ellipsoid(p, (14.5, y + 1, 16), (11, 14, m.facet_hollow_mm)), 1.5)  # superior facet
    mass = carve(mass, ellipsoid(p, (20, y - 1, -19), (17, 16, 10.8), rotation("y", -22)), 1.5)  # inferior facet
    bridge = cone(p, (s.anterior.half_width_mm, front - 2.2, 0), (15, y + 4, 0), 2.4, 3.2, (1, 1, 1.5))
    process = cone(p, (22, y, -2), (34.5 * m.width, y - 2.5, -3.5), 4.2, 3.0, (1, 1.15, 0.8))
    mass = blend(blend(mass, bridge, 2.5), process, 2.5)
    return carve(mass, cone(p, (27, y - 0.5, -20), (27, y - 0.5, 20), 3.2, 3.2), 0.8)  # foramen transversarium


def arches(profile: tuple[Contour, ...]) -> tuple[Contour, Contour]:
    """The contours of the anterior and of the posterior arch."""
    largest = sorted(profile, key=lambda c: -area_and_centroid(c)[0])
    front = next(c for c in largest if c[:, 0].mean() > 0)
    back = next(c for c in largest if c[:, 0].mean() < 0)
    return front, back


def _points(profile: tuple[Contour, ...], s: C1Shape) -> dict[str, Points]:
    front, back = arches(profile)
    return {
        "anterior_arch_centre": np.array([0, *area_and_centroid(front)[1]]),
        "posterior_arch_centre": np.array([0, *area_and_centroid(back)[1]]),
        "anterior_arch_superior": outermost(front, (0, 1)),
        "anterior_arch_inferior": outermost(front, (0, -1)),
        "posterior_arch_superior": outermost(back, (0, 1)),
        "posterior_arch_inferior": outermost(back, (0, -1)),
        "condyle_seat": np.array([0, _front_mm(s) - 11.5, 12.5]),
    }


def _front_cortex(p: Axes, s: C1Shape) -> Field:
    """Extra cortex of the anterior arch, thicker to its front or to its back."""
    lean = 1 + _F(s.anterior.cortex_to_front_per_mm) * (p[1] - _F(_front_mm(s)))
    return np.asarray(_F(s.anterior.extra_cortex_mm) * np.clip(lean, 0, 2), np.float32) - _F(0.2)


def build_c1(s: C1Shape, rng: np.random.Generator, step_mm: float = 0.55) -> Bone:
    """Build it. The profile is that of the closed ring: an arch that is open has no contour of its own."""
    grid = Grid((-40, -36, -16), (40, 34, 16), step_mm)
    p = grid.mirrored
    front = anterior_arch(p, s.anterior, _INNER_DIAMETER_MM) + roughness(grid, rng.uniform(0.1, 0.3), 4, rng)
    rough = roughness(grid, 0.2, 4, rng)
    whole = posterior_arch(p, s.posterior, _INNER_DIAMETER_MM, _front_mm(s)) + rough
    is_closed = s.posterior_arch is PosteriorArch.CLOSED
    back = whole
    if not is_closed:
        back = incomplete_arch(p, s.posterior, s.posterior_arch, _INNER_DIAMETER_MM, _front_mm(s)) + rough
    beside = np.maximum(_lateral_masses(p, s) + roughness(grid, 0.22, 5, rng), _F(0.15) - np.minimum(front, back))
    shells: list[Shell] = [
        *bone_shells(front, grid, s.cortex_mm, extra_cortex_mm=_front_cortex(p, s)),
        *bone_shells(
            back,
            grid,
            s.posterior.cortex_mm,
            extra_cortex_mm=s.posterior.extra_cortex_mm,
            marrow_weight=s.posterior.marrow,
        ),
        *bone_shells(beside, grid, s.masses.cortex_mm, materials=LATERAL, weight=s.masses.weight),
    ]
    profile = (*section(front, grid), *section(whole, grid))
    numbers = {"posterior_arch_absent": float(not is_closed)}
    return Bone(shells=tuple(shells), points=_points(profile, s), profile=profile, numbers=numbers)
