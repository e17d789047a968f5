"""What a network learns from: crops with their points, as an endless stream that its seed decides. Knows no films."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from aasnode.inference.crop import Floats
from aasnode.inference.hrnet import STRIDE


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One crop: K points, M masks, side n pixels."""

    image: Floats  # (n, n), prepared as the card's normalisation says
    points: Floats  # (K, 2) x, y in crop pixels; nan and visible: not annotated, that heatmap teaches nothing
    visible: npt.NDArray[np.bool_]  # (K,); what is hidden or outside teaches an empty heatmap
    masks: Floats  # (M, n / 4, n / 4), share of each pixel that is covered; nan where unknown


class SampleStream(Protocol):
    """A source of samples: the simulator, annotated films, or a mixture."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the K points."""

    @property
    def masks(self) -> tuple[str, ...]:
        """Names of the M masks."""

    @property
    def size(self) -> int:
        """Side of a crop in pixels."""

    @property
    def identity(self) -> str:
        """What the samples come from; another means other samples for the same seed."""

    def sample(self, seed: int, number: int) -> Sample:
        """One of an endless sequence; the same for the same seed and number, whoever draws it and when."""


Batch = dict[str, Tensor]  # image (N, 1, n, n), points (N, K, 2), visible (N, K), masks (N, M, n/4, n/4)


def as_tensors(sample: Sample) -> Batch:
    """One sample for the collation of a loader. Raises ValueError where its shapes do not belong together."""
    n, quarter = sample.image.shape[-1], sample.image.shape[-1] // STRIDE
    if sample.image.shape != (n, n) or sample.masks.shape[1:] != (quarter, quarter):
        raise ValueError(f"image {sample.image.shape} and masks {sample.masks.shape} do not belong together")
    if sample.points.shape != (len(sample.visible), 2):
        raise ValueError(f"{sample.points.shape} points, {len(sample.visible)} visible: one flag a point")
    return {
        "image": torch.from_numpy(np.ascontiguousarray(sample.image, np.float32))[None],
        "points": torch.from_numpy(np.ascontiguousarray(sample.points, np.float32)),
        "visible": torch.from_numpy(np.ascontiguousarray(sample.visible, np.bool_)),
        "masks": torch.from_numpy(np.ascontiguousarray(sample.masks, np.float32)),
    }


class StreamDataset(IterableDataset[Batch]):
    """A stream for a DataLoader: its workers take whole batches in turn, so that their number changes nothing."""

    def __init__(self, stream: SampleStream, seed: int, batch: int, first: int) -> None:
        """``first``: number of the first batch, so that a resumed training goes on where it was."""
        self._stream, self._seed, self._batch, self._first = stream, seed, batch, first

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        if worker is not None:  # the cores are shared out already
            torch.set_num_threads(1)
            cv2.setNumThreads(1)
        own, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for batch in count(self._first + own, workers):
            for number in range(batch * self._batch, (batch + 1) * self._batch):
                yield as_tensors(self._stream.sample(self._seed, number))
