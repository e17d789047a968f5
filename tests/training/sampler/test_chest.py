"""Chests: what teaches the first look that ribs and vertebrae are no neck."""

import numpy as np
import pytest

from aasnode.training.sampler.chest import draw_chest
from aasnode.training.sampler.elsewhere import draw_elsewhere


@pytest.mark.parametrize("seed", range(8))
def test_a_chest_is_an_attenuation(seed: int) -> None:
    drawn = draw_chest(96, np.random.default_rng(seed))

    assert drawn.shape == (96, 96)
    assert drawn.dtype == np.float32
    assert np.isfinite(drawn).all()
    assert drawn.min() > -1e-3
    assert 0.5 < drawn.max() < 25


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    for draw in (draw_chest, draw_elsewhere):
        one, again, other = (draw(64, np.random.default_rng(seed)) for seed in (1, 1, 2))

        assert np.array_equal(one, again)
        assert not np.allclose(one, other)
