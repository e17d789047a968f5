"""Closed shells from solids, and the Bone that carries them.

A bone is a set of closed triangle meshes, each adding or taking away a share of one material: outer surface, then a
graded cortex, then marrow. With it go named 3-D points and its mid-sagittal profile. Knows no anatomy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours, marching_cubes

from aasnode.training.simulate.solids import Field, Grid, Rotation

Points = npt.NDArray[np.float64]
Contour = npt.NDArray[np.float64]


class Material(StrEnum):
    """What a shell is made of; with the bone's place it decides the layer."""

    CORTICAL = "cortical"
    CANCELLOUS = "cancellous"
    LATERAL_CORTICAL = "lateral_cortical"  # of what lies beside the midline: training weighs it apart
    LATERAL_CANCELLOUS = "lateral_cancellous"
    DIPLOE = "diploe"
    TOOTH = "tooth"
    METAL = "metal"
    SOFT = "soft"
    AIR = "air"


LATERAL = (Material.LATERAL_CORTICAL, Material.LATERAL_CANCELLOUS)


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A closed mesh that adds, for each of its ``shares``, weight × its chord length to that material's thickness."""

    vertices: npt.NDArray[np.float32]  # (n, 3) mm
    faces: npt.NDArray[np.int32]  # (m, 3)
    shares: tuple[tuple[Material, float], ...]


@dataclass(frozen=True, kw_only=True)
class Transform:
    """Rigid motion: ``rotation @ point + translation``."""

    rotation: Rotation
    translation: npt.NDArray[np.float64]  # (3,) mm

    def __call__(self, points: npt.ArrayLike) -> Points:
        """Move points (..., 3)."""
        moved: Points = np.asarray(points, float) @ self.rotation.T + self.translation
        return moved

    def turn(self, direction: npt.ArrayLike) -> Points:
        """Turn directions (..., 3); no translation."""
        turned: Points = np.asarray(direction, float) @ self.rotation.T
        return turned

    def inverse(self) -> "Transform":
        """The motion back."""
        return Transform(rotation=self.rotation.T, translation=-self.rotation.T @ self.translation)

    def after(self, first: "Transform") -> "Transform":
        """This motion after ``first``."""
        return Transform(rotation=self.rotation @ first.rotation, translation=self(first.translation))


IDENTITY = Transform(rotation=np.eye(3), translation=np.zeros(3))


@dataclass(frozen=True, kw_only=True)
class Bone:
    """Shells, named points (3,) mm and the closed contours (n, 2) = (y, z) mm of the mid-sagittal plane x = 0."""

    shells: tuple[Shell, ...]
    points: Mapping[str, Points]
    profile: tuple[Contour, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)

    def warped(self, warp: Callable[[Points], Points]) -> "Bone":
        """The bone with every vertex, point and contour sent through ``warp``: (n, 3) mm to (n, 3) mm.

        The warp must keep the plane x = 0 in itself, and orientation.
        """
        shells = tuple(replace(s, vertices=warp(s.vertices.astype(float)).astype(np.float32)) for s in self.shells)
        points = {name: warp(np.atleast_2d(p))[0] for name, p in self.points.items()}
        profile = tuple(warp(np.c_[np.zeros(len(c)), c])[:, 1:] for c in self.profile)
        return replace(self, shells=shells, points=points, profile=profile)

    def scaled(self, factors: Sequence[float]) -> "Bone":
        """The bone stretched about its origin."""
        scale = np.asarray(factors, float)
        return self.warped(lambda points: points * scale)


def shell(solid: Field, grid: Grid, level_mm: float, shares: Mapping[Material, float]) -> Shell:
    """Closed surface at ``level_mm``; a solid that touches the grid's border is closed there."""
    inner = np.broadcast_to(solid, grid.shape)[1:-1, 1:-1, 1:-1]
    closed = np.pad(inner, 1, constant_values=abs(level_mm) + 1.0)
    vertices, faces, _, _ = marching_cubes(closed, level_mm, spacing=(grid.step_mm,) * 3)  # type: ignore[no-untyped-call]
    placed = (vertices + grid.low).astype(np.float32)
    return Shell(vertices=placed, faces=faces.astype(np.int32), shares=tuple(shares.items()))


def bone_shells(
    solid: Field,
    grid: Grid,
    cortex_mm: float,
    *,
    extra_cortex_mm: Field | float = 0.0,
    materials: tuple[Material, Material] = (Material.CORTICAL, Material.CANCELLOUS),
    weight: float = 1.0,
    marrow_weight: float = 1.0,
) -> list[Shell]:
    """Outer cortex, graded in two steps into marrow; none where the solid is empty.

    ``extra_cortex_mm`` makes the cortex thicker where it is positive; ``materials`` are cortex and marrow. ``weight``
    makes the whole bone lighter, ``marrow_weight`` the marrow alone, below 1.
    """
    cortex, marrow = materials
    if solid.min() >= 0:
        return []
    shells = [shell(solid, grid, 0.0, {cortex: weight})]
    within: Field = np.asarray(solid + np.asarray(extra_cortex_mm, np.float32), np.float32)
    shares = {cortex: -0.5 * weight, marrow: 0.5 * weight * marrow_weight}
    deep = [d for d in (0.6 * cortex_mm, 1.4 * cortex_mm) if within.min() < -d - 0.3]
    return shells + [shell(within, grid, -depth_mm, shares) for depth_mm in deep]


def section(solid: Field, grid: Grid) -> tuple[Contour, ...]:
    """Contours (y, z) of the solid in the plane x = 0; they lie on the outer shell."""
    plane = solid[grid.column_of_midline()]
    return tuple(c * grid.step_mm + grid.low[1:] for c in find_contours(plane, 0.0))  # type: ignore[no-untyped-call]


def area_and_centroid(contour: Contour) -> tuple[float, npt.NDArray[np.float64]]:
    """Area (mm²) and centroid (y, z) of a closed contour."""
    a, b = contour[:-1], contour[1:]
    cross = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    area = cross.sum() / 2
    return abs(float(area)), ((a + b) * cross[:, None]).sum(axis=0) / (6 * area)


def crossings(profile: Sequence[Contour], origin: npt.ArrayLike, direction: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Distances along the line at which it enters or leaves the profile, in order; (y, z) mm."""
    start, along = np.asarray(origin, float), np.asarray(direction, float)
    normal = np.array([-along[1], along[0]])
    found: list[float] = []
    for contour in profile:
        across, distance = (contour - start) @ normal, (contour - start) @ along
        ahead = across >= 0  # a vertex on the line belongs to one side
        i = np.flatnonzero(ahead[:-1] != ahead[1:])
        share = across[i] / (across[i] - across[i + 1])
        found += list(distance[i] + share * (distance[i + 1] - distance[i]))
    return np.array(sorted(found))


def outermost(contour: Contour, direction: tuple[float, float]) -> Points:
    """The point (0, y, z) of a contour that lies farthest towards ``direction`` (y, z): an edge, or a corner."""
    return np.array([0.0, *contour[(contour @ np.asarray(direction)).argmax()]])
