"""Solids, shells, and the bank that keeps them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aasnode.training.simulate.bank import FIRST_EDITION, Bank, BoneKind, build
from aasnode.training.simulate.bones.c1 import arches, build_c1, draw_c1_shape
from aasnode.training.simulate.bones.c1_posterior_arch import (
    PosteriorArch,
    PosteriorArchShape,
    draw_posterior_arch,
    posterior_arch,
)
from aasnode.training.simulate.bones.c2 import build_c2, draw_c2_shape
from aasnode.training.simulate.meshes import Bone, Material, Shell, area_and_centroid, crossings, section, shell
from aasnode.training.simulate.solids import Grid, carve, ellipsoid, rounded_box
from aasnode.training.trial import TO_CALIBRATE, TO_EVALUATE

COARSE_MM = 1.0


def volume_mm3(piece: Shell) -> float:
    a, b, c = (piece.vertices[piece.faces[:, i]].astype(float) for i in range(3))
    return abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6


def test_a_shell_holds_the_volume_of_its_solid() -> None:
    grid = Grid((-12, -9, -7), (12, 9, 7), 0.5)
    piece = shell(ellipsoid(grid.axes, (0, 0, 0), (10, 7, 5)), grid, 0.0, {Material.SOFT: 1.0})

    assert volume_mm3(piece) == pytest.approx(4 / 3 * np.pi * 10 * 7 * 5, rel=0.02)


def test_a_solid_that_leaves_its_grid_is_closed_at_the_border() -> None:
    grid = Grid((-5, -5, -5), (5, 5, 5), 0.5)
    piece = shell(rounded_box(grid.axes, (0, 0, 0), (50, 50, 50), 1.0), grid, 0.0, {Material.SOFT: 1.0})
    edges = np.sort(np.concatenate([piece.faces[:, [0, 1]], piece.faces[:, [1, 2]], piece.faces[:, [2, 0]]]), axis=1)

    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert set(uses) == {2}


def test_carving_takes_away_and_never_adds() -> None:
    grid = Grid((-10, -10, -10), (10, 10, 10), 1.0)
    body, hole = ellipsoid(grid.axes, (0, 0, 0), (8, 8, 8)), ellipsoid(grid.axes, (4, 0, 0), (3, 3, 3))

    left = carve(body, hole)

    assert not np.any((left < 0) & (body > 0))
    assert np.all(left[hole < -1] > 0)


def test_a_section_is_crossed_where_geometry_says() -> None:
    grid = Grid((-3, -12, -12), (3, 12, 12), 0.5)
    profile = section(np.broadcast_to(ellipsoid(grid.axes, (0, 2, 1), (9, 9, 9)), grid.shape), grid)
    area, centroid = area_and_centroid(profile[0])

    np.testing.assert_allclose(crossings(profile, (2.0, 1.0), (1.0, 0.0)), [-9, 9], atol=0.02)
    np.testing.assert_allclose(centroid, (2, 1), atol=0.02)
    assert area == pytest.approx(np.pi * 81, rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_every_drawn_atlas_and_axis_has_its_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    c1 = build_c1(draw_c1_shape(rng), rng, COARSE_MM)
    c2 = build_c2(draw_c2_shape(rng, eroded=True), rng, COARSE_MM)

    front, back = arches(c1.profile)
    assert front[:, 0].min() > 0 > back[:, 0].max()
    assert 4 < np.ptp(front[:, 0]) < 16
    assert 8 < np.ptp(front[:, 1]) < 24
    assert c2.points["dens_tip"][2] > c2.points["dens_base"][2] + 8
    assert c2.points["inferior_anterior"][1] > 0 > c2.points["inferior_posterior"][1]
    for bone in (c1, c2):
        materials = {material for piece in bone.shells for material, _ in piece.shares}
        assert {Material.CORTICAL, Material.LATERAL_CORTICAL, Material.LATERAL_CANCELLOUS} <= materials


def test_an_open_arch_has_no_bone_in_the_midline_behind() -> None:
    closed, opened = (
        build_c1(draw_c1_shape(np.random.default_rng(1), arch), np.random.default_rng(2), COARSE_MM)
        for arch in (PosteriorArch.CLOSED, PosteriorArch.OPEN)
    )

    assert in_midline_behind(closed)
    assert not in_midline_behind(opened)
    assert opened.numbers["posterior_arch_absent"]


def an_arch(**form: float) -> PosteriorArchShape:
    """A plain ring, 10 high and 6 deep, on a bar of 4 by 4 that is level with it."""
    plain = {"depth_mm": 6, "height_mm": 10, "level_mm": 0, "bar_depth_mm": 4, "bar_height_mm": 4, "bar_level_mm": 0,
             "flare_mm": 5, "flare_power": 3, "curve_mm": 15, "lean": 0, "squareness": 2.5, "taper": 0, "body_share": 0,
             "tubercle_mm": 0}  # fmt: skip
    return replace(draw_posterior_arch(np.random.default_rng(0)), **(plain | form))


def slice_of(shape: PosteriorArchShape, x_mm: float) -> np.ndarray:
    """(m, 2) the y and z, in mm, of what is bone so far beside the midline."""
    grid = Grid((-16, -30, -12), (16, 0, 12), 0.25)
    column = round((x_mm - grid.low[0]) / grid.step_mm)
    solid = np.broadcast_to(posterior_arch(grid.mirrored, shape, 29.5, 17.0), grid.shape)[column]
    rows = np.argwhere(solid < 0)
    return rows * grid.step_mm + grid.low[1:]


def height_at(bone: np.ndarray, y_mm: float) -> float:
    return float(np.ptp(bone[abs(bone[:, 0] - y_mm) < 0.3][:, 1]))


def front_at(bone: np.ndarray, z_mm: float) -> float:
    return float(bone[abs(bone[:, 1] - z_mm) < 0.3][:, 0].max())


def test_the_bar_of_a_posterior_arch_flares_into_a_ring_in_the_midline() -> None:
    ring, bar = slice_of(an_arch(), 0.0), slice_of(an_arch(), 10.0)

    assert np.ptp(ring[:, 1]) == pytest.approx(10, abs=0.6)
    assert np.ptp(ring[:, 0]) == pytest.approx(6, abs=0.6)
    assert ring[:, 0].max() == pytest.approx(-29.5 / 2, abs=0.4)  # the canal's back wall
    assert np.ptp(bar[:, 1]) == pytest.approx(4, abs=0.8)


def test_a_ring_that_tapers_is_lower_behind_and_one_that_leans_comes_forward_above() -> None:
    tapered, leaning = slice_of(an_arch(taper=1.0), 0.0), slice_of(an_arch(lean=0.3), 0.0)

    assert height_at(tapered, -16.0) > height_at(tapered, -19.5) + 2
    assert front_at(leaning, 2.5) - front_at(leaning, -2.5) == pytest.approx(0.3 * 5, abs=0.5)


def in_midline_behind(c1: Bone) -> bool:
    return any(np.any((abs(s.vertices[:, 0]) < 1.5) & (s.vertices[:, 1] < -10)) for s in c1.shells)


def test_a_bone_read_back_is_the_bone_that_was_built(tmp_path: Path) -> None:
    key = (BoneKind.C1, 3)
    first, again = Bank(tmp_path).get(key)["c1"], Bank(tmp_path).get(key)["c1"]
    built = build(key)["c1"]

    for other in (first, again):
        assert other.numbers == built.numbers
        assert all(np.array_equal(other.points[name], point) for name, point in built.points.items())
        for mine, theirs in zip(other.shells, built.shells, strict=True):
            assert np.array_equal(mine.vertices, theirs.vertices)
            assert np.array_equal(mine.faces, theirs.faces)
            assert mine.shares == theirs.shares
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".npz"]


def test_another_edition_is_another_bone() -> None:
    editions = (FIRST_EDITION, TO_CALIBRATE.edition, TO_EVALUATE.edition)
    lengths = {float(build((BoneKind.C1, 0), edition)["c1"].shells[0].vertices.max()) for edition in editions}
    assert len(lengths) == len(editions)


def test_another_number_is_another_bone() -> None:
    one, two = (build((BoneKind.C1, n))["c1"].points["anterior_arch_centre"] for n in (0, 1))

    assert not np.allclose(one, two)
