"""From thickness to a processed film."""

from dataclasses import replace

import numpy as np
import pytest

from aasnode.training.simulate.film import attenuation, band_noise, draw_technique, exposed, processed, quantised
from aasnode.training.simulate.materials import Layer, attenuation_per_mm

PIXEL_MM = 0.4
PLAIN = draw_technique(np.random.default_rng(0), plain=True)
SMOOTH = replace(PLAIN, soft_texture=0.0, bone_texture=0.0, skull_texture=0.0)


def neck(**thickness_mm: float) -> dict[Layer, np.ndarray]:
    """A slab of 100 mm of soft tissue; the right half holds what is given."""
    maps = {layer: np.zeros((240, 240), np.float32) for layer in Layer}
    maps[Layer.SOFT][:] = 100
    for name, mm in thickness_mm.items():
        maps[Layer[name.upper()]][:, 120:] = mm
    return maps


def line_integral(maps: dict[Layer, np.ndarray], osteoporosis: float = 0.0) -> np.ndarray:
    return attenuation(maps, SMOOTH, osteoporosis, PIXEL_MM, np.random.default_rng(1))


def test_without_texture_the_line_integral_is_beer_and_lamberts() -> None:
    total = line_integral(neck(c2_cortical=5.0))
    soft, bone = (attenuation_per_mm(layer, SMOOTH.energy_kev) for layer in (Layer.SOFT, Layer.C2_CORTICAL))

    assert total[10, 10] == pytest.approx(100 * soft, rel=1e-5)
    assert total[10, 200] == pytest.approx(95 * soft + 5 * bone, rel=1e-5)  # bone takes the place of soft tissue


def test_air_is_darker_and_bone_brighter_than_the_neck() -> None:
    for layer, sense in (("air", -1), ("tooth", 1), ("skull_diploe", 1), ("c1_lateral_cancellous", 1)):
        total = line_integral(neck(**{layer: 10.0}))
        film = processed(exposed(total, SMOOTH, PIXEL_MM, np.random.default_rng(2)), SMOOTH, PIXEL_MM)
        assert np.sign(film[:, 150:220].mean() - film[:, 20:90].mean()) == sense, layer


def test_osteoporosis_thins_the_marrow_and_not_the_cortex() -> None:
    healthy, porous = (line_integral(neck(spine_cancellous=15.0), o)[5, 200] for o in (0.0, 1.0))
    assert porous < healthy

    healthy, porous = (line_integral(neck(spine_cortical=2.0), o)[5, 200] for o in (0.0, 1.0))
    assert porous == healthy


def test_fewer_photons_make_more_noise() -> None:
    total = line_integral(neck())
    rough, fine = (
        exposed(total, replace(SMOOTH, photons=photons), PIXEL_MM, np.random.default_rng(3)).std()
        for photons in (500.0, 8000.0)
    )

    assert rough == pytest.approx(4 * fine, rel=0.1)


def test_a_film_fills_twelve_bits_and_no_more() -> None:
    film = processed(
        exposed(line_integral(neck(c1_cortical=8)), PLAIN, PIXEL_MM, np.random.default_rng(4)), PLAIN, PIXEL_MM
    )
    pixels = quantised(film)

    assert pixels.dtype == np.uint16
    assert pixels.min() == 0
    assert pixels.max() == 4095


@pytest.mark.parametrize("sigma_px", [0.5, 3.0, 20.0])
def test_band_noise_has_unit_variance_and_its_own_grain(sigma_px: float) -> None:
    noise = band_noise(np.random.default_rng(5), (300, 400), sigma_px)

    assert noise.shape == (300, 400)
    assert noise.std() == pytest.approx(1, abs=0.1)
    neighbours = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    assert (neighbours > 0.9) == (sigma_px > 1)
