"""Simulated crops and annotated films in one stream."""

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from aasnode.training.mixture import Mixture
from aasnode.training.samples import Sample, as_tensors
from aasnode.training.train import heatmap_loss


class Plain:
    """Flat crops of one brightness."""

    size = 32
    channels = ("a",)
    identity = "plain"

    def __init__(self, brightness: float, masks: tuple[str, ...]) -> None:
        self.brightness, self.masks = brightness, masks

    def sample(self, seed: int, number: int) -> Sample:
        return Sample(
            image=np.full((32, 32), self.brightness, np.float32),
            points=np.full((1, 2), 12.0, np.float32),
            visible=np.array([True]),
            masks=np.ones((len(self.masks), 8, 8), np.float32),
        )


MIXED = Mixture(Plain(0.0, ("bone",)), Plain(1.0, ()), film_share=0.25)


def test_films_come_in_their_share_and_the_same_for_the_same_seed() -> None:
    drawn, again = (np.array([MIXED.sample(5, number).image[0, 0] for number in range(400)]) for _ in range(2))
    assert np.array_equal(drawn, again)
    assert drawn.mean() == pytest.approx(0.25, abs=0.07)


def test_masks_of_films_are_unknown_and_teach_nothing() -> None:
    film = next(s for s in (MIXED.sample(6, number) for number in range(99)) if s.image[0, 0] == 1)
    assert np.isnan(film.masks).all()
    batch = default_collate([as_tensors(film)])
    for value in (0.0, 9.0):
        heatmaps = torch.zeros(1, 2, 8, 8)
        heatmaps[:, 1] = value
        loss = heatmap_loss(heatmaps, batch, torch.ones(2))
        assert loss.item() == pytest.approx(heatmap_loss(torch.zeros(1, 2, 8, 8), batch, torch.ones(2)).item())


def test_streams_of_other_channels_do_not_mix() -> None:
    other = Plain(1.0, ())
    other.channels = ("b",)
    with pytest.raises(ValueError, match="do not mix"):
        Mixture(Plain(0.0, ()), other)
