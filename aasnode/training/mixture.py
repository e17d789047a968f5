"""Two sources of samples as one: simulated crops, which know everything, and annotated films, which know points."""

from dataclasses import replace

import numpy as np

from aasnode.inference.hrnet import STRIDE
from aasnode.training.samples import Sample, SampleStream

FILM_SHARE = 0.5  # of the samples


class Mixture:
    """Samples of ``simulated``, and in between some of ``films``, whose masks are unknown."""

    def __init__(self, simulated: SampleStream, films: SampleStream, film_share: float = FILM_SHARE) -> None:
        """Raises ValueError where they do not have the same channels and size."""
        if simulated.channels != films.channels or simulated.size != films.size:
            raise ValueError(f"{films.channels} at {films.size} px do not mix with {simulated.channels}")
        self._simulated, self._films, self._film_share = simulated, films, film_share

    @property
    def channels(self) -> tuple[str, ...]:
        """Of both."""
        return self._simulated.channels

    @property
    def masks(self) -> tuple[str, ...]:
        """Of the simulated crops."""
        return self._simulated.masks

    @property
    def size(self) -> int:
        """Side of a crop in pixels."""
        return self._simulated.size

    @property
    def identity(self) -> str:
        """Of both."""
        return f"{self._film_share} of {self._films.identity}, {self._simulated.identity}"

    def sample(self, seed: int, number: int) -> Sample:
        """One of an endless sequence."""
        if np.random.default_rng([seed, number, 1]).random() < self._film_share:
            return self.without_masks(self._films.sample(seed, number))
        return self._simulated.sample(seed, number)

    def without_masks(self, sample: Sample) -> Sample:
        """The sample with unknown masks of the right number."""
        quarter = self.size // STRIDE
        return replace(sample, masks=np.full((len(self.masks), quarter, quarter), np.nan, np.float32))
