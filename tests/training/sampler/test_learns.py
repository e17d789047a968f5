"""A small network learns the joint from composed samples, and measures it: its ADI follows the anatomy's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from aasnode.inference.heatmap import decode
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import load_weights
from aasnode.training.sampler.compose import Split, join
from aasnode.training.sampler.crops import JOINT, MASKS
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.stream import ComposedStream, look_at, make_sample
from aasnode.training.sampler.surroundings import Reach
from aasnode.training.samples import Sample, as_tensors
from aasnode.training.train import Recipe, train

CROPS = replace(JOINT, input_px=64, mm_per_px=0.5, occluded=0.2, misplaced=0.0, elsewhere=0.0, operated=0.0)
RECIPE = Recipe(
    images=3600, batch=8, rate=1.5e-3, warm_up_steps=20, average=0.97, workers=0, validate_images=10_000, seed=5
)
DISTINCT = 1200  # samples, over and over: to draw one takes as long as to learn from it
UNTRAINED_SEED = 77


class Repeated(ComposedStream):
    """The first samples of the stream again and again."""

    def __init__(self, library: Library) -> None:
        super().__init__(library, CROPS, Split())
        self._drawn: dict[tuple[int, int], Sample] = {}

    def sample(self, seed: int, number: int) -> Sample:
        one = seed, number % DISTINCT
        if one not in self._drawn:
            self._drawn[one] = super().sample(*one)
        return self._drawn[one]


@pytest.fixture(scope="module")
def network(library: Library, tmp_path_factory: pytest.TempPathFactory) -> PoseHRNet:
    out = tmp_path_factory.mktemp("joint")
    train(Repeated(library), [], RECIPE, out, device="cpu", progress=False)
    return loaded(out)


def loaded(out: Path) -> PoseHRNet:
    network = PoseHRNet(Variant.W18_SMALL, maps=len(CROPS.channels) + len(MASKS))
    load_weights(network, out / "weights.safetensors")
    return network.eval()


def points_of(network: PoseHRNet, samples: list[Sample]) -> npt.NDArray[np.float32]:
    with torch.inference_mode():
        maps = network(torch.stack([as_tensors(sample)["image"] for sample in samples]))
    return decode(maps[:, : len(CROPS.channels)]).points.numpy()


def moved_joints(library: Library, adi_mm: float, count: int) -> list[Sample]:
    """The same bones, crop and exposure, with another ADI."""
    found = []
    for number in range(count):
        rng = np.random.default_rng([UNTRAINED_SEED, number])
        c1, c2 = (library.bones(name)[number % 4] for name in ("c1", "c2"))
        around = library.surroundings(Reach.NEIGHBOURHOOD)[number % 2]
        composition = join(c1, c2, around, adi_mm, rng)
        seen = look_at(composition, CROPS, rng) if composition is not None else None
        sample = make_sample(composition, seen, CROPS, rng) if composition is not None and seen is not None else None
        if sample is not None:
            found.append(sample)
    return found


def test_points_are_found_on_unseen_samples(network: PoseHRNet, library: Library) -> None:
    samples = ComposedStream(library, CROPS, Split()).held_out(64, UNTRAINED_SEED)
    error_px = np.linalg.norm(points_of(network, samples)[:, :3] - np.stack([s.points[:3] for s in samples]), axis=-1)
    visible = np.stack([sample.visible[:3] for sample in samples]) & np.isfinite(error_px)
    assert np.median(error_px[visible]) * CROPS.mm_per_px < 1.5


def test_the_measured_adi_follows_the_anatomy(network: PoseHRNet, library: Library) -> None:
    true, measured = [], []
    for adi_mm in (1.0, 3.0, 5.0, 7.0, 9.0):
        samples = moved_joints(library, adi_mm, 16)
        points = points_of(network, samples)
        true += [float(np.linalg.norm(s.points[0] - s.points[1])) for s in samples]
        measured += list(np.linalg.norm(points[:, 0] - points[:, 1], axis=-1))
    known = np.isfinite(true)
    slope = np.polyfit(np.array(true)[known], np.array(measured)[known], 1)[0]
    assert slope == pytest.approx(1, abs=0.35)
