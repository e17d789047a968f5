"""Postures, slips, wear and variants: the necks that a network must meet are the necks that are built."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from aasnode.anatomy import LANDMARKS, Landmark, View
from aasnode.training.simulate.articulation import Anatomy, Neck, articulate
from aasnode.training.simulate.bank import BoneKind, keys_of
from aasnode.training.simulate.bones.skull import draw_skull_shape, teeth
from aasnode.training.simulate.landmarks import landmarks_of
from aasnode.training.simulate.meshes import Material, Points
from aasnode.training.simulate.patient import Patient, Variant, draw_patient
from aasnode.training.simulate.posture import draw_posture, draw_stand
from aasnode.training.simulate.scene import Window, compose

MakeAnatomy = Callable[..., Anatomy]
CROP = Window(rows=240, columns=240, pixel_mm=0.4, on_joint=True)


def bowed_degrees(neck: Neck) -> float:
    """How far the line from T1 to C2 leans forward from upright."""
    _, forward, up = neck.at("c2", "inferior_posterior") - neck.at("t1", "superior_posterior")
    return float(np.degrees(np.arctan2(forward, up)))


def angle_between_degrees(neck: Neck, upper: str, lower: str) -> float:
    """Of the lower ends of two vertebrae in the mid-sagittal plane."""

    def endplate(bone: str) -> Points:
        return neck.at(bone, "inferior_anterior") - neck.at(bone, "inferior_posterior")

    a, b = (np.degrees(np.arctan2(line[2], line[1])) for line in (endplate(upper), endplate(lower)))
    return float(a - b)


def test_the_strongest_flexion_lays_the_neck_almost_flat(make_anatomy: MakeAnatomy) -> None:
    anatomy = make_anatomy(3, shells=False)
    postures = [draw_posture(View.FLEXION, np.random.default_rng(seed)) for seed in range(120)]
    bowed = {flat: [bowed_degrees(articulate(anatomy, p, 0.0)) for p in postures if p.near_horizontal is flat]
             for flat in (True, False)}  # fmt: skip
    assert len(bowed[True]) > 5
    assert np.median(bowed[True]) > np.median(bowed[False]) + 25
    assert min(bowed[True]) > 45


def test_a_vertebra_that_slips_stands_forward_of_its_neighbour_and_slips_on(make_anatomy: MakeAnatomy) -> None:
    anatomy = make_anatomy(4, shells=False)
    posture = draw_posture(View.NEUTRAL, np.random.default_rng(1))

    def step_mm(slip_mm: float, years: float = 0.0) -> float:
        """Of C4 upon C5."""
        slips = tuple(slip_mm if gap == 2 else 0.0 for gap in range(6))
        patient = replace(anatomy.patient, slips_mm=slips, slip_mm_per_year=0.5)
        neck = articulate(replace(anatomy, patient=patient), posture, years)
        return float((neck.at("c4", "inferior_posterior") - neck.at("c5", "superior_posterior"))[1])

    straight = step_mm(0.0)
    forward = step_mm(3.0) - straight
    assert 2.4 < forward <= 3.0  # along C5's own tilt
    assert step_mm(3.0, years=4.0) - straight == pytest.approx(forward * 5 / 3, rel=1e-6)
    assert step_mm(0.0, years=4.0) == pytest.approx(straight)  # what does not slip stays


@pytest.mark.parametrize("seed", range(4))
def test_a_c1_that_settles_sinks_on_the_dens_with_the_head_upon_it_and_goes_on_with_the_years(
    make_anatomy: MakeAnatomy, seed: int
) -> None:
    """Vertical subluxation, by as much as was drawn along the axis of the dens, in the landmarks' truth."""
    anatomy = make_anatomy(seed, shells=False)
    posture = draw_posture(View.NEUTRAL, np.random.default_rng(1))
    sinking = (*LANDMARKS, "c1_anterior_arch_superior", "c1_posterior_arch_inferior", "basion")

    def heights_mm(settling_mm: float, years: float = 0.0) -> Points:
        """Above the base of the dens."""
        progress = {"settling_mm": settling_mm, "settling_mm_per_year": 0.5, "laxity_per_year": 0.0}
        neck = articulate(replace(anatomy, patient=replace(anatomy.patient, **progress)), posture, years)
        base, end = neck.at("c2", "dens_base"), neck.at("c2", "dens_axis_end")
        points = landmarks_of(neck)
        return np.array([points[name] - base for name in sinking]) @ (end - base) / np.linalg.norm(end - base)

    start = heights_mm(0.0)
    for settling_mm in (1.0, 2.5, 5.0):
        assert start - heights_mm(settling_mm) == pytest.approx(settling_mm, abs=0.4)
    assert heights_mm(1.0, years=3.0) == pytest.approx(heights_mm(2.5))


def test_worn_necks_have_worn_vertebrae_and_low_discs() -> None:
    patients = [draw_patient(number, np.random.default_rng(number), variants=False) for number in range(300)]
    groups = {worn: [p for p in patients if (p.degeneration > 0.5) is worn] for worn in (True, False)}
    assert all({BoneKind.SUBAXIAL_WORN in kinds_of(p) for p in group} == {worn} for worn, group in groups.items())
    height = {worn: np.mean([p.disc_mm for p in group]) for worn, group in groups.items()}
    assert height[True] < height[False] - 0.3


def kinds_of(patient: Patient) -> set[BoneKind]:
    return {kind for kind, _ in keys_of(patient)}


@pytest.mark.parametrize(("variant", "absent"), [
    (Variant.NONE, set()),
    (Variant.OPEN_POSTERIOR_ARCH, {Landmark.C1_POSTERIOR_ARCH_ANTERIOR}),
    (Variant.MISSING_POSTERIOR_ARCH, {Landmark.C1_POSTERIOR_ARCH_ANTERIOR}),
    (Variant.OS_ODONTOIDEUM, {Landmark.DENS_ANTERIOR, Landmark.DENS_POSTERIOR}),
    (Variant.FUSED_C2_C3, set()),
])  # fmt: skip
def test_a_variant_lacks_the_points_of_the_part_that_it_lacks(
    make_anatomy: MakeAnatomy, variant: Variant, absent: set[Landmark]
) -> None:
    rng = np.random.default_rng(6)
    anatomy = make_anatomy(8, variant=variant)
    scene = compose(anatomy, draw_posture(View.NEUTRAL, rng), draw_stand(rng), 0.0, CROP, rng)
    assert set(LANDMARKS) & scene.absent == absent


def test_fused_vertebrae_move_as_one(make_anatomy: MakeAnatomy) -> None:
    moved = {}
    for variant in (Variant.FUSED_C2_C3, Variant.NONE):
        anatomy = make_anatomy(9, shells=False, variant=variant)
        bent = [
            articulate(anatomy, draw_posture(view, np.random.default_rng(2)), 0.0)
            for view in (View.FLEXION, View.EXTENSION)
        ]
        moved[variant] = abs(np.subtract(*(angle_between_degrees(neck, "c2", "c3") for neck in bent)))
    assert moved[Variant.FUSED_C2_C3] == pytest.approx(0, abs=1e-6)
    assert moved[Variant.NONE] > 5


@pytest.mark.parametrize(("expected", "some"), [(0.0, False), (6.0, True)])
def test_teeth_have_as_many_fillings_as_their_owner(expected: float, some: bool) -> None:
    rng = np.random.default_rng(3)
    row = teeth(-60.0, -79.0, replace(draw_skull_shape(rng), fillings=expected, missing_teeth=0.0), rng)
    metal = [shell for shell in row if dict(shell.shares).get(Material.METAL)]
    assert bool(metal) is some
    assert len(row) == len(metal) + 1  # the teeth themselves
