"""What lies on a film, and how it is stored."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from aasnode.anatomy import LANDMARKS, Facing, View
from aasnode.geometry import Point
from aasnode.inference.detection import Reason
from aasnode.training.simulate import exposure
from aasnode.training.simulate.bank import Bank
from aasnode.training.simulate.courses import Cohort
from aasnode.training.simulate.disturbances import HARDWARE, SHARES, Disturbance, draw_disturbances, draw_hardware
from aasnode.training.simulate.exposure import Film, FilmWish, expose
from aasnode.training.simulate.film import WHITE
from aasnode.training.simulate.labelling import Storage, turned
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.write import build_dataset, write_dicom, write_png

MakeFilm = Callable[..., Film]


@pytest.fixture
def make_film(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> MakeFilm:
    """A film of the same patient with exactly these disturbances."""

    def make(disturbances: dict[Disturbance, float], seed: int = 3) -> Film:
        cohort = Cohort(seed=seed, patients=1, visits=1, single=True, priors=Priors.NATURAL, variants=False)
        appointment = replace(next(cohort.appointments_of(0)), view=View.NEUTRAL, hardware={})
        monkeypatch.setattr(exposure, "draw_disturbances", lambda _: disturbances)
        return expose(appointment, bank, FilmWish(pixel_mm=0.5, disturbed=True), "film.dcm")

    return make


def test_a_turned_image_takes_its_points_with_it() -> None:
    image = np.zeros((5, 8))
    image[1, 6] = 1
    for turns in range(4):
        row, column = np.argwhere(np.rot90(image, turns))[0]
        assert turned(Point(x=6, y=1), turns, 5, 8) == Point(x=column, y=row)


def test_facing_follows_mirroring_and_turning() -> None:
    facing = {(m, t): Storage(mirrored=m, quarter_turns=t).facing for m in (False, True) for t in range(4)}

    assert facing[False, 0] is facing[True, 2] is Facing.RIGHT
    assert facing[True, 0] is facing[False, 2] is Facing.LEFT
    assert facing[False, 1] is facing[True, 3] is Facing.UNKNOWN


def test_mirrored_turned_and_inverted_films_show_the_same_neck(make_film: MakeFilm) -> None:
    plain = make_film({})
    stored = make_film({Disturbance.MIRRORED: 0.5, Disturbance.TURNED: 0.25, Disturbance.MONOCHROME1: 0.5})

    restored = np.rot90(4095 - stored.pixels.astype(int), -1)[:, ::-1]
    assert np.abs(restored - plain.pixels).max() <= 1
    for name in LANDMARKS:
        before, after = plain.truth.landmark(name).point, stored.truth.landmark(name).point
        columns = plain.pixels.shape[1]
        back = turned(after, 3, *stored.pixels.shape)
        assert (columns - 1 - back.x, back.y) == pytest.approx((before.x, before.y))
    assert plain.truth.adi_detector_mm == pytest.approx(stored.truth.adi_detector_mm)


def test_letters_of_a_left_side_can_be_read_and_those_of_a_mirror_image_cannot(make_film: MakeFilm) -> None:
    def letters(storage: dict[Disturbance, float]) -> np.ndarray:
        marked, plain = make_film({Disturbance.MARKER: 1.0, **storage}), make_film(storage)
        return marked.pixels.astype(int) - plain.pixels > 800

    right, left, image = letters({}), letters({Disturbance.MIRRORED: 0.5}), letters({Disturbance.MIRRORED: 0.9})
    assert right.sum() > 50
    assert shared(left, right) > 0.5
    assert shared(image, right[:, ::-1]) > 0.5
    assert not np.array_equal(left, image)


def shared(one: np.ndarray, other: np.ndarray) -> float:
    """Of the smaller of two masks."""
    return float((one & other).sum() / max(1, min(one.sum(), other.sum())))


@pytest.mark.parametrize(("disturbances", "position", "view", "orientation"), [
    ({}, "RL", "right lateral", ["A", "F"]),
    ({Disturbance.MIRRORED: 0.5}, "LL", "left lateral", ["P", "F"]),
    ({Disturbance.MIRRORED: 0.75}, "RL", "right lateral", ["P", "F"]),
    ({Disturbance.MIRRORED: 0.9, Disturbance.TURNED: 0.5}, "RL", "right lateral", ["A", "H"]),
], ids=["right", "left", "mirror image", "mirror image, upside down"])  # fmt: skip
def test_tags_name_the_side_at_the_detector_however_the_image_was_flipped(
    make_film: MakeFilm,
    disturbances: dict[Disturbance, float],
    position: str,
    view: str,
    orientation: list[str],
) -> None:
    header = build_dataset(make_film(disturbances))

    assert (header.ViewPosition, header.ViewCodeSequence[0].CodeMeaning) == (position, view)
    assert header.PatientOrientation == orientation


def test_a_device_that_states_the_magnification_states_the_true_one(make_film: MakeFilm) -> None:
    film = make_film({})
    silent, header = (build_dataset(stating_magnification(film, states=states)) for states in (False, True))

    magnification = film.truth.magnification
    assert header.EstimatedRadiographicMagnificationFactor == pytest.approx(magnification, rel=1e-4)
    assert header.DistanceSourceToDetector / header.DistanceSourceToPatient == pytest.approx(magnification, rel=1e-3)
    assert "EstimatedRadiographicMagnificationFactor" not in silent
    assert "DistanceSourceToPatient" not in silent


def stating_magnification(film: Film, *, states: bool = True) -> Film:
    """The same film of a device that writes the magnification into its tags, or does not."""
    device = replace(film.appointment.device, states_magnification=states)
    return replace(film, appointment=replace(film.appointment, device=device))


def test_a_film_that_was_a_jpeg_says_so_and_how_small_it_was(
    make_film: MakeFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratios: list[float] = []
    encode = cv2.imencode

    def measured(suffix: str, image: np.ndarray, quality: list[int]) -> tuple[bool, np.ndarray]:
        done, coded = encode(suffix, image, quality)
        ratios.append(image.size / coded.size)
        return done, coded

    for strength in (0.1, 0.9):
        with monkeypatch.context() as patched:
            patched.setattr(cv2, "imencode", measured)
            film = make_film({Disturbance.LOSSY: strength, Disturbance.MARKER: 0.5})
        header = build_dataset(film)
        assert (header.LossyImageCompression, header.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
        assert float(header.LossyImageCompressionRatio) == pytest.approx(ratios[-1], rel=0.1)
    assert len(ratios) == 2
    assert ratios[1] > 2 * ratios[0]


def test_a_film_that_never_was_a_jpeg_says_so(make_film: MakeFilm) -> None:
    header = build_dataset(make_film({Disturbance.COARSE: 0.5}))

    assert header.LossyImageCompression == "00"
    assert "LossyImageCompressionMethod" not in header
    assert "LossyImageCompressionRatio" not in header


@pytest.mark.parametrize("name", [d for d in Disturbance if d not in (Disturbance.MIRRORED, Disturbance.CEPHALOGRAM)])
def test_every_disturbance_changes_the_film_and_is_kept_in_the_truth(make_film: MakeFilm, name: Disturbance) -> None:
    plain = make_film({})
    disturbed = make_film({name: 0.75})

    assert disturbed.truth.disturbances == {name.value: 0.75}
    same = disturbed.pixels.shape == plain.pixels.shape and np.array_equal(disturbed.pixels, plain.pixels)
    assert not same


def test_an_operated_joint_is_not_measured(make_film: MakeFilm) -> None:
    truth = make_film({Disturbance.UPPER_FUSION: 0.5}).truth

    assert truth.adi_reason is truth.sac_reason is Reason.OPERATED_NECK


def test_hardware_below_leaves_the_joint_measurable(make_film: MakeFilm) -> None:
    truth = make_film({Disturbance.LOWER_FUSION: 0.5}).truth

    assert truth.adi_reason is None
    assert truth.sac_reason is None


def test_ordinary_collimation_spares_the_joint_and_a_cut_does_not(make_film: MakeFilm) -> None:
    spared, cut = make_film({Disturbance.COLLIMATION: 1.0}).truth, make_film({Disturbance.CUT_OFF: 1.0}).truth

    assert all(spared.landmark(name).visible for name in LANDMARKS)
    outside = [name for name in LANDMARKS if not cut.landmark(name).visible]
    assert outside
    assert Reason.POINT_OUTSIDE_FIELD in (cut.adi_reason, cut.sac_reason)


def test_a_cephalogram_has_ear_rods_and_little_magnification(make_film: MakeFilm) -> None:
    rng = np.random.default_rng(0)
    drawn = [d for d in (draw_disturbances(rng) for _ in range(400)) if Disturbance.CEPHALOGRAM in d]

    assert drawn
    assert all(Disturbance.EAR_RODS in d for d in drawn)
    assert make_film({Disturbance.CEPHALOGRAM: 0.5}).truth.magnification < 1.12


def test_what_a_surgeon_put_in_stays_in() -> None:
    cohort = Cohort(seed=4, patients=300, visits=4, single=False, priors=Priors.NATURAL, variants=False)
    operated = 0
    for number in range(cohort.patients):
        hardware = [set(a.hardware) for a in cohort.appointments_of(number)]
        assert all(before <= after <= set(HARDWARE) for before, after in pairwise(hardware))
        operated += hardware[-1] != hardware[0]
    assert operated


def test_disturbances_come_in_their_shares() -> None:
    rng = np.random.default_rng(1)
    films = [draw_hardware(rng) | draw_disturbances(rng) for _ in range(4000)]

    for name, share in SHARES.items():
        if name is Disturbance.EAR_RODS:
            continue
        seen = sum(name in film for film in films) / len(films)
        assert seen == pytest.approx(share, abs=4 * (share * (1 - share) / len(films)) ** 0.5)


def test_a_picture_is_bright_where_the_neck_is_dense_whatever_the_film_was_stored_as(
    make_film: MakeFilm, tmp_path: Path
) -> None:
    """A PNG cannot say MONOCHROME1: written inverted, it would be another film than its DICOM file."""
    plain, inverted = make_film({}), make_film({Disturbance.MONOCHROME1: 0.5})
    assert inverted.monochrome1
    for name, film in (("plain", plain), ("inverted", inverted)):
        assert write_png(film, tmp_path / f"{name}.png").disturbances == {}, "nothing of it is seen"
    one, other = (cv2.imread(str(tmp_path / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in ("plain", "inverted"))
    assert np.array_equal(other // 16, WHITE - inverted.pixels)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("disturbances", [
    {Disturbance.MONOCHROME1: 0.5, Disturbance.TURNED: 0.25, Disturbance.UPPER_FUSION: 0.5, Disturbance.TEXT: 0.5},
    {Disturbance.CEPHALOGRAM: 0.5, Disturbance.EAR_RODS: 0.5, Disturbance.MIRRORED: 0.9, Disturbance.LOSSY: 0.5},
], ids=["inverted and turned", "cephalogram"])  # fmt: skip
def test_a_disturbed_film_is_as_valid_a_dx_as_a_clean_one(
    make_film: MakeFilm, tmp_path: Path, disturbances: dict[Disturbance, float]
) -> None:
    write_dicom(stating_magnification(make_film(disturbances)), tmp_path / "film.dcm")
    said = subprocess.run(["dciodvfy", tmp_path / "film.dcm"], capture_output=True, text=True, check=False)
    assert (said.returncode, (said.stdout + said.stderr).split()) == (0, ["DXImageForPresentation"])
