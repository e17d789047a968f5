"""The shipped weights on a simulated film: the same millimetres however the film is stored, and the truth in reach."""

import copy
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from aasnode.analysis import Analysis, AnalysisSettings, analyse, analyse_file
from aasnode.anatomy import LANDMARKS, Facing
from aasnode.assets import shipped_model
from aasnode.config import Config
from aasnode.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from aasnode.inference.detection import Detector
from aasnode.inference.detector import load_detector
from aasnode.measurement import FilmStatus, Length
from aasnode.training.simulate.run import SimulationRequest, simulate
from aasnode.training.simulate.truth import FilmTruth
from tests.dicom.encoders import PREFIX, in_syntax

SETTINGS = AnalysisSettings.of(Config())
SEED = 2138


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(shipped_model(), "cpu")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, FilmTruth]:
    out = tmp_path_factory.mktemp("film")
    (truth,) = simulate(SimulationRequest(out=out, seed=SEED, count=1, disturbed=False))
    return pydicom.dcmread(out / truth.path), truth


@pytest.fixture(scope="module")
def film(simulated: tuple[Dataset, FilmTruth]) -> Dataset:
    return simulated[0]


@pytest.fixture(scope="module")
def reference(film: Dataset, detector: Detector) -> Analysis:
    analysis = analyse(film, detector, SETTINGS)
    assert analysis.status is FilmStatus.MEASURED, analysis.reason
    return analysis


def changed(film: Dataset, pixels: np.ndarray, **elements: object) -> Dataset:
    other = copy.deepcopy(film)
    other.Rows, other.Columns = pixels.shape
    other.PixelData = np.ascontiguousarray(pixels).astype("<u2").tobytes()
    for keyword, value in elements.items():
        setattr(other, keyword, value)
    return other


def lengths(analysis: Analysis) -> tuple[Length, Length]:
    assert analysis.status is FilmStatus.MEASURED, analysis.reason
    assert analysis.measurement is not None
    adi, sac = analysis.measurement.adi, analysis.measurement.sac
    assert adi is not None
    assert sac is not None
    return adi, sac


def assert_same(analysis: Analysis, reference: Analysis) -> None:
    for found, expected in zip(lengths(analysis), lengths(reference), strict=True):
        assert expected.low_mm <= found.mm <= expected.high_mm
        assert found.mm == pytest.approx(expected.mm, abs=0.5)


def test_the_truth_is_found(reference: Analysis, simulated: tuple[Dataset, FilmTruth]) -> None:
    truth = simulated[1]
    adi, sac = (length.detector_plane_mm for length in lengths(reference))
    assert adi == pytest.approx(truth.adi_detector_mm, abs=0.8)
    assert sac == pytest.approx(truth.sac_detector_mm, abs=1.2)


def test_monochrome1_is_the_same(film: Dataset, detector: Detector, reference: Analysis) -> None:
    top = 2**film.BitsStored - 1
    inverted = changed(film, top - film.pixel_array, PhotometricInterpretation="MONOCHROME1")
    inverted.PresentationLUTShape = "INVERSE"
    assert_same(analyse(inverted, detector, SETTINGS), reference)


def test_mirrored_is_the_same_and_faces_the_other_way(film: Dataset, detector: Detector, reference: Analysis) -> None:
    analysis = analyse(changed(film, film.pixel_array[:, ::-1]), detector, SETTINGS)
    assert_same(analysis, reference)
    assert {analysis.facing, reference.facing} == {Facing.LEFT, Facing.RIGHT}


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotated_is_the_same(film: Dataset, detector: Detector, reference: Analysis, quarters: int) -> None:
    assert_same(analyse(changed(film, np.rot90(film.pixel_array, quarters)), detector, SETTINGS), reference)


def test_resampled_to_unequal_pixels_is_the_same(film: Dataset, detector: Detector, reference: Analysis) -> None:
    pixels, (row_mm, column_mm) = film.pixel_array, map(float, film.ImagerPixelSpacing)
    rows, columns = round(film.Rows * row_mm / 0.1), round(film.Columns * column_mm / 0.2)
    finer = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    spacing = [film.Rows * row_mm / rows, film.Columns * column_mm / columns]
    assert_same(analyse(changed(film, finer, ImagerPixelSpacing=spacing), detector, SETTINGS), reference)


@pytest.mark.parametrize("suffix", [row.uid.removeprefix(PREFIX) for row in TRANSFER_SYNTAXES])
def test_each_transfer_syntax_is_the_same(
    film: Dataset, detector: Detector, reference: Analysis, suffix: str, tmp_path: Path
) -> None:
    in_syntax(changed(film, film.pixel_array), suffix, tmp_path / "film.dcm")
    assert_same(analyse_file(tmp_path / "film.dcm", detector, SETTINGS, None), reference)


def test_another_picture_is_not_measured(film: Dataset, detector: Detector) -> None:
    noise = np.random.default_rng(1).integers(0, 4096, film.pixel_array.shape)
    analysis = analyse(changed(film, cv2.GaussianBlur(noise.astype(np.uint16), (0, 0), 9)), detector, SETTINGS)
    assert analysis.status in (FilmStatus.REJECTED, FilmStatus.ABSTAINED)
    assert all(mark is None for mark in analysis.landmarks.values())


def test_moving_c1_moves_the_answer(film: Dataset, detector: Detector, reference: Analysis) -> None:
    """A stretch of the film between dens and anterior arch, by a known length, opens the ADI by about that length."""
    assert reference.measurement is not None
    front, dens, _, back = (reference.landmarks[mark] for mark in LANDMARKS)  # they steer the stretch
    assert front is not None
    assert dens is not None
    assert back is not None
    spacing = float(film.ImagerPixelSpacing[0])
    points = [np.array([mark.point.x, mark.point.y]) for mark in (front, dens, back)]
    ventral = (points[0] - points[2]) / np.linalg.norm(points[0] - points[2])
    start, end = (points[1] - points[2]) @ ventral, (points[0] - points[2]) @ ventral
    by = 3.0 / spacing
    y, x = np.mgrid[0 : film.Rows, 0 : film.Columns].astype(np.float32)
    along = (x - points[2][0]) * ventral[0] + (y - points[2][1]) * ventral[1]
    source = np.interp(along, [start, end + by], [start, end], left=0, right=0)
    shift = np.where(along <= start, 0, np.where(along >= end + by, -by, source - along)).astype(np.float32)
    stretched = cv2.remap(
        film.pixel_array, x + shift * np.float32(ventral[0]), y + shift * np.float32(ventral[1]), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    opened = lengths(analyse(changed(film, stretched), detector, SETTINGS))[0].mm - lengths(reference)[0].mm
    scale = lengths(reference)[0].mm / (end - start) / spacing
    assert opened == pytest.approx(3.0 * scale, abs=0.8)
