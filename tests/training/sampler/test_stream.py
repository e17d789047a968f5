"""Samples: seeded, exact, cut as the detector cuts, and the joint always there to be seen."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aasnode.anatomy import LANDMARKS
from aasnode.inference.card import Role
from aasnode.inference.hrnet import STRIDE
from aasnode.inference.pose import Pose
from aasnode.training.sampler.attenuation import AttenuationPriors, line_integral
from aasnode.training.sampler.compose import Composition, JointPriors, Split, draw_composition
from aasnode.training.sampler.crops import (
    CONDITIONS,
    COVER,
    CROPS,
    DENS_DEFECT,
    HARDWARE,
    JOINT,
    LOCATE,
    MASKS,
    REFINE,
    CloseUp,
    WholeFilm,
    place_close_up,
    stage_card,
)
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.missing import Missing, MissingPriors, absent_points, defective, draw_missing
from aasnode.training.sampler.occlusions import PRIORS as OCCLUSIONS
from aasnode.training.sampler.occlusions import Cover, Occlusions, draw_occlusions, no_occlusions
from aasnode.training.sampler.stream import (
    ComposedStream,
    Seen,
    _marks,
    crop_maps,
    draw_masks,
    look_at,
    make_sample,
)
from aasnode.training.sampler.surroundings import Reach
from aasnode.training.sampler.warp import turned
from aasnode.training.samples import as_tensors

EVERYTHING = Split()
CLOSE_UPS = (REFINE, JOINT)
OF_THE_NECK = [i for i, name in enumerate(MASKS) if name != COVER]
NO_METAL = {crops.role: np.zeros((crops.input_px,) * 2, bool) for crops in CLOSE_UPS}
PLAIN: dict[str, Any] = {"elsewhere": 0.0, "operated": 0.0, "misplaced": 0.0, "occluded": 0.0}


def composition(library: Library, seed: int) -> Composition:
    return draw_composition(library, Reach.NEIGHBOURHOOD, EVERYTHING, np.random.default_rng(seed))


def seen_through(library: Library, crops: CloseUp, seed: int) -> tuple[Composition, Seen]:
    for attempt in range(20):
        drawn = composition(library, 100 * seed + attempt)
        seen = look_at(drawn, replace(crops, misplaced=0.0), np.random.default_rng(seed))
        if seen is not None:
            return drawn, seen
    raise AssertionError("no composition survives the warp")


def distance_to(contour: npt.NDArray[np.float64], point: npt.NDArray[np.float64]) -> float:
    """Of a point from the nearest edge of a polygon."""
    a, b = contour[:-1], contour[1:]
    along = b - a
    share = np.clip(((point - a) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12), 0, 1)
    return float(np.linalg.norm(a + share[:, None] * along - point, axis=1).min())


@pytest.mark.parametrize("role", list(Role))
def test_the_same_seed_gives_the_same_samples(library: Library, role: Role) -> None:
    stream = ComposedStream(library, CROPS[role], EVERYTHING)
    first, again, other = ([stream.sample(seed, number) for number in range(3)] for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        for name in ("image", "points", "visible", "masks"):
            assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name in ("points", "masks"))
        assert not np.array_equal(a.image, c.image)


@pytest.mark.parametrize("role", list(Role))
def test_samples_are_what_the_training_takes(library: Library, role: Role) -> None:
    stream = ComposedStream(library, CROPS[role], EVERYTHING)
    for sample in stream.held_out(6, 4):
        batch = as_tensors(sample)
        assert batch["image"].shape == (1, stream.size, stream.size)
        assert batch["points"].shape == (len(stream.channels), 2)
        assert batch["masks"].shape == (len(MASKS), stream.size // 4, stream.size // 4)
        assert np.isfinite(sample.image).all()
        assert sample.image.std() == pytest.approx(1, abs=0.05)
        seen = sample.points[sample.visible & np.isfinite(sample.points).all(1)]
        assert ((seen >= 0) & (seen <= stream.size - 1)).all()


@pytest.mark.parametrize("crops", CLOSE_UPS, ids=lambda crops: str(crops.role))
@pytest.mark.parametrize("seed", range(5))
def test_points_lie_on_the_edges_of_the_sections(library: Library, crops: CloseUp, seed: int) -> None:
    _, seen = seen_through(library, crops, seed)
    assert seen.axis is not None
    assert seen.sections is not None
    arch, core, back = seen.sections.anterior_arch, seen.sections.core, seen.sections.posterior_arch
    for point, contour in zip(seen.axis.landmarks, (arch, core, core, back), strict=True):
        assert distance_to(contour, point) < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_masks_end_at_the_points(library: Library, seed: int) -> None:
    """Just inside a section its mask is full, just outside it is empty."""
    _, seen = seen_through(library, REFINE, seed)
    assert seen.axis is not None
    arch, back, core, *_ = draw_masks(seen, NO_METAL[REFINE.role], NO_METAL[REFINE.role])
    forward = 9 * seen.axis.ventral  # pixels: two heatmap pixels
    p = seen.axis.landmarks
    for mask, point, inwards in (
        (arch, p[0], forward),
        (core, p[1], -forward),
        (core, p[2], forward),
        (back, p[3], -forward),
    ):
        if ((point > 16) & (point < REFINE.input_px - 16)).all():
            assert at(mask, point + inwards) > at(mask, point - inwards)
            assert at(mask, point - inwards) < 0.1


def at(mask: npt.NDArray[np.float32], point: npt.NDArray[np.float64]) -> float:
    column, row = np.round((point - 1.5) / 4).astype(int)
    return float(mask[row, column])


@pytest.mark.parametrize("crops", CLOSE_UPS, ids=lambda crops: str(crops.role))
def test_a_crop_in_a_wrong_place_has_nothing_to_find(library: Library, crops: CloseUp) -> None:
    wrong = ComposedStream(library, replace(crops, misplaced=1.0, elsewhere=0.0), EVERYTHING)
    for sample in wrong.held_out(8, 8):
        assert not sample.visible.any()
        assert not sample.masks[OF_THE_NECK].any()
        assert sample.image.std() > 0.5  # yet there is a film to see


@pytest.mark.parametrize("crops", CLOSE_UPS, ids=lambda crops: str(crops.role))
def test_wrong_places_are_as_frequent_as_stated(library: Library, crops: CloseUp) -> None:
    drawn, rng = composition(library, 1), np.random.default_rng(1)
    shown = [place_close_up(crops, drawn, rng).shows_joint for _ in range(2000)]
    assert np.mean(shown) == pytest.approx(1 - crops.misplaced, abs=0.03)


@pytest.mark.parametrize("crops", CLOSE_UPS, ids=lambda crops: str(crops.role))
@pytest.mark.parametrize("seed", range(4))
def test_a_crop_lies_where_the_detector_would_cut_it(library: Library, crops: CloseUp, seed: int) -> None:
    still = replace(crops, zoom_log=0, turn_degrees=0, shift_mm=0, misplaced=0)
    drawn = composition(library, seed)
    placed = place_close_up(still, drawn, np.random.default_rng(0))
    axis, card = drawn.axis, stage_card(crops, "w18-small", "x.safetensors", "")
    focus = axis.landmarks[[LANDMARKS.index(mark) for mark in card.focus]].mean(0)
    angle = float(np.arctan2(axis.ventral[1], axis.ventral[0]))
    pose = Pose(centre=(focus[0], focus[1]), diameter=axis.diameter, angle=angle, mirrored=False)
    assert pose.crop(card).to_crop(axis.landmarks) == pytest.approx(placed.to_crop(axis.landmarks), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_no_weight_erases_the_joint(library: Library, seed: int) -> None:
    """Whatever the lateral parts weigh, arch and dens weaken the beam by at least a fifth where they lie."""
    drawn, seen = seen_through(library, JOINT, seed)
    maps = crop_maps(drawn, seen, turned(1.0, 0.0))
    px = seen.placed.mm_per_px
    for part, name in (("c1", 0), ("c2", 2)):
        median = getattr(maps, part).copy()
        median[:2] = 0
        without = replace(maps, **{part: median})
        section = np.kron(draw_masks(seen, NO_METAL[JOINT.role], NO_METAL[JOINT.role])[name], np.ones((4, 4))) > 0.9
        for chance in range(8):
            whole, rest = (line_integral(one, px, np.random.default_rng(chance)) for one in (maps, without))
            assert np.median((whole - rest)[section]) > -np.log(0.8)


def test_lateral_parts_go_from_full_weight_to_next_to_nothing(library: Library) -> None:
    drawn, seen = seen_through(library, JOINT, 1)
    maps = crop_maps(drawn, seen, turned(1.0, 0.0))
    c1 = maps.c1.copy()
    c1[2:] = 0
    bare = replace(maps, c1=c1)
    calm = AttenuationPriors(texture=(0.0, 0.0), energy_kev=(50.0, 50.0), median_log=0, lateral_blur_mm=(0.0, 0.0))
    shares = []
    for chance in range(40):
        with_masses, without = (
            line_integral(one, seen.placed.mm_per_px, np.random.default_rng(chance), calm) for one in (maps, bare)
        )
        shares.append(float((with_masses - without).sum()))
    assert min(shares) < 0.25 * max(shares)


def test_hidden_points_are_not_taught_as_visible(library: Library) -> None:
    _, seen = seen_through(library, REFINE, 2)
    assert seen.axis is not None
    n = REFINE.input_px
    covered = np.zeros((n, n), bool)
    x, y = np.round(seen.axis.landmarks[1]).astype(int)
    covered[y - 2 : y + 3, x - 2 : x + 3] = True
    _, visible = _marks(seen, REFINE.channels, covered)
    assert not visible[1]
    assert visible[2]


def test_points_just_beyond_the_edge_are_unknown_and_further_off_hidden(library: Library) -> None:
    _, seen = seen_through(library, REFINE, 3)
    assert seen.axis is not None
    none_covered = np.zeros((REFINE.input_px,) * 2, bool)
    for off, known in ((4.0, False), (30.0, True)):
        landmarks = seen.axis.landmarks.copy()
        landmarks[0] = [REFINE.input_px - 1 + off, 90]
        moved = replace(seen, axis=replace(seen.axis, landmarks=landmarks))
        points, visible = _marks(moved, REFINE.channels, none_covered)
        assert bool(np.isfinite(points[0]).all()) is known
        assert bool(visible[0]) is not known


@pytest.mark.parametrize("role", list(Role))
def test_another_part_of_the_body_has_nothing_to_find(library: Library, role: Role) -> None:
    stream = ComposedStream(library, replace(CROPS[role], elsewhere=1.0), EVERYTHING)
    for sample in stream.held_out(12, 9):
        assert not sample.visible.any()
        assert not sample.masks[OF_THE_NECK].any()
        assert np.isfinite(sample.image).all()
        assert sample.image.std() == pytest.approx(1, abs=0.05)


def test_whole_films_of_other_parts_have_borders_as_those_of_necks_do(library: Library) -> None:
    """Else a border alone would tell a neck."""
    shares = {}
    for share in (0.0, 1.0):
        crops = replace(LOCATE, elsewhere=1.0, occluded=0.0, collimated=share)
        samples = ComposedStream(library, crops, EVERYTHING).held_out(8, 3)
        shares[share] = [sample.masks[MASKS.index(COVER)].mean() for sample in samples]

    assert not any(shares[0.0])
    assert np.mean(np.array(shares[1.0]) > 0.02) > 0.5


@pytest.mark.parametrize("crops", CLOSE_UPS, ids=lambda crops: str(crops.role))
def test_hardware_is_marked_and_weakens_the_beam_where_it_is_marked(library: Library, crops: CloseUp) -> None:
    drawn, seen = seen_through(library, crops, 4)
    plain = replace(crops, **PLAIN)
    shares = []
    for seed in range(12):
        none, operated = (
            make_sample(drawn, seen, replace(plain, operated=share), np.random.default_rng(seed)) for share in (0, 1)
        )
        assert none is not None
        assert operated is not None
        assert not none.masks[MASKS.index(HARDWARE)].any()
        shares.append(operated.masks[MASKS.index(HARDWARE)].mean())
    assert max(shares) < 0.6
    assert sum(share > 0.005 for share in shares) >= 4  # the others lie further down


def test_a_point_behind_metal_is_hidden(library: Library) -> None:
    hidden = 0
    for seed in range(12):
        drawn, seen = seen_through(library, REFINE, seed)
        sample = make_sample(drawn, seen, replace(REFINE, **PLAIN | {"operated": 1.0}), np.random.default_rng(seed))
        assert sample is not None
        metal = sample.masks[MASKS.index(HARDWARE)]
        for point, visible in zip(sample.points[:4], sample.visible[:4], strict=True):
            inside = np.isfinite(point).all() and ((point > 4) & (point < REFINE.input_px - 6)).all()
            if inside and at(metal, point) == 1:
                assert not visible
                hidden += 1
    assert hidden


def lacking(library: Library, crops: CloseUp, missing: Missing | None) -> tuple[Composition, Seen]:
    """A composition that lacks this part, through a crop that shows the joint."""
    for seed in range(40):
        drawn = draw_composition(library, Reach.NEIGHBOURHOOD, EVERYTHING, np.random.default_rng(seed), only(missing))
        seen = look_at(drawn, replace(crops, **PLAIN), np.random.default_rng(seed))
        if seen is not None:
            assert drawn.missing is missing
            return drawn, seen
    raise AssertionError("no composition survives the warp")


def only(missing: Missing | None) -> JointPriors:
    """Priors under which every composition lacks this part."""
    shares = {one.name.lower(): float(one is missing) for one in Missing}
    return JointPriors(missing=MissingPriors(**shares))


@pytest.mark.parametrize("missing", list(Missing))
def test_where_the_missing_part_would_be_there_is_less_bone(library: Library, missing: Missing) -> None:
    """Of the midline layers; the whole bones fill the sections that they are drawn with."""
    name = missing.value[:2]
    filled = {}
    for part in (None, missing):
        drawn, seen = lacking(library, REFINE, part)
        midline = getattr(crop_maps(drawn, seen, turned(1.0, 0.0)), name)[:2].sum(0)
        _, arch, core, *_ = (
            np.kron(draw_masks(seen, NO_METAL[REFINE.role], NO_METAL[REFINE.role]), np.ones((1, 4, 4))) > 0.9
        )
        filled[part] = (midline[arch if name == "c1" else core] > 0.2).mean()
    assert filled[None] > 0.97
    assert filled[missing] < 0.96


@pytest.mark.parametrize("missing", list(Missing))
def test_missing_parts_teach_a_mask_of_the_defect_and_no_points(library: Library, missing: Missing) -> None:
    drawn, seen = lacking(library, REFINE, missing)
    sample, whole = (
        make_sample(replace(drawn, missing=part), seen, replace(REFINE, **PLAIN), np.random.default_rng(1))
        for part in (missing, None)
    )
    assert sample is not None
    assert whole is not None
    hidden = {name for name, a, b in zip(REFINE.channels, sample.visible, whole.visible, strict=True) if a != b}
    assert hidden == set(absent_points(missing))
    section, defect = defective(missing)
    assert {name for name, mask in zip(MASKS, sample.masks, strict=True) if np.isnan(mask).any()} == {section}
    painted, outline = sample.masks[MASKS.index(defect)], whole.masks[MASKS.index(section)]
    assert painted.max() == 1
    if defect == DENS_DEFECT:
        assert (painted <= outline).all()
    else:
        assert (painted >= outline - 1e-6).all()
        assert painted.sum() > 1.5 * outline.sum()
        reach = 1 + round(REFINE.about_arch_mm / seen.placed.mm_per_px / STRIDE)
        near = cv2.dilate(outline, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        assert not painted[near == 0].any()
    assert not whole.masks[[MASKS.index(name) for name in CONDITIONS]].any()


def test_the_first_look_finds_the_joint_whatever_is_missing(library: Library) -> None:
    for missing in Missing:
        drawn = draw_composition(library, Reach.FIELD, EVERYTHING, np.random.default_rng(1), only(missing))
        shown = replace(LOCATE, empty=0.0, occluded=0.0, collimated=0.0, operated=0.0)
        seen = look_at(drawn, shown, np.random.default_rng(1))
        assert seen is not None
        sample = make_sample(drawn, seen, shown, np.random.default_rng(1))
        assert sample is not None
        assert sample.visible[:4].all()


def test_parts_are_missing_as_often_as_stated() -> None:
    rng = np.random.default_rng(2)
    priors = MissingPriors(arch_open=0.2, arch_gone=0.1, dens_destroyed=0.1, dens_apart=0.0)
    drawn = [draw_missing(rng, priors) for _ in range(4000)]
    shares = {missing: drawn.count(missing) / len(drawn) for missing in (*Missing, None)}
    assert shares[Missing.ARCH_OPEN] == pytest.approx(0.2, abs=0.03)
    assert shares[Missing.DENS_DESTROYED] == pytest.approx(0.1, abs=0.02)
    assert shares[Missing.DENS_APART] == 0
    assert shares[None] == pytest.approx(0.6, abs=0.04)


def test_empty_films_want_empty_heatmaps(library: Library) -> None:
    stream = ComposedStream(library, replace(LOCATE, empty=1.0), EVERYTHING)
    for sample in stream.held_out(3, 7):
        assert not sample.visible.any()
        assert not sample.masks[OF_THE_NECK].any()


def test_whole_films_show_the_joint_at_every_size_side_and_turn(library: Library) -> None:
    plain: dict[str, Any] = {"empty": 0.0, "occluded": 0.0, "collimated": 0.0, "elsewhere": 0.0, "operated": 0.0}
    stream = ComposedStream(library, replace(LOCATE, **plain), EVERYTHING)
    points = np.stack([sample.points for sample in stream.held_out(60, 8)])
    ventral = points[:, 0] - points[:, 3]
    caudal = points[:, 6] - points[:, :4].mean(1)
    diameters = np.linalg.norm(ventral, axis=1)
    mirrored = ventral[:, 0] * caudal[:, 1] - ventral[:, 1] * caudal[:, 0] < 0
    assert diameters.max() / diameters.min() > 2.5
    assert 0.3 < mirrored.mean() < 0.7
    assert (np.abs(np.degrees(np.arctan2(ventral[:, 1], np.abs(ventral[:, 0])))) > 60).any()
    assert ((points[:, :4] >= 0) & (points[:, :4] < LOCATE.input_px)).all()


def test_covers_replace_the_picture_and_are_told() -> None:
    picture = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    where = np.zeros((8, 8), bool)
    where[:, :2] = True
    hidden = replace(no_occlusions(8), covers=(Cover(where=where, level=0.5),))
    assert np.array_equal(hidden.covered, where)
    assert hidden.over(picture)[where] == pytest.approx(0.5)
    assert np.array_equal(hidden.over(picture)[~where], picture[~where])


@pytest.mark.parametrize("kind", ["rings", "letters"])
def test_small_metal_is_put_over_the_points_and_told_where_it_hides_them(kind: str) -> None:
    drawn = drawn_over_a_point(kind, metal_density=(2.0, 6.0))
    hides = np.mean([one.covered[90, 40] for one in drawn])
    by_chance = np.mean([one.covered.mean() for one in drawn])
    assert hides > 0.25
    assert hides > 3 * by_chance


@pytest.mark.parametrize("kind", ["rings", "letters"])
def test_metal_that_lets_the_points_through_does_not_tell_where_they_are(kind: str) -> None:
    drawn = drawn_over_a_point(kind, metal_density=(0.4, 1.0), letters_dense=0.0)
    assert not any(one.covered.any() for one in drawn)
    lies_over = np.mean([one.added[90, 40] > 0.1 for one in drawn])
    assert lies_over < 2 * np.mean([(one.added > 0.1).mean() for one in drawn]) + 0.03


def drawn_over_a_point(kind: str, **priors: Any) -> list[Occlusions]:
    """Crops with nothing but this kind of metal, always aimed at the point (40, 90) where it may be."""
    shares = dict.fromkeys(("ear_rods", "shadows", "rings", "letters", "edge", "patch"), 0) | {kind: 1.0}
    own = replace(OCCLUSIONS, **shares, over_a_point=1.0, **priors)
    point = np.array([[40.0, 90.0]])
    return [draw_occlusions(160, 0.2, np.random.default_rng(i), point, own) for i in range(100)]


def test_the_mask_of_what_covers_lies_where_points_are_hidden(library: Library) -> None:
    crops = replace(JOINT, misplaced=0.0, elsewhere=0.0, operated=0.0, occluded=1.0)
    stream = ComposedStream(library, crops, EVERYTHING)
    number, last = stream.masks.index(COVER), crops.input_px // 4 - 1
    seen: dict[bool, list[float]] = {True: [], False: []}
    for sample in stream.held_out(60, 4):
        inside = np.isfinite(sample.points).all(1) & ((sample.points > 0) & (sample.points < 159)).all(1)
        for (x, y), visible in zip(sample.points[inside], sample.visible[inside], strict=True):
            column, row = (int(np.clip(np.round((v - 1.5) / 4), 0, last)) for v in (x, y))
            seen[bool(visible)].append(float(sample.masks[number, row, column]))
    assert np.mean(seen[False]) > 0.6
    assert np.mean(seen[True]) < 0.05


def test_stage_cards_say_what_the_samples_hold() -> None:
    for role, crops in CROPS.items():
        card = stage_card(crops, "w18-small", "x.safetensors", "")
        assert card.role is role
        assert card.channels == crops.channels
        assert isinstance(crops, WholeFilm) or card.diameter_px == pytest.approx(34 / crops.mm_per_px)
