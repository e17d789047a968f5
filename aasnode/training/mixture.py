"""Two sources of samples as one: simulated crops, which know everything, and annotated films, which know points."""

from collections.abc import Iterator, Sequence
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

    def samples(self, seed: Sequence[int]) -> Iterator[Sample]:
        """An endless sequence; equal seeds give equal samples."""
        rng = np.random.default_rng([*seed, 2])
        simulated, films = self._simulated.samples((*seed, 0)), self._films.samples((*seed, 1))
        while True:
            yield self.without_masks(next(films)) if rng.random() < self._film_share else next(simulated)

    def without_masks(self, sample: Sample) -> Sample:
        """The sample with unknown masks of the right number."""
        quarter = self.size // STRIDE
        return replace(sample, masks=np.full((len(self.masks), quarter, quarter), np.nan, np.float32))
