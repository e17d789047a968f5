"""The detector finds what its networks see, wherever it lies on the film, and says no more than they support."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from aasnode.anatomy import Facing, Landmark, View
from aasnode.errors import ModelError
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.card import Card, MaskRule, Role, sha256_of, write_card
from aasnode.inference.crop import Crop, Film, Points
from aasnode.inference.decide import decide, on_axis, with_height_shared
from aasnode.inference.detection import Detection, Outcome, Reason
from aasnode.inference.detector import load_detector
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.stage import Reading
from aasnode.inference.weights import write_weights
from tests.inference.oracle import LANDMARKS, Oracle, answer, decision, detector, model_card, place, stage_card

FILM = np.zeros((800, 600), np.float32)
C1_AT = (320.0, 300.0)


def found_points(detection: Detection) -> Points:
    estimates = [detection.landmarks[mark] for mark in LANDMARKS]
    return np.array([[e.point.x, e.point.y] if e else [np.nan, np.nan] for e in estimates])


@pytest.mark.parametrize("turn", [-50.0, -20.0, 0.0, 35.0])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("diameter", [60.0, 110.0, 200.0])
@pytest.mark.parametrize("roles", [(Role.LOCATE,), (Role.LOCATE, Role.REFINE), tuple(Role)])
def test_points_are_found_wherever_they_lie(
    roles: tuple[Role, ...], diameter: float, mirrored: bool, turn: float
) -> None:
    truth = place(C1_AT, diameter, turn, mirrored=mirrored)
    detection = detector(truth, roles=roles).detect(FILM, None)
    assert detection.outcome is Outcome.FOUND
    assert detection.adi_reason is detection.sac_reason is None
    assert np.allclose(found_points(detection), truth[:4], atol=1e-6)
    assert detection.facing is (Facing.LEFT if mirrored else Facing.RIGHT)


def test_unequal_pixels_are_taken_into_account() -> None:
    spacing = PixelSpacing(row_mm=0.4, column_mm=0.2, rule=SpacingRule.GIVEN)
    truth_mm = place((64.0, 120.0), 33.0, 30.0)
    detection = detector(truth_mm).detect(FILM, spacing)
    assert np.allclose(found_points(detection) * [0.2, 0.4], truth_mm[:4], atol=1e-6)
    estimate = detection.landmarks[Landmark.DENS_ANTERIOR]
    assert estimate is not None
    (xx, _), (_, yy) = estimate.covariance_px2
    assert xx == pytest.approx(4 * yy, rel=0.2)  # the same mm are twice as many columns as rows


@pytest.mark.parametrize("turn", [90.0, -90.0, 180.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_film_is_tried_the_other_ways_round(turn: float, mirrored: bool) -> None:
    truth = place(C1_AT, 110.0, turn, mirrored=mirrored)
    detection = detector(truth, upright_only=True).detect(FILM, None)
    assert detection.outcome is Outcome.FOUND
    assert np.allclose(found_points(detection), truth[:4], atol=1e-6)
    assert detection.view is View.UNKNOWN  # how the neck is held cannot be said without knowing what is up


def test_upright_crops_are_level_ventral_right_caudal_down() -> None:
    for mirrored in (False, True):
        for turn in (0.0, 40.0, 170.0):
            truth = place(C1_AT, 110.0, turn, mirrored=mirrored)
            pose = answer(truth).pose
            seen = pose.crop(stage_card(Role.REFINE)).to_crop(truth)
            assert seen[0, 0] - seen[3, 0] == pytest.approx(60.0)
            assert seen[0, 1] == pytest.approx(seen[3, 1])
            assert (seen[4:, 1] > seen[:4, 1].max()).all()


def test_an_offset_moves_the_crop_dorsally() -> None:
    for mirrored in (False, True):
        truth = place(C1_AT, 110.0, 20.0, mirrored=mirrored)
        pose = answer(truth).pose
        there, here = (pose.crop(stage_card(Role.REFINE, offset=offset)).to_crop(truth) for offset in (0.1, 0.0))
        assert np.allclose(there - here, [6.0, 0.0])  # what is ventral moves to the right


def test_the_median_of_the_views_is_closer_than_a_single_crop_and_tells_the_spread() -> None:
    truth = place(C1_AT, 110.0)
    result = detector(truth, noise_px=0.8).answer(Film(FILM, None))
    assert result is not None
    assert np.hypot(*(result.points - truth[:4]).T).mean() < 1.3
    assert 0.5 < result.spreads.mean() < 3
    variances = np.trace(result.covariances, axis1=1, axis2=2) / 2
    assert (variances > result.spreads**2).all()


def test_the_joint_stage_overrules_for_its_points_only() -> None:
    truth = place(C1_AT, 110.0)
    whole = detector(truth, roles=tuple(Role))
    whole._stages[Role.JOINT].truth = truth + np.array([3.0, 0.0])  # type: ignore[attr-defined]  # along the C1 axis
    result = whole.answer(Film(FILM, None))
    assert result is not None
    assert np.allclose(result.points, truth[:4] + [[3, 0], [3, 0], [3, 0], [0, 0]], atol=1e-6)
    assert np.allclose(result.disagreements, [3, 3, 3, 0], atol=1e-6)


@pytest.mark.parametrize("refine_is_sure", [True, False])
def test_how_high_a_point_lies_both_stages_tell_as_far_as_they_see_it(refine_is_sure: bool) -> None:
    truth = place(C1_AT, 110.0)
    whole = detector(truth, roles=tuple(Role))
    whole._stages[Role.JOINT].truth = truth + np.array([0.0, 3.0])  # type: ignore[attr-defined]
    if not refine_is_sure:
        whole._stages[Role.REFINE].confidences[str(Landmark.C1_ANTERIOR_ARCH_POSTERIOR)] = 0.2  # type: ignore[attr-defined]
    result = whole.answer(Film(FILM, None))
    assert result is not None
    assert result.points[0] - truth[0] == pytest.approx([0, 1.5 if refine_is_sure else 3.0], abs=0.05)
    assert result.points[3] == pytest.approx(truth[3])
    assert np.allclose(result.points, on_axis(result.points)[0], atol=1e-6)


def test_heights_are_shared_across_the_axis_alone() -> None:
    points = np.array([[55.0, 10.0], [49.0, 6.0], [15.0, -3.0], [-55.0, -10.0]])
    earlier = points + [[4.0, -2.0], [0.0, 6.0], [1.0, 1.0], [0.0, 0.0]]
    shared = with_height_shared(points, earlier, np.array([True, True, False, True]))
    ventral = points[0] - points[3]
    assert np.allclose((shared - points) @ ventral, 0)
    across = np.array([-ventral[1], ventral[0]])
    assert (shared - points) @ across == pytest.approx((earlier - points) @ across / 2 * [1, 1, 0, 1])


@pytest.mark.parametrize(
    ("turn", "mirrored", "view"),
    [(-5, False, View.NEUTRAL), (30, False, View.FLEXION), (-38, False, View.EXTENSION), (38, True, View.EXTENSION)],
)
def test_the_position_of_the_neck_follows_the_c1_axis(turn: float, mirrored: bool, view: View) -> None:
    detection = detector(place(C1_AT, 110.0, turn, mirrored=mirrored)).detect(FILM, None)
    assert detection.view is view
    assert detection.view_confidence > 0.6


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_c1_axis_almost_upright_is_extension_when_its_front_is_above_and_else_perhaps_a_lying_patient(
    mirrored: bool,
) -> None:
    lifted, lowered = (
        detector(place(C1_AT, 110.0, turn if mirrored else -turn, mirrored=mirrored)).detect(FILM, None)
        for turn in (75.0, -75.0)
    )
    assert (lifted.view, lifted.facing) == (View.EXTENSION, Facing.LEFT if mirrored else Facing.RIGHT)
    assert (lowered.view, lowered.facing) == (View.UNKNOWN, Facing.UNKNOWN)


def test_a_film_without_the_points_is_another_view_without_landmarks() -> None:
    flaws = dict.fromkeys(map(str, LANDMARKS), 0.2)
    detection = detector(place(C1_AT, 110.0), confidences=flaws).detect(FILM, None)
    assert detection.outcome is Outcome.OTHER_VIEW
    assert detection.adi_reason is detection.sac_reason is Reason.NO_LATERAL_CERVICAL_VIEW
    assert set(detection.landmarks) == set(LANDMARKS)
    assert not any(detection.landmarks.values())
    assert detection.facing is Facing.UNKNOWN


def test_doubt_is_abstention_not_another_view() -> None:
    flaws = dict.fromkeys(map(str, LANDMARKS), 0.6)
    detection = detector(place(C1_AT, 110.0), confidences=flaws).detect(FILM, None)
    assert (detection.outcome, detection.reason) == (Outcome.ABSTAINED, Reason.LOW_CONFIDENCE)
    assert not any(detection.landmarks.values())


@pytest.mark.parametrize(
    ("hidden", "adi", "sac"),
    [
        (Landmark.DENS_ANTERIOR, Reason.POINT_HIDDEN, None),
        (Landmark.DENS_POSTERIOR, None, Reason.POINT_HIDDEN),
        (Landmark.C1_POSTERIOR_ARCH_ANTERIOR, None, Reason.POINT_HIDDEN),
    ],
)
def test_each_measurement_falls_by_its_own_points_only(
    hidden: Landmark, adi: Reason | None, sac: Reason | None
) -> None:
    detection = detector(place(C1_AT, 110.0), confidences={str(hidden): 0.2}).detect(FILM, None)
    assert (detection.adi_reason, detection.sac_reason) == (adi, sac)
    assert detection.landmarks[hidden] is None
    assert sum(estimate is not None for estimate in detection.landmarks.values()) == 3


def test_hardware_at_the_joint_forbids_both_measurements() -> None:
    detection = detector(place(C1_AT, 110.0), hardware=0.5).detect(FILM, None)
    assert detection.adi_reason is detection.sac_reason is Reason.OPERATED_NECK
    assert detection.outcome is Outcome.ABSTAINED
    assert not any(detection.landmarks.values())


@pytest.mark.parametrize(("row", "adi", "sac"), [(1, Reason.POINT_HIDDEN, None), (3, None, Reason.POINT_HIDDEN)])
@pytest.mark.parametrize("roles", [(Role.LOCATE, Role.REFINE), (Role.LOCATE, Role.REFINE, Role.JOINT)])
def test_what_covers_a_point_hides_it_however_sure_the_network_is(
    roles: Sequence[Role], row: int, adi: Reason | None, sac: Reason | None
) -> None:
    truth = place(C1_AT, 400.0)
    x, y = truth[row]
    found = detector(truth, roles=roles, covered=(x, y), cover_radius=20.0).detect(FILM, None)
    assert (found.adi_reason, found.sac_reason) == (adi, sac)
    assert found.landmarks[LANDMARKS[row]] is None
    assert sum(estimate is not None for estimate in found.landmarks.values()) == 3


def test_what_covers_only_its_surroundings_hides_no_point() -> None:
    truth = place(C1_AT, 400.0)
    between = tuple(float(v) for v in (truth[1] + truth[2]) / 2)
    found = detector(truth, covered=between, cover_radius=20.0).detect(FILM, None)
    assert found.outcome is Outcome.FOUND
    assert (found.adi_reason, found.sac_reason) == (None, None)


def test_a_defect_forbids_what_it_takes_part_in() -> None:
    rule = MaskRule(share=0.05, reason=Reason.POINT_HIDDEN, reach=1.0, lengths=("sac",))
    open_arch = answer(place(C1_AT, 110.0), shares={"posterior_arch_defect": np.full(4, 0.06)})
    verdict = decide(open_arch, Film(FILM, None), decision(masks={"posterior_arch_defect": rule}))
    assert (verdict.adi_reason, verdict.sac_reason) == (None, Reason.POINT_HIDDEN)
    assert verdict.outcome is Outcome.FOUND


def test_plain_arches_without_a_dens_are_a_destroyed_joint() -> None:
    unseen = {str(mark): 0.2 for mark in (Landmark.DENS_ANTERIOR, Landmark.DENS_POSTERIOR)}
    detection = detector(place(C1_AT, 110.0), confidences=unseen).detect(FILM, None)
    assert detection.adi_reason is detection.sac_reason is Reason.JOINT_DESTROYED
    assert detection.outcome is Outcome.ABSTAINED


def test_the_points_of_the_dens_are_put_on_the_line_through_both_ends_of_c1() -> None:
    crooked = np.array([[55.0, 10.0], [49.0, 6.0], [15.0, -3.0], [-55.0, -10.0]])
    placed, offsets = on_axis(crooked)
    along = (placed - placed[3]) / np.linalg.norm(placed[0] - placed[3])
    assert np.allclose(along[:, 0] * along[0, 1], along[:, 1] * along[0, 0])
    assert np.array_equal(placed[[0, 3]], crooked[[0, 3]])
    assert np.allclose((placed - crooked) @ (crooked[0] - crooked[3]), 0)
    assert offsets == pytest.approx([0, *np.linalg.norm(placed - crooked, axis=1)[1:3], 0])


@pytest.mark.parametrize("seen", [True, False])
def test_where_an_end_of_c1_is_not_seen_nothing_is_moved(seen: bool) -> None:
    truth = place(C1_AT, 110.0)
    truth[1, 1] += 6.0
    hidden = {} if seen else {str(Landmark.C1_POSTERIOR_ARCH_ANTERIOR): 0.2}
    found = detector(truth, confidences=hidden).answer(Film(FILM, None))
    assert found is not None
    assert found.offsets[1] == pytest.approx(6.0 if seen else 0.0, abs=1e-6)
    assert np.hypot(*(found.points[1] - truth[1])) == pytest.approx(6.0 if seen else 0.0, abs=1e-6)


def test_all_stages_must_know_what_they_see() -> None:
    """A close look that is sure of itself does not outweigh a film on which the first look saw nothing."""
    sure = answer(place(C1_AT, 110.0))
    torn = dataclasses.replace(sure, stages=(0.2, 0.9))
    assert sure.confidence == pytest.approx(0.9)
    assert decide(torn, Film(FILM, None), decision()).outcome is Outcome.OTHER_VIEW


def test_a_point_off_the_film_is_outside_the_field() -> None:
    film = Film(FILM, None)
    verdict = decide(answer(place((549.0, 300.0), 110.0)), film, decision())
    assert verdict.adi_reason is Reason.POINT_OUTSIDE_FIELD
    assert verdict.sac_reason is None
    assert verdict.shown == (False, True, True, True)


@pytest.mark.parametrize(
    ("points", "adi", "sac"),
    [
        ([[55, 0], [49, 30], [15, 0], [-55, 0]], Reason.IMPLAUSIBLE_GEOMETRY, None),  # dens off the axis
        ([[55, 0], [-5, 0], [-40, 0], [-55, 0]], Reason.IMPLAUSIBLE_GEOMETRY, None),  # ADI of half the diameter
        ([[55, 0], [49, 0], [45, 0], [-55, 0]], *2 * (Reason.IMPLAUSIBLE_GEOMETRY,)),  # no dens between
        ([[55, 0], [9, 0], [-48, 0], [-55, 0]], *2 * (Reason.IMPLAUSIBLE_GEOMETRY,)),  # dens of half the diameter
    ],
)
def test_what_bones_do_not_allow_is_withheld(points: list[list[float]], adi: Reason | None, sac: Reason | None) -> None:
    at = np.array(points, np.float64) + np.array(C1_AT)
    on_line, offsets = on_axis(at)
    verdict = decide(answer(place(C1_AT, 110.0), points=on_line, offsets=offsets), Film(FILM, None), decision())
    assert (verdict.adi_reason, verdict.sac_reason) == (adi, sac)


def test_an_impossible_size_in_mm_is_withheld_only_where_mm_are_known() -> None:
    tiny = PixelSpacing(row_mm=0.05, column_mm=0.05, rule=SpacingRule.GIVEN)
    film, verdict = Film(FILM, tiny), decide(answer(place(C1_AT, 110.0)), Film(FILM, None), decision())
    assert verdict.outcome is Outcome.FOUND
    small = answer(place((16.0, 15.0), 5.5), pose=dataclasses.replace(answer(place(C1_AT, 110.0)).pose, diameter=5.5))
    assert decide(small, film, decision()).adi_reason is Reason.IMPLAUSIBLE_GEOMETRY


def test_views_that_disagree_are_not_measured() -> None:
    wild = answer(place(C1_AT, 110.0), spreads=np.array([0.5, 9.0, 0.5, 0.5]))
    verdict = decide(wild, Film(FILM, None), decision())
    assert (verdict.adi_reason, verdict.sac_reason) == (Reason.LOW_CONFIDENCE, None)


def test_stages_that_disagree_are_not_measured() -> None:
    torn = answer(place(C1_AT, 110.0), disagreements=np.array([0.0, 0.0, 30.0, 0.0]))
    verdict = decide(torn, Film(FILM, None), decision(stage_disagreement=0.1))
    assert (verdict.adi_reason, verdict.sac_reason) == (None, Reason.LOW_CONFIDENCE)


@pytest.mark.parametrize(
    ("spacing", "limit"), [(PixelSpacing(row_mm=0.3, column_mm=0.3, rule=SpacingRule.GIVEN), 14), (None, 14)]
)
def test_the_number_of_passes_is_bounded(spacing: PixelSpacing | None, limit: int) -> None:
    nothing = dict.fromkeys(map(str, LANDMARKS), 0.1)
    whole = detector(place((96.0, 90.0), 33.0), roles=tuple(Role), confidences={} if spacing else nothing)
    whole.detect(FILM, spacing)
    assert sum(stage.crops for stage in whole._stages.values()) <= limit  # type: ignore[attr-defined]


def test_the_joint_stage_looks_at_one_place_and_its_last_pass_is_its_first_view() -> None:
    whole = detector(place(C1_AT, 110.0), roles=tuple(Role))
    whole.detect(FILM, None)
    refine, joint = (whole._stages[role] for role in (Role.REFINE, Role.JOINT))
    assert joint.crops == joint.card.passes + joint.card.views - 1  # type: ignore[attr-defined]
    assert refine.crops == refine.card.passes + refine.card.views - 1  # type: ignore[attr-defined]


class Decoy:
    """A first stage that is surest of a place where nothing is, and less sure of the neck."""

    def __init__(self, oracle: Oracle, away: float) -> None:
        self.oracle, self.card, self.away = oracle, oracle.card, away

    def index(self, name: str) -> int:
        return self.oracle.index(name)

    def read(self, film: Film, crops: Sequence[Crop]) -> list[Reading]:
        right = self.oracle.read(film, crops)
        wrong = [dataclasses.replace(reading, points=reading.points + self.away) for reading in right]
        return [*wrong, *(dataclasses.replace(reading, confidences=0.9 * reading.confidences) for reading in right)]


def test_a_second_place_is_looked_at_where_the_first_does_not_convince() -> None:
    truth = place(C1_AT, 110.0)
    whole = detector(truth, roles=tuple(Role))
    stages = whole._stages
    stages[Role.LOCATE] = Decoy(stages[Role.LOCATE], away=260.0)  # type: ignore[assignment, arg-type]
    detection = whole.detect(FILM, None)
    assert detection.outcome is Outcome.FOUND
    assert np.allclose(found_points(detection), truth[:4], atol=1e-6)


def test_nothing_else_is_looked_at_where_the_first_place_convinces() -> None:
    whole = detector(place(C1_AT, 110.0), roles=tuple(Role))
    whole.detect(FILM, None)
    assert whole._stages[Role.LOCATE].crops == 1  # type: ignore[attr-defined]  # one field, one tile, not turned


def test_a_place_that_cannot_become_a_neck_gets_no_look_at_its_joint() -> None:
    nothing = dict.fromkeys(map(str, LANDMARKS), 0.1)
    whole = detector(place(C1_AT, 110.0), roles=tuple(Role), confidences=nothing)
    assert whole.detect(FILM, None).outcome is Outcome.OTHER_VIEW
    assert whole._stages[Role.JOINT].crops == 0  # type: ignore[attr-defined]


# With real networks, real weights and a real card.


def untrained_model(model_dir: Path, **changes: object) -> Card:
    torch.manual_seed(0)
    stages = []
    for role in (Role.LOCATE, Role.REFINE):
        card = stage_card(role)
        write_weights(PoseHRNet(Variant.W18_SMALL, card.maps), model_dir / card.weights)
        stages.append(dataclasses.replace(card, sha256=sha256_of(model_dir / card.weights), **changes))  # type: ignore[arg-type]
    card = model_card(stages)
    write_card(card, model_dir)
    return card


def test_an_untrained_model_loads_and_measures_nothing(tmp_path: Path) -> None:
    untrained_model(tmp_path)
    loaded = load_detector(tmp_path, device="cpu")
    assert loaded.model == "oracle 1.0.0"
    assert loaded.calibration.source == "simulated films"
    noise = np.random.default_rng(0).normal(size=(300, 200)).astype(np.float32)
    detection = loaded.detect(noise, None)
    assert detection.outcome is Outcome.OTHER_VIEW
    assert not any(detection.landmarks.values())


@pytest.mark.parametrize("shape", [(1, 1), (3, 4000), (5000, 2)])
def test_the_oddest_film_is_answered(tmp_path: Path, shape: tuple[int, int]) -> None:
    untrained_model(tmp_path)
    assert load_detector(tmp_path, "cpu").detect(np.zeros(shape, np.float32), None).outcome is Outcome.OTHER_VIEW


def test_the_same_film_gives_the_same_answer(tmp_path: Path) -> None:
    untrained_model(tmp_path)
    film = Film(np.random.default_rng(0).normal(size=(300, 200)).astype(np.float32), None)
    first, second = (load_detector(tmp_path, "cpu").answer(film) for _ in range(2))  # type: ignore[attr-defined]
    assert (first is None and second is None) or np.array_equal(first.points, second.points)


def test_weights_that_are_not_the_cards_are_refused(tmp_path: Path) -> None:
    card = untrained_model(tmp_path)
    with (tmp_path / card.stages[1].weights).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match=r"refine\.safetensors: SHA-256 is"):
        load_detector(tmp_path, "cpu")


def test_weights_that_are_missing_are_refused(tmp_path: Path) -> None:
    card = untrained_model(tmp_path)
    (tmp_path / card.stages[0].weights).unlink()
    with pytest.raises(ModelError, match=r"locate\.safetensors: weights of stage locate cannot be read"):
        load_detector(tmp_path, "cpu")


@pytest.mark.parametrize("changes", [{"variant": "w18"}, {"variant": "w19"}, {"masks": ("one", "two", "three")}])
def test_a_card_that_names_another_network_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    untrained_model(tmp_path, **changes)
    if "masks" in changes:
        text = (tmp_path / "card.toml").read_text()
        text = text.replace("[decision.masks.hardware]", "[decision.masks.one]")
        (tmp_path / "card.toml").write_text(text.replace("[decision.masks.cover]", "[decision.masks.two]"))
    with pytest.raises(ModelError, match=r"does not fit the network|is none of"):
        load_detector(tmp_path, "cpu")


@pytest.mark.parametrize(("key", "value"), [("decoding", "guess"), ("precision", "float8"), ("normalisation", "none")])
def test_a_card_with_an_unknown_word_is_refused(tmp_path: Path, key: str, value: str) -> None:
    untrained_model(tmp_path)
    lines = (tmp_path / "card.toml").read_text().splitlines()
    lines = [f'{key} = "{value}"' if line.startswith(f"{key} =") else line for line in lines]
    (tmp_path / "card.toml").write_text("\n".join(lines))
    with pytest.raises(ModelError, match=rf"{key}: '{value}' is none of"):
        load_detector(tmp_path, "cpu")


def test_half_precision_says_nearly_the_same(tmp_path: Path) -> None:
    card = untrained_model(tmp_path)
    exact, rough = (load_detector(tmp_path, "cpu") for _ in range(2))
    crop = Crop(centre=(100.0, 100.0), scale=1.0, turn=0.0, mirrored=False, size=card.stages[0].input_px)
    film = Film(np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32), None)
    stages = [loaded._stages[Role.LOCATE] for loaded in (exact, rough)]  # type: ignore[attr-defined]
    stages[1].half = True
    one, other = (stage.read(film, [crop])[0] for stage in stages)
    assert one.confidences == pytest.approx(other.confidences, abs=0.01)
    assert not np.array_equal(one.confidences, other.confidences)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    untrained_model(tmp_path)
    with pytest.raises(ModelError, match=r"device 'cuda:99' cannot be used"):
        load_detector(tmp_path, "cuda:99")
