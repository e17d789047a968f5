"""Maps are warped backwards and sections forwards, and both end at the same place."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from aasnode.training.sampler.warp import Affine, Band, Look, draw_shift, turned

N = 128
BANDS = (Band(amplitude_mm=1.4, scale_mm=(8, 15)), Band(amplitude_mm=0.8, scale_mm=(4, 8)))


def look(seed: int) -> Look:
    rng = np.random.default_rng(seed)
    to_crop = turned(1 / 0.3, 0.2).carrying(np.array([20.0, 20.0]), np.full(2, (N - 1) / 2))
    return Look(to_crop=to_crop, shift=draw_shift(BANDS, N, 0.3, rng))


def test_an_affine_and_its_inverse_undo_each_other() -> None:
    there = turned(2.5, 0.7, stretch=1.2, mirrored=True).carrying(np.array([3.0, 4.0]), np.array([-1.0, 9.0]))
    points = np.random.default_rng(0).normal(size=(7, 2))
    assert there.inverse(there(points)) == pytest.approx(points)
    assert there.after(there.inverse)(points) == pytest.approx(points)
    assert there(np.array([3.0, 4.0])) == pytest.approx([-1.0, 9.0])


@pytest.mark.parametrize("seed", range(5))
def test_a_point_is_found_where_the_crop_shows_it(seed: int) -> None:
    seen = look(seed)
    rows, columns = np.random.default_rng(seed).integers(10, N - 10, (2, 40))
    x, y = seen.plane
    shown = np.stack([x[rows, columns], y[rows, columns]], 1).astype(float)
    assert seen.find(shown) == pytest.approx(np.stack([columns, rows], 1), abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_a_warped_section_covers_its_warped_map(seed: int) -> None:
    angle = np.linspace(0, 2 * np.pi, 80)
    contour = np.stack([200 + 60 * np.cos(angle), 180 + 35 * np.sin(angle)], 1)  # pixels of the map
    image = 400 * polygon2mask((400, 400), contour[:, ::-1]).astype(np.uint16)
    to_plane = turned(0.1, 0.0)
    seen = look(seed)
    warped = seen.sample(image[None], to_plane, 100, endless=False)[0]
    assert warped.max() == pytest.approx(4.0)
    drawn = polygon2mask((N, N), seen.find(to_plane(contour))[:, ::-1])
    both, either = (drawn & (warped > 2)).sum(), (drawn | (warped > 2)).sum()
    assert both / either > 0.97


def test_shifts_have_the_amplitude_that_was_asked_for() -> None:
    drawn = [
        draw_shift((Band(amplitude_mm=2.0, scale_mm=(3, 4)),), 64, 0.5, np.random.default_rng(i)) for i in range(40)
    ]
    assert np.std(drawn) == pytest.approx(2.0 / np.sqrt(3), rel=0.2)  # even from 0 to 2


def test_a_look_without_shift_is_the_affine() -> None:
    to_crop = Affine(matrix=np.diag([2.0, 2.0]), offset=np.array([5.0, 7.0]))
    still = Look(to_crop=to_crop, shift=np.zeros((2, 32, 32), np.float32))
    points = np.array([[1.0, 2.0], [40.0, -3.0]])
    assert still.find(points) == pytest.approx(to_crop(points))
