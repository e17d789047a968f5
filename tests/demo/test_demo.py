"""``aasnode demo`` as a user runs it: installed from a wheel, with the model in it, from any folder."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from pydicom import dcmread

from tests.wheel import install_wheel

VIEWS = ("extension", "flexion", "neutral")


Demo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(wheel, tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def demo(programs: Path) -> Demo:
    """Runs the command of the installed wheel; films that this user's earlier runs made are there."""

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [programs / "aasnode", "demo", "--keep", folder / "demo", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)

    return run


@pytest.fixture(scope="module")
def done(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("anywhere")
    return demo(folder), folder / "demo"


def test_it_ends_well_and_prints_every_film_with_its_truth_and_the_course(
    done: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, _ = done
    assert run.returncode == 0, run.stderr
    table, _, course = run.stdout.partition("$ aasnode history")
    assert all(f"{visit}      {view}" in table for visit in (1, 2) for view in VIEWS)
    assert table.count("truth") == 2
    standing = table.rstrip().splitlines()[-1]
    assert standing.startswith(
        "AI result, not verified. Research use only, not for diagnosis. 90 % intervals: calibrated on simulated films"
    )
    assert all(f"\n{view}\n" in course for view in VIEWS)
    assert "since previous" in course


def test_it_says_on_stderr_what_it_waits_for(done: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    run, _ = done
    for said in ("the node loads its model", "films analysed 6 of 6", "objects delivered"):
        assert said in run.stderr
        assert said not in run.stdout


def test_reports_and_overlays_lie_where_it_says_as_dicom_and_as_pictures(
    done: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    run, folder = done
    named = {Path(line.strip()) for line in run.stdout.splitlines() if line.strip().endswith((".dcm", ".png"))}
    archive = folder / "archive"
    overlays = [archive / f"visit-{visit}-{view}-overlay" for visit in (1, 2) for view in VIEWS]
    reports = {archive / f"visit-{visit}-report.dcm" for visit in (1, 2)}
    pictures = {path.with_suffix(".png") for path in overlays}
    assert reports | pictures | {path.with_suffix(".dcm") for path in overlays} == named
    assert all(dcmread(path).Modality == "SR" for path in reports)
    assert all(cv2.imread(str(path)).ndim == 3 for path in pictures)


def test_it_is_the_wheel_that_runs_with_the_model_inside_it(programs: Path, tmp_path: Path) -> None:
    ask = "from aasnode.assets import shipped_model; print(shipped_model().resolve(strict=True))"
    done = subprocess.run([programs / "python", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(programs.parent.resolve())


def test_a_folder_that_exists_is_left_alone(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    run = demo(tmp_path)
    assert run.returncode == 1
    assert "exists" in run.stderr
    assert list((tmp_path / "demo").iterdir()) == []


@pytest.mark.usefixtures("done")
def test_another_run_simulates_nothing_and_one_without_a_model_ends_with_the_place_of_the_log(
    demo: Demo, tmp_path: Path
) -> None:
    run = demo(tmp_path, "--model", str(tmp_path / "none"))
    assert "simulated" not in run.stderr
    assert len(list((tmp_path / "demo" / "films").rglob("*.dcm"))) == 6
    assert run.returncode == 1
    assert "node.log" in run.stderr
    assert "Traceback" not in run.stderr
