"""The four points and the two lengths, as the node defines them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from aasnode.anatomy import LANDMARKS, Landmark, View
from aasnode.geometry import Point
from aasnode.training.simulate.articulation import Anatomy, articulate
from aasnode.training.simulate.atlantoaxial import atlas_axis, fitted_ring
from aasnode.training.simulate.bones.c1 import arches
from aasnode.training.simulate.landmarks import landmarks_of
from aasnode.training.simulate.materials import Layer
from aasnode.training.simulate.meshes import area_and_centroid
from aasnode.training.simulate.patient import Variant
from aasnode.training.simulate.posture import draw_posture, draw_stand, square, straight
from aasnode.training.simulate.priors import Priors, draw_view
from aasnode.training.simulate.scene import Scene, Window, compose
from aasnode.training.simulate.truth import SCENE_LANDMARKS

CROP = Window(rows=360, columns=360, pixel_mm=0.2, on_joint=True)
MakeAnatomy = Callable[..., Anatomy]


def photographed(anatomy: Anatomy, view: View, seed: int, *, years: float = 0.0) -> Scene:
    rng = np.random.default_rng(seed)
    posture, stand = straight(draw_posture(view, rng)), square(draw_stand(rng))
    return compose(anatomy, posture, stand, years, CROP, rng)


def apart_mm(a: Point, b: Point, window: Window = CROP) -> float:
    return float(np.hypot(a.x - b.x, a.y - b.y)) * window.pixel_mm


@pytest.mark.parametrize("seed", range(4))
def test_adi_on_the_film_is_the_magnified_adi(make_anatomy: MakeAnatomy, seed: int) -> None:
    view = (View.NEUTRAL, View.FLEXION, View.EXTENSION, View.FLEXION)[seed]
    scene = photographed(make_anatomy(40 + seed, Priors.FILLED, view), view, seed)
    aa, da, dp, pa = (scene.landmarks[name] for name in LANDMARKS)

    assert scene.adi_mm >= 1
    assert apart_mm(aa, da) == pytest.approx(scene.magnification * scene.adi_mm, rel=0.005)
    assert apart_mm(dp, pa) == pytest.approx(scene.magnification * scene.sac_mm, rel=0.005)


def test_adi_is_what_was_asked_for_and_opens_in_flexion(make_anatomy: MakeAnatomy) -> None:
    anatomy = make_anatomy(3, shells=False)
    lengths = {}
    for view in (View.EXTENSION, View.NEUTRAL, View.FLEXION):
        neck = articulate(anatomy, draw_posture(view, np.random.default_rng(1)), 0.0)
        assert neck.adi_mm == pytest.approx(anatomy.patient.adi_mm(0.0, view), abs=1e-6)
        lengths[view] = neck.adi_mm
    assert lengths[View.EXTENSION] < lengths[View.NEUTRAL] < lengths[View.FLEXION]


def test_the_inner_diameter_of_c1_is_the_same_in_flexion_and_extension(make_anatomy: MakeAnatomy) -> None:
    anatomy = make_anatomy(5)
    diameters = []
    for view in (View.FLEXION, View.EXTENSION):
        scene = photographed(anatomy, view, 9)
        points = [scene.landmarks[name] for name in LANDMARKS]
        diameters.append(apart_mm(points[0], points[3]) / scene.magnification)
        dens_mm = apart_mm(points[1], points[2]) / scene.magnification
        assert scene.adi_mm + dens_mm + scene.sac_mm == pytest.approx(anatomy.atlas.inner_diameter_mm, abs=0.01)
    assert diameters[0] == pytest.approx(diameters[1], abs=0.005)


def test_the_four_points_lie_on_the_c1_axis_ventral_to_dorsal(make_anatomy: MakeAnatomy) -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        view = draw_view(rng)
        anatomy = make_anatomy(seed, Priors.FILLED, view, shells=False)
        neck = articulate(anatomy, draw_posture(view, rng), 0.0)
        points = landmarks_of(neck)
        c1 = anatomy.bones["c1"]
        centres = [neck.transforms["c1_midplane"]([0, *area_and_centroid(a)[1]]) for a in arches(c1.profile)]
        axis = (centres[0] - centres[1]) / np.linalg.norm(centres[0] - centres[1])
        along = np.array([(points[name] - centres[1]) @ axis for name in LANDMARKS])
        off = [np.linalg.norm(np.cross(points[name] - centres[1], axis)) for name in LANDMARKS]

        assert max(off) < 0.02
        assert np.all(np.diff(along) <= 1e-6)


@pytest.mark.parametrize("settling_mm", [0.0, 4.0])
def test_landmarks_lie_on_edges_of_the_bones(make_anatomy: MakeAnatomy, settling_mm: float) -> None:
    """Along the axis, each cortex begins or ends within half a millimetre of its landmark in the bone's own shadow."""
    distances = []
    for seed in range(3):
        anatomy = settled(make_anatomy(60 + seed, Priors.FILLED), settling_mm)
        scene = photographed(anatomy, View.NEUTRAL, seed)
        c1 = scene.maps[Layer.C1_CORTICAL] + scene.maps[Layer.C1_CANCELLOUS]
        c2 = scene.maps[Layer.C2_CORTICAL] + scene.maps[Layer.C2_CANCELLOUS]
        forward = np.array([scene.landmarks[LANDMARKS[0]].x - scene.landmarks[LANDMARKS[3]].x,
                            scene.landmarks[LANDMARKS[0]].y - scene.landmarks[LANDMARKS[3]].y])  # fmt: skip
        forward /= np.linalg.norm(forward)
        for name, shadow, sense in zip(LANDMARKS, (c1, c2, c2, c1), (1, -1, 1, -1), strict=True):
            distances.append(abs(edge_offset_mm(shadow, scene.landmarks[name], forward * sense)))
    assert np.median(distances) < 0.2
    assert max(distances) < 0.5


def settled(anatomy: Anatomy, settling_mm: float) -> Anatomy:
    return replace(anatomy, patient=replace(anatomy.patient, settling_mm=settling_mm))


def heights_on_dens_mm(scene: Scene) -> npt.NDArray[np.float64]:
    """Of the four points above the base of the dens, along the line to its tip, in the patient."""
    names = ("dens_base", "dens_tip", *LANDMARKS)
    base, tip, *points = (np.array([scene.landmarks[name].x, scene.landmarks[name].y]) for name in names)
    up = (tip - base) / np.linalg.norm(tip - base)
    return (np.array(points) - base) @ up * scene.window.pixel_mm / scene.magnification


@pytest.mark.parametrize("seed", range(3))
def test_on_the_film_the_four_points_sink_on_the_dens_as_far_as_c1_settles(
    make_anatomy: MakeAnatomy, seed: int
) -> None:
    anatomy = make_anatomy(60 + seed, shells=False)
    before, after = (photographed(settled(anatomy, mm), View.NEUTRAL, seed) for mm in (0.0, 4.0))

    assert heights_on_dens_mm(before) - heights_on_dens_mm(after) == pytest.approx([4.0] * 4, abs=0.4)
    assert after.adi_mm == pytest.approx(before.adi_mm)


def edge_offset_mm(shadow: np.ndarray, at: Point, into_bone: np.ndarray) -> float:
    """Where the thickness rises fastest on the way into the bone, within 1.4 mm of the landmark."""
    steps_mm = np.arange(-1.4, 1.41, 0.05)
    x, y = (c + steps_mm / CROP.pixel_mm * d for c, d in zip((at.x, at.y), into_bone, strict=True))
    from scipy.ndimage import map_coordinates

    profile = map_coordinates(shadow, [y, x], order=1)
    return float(steps_mm[np.gradient(profile).argmax()])


def test_a_fitted_ring_moves_its_arches_and_keeps_their_shape(make_anatomy: MakeAnatomy) -> None:
    c1 = make_anatomy(1, shells=False).bones["c1"]
    assert atlas_axis(c1).inner_diameter_mm < 34

    wider = fitted_ring(c1, 35.0)

    assert atlas_axis(wider).inner_diameter_mm == pytest.approx(35.0, abs=0.01)
    for before, after in zip(arches(c1.profile), arches(wider.profile), strict=True):
        assert np.ptp(after, axis=0) == pytest.approx(np.ptp(before, axis=0), abs=0.05)


def test_every_scene_names_every_landmark(make_anatomy: MakeAnatomy) -> None:
    scene = photographed(make_anatomy(2), View.NEUTRAL, 4)

    assert tuple(scene.landmarks) == SCENE_LANDMARKS
    assert len(SCENE_LANDMARKS) == 50
    assert set(scene.maps) == set(Layer)
    for layer in (Layer.C1_CORTICAL, Layer.C1_LATERAL_CANCELLOUS, Layer.C2_CANCELLOUS, Layer.SKULL_DIPLOE, Layer.SOFT):
        assert scene.maps[layer].max() > 1


def test_a_destroyed_dens_has_no_points_but_keeps_those_of_c1(make_anatomy: MakeAnatomy) -> None:
    anatomy = make_anatomy(7, variant=Variant.DESTROYED_DENS)
    scene = photographed(replace(anatomy, patient=anatomy.patient), View.NEUTRAL, 2)

    assert {Landmark.DENS_ANTERIOR, Landmark.DENS_POSTERIOR} <= scene.absent
    assert Landmark.C1_ANTERIOR_ARCH_POSTERIOR not in scene.absent
