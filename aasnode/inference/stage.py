"""One network of a model, and what it says of crops, told in the film's frame.

The only part of detection that knows torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from aasnode.errors import ModelError
from aasnode.inference.card import Beyond, Card, Precision, StageCard, verify_weights
from aasnode.inference.crop import Crop, Film, Floats, Points, normalise
from aasnode.inference.heatmap import Decoding, decode
from aasnode.inference.hrnet import PoseHRNet, Variant, to_inference
from aasnode.inference.weights import load_weights

_BATCH = 16  # crops at once: bounds the memory
Member = TypeVar("Member", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One stage's answer for one crop, in the film's frame; K points in the order of the stage's channels."""

    crop: Crop
    points: Points  # (K, 2)
    confidences: Points  # (K,) 0 to 1
    covariances: Points  # (K, 2, 2)
    masks: Mapping[str, Floats]  # (size/4, size/4) each, 0 to 1


class Stage:
    """A network with its card, on its device."""

    def __init__(self, card: StageCard, network: PoseHRNet, decoding: Decoding, device: torch.device) -> None:
        """``network`` has ``card.maps`` outputs and is ready for inference."""
        self.card = card
        self._network = network
        self._decoding = decoding
        self._device = device
        self.half = False  # bfloat16 inside the network; the heatmaps are always decoded in float32

    def index(self, name: str) -> int:
        """Which channel holds the point of that name."""
        return self.card.channels.index(name)

    def read(self, film: Film, crops: Sequence[Crop]) -> list[Reading]:
        """Run the network on each crop, in batches."""
        readings: list[Reading] = []
        for first in range(0, len(crops), _BATCH):
            readings += self._read_batch(film, crops[first : first + _BATCH])
        return readings

    @torch.inference_mode()
    def _read_batch(self, film: Film, crops: Sequence[Crop]) -> list[Reading]:
        dark_beyond = self.card.beyond is Beyond.DARK
        pictures = np.stack([normalise(film.cut(crop, dark_beyond=dark_beyond)) for crop in crops])[:, None]
        batch = torch.from_numpy(pictures).to(self._device, memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.half):
            maps = self._network(batch).float()
        count = len(self.card.channels)
        peaks = decode(maps[:, :count], self._decoding)
        points, heights = peaks.points.double().cpu().numpy(), peaks.heights.double().cpu().numpy()
        covariances = peaks.covariances_px2.double().cpu().numpy()
        shares = maps[:, count:].clamp(0, 1).cpu().numpy()
        return [
            Reading(
                crop=crop,
                points=crop.to_film(points[i]),
                confidences=heights[i].clip(0, 1),
                covariances=crop.covariance_to_film(covariances[i]),
                masks=dict(zip(self.card.masks, shares[i], strict=True)),
            )
            for i, crop in enumerate(crops)
        ]


def load_stages(card: Card, model_dir: Path, device: torch.device) -> list[Stage]:
    """Every stage of the card with its weights, warm. Raises ModelError when card and weights disagree."""
    return [_load_stage(stage, card, model_dir, device) for stage in card.stages]


def _load_stage(stage_card: StageCard, card: Card, model_dir: Path, device: torch.device) -> Stage:
    variant = _member(Variant, stage_card.variant, f"stages.{stage_card.role}.variant")
    decoding = _member(Decoding, card.decoding, "decoding")
    network = PoseHRNet(variant, stage_card.maps)
    load_weights(network, verify_weights(stage_card, model_dir))
    stage = Stage(stage_card, to_inference(network, device), decoding, device)
    stage.half = _use_bfloat16(card.precision, device)
    return stage


def _member(kind: type[Member], value: str, where: str) -> Member:
    if value not in list(kind):
        raise ModelError(f"{where}: {value!r} is none of {', '.join(kind)}")
    return kind(value)


def _use_bfloat16(precision: Precision, device: torch.device) -> bool:
    if precision is not Precision.AUTO:
        return precision is Precision.BFLOAT16
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def choose_device(device: str) -> torch.device:
    """``auto``, or a name that torch knows. Raises ModelError when it is not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"device {device!r} cannot be used: {error}; set it to auto or cpu") from error
    return chosen
