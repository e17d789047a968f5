"""C3 to C7 and T1. Origin: middle of the body.

Sizes: bodies 14.7 to 16.3 deep, 20 to 24 wide, 12 to 14 high on adult films; spinous processes 15 ± 4 with their tips,
C7 about 30; canal 14 to 17; articular pillars 11 × 13 with facets at about 45°. Osteophytes are estimates.
"""

from dataclasses import dataclass

import numpy as np

from aasnode.training.simulate.meshes import Bone, Contour, Points, area_and_centroid, bone_shells, outermost, section
from aasnode.training.simulate.solids import (
    Axes,
    Field,
    Grid,
    blend,
    carve,
    cone,
    ellipsoid,
    rotation,
    roughness,
    rounded_box,
    tube,
    union,
)

LEVELS = (3, 4, 5, 6, 7, 8)
"""C3 to C7; 8 is T1."""

_DEPTH = (1.0, 1.0, 1.03, 1.06, 1.09, 1.12)
_WIDTH_MM = (17.5, 18.0, 19.0, 20.5, 23.0, 26.0)
_HEIGHT_MM = (13.0, 12.7, 12.4, 12.6, 13.8, 15.5)
_SPINOUS_MM = (11.5, 11.5, 13.0, 17.0, 25.0, 28.0)
_SPINOUS_DROP_MM = (7.0, 7.5, 8.5, 10.0, 12.5, 18.0)
_ENDPLATE_SHEAR = 0.10


@dataclass(frozen=True, kw_only=True)
class VertebraShape:
    """Lengths in mm."""

    level: int  # of LEVELS
    depth_mm: float
    half_width_mm: float
    height_mm: float
    canal_mm: float
    spinous_mm: float
    spinous_drop_mm: float
    spinous_skew_mm: float
    pillar_tilt: float
    cortex_mm: float
    osteophyte_above_mm: float
    osteophyte_below_mm: float


def draw_vertebrae(rng: np.random.Generator, degeneration: float = 0.0) -> tuple[VertebraShape, ...]:
    """One person's C3 to T1 at mean size; ``degeneration`` 0 to 1 grows osteophytes at C4 to C7."""
    depth, canal, width = rng.normal(15.6, 0.7), rng.normal(15.5, 1.1), rng.normal(1, 0.04)
    drop, cortex = rng.normal(0, 0.06), float(np.clip(rng.normal(0.6, 0.12), 0.35, 1.0))
    shapes = []
    for i, level in enumerate(LEVELS):
        worn = degeneration * (1.2 if i in (1, 2, 3, 4) else 0.3)
        shapes.append(
            VertebraShape(
                level=level,
                depth_mm=depth * _DEPTH[i] * rng.normal(1, 0.02),
                half_width_mm=_WIDTH_MM[i] / 2 * width,
                height_mm=rng.normal(_HEIGHT_MM[i], 0.5),
                canal_mm=canal + rng.normal(0, 0.4),
                spinous_mm=float(max(7.0, rng.normal(_SPINOUS_MM[i], 2.2))),
                spinous_drop_mm=_SPINOUS_DROP_MM[i] + (drop + rng.normal(0, 0.06)) * _SPINOUS_MM[i],
                spinous_skew_mm=rng.uniform(0.2, 2.2) if level < 7 else 0.0,
                pillar_tilt=rng.normal(0.85, 0.12),
                cortex_mm=cortex,
                osteophyte_above_mm=rng.exponential(1.0) * worn,
                osteophyte_below_mm=rng.exponential(1.0) * worn,
            )
        )
    return tuple(shapes)


def _body(p: Axes, s: VertebraShape) -> Field:
    d, h, w = s.depth_mm, s.height_mm, s.half_width_mm
    body = rounded_box(p, (0, 0, 0), (w, d / 2, h / 2), 1.6, shear=_ENDPLATE_SHEAR)
    body = carve(body, ellipsoid(p, (0, d / 2 + 22.7, 0), (60, 24, 0.8 * h)), 1.5)  # waist in front
    body = carve(body, ellipsoid(p, (w + 16, 0, 0), (17, 60, 0.65 * h)), 1.5)
    body = carve(body, ellipsoid(p, (0, 0, -h / 2 - 11.0), (14, 9.5, 12)), 1.0)  # endplates
    body = carve(body, ellipsoid(p, (0, -0.5, h / 2 + 12.8), (0.9 * w, 12, 13.6)), 1.0)
    uncinate = rounded_box(p, (w - 1.6, -1, h / 2 + 1.2), (2, 0.36 * d, 2.6), 1, rotation("y", -15))
    lip = ellipsoid(p, (0, d / 2 - 2, -h / 2), (6, 2.6, 2.0))
    body = blend(blend(body, uncinate, 1.5), lip, 1.2)
    for side, size in ((1, s.osteophyte_above_mm), (-1, s.osteophyte_below_mm)):
        if size > 0.3:
            spur = ellipsoid(p, (0, d / 2 + 0.35 * size, side * (h / 2 - 0.6)), (6, size + 1.3, 1.7))
            body = blend(body, spur, 1.5)
    return body


def _neural_arch(p: Axes, s: VertebraShape) -> list[Field]:
    d, w = s.depth_mm, s.half_width_mm
    x, y = w + 6.8, -d / 2 - 6.5
    back = -d / 2 - s.canal_mm - 1.2
    low = -6.5 - s.spinous_drop_mm
    pedicle = cone(p, (w - 1, -d / 2 + 3, 1.3), (x - 1, y + 1, 1.0), 2.9, 3.2, (1, 1, 1.15))
    pillar = rounded_box(p, (x, y, -1.0), (5.2, 5.4, 6.6 * s.height_mm / 13), 1.5, shear=s.pillar_tilt)
    front = cone(p, (w + 2, 2.5, 0.8), (w + 10, -1, -3), 2.4, 2.0)
    transverse = blend(front, cone(p, (w + 10, -1, -3), (x + 2, y + 2, -2), 2, 2.4), 1.5)
    lamina = cone(p, (x - 1, y - 3, -2.5), (1.5, back - 0.5, -4.0), 1.9, 2.3, (1, 1, 2.4))
    stations = [((0, back - 0.5, -4.2), 2.8), ((0, back - s.spinous_mm * 0.5, (low - 4.4) / 2), 2.4),
                ((s.spinous_skew_mm, back - s.spinous_mm, low), 3.0)]  # fmt: skip
    spinous = tube(p, stations, (0.8, 1, 1.85), 2.5)
    return [pedicle, pillar, transverse, lamina, spinous]


def _points(profile: tuple[Contour, ...], s: VertebraShape) -> dict[str, Points]:
    largest = sorted(profile, key=lambda c: -area_and_centroid(c)[0])
    body = next(c for c in largest if c[:, 0].max() > 0)
    spinous = next(c for c in largest if c[:, 0].max() < -s.depth_mm / 2)
    edge = body[body[:, 0] < s.depth_mm / 2 + 0.5]  # osteophytes are no corners
    return {
        "superior_anterior": outermost(edge, (0.7, 0.7)),
        "superior_posterior": outermost(edge, (-0.7, 0.7)),
        "inferior_anterior": outermost(edge, (0.7, -0.7)),
        "inferior_posterior": outermost(edge, (-0.7, -0.7)),
        "superior_centre": np.array([0, 0, s.height_mm / 2]),
        "inferior_centre": np.array([0, 0, -s.height_mm / 2]),
        "spinolaminar": outermost(spinous, (1, 0)),
    }


def build_vertebra(s: VertebraShape, rng: np.random.Generator, step_mm: float = 0.65) -> Bone:
    """Build one of C3 to T1."""
    wide = 4.0 if s.level > 6 else 0.0
    back = -s.depth_mm / 2 - s.canal_mm - s.spinous_mm - 12
    low = -24.0 - s.spinous_drop_mm
    grid = Grid((-34 - wide, back, low), (34 + wide, s.depth_mm / 2 + 9, 18), step_mm)
    p = grid.mirrored
    solid = union([_body(p, s), *_neural_arch(p, s)], 2.4) + roughness(grid, 0.2, 5, rng)
    profile = section(solid, grid)
    return Bone(shells=tuple(bone_shells(solid, grid, s.cortex_mm)), points=_points(profile, s), profile=profile)
