"""Whole runs: films on disk, the truth beside them, and the same again."""

import csv
import dataclasses
import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import dcmread

from aasnode.anatomy import LANDMARKS, View
from aasnode.cli.main import main
from aasnode.training.simulate import run as simulation
from aasnode.training.simulate.bank import FIRST_EDITION, Bank
from aasnode.training.simulate.courses import Appointment
from aasnode.training.simulate.exposure import Film, FilmWish
from aasnode.training.simulate.patient import Variant
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate
from aasnode.training.simulate.truth import FilmTruth


def run(out: Path, cache: Path, **wishes: object) -> tuple[FilmTruth, ...]:
    wanted: dict[str, object] = {"out": out, "seed": 5, "count": 2, "pixel_mm": 0.5, "cache": cache, "bank_size": 1}
    return simulate(SimulationRequest(**(wanted | wishes)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, bone_cache: Path) -> tuple[Path, tuple[FilmTruth, ...]]:
    out = tmp_path_factory.mktemp("course")
    return out, run(out, bone_cache, count=None, patients=1, visits=2, disturbed=False)


def test_the_same_seed_makes_the_same_files_whatever_the_number_of_workers(tmp_path: Path, bone_cache: Path) -> None:
    run(tmp_path / "one", bone_cache)
    run(tmp_path / "two", bone_cache, workers=2)

    names = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert names == ["annotations.csv", "film-00000.dcm", "film-00001.dcm", "images.csv", "truth.json"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_command_says_how_many_films_there_are(
    tmp_path: Path, bone_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = "aasnode.training.simulate.run.simulate"
    monkeypatch.setattr(small, lambda request: simulate(dataclasses.replace(request, bank_size=1)))
    options = f"--seed 5 --pixel 0.5 --clean --workers 1 --cache {bone_cache}".split()
    for count, said in (("1", "1 film in "), ("2", "2 films in ")):
        assert main(["simulate", str(tmp_path / count), "--count", count, *options]) == 0
        assert said in capsys.readouterr().err


def test_another_seed_makes_another_film(tmp_path: Path, bone_cache: Path) -> None:
    run(tmp_path / "one", bone_cache, count=1)
    run(tmp_path / "two", bone_cache, count=1, seed=6)

    films = [(tmp_path / n / "film-00000.dcm").read_bytes() for n in ("one", "two")]
    assert films[0] != films[1]


def test_every_film_is_a_valid_dx_without_a_word_from_the_validator(course: tuple[Path, tuple[FilmTruth, ...]]) -> None:
    out, films = course
    for film in films:
        said = subprocess.run(["dciodvfy", out / film.path], capture_output=True, text=True, check=False)
        assert said.returncode == 0
        assert (said.stdout + said.stderr).split() == ["DXImageForPresentation"]


def test_tags_say_what_the_truth_says(course: tuple[Path, tuple[FilmTruth, ...]]) -> None:
    out, films = course
    for film in films:
        header = dcmread(out / film.path)
        assert header.PatientName.family_name == "SIMULATED"
        assert header.PatientID == film.patient_id
        assert header.BodyPartExamined == "CSPINE"
        assert film.view.value in header.SeriesDescription
        assert header.ImagerPixelSpacing == [film.pixel_mm, film.pixel_mm]
        assert "PixelSpacing" not in header
        assert header.pixel_array.max() < 2**header.BitsStored


def test_the_films_of_a_visit_are_one_study_for_the_validator(course: tuple[Path, tuple[FilmTruth, ...]]) -> None:
    out, films = course
    for visit in (0, 1):
        paths = [out / film.path for film in films if film.visit == visit]
        said = subprocess.run(["dcentvfy", *paths], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stdout + said.stderr) == (0, "")
        headers = [dcmread(path, stop_before_pixels=True) for path in paths]
        assert len({(header.StudyDate, header.StudyTime) for header in headers}) == 1
        assert len({header.AcquisitionTime for header in headers}) == 3


def test_a_course_is_one_patient_with_a_study_a_visit_and_the_same_bones(
    course: tuple[Path, tuple[FilmTruth, ...]],
) -> None:
    out, films = course
    headers = [dcmread(out / film.path, stop_before_pixels=True) for film in films]

    assert [(f.visit, f.view) for f in films] == [
        (visit, view) for visit in (0, 1) for view in (View.NEUTRAL, View.FLEXION, View.EXTENSION)
    ]
    assert len({h.PatientID for h in headers}) == len({h.PatientBirthDate for h in headers}) == 1
    assert len({h.StudyInstanceUID for h in headers}) == 2
    assert len({h.SOPInstanceUID for h in headers}) == len(films)
    assert [f.acquired for f in films] == sorted(f.acquired for f in films)
    assert 250 < (films[3].acquired - films[0].acquired).days < 480
    assert np.ptp([f.c1_inner_diameter_mm for f in films]) < 1e-6
    assert len({h.DistanceSourceToDetector for h in headers}) == 1
    assert np.ptp([f.magnification for f in films]) < 0.03


def test_annotations_hold_the_visible_points_in_the_order_of_the_node(tmp_path: Path, bone_cache: Path) -> None:
    films = run(tmp_path, bone_cache, count=3, seed=11)
    with (tmp_path / "annotations.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert [row["landmark"] for row in rows] == [name.value for name in LANDMARKS] * 3
    for row, (film, name) in zip(rows, ((f, n) for f in films for n in LANDMARKS), strict=True):
        truth = film.landmark(name)
        assert row["path"] == film.path
        assert (row["x"] != "") == truth.visible
        if truth.visible:
            assert float(row["x"]) == pytest.approx(truth.point.x, abs=1e-3)
    written = json.loads((tmp_path / "truth.json").read_text())
    assert [entry["adi_mm"] for entry in written] == [film.adi_mm for film in films]


def test_png_holds_the_same_film_as_dicom(tmp_path: Path, bone_cache: Path) -> None:
    run(tmp_path / "png", bone_cache, count=1, film_format=FilmFormat.PNG)
    run(tmp_path / "dcm", bone_cache, count=1)

    png = cv2.imread(str(tmp_path / "png" / "film-00000.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(png // 16, dcmread(tmp_path / "dcm" / "film-00000.dcm").pixel_array)


def test_clean_films_have_neither_variants_nor_disturbances(course: tuple[Path, tuple[FilmTruth, ...]]) -> None:
    for film in course[1]:
        assert film.variant == Variant.NONE
        assert not film.disturbances
        assert film.adi_reason is None
        assert film.sac_reason is None


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"count": None}, "either a count of films or a number of patients"),
        ({"patients": 3}, "either a count of films or a number of patients"),
        ({"count": 0}, "at least 1, not 0"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"pixel_mm": 9.0}, "between 0.05 and 2 mm, not 9.0"),
    ],
)
def test_a_wish_that_cannot_be_met_says_what_to_change(
    tmp_path: Path, bone_cache: Path, wishes: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        run(tmp_path, bone_cache, **wishes)


def test_the_truth_is_frozen(course: tuple[Path, tuple[FilmTruth, ...]]) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        course[1][0].adi_mm = 0.0  # type: ignore[misc]


def test_films_are_made_of_the_edition_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def exposed(appointment: Appointment, bank: Bank, wish: FilmWish, path: str) -> Film:
        used.append((bank.edition, bank.folder.name))
        raise InterruptedError

    monkeypatch.setattr(simulation, "expose", exposed)
    for edition in (FIRST_EDITION, 7):
        with pytest.raises(InterruptedError):
            simulate(SimulationRequest(out=tmp_path, seed=1, count=1, cache=tmp_path, edition=edition))
    assert used == [(0, "edition-0"), (7, "edition-7")]
