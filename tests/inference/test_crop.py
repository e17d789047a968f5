"""Crops show what they claim to show, from the original pixels, however turned, mirrored, scaled or stretched."""

import math

import cv2
import numpy as np
import pytest

from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.crop import Crop, Film, Floats, normalise


def spot(rows: int, columns: int, x: float, y: float, sigma_x: float = 6.0, sigma_y: float = 6.0) -> Floats:
    row, column = np.indices((rows, columns))
    return np.exp(-(((column - x) / sigma_x) ** 2 + ((row - y) / sigma_y) ** 2) / 2).astype(np.float32)


def centroid(picture: Floats) -> tuple[float, float]:
    weight = np.clip(picture - 0.1 * picture.max(), 0, None)
    rows, columns = np.indices(picture.shape)
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 0.5, math.pi / 2, -2.5])
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.3, 7.0])
def test_a_spot_is_where_the_crop_says(scale: float, turn: float, mirrored: bool) -> None:
    width = 7 * scale
    film = Film(spot(700, 900, 431.3, 333.8, width, width), None)
    crop = Crop(centre=(420.0, 340.0), scale=scale, turn=turn, mirrored=mirrored, size=128)
    expected = crop.to_crop(np.array([431.3, 333.8]))
    assert centroid(film.cut(crop)) == pytest.approx(tuple(expected), abs=0.12)


def test_unequal_spacing_is_made_square() -> None:
    spacing = PixelSpacing(row_mm=0.2, column_mm=0.1, rule=SpacingRule.GIVEN)
    film = Film(spot(400, 800, 300.0, 150.0, 30.0, 15.0), spacing)
    assert (film.width, film.height) == pytest.approx((80, 80))
    crop = Crop(centre=(30.0, 30.0), scale=0.25, turn=0.0, mirrored=False, size=128)
    picture = film.cut(crop)
    assert centroid(picture) == pytest.approx((63.5, 63.5), abs=0.1)
    across, down = picture[63, :] > 0.5 * picture.max(), picture[:, 63] > 0.5 * picture.max()
    assert abs(int(across.sum()) - int(down.sum())) <= 1


def test_points_and_covariances_go_back_to_stored_pixels() -> None:
    spacing = PixelSpacing(row_mm=0.2, column_mm=0.1, rule=SpacingRule.GIVEN)
    film = Film(np.zeros((50, 100), np.float32), spacing)
    points = np.array([[10.0, 20.0], [3.5, 7.25]])
    assert np.allclose(film.to_pixels(film.to_film(points)), points)
    assert np.allclose(film.covariance_to_pixels(np.diag([0.01, 0.04])), np.eye(2))
    crop = Crop(centre=(5.0, 5.0), scale=0.5, turn=math.pi / 2, mirrored=True, size=64)
    assert np.allclose(crop.to_film(crop.to_crop(points)), points)
    assert np.allclose(crop.covariance_to_film(np.diag([4.0, 16.0])), np.diag([4.0, 1.0]))


def test_making_smaller_averages_instead_of_picking_pixels() -> None:
    rng = np.random.default_rng(0)
    film = Film(rng.normal(size=(1024, 1024)).astype(np.float32), None)
    crop = Crop(centre=film.centre, scale=8.0, turn=0.0, mirrored=False, size=128)
    assert film.cut(crop).std() < 0.2  # 8 x 8 pixels averaged leave 0.125, picking leaves 1
    area = cv2.resize(rng.normal(size=(1024, 1024)).astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA)
    assert film.cut(crop).std() == pytest.approx(area.std(), rel=0.2)


def test_beyond_the_film_its_edge_is_repeated() -> None:
    pixels = np.full((100, 100), 7.0, np.float32)
    crop = Crop(centre=(-500.0, 2000.0), scale=1.0, turn=0.3, mirrored=False, size=64)
    assert np.allclose(Film(pixels, None).cut(crop), 7)


def test_a_letterbox_is_as_dark_as_the_film_gets() -> None:
    pixels = np.full((100, 50), 7.0, np.float32)
    pixels[50, 25] = 3.0
    picture = Film(pixels, None).cut(
        Crop(centre=(24.5, 49.5), scale=1.0, turn=0.0, mirrored=False, size=100), dark_beyond=True
    )
    assert np.allclose(picture[:, :24], 3)
    assert np.allclose(picture[:, 76:], 3)
    assert np.allclose(picture[:40, 26:74], 7)


def test_what_is_no_number_counts_as_darkest() -> None:
    pixels = np.full((100, 100), 3.0, np.float32)
    pixels[40:60, 40:60] = np.nan
    pixels[0, 0] = np.inf
    crop = Crop(centre=(49.5, 49.5), scale=1.0, turn=0.0, mirrored=False, size=64)
    assert np.isfinite(Film(pixels, None).cut(crop)).all()


def test_the_film_holds_its_points_up_to_the_edges_of_its_pixels() -> None:
    film = Film(np.zeros((50, 100), np.float32), None)
    inside = film.contains(np.array([[-0.4, 0.0], [99.4, 49.4], [-0.6, 0.0], [50.0, 49.6]]))
    assert inside.tolist() == [True, True, False, False]
    assert not film.contains(np.array([5.0, 25.0]), margin=10)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (40.0, -1000.0), (0.001, 5.0)])
def test_normalisation_undoes_gain_and_offset(gain: float, offset: float) -> None:
    picture = np.random.default_rng(1).gamma(2.0, size=(64, 64)).astype(np.float32)
    assert np.allclose(normalise(picture * np.float32(gain) + np.float32(offset)), normalise(picture), atol=2e-2)


def test_a_few_wild_pixels_and_a_flat_crop_do_no_harm() -> None:
    picture = np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32)
    wild = picture.copy()
    wild[5, 5] = 1e6
    assert np.abs(normalise(wild) - normalise(picture))[20:].max() < 0.1
    assert not normalise(np.full((64, 64), 9.0, np.float32)).any()


def test_shape_of_the_pixels_counts_without_millimetres() -> None:
    film = Film(np.zeros((50, 100), np.float32), None, 2.0)
    assert not film.has_spacing
    assert (film.width, film.height) == (100.0, 100.0)
    assert np.allclose(film.to_pixels(np.array([30.0, 40.0])), [30.0, 20.0], atol=0.51)
