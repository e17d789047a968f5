"""The training script learns, says how well, and goes on where it was stopped."""

import dataclasses
import json
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ConfigurationError, ModelError
from aasnode.inference.crop import normalise
from aasnode.inference.heatmap import decode, gaussian_targets
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import load_weights
from aasnode.training.samples import Sample, SampleStream, StreamDataset, as_tensors
from aasnode.training.train import Preset, Recipe, heatmap_loss, learnt, recipe_of, train, validate

SIZE = 64


class Discs:
    """Four bright discs of falling size in a row at random distances; the last is sometimes missing."""

    channels = tuple(map(str, LANDMARKS))
    masks = ("disc",)
    identity = "discs"
    size = SIZE

    def sample(self, seed: int, number: int) -> Sample:
        rng = np.random.default_rng([seed, number])
        return self.draw(rng, gap=float(rng.uniform(8, 14)), last=bool(rng.random() > 0.2))

    def draw(self, rng: np.random.Generator, gap: float, *, last: bool = True) -> Sample:
        x = rng.uniform(8, 14) + gap * np.arange(4)
        points = np.stack([x, rng.uniform(20, 44) + rng.normal(0, 1, 4)], -1)
        visible = np.array([True, True, True, last])
        rows, columns = np.indices((SIZE, SIZE))
        near = np.stack([np.hypot(columns - px, rows - py) for px, py in points])
        discs = [1 / (1 + np.exp(2 * (near[k] - 5 + k))) for k in range(4) if visible[k]]
        image = np.maximum.reduce(discs) + rng.normal(0, 0.05, (SIZE, SIZE))
        covered = np.maximum.reduce(discs).reshape(SIZE // 4, 4, SIZE // 4, 4).mean((1, 3))
        return Sample(
            image=normalise(image.astype(np.float32)),
            points=points.astype(np.float32),
            visible=visible,
            masks=covered[None].astype(np.float32),
        )


STREAM: SampleStream = Discs()
RECIPE = Recipe(images=2800, batch=16, warm_up_steps=20, average=0.97, workers=0, validate_images=800, seed=3)


def held_out(count: int = 64) -> list[Sample]:
    return [STREAM.sample(999, number) for number in range(count)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    train(STREAM, held_out(), RECIPE, out, device="cpu", progress=False)
    return out


@pytest.fixture(scope="module")
def network(trained: Path) -> PoseHRNet:
    found = PoseHRNet(Variant.W18_SMALL, maps=5)
    load_weights(found, trained / "weights.safetensors")
    return found.eval()


def answers(network: PoseHRNet, samples: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.inference_mode():
        peaks = decode(network(torch.stack([as_tensors(sample)["image"] for sample in samples]))[:, :4])
    return peaks.points, peaks.heights


def test_a_small_network_learns_to_below_a_pixel(trained: Path, network: PoseHRNet) -> None:
    samples = held_out(96)[64:]
    points, _ = answers(network, samples)
    truth = torch.from_numpy(np.stack([sample.points for sample in samples]))
    assert float((points - truth)[:, :3].norm(dim=-1).mean()) < 0.8
    report = json.loads((trained / "training.json").read_text())
    assert report["validation"]["error_px"] < 1.0
    assert report["validation"]["joint_slope"] == pytest.approx(1, abs=0.1)
    assert report["recipe"]["seed"] == 3


def test_moving_one_point_moves_the_answer(network: PoseHRNet) -> None:
    """Not a guess from the neighbours: the distance that is measured follows the distance that is there."""
    gaps = np.linspace(8.5, 13.5, 11)
    samples = [Discs().draw(np.random.default_rng(scene), gap=float(gap)) for scene in range(8) for gap in gaps]
    points, _ = answers(network, samples)
    distance = (points[:, 1] - points[:, 0]).norm(dim=-1).numpy()
    true = np.linalg.norm([s.points[1] - s.points[0] for s in samples], axis=-1)
    assert np.polyfit(true, distance, 1)[0] == pytest.approx(1, abs=0.1)


def test_a_network_that_guesses_the_joint_from_its_neighbours_is_seen_at_every_validation() -> None:
    samples = held_out(32)
    guess = torch.from_numpy(np.stack([sample.points for sample in samples]).mean(0, keepdims=True))

    def guesses(images: torch.Tensor) -> torch.Tensor:
        return gaussian_targets(guess.expand(len(images), -1, -1), SIZE // 4, SIZE // 4)

    found = validate(guesses, samples, STREAM, RECIPE, torch.device("cpu"))  # type: ignore[arg-type]
    assert found.joint_slope == pytest.approx(0, abs=0.01)


def test_what_is_hidden_gives_a_low_peak(network: PoseHRNet) -> None:
    rng = np.random.default_rng(8)
    seen, gone = ([Discs().draw(rng, gap=11.0, last=last) for _ in range(16)] for last in (True, False))
    assert answers(network, seen)[1][:, 3].min() > answers(network, gone)[1][:, 3].max()


def test_the_curves_are_there(trained: Path) -> None:
    assert list(trained.glob("events.out.tfevents.*"))


def test_a_stopped_training_goes_on_where_it_was(tmp_path: Path) -> None:
    short = dataclasses.replace(RECIPE, images=160)
    straight = tmp_path / "straight"
    train(STREAM, held_out(8), short, straight, device="cpu", progress=False)
    state = torch.load(straight / "checkpoint.pt", weights_only=True)
    assert state["step"] == 10
    before = (straight / "weights.safetensors").read_bytes()
    train(STREAM, held_out(8), short, straight, device="cpu", progress=False)  # nothing left to do
    assert (straight / "weights.safetensors").read_bytes() == before
    state["step"] = 5
    torch.save(state, straight / "checkpoint.pt")
    train(STREAM, held_out(8), short, straight, device="cpu", progress=False)
    assert torch.load(straight / "checkpoint.pt", weights_only=True)["step"] == 10
    assert (straight / "weights.safetensors").read_bytes() != before


def test_a_training_that_was_stopped_ends_in_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = dataclasses.replace(RECIPE, images=160, checkpoint_seconds=0.0)
    train(STREAM, held_out(4), short, tmp_path / "straight", device="cpu", progress=False)

    class StoppedError(Exception):
        pass

    class Stops(Discs):
        def sample(self, seed: int, number: int) -> Sample:
            if number >= 96:
                raise StoppedError
            return super().sample(seed, number)

    with pytest.raises(StoppedError):
        train(Stops(), held_out(4), short, tmp_path / "stopped", device="cpu", progress=False)
    train(STREAM, held_out(4), short, tmp_path / "stopped", device="cpu", progress=False)
    straight, stopped = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("straight", "stopped"))
    assert straight == stopped


def test_a_training_says_how_much_it_has_learnt_in_which_precision_and_on_what(tmp_path: Path) -> None:
    short = dataclasses.replace(RECIPE, images=64, bfloat16=False)
    assert learnt(tmp_path) == "unknown"
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)
    assert learnt(tmp_path) == "64 samples in float32 on cpu"
    elsewhere = json.loads((tmp_path / "training.json").read_text()) | {"learnt_in": ["bfloat16 on cuda"]}
    (tmp_path / "training.json").write_text(json.dumps(elsewhere))
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)  # nothing left to learn
    assert learnt(tmp_path) == "64 samples in bfloat16 on cuda"
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save(state | {"step": 2}, tmp_path / "checkpoint.pt")
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)
    assert learnt(tmp_path) == "64 samples in bfloat16 on cuda, then float32 on cpu"
    (tmp_path / "checkpoint.pt").unlink()
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)  # anew
    assert learnt(tmp_path) == "64 samples in float32 on cpu"


def test_a_checkpoint_of_other_samples_is_refused(tmp_path: Path) -> None:
    class Others(Discs):
        identity = "others"

    short = dataclasses.replace(RECIPE, images=32)
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)
    with pytest.raises(ConfigurationError, match="belongs to another recipe"):
        train(Others(), held_out(4), short, tmp_path, device="cpu", progress=False)


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    short = dataclasses.replace(RECIPE, images=64)
    for name in ("one", "two"):
        train(STREAM, held_out(4), short, tmp_path / name, device="cpu", progress=False)
    one, two = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    short = dataclasses.replace(RECIPE, images=32)
    train(STREAM, held_out(4), short, tmp_path, device="cpu", progress=False)
    with pytest.raises(ConfigurationError, match="belongs to another recipe"):
        train(STREAM, held_out(4), dataclasses.replace(short, rate=1e-4), tmp_path, device="cpu", progress=False)


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    wild = dataclasses.replace(RECIPE, images=800, rate=1e20, clip=1e30, bfloat16=False, warm_up_steps=1)
    with pytest.raises(ModelError, match="gradient is not finite"):
        train(STREAM, held_out(4), wild, tmp_path, device="cpu", progress=False)


def test_hidden_points_want_nothing_and_unknown_points_want_no_say() -> None:
    points = torch.tensor([[[20.0, 20.0], [40.0, 40.0], [np.nan, np.nan], [30.0, 30.0]]])
    visible = torch.tensor([[True, False, True, True]])
    batch = {"points": points, "visible": visible, "masks": torch.zeros(1, 0, 16, 16)}
    right = gaussian_targets(points.nan_to_num(), 16, 16) * visible[..., None, None]
    right[:, 2] = 5.0  # whatever it says of the unknown point
    weights = torch.ones(4)
    assert float(heatmap_loss(right, batch, weights)) == 0
    wrong = right.clone()
    wrong[:, 1, 10, 10] = 1.0  # a peak for the hidden point
    assert float(heatmap_loss(wrong, batch, weights)) > 0


def drawn(seed: int, *, first: int = 0, workers: int = 0, batches: int = 6) -> np.ndarray:
    """The first image of each batch."""
    loader = DataLoader(StreamDataset(STREAM, seed, 4, first), batch_size=4, num_workers=workers)
    return np.stack([batch["image"][0, 0].numpy() for batch in islice(loader, batches)])


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than some machines have cores
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_sample(workers: int) -> None:
    assert np.array_equal(drawn(1), drawn(1, workers=workers))


def test_a_restart_goes_on_with_the_next_samples() -> None:
    straight = drawn(1)
    assert np.array_equal(straight[2:], drawn(1, first=2, batches=4))
    assert not any(np.array_equal(a, b) for a, b in pairwise(straight))
    assert not np.array_equal(straight, drawn(2))


def test_the_paper_preset_is_the_papers() -> None:
    recipe = recipe_of(Preset.PAPER, films=3480)
    assert (recipe.variant, recipe.batch, recipe.images) == (Variant.W32, 32, 40 * 3480)
    assert recipe_of(Preset.DEFAULT, films=0, seed=9) == Recipe(seed=9)
