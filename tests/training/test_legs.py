"""Legs of a training: each goes on from the one before, and of several the mean ships."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from aasnode.errors import ConfigurationError, ModelError
from aasnode.inference.card import Role, sha256_of
from aasnode.training import plan, request
from aasnode.training.legs import story, write_mean
from aasnode.training.model import train_stage
from aasnode.training.plan import plan_stage
from aasnode.training.request import ModelRequest, legs_in_work, legs_of
from aasnode.training.sampler.crops import CROPS
from aasnode.training.sampler.library import Library
from aasnode.training.shipped import LEGS, Leg

from .conftest import SIZE

Weights = dict[str, torch.Tensor]


@pytest.fixture
def request_(tmp_path: Path, training_cache: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRequest:
    """Three legs of one batch each."""
    legs = (Leg(images=16), Leg(images=16, rate=8e-4, seed=70), Leg(images=16, rate=8e-4, seed=80))
    monkeypatch.setattr(request, "LEGS", {Role.LOCATE: legs})
    monkeypatch.setattr(plan, "_VALIDATION_SAMPLES", 2)
    return ModelRequest(out=tmp_path / "out", work=tmp_path / "work", cache=training_cache, size=SIZE, device="cpu")


def test_each_leg_goes_on_from_the_one_before_and_the_mean_of_the_last_two_ships(request_: ModelRequest) -> None:
    stage = train_stage(request_, Role.LOCATE)
    folder = request_.work / "locate"
    legs = [folder / f"leg-{number}" for number in (1, 2, 3)]
    told = [json.loads((leg / "training.json").read_text()) for leg in legs]
    weights = [safetensors.torch.load_file(path / "weights.safetensors") for path in (*legs[1:], folder)]

    assert [one["recipe"]["seed"] for one in told] == [1, 71, 81]
    assert [one["recipe"]["rate"] for one in told] == [2e-3, 8e-4, 8e-4]
    sources = [None, *(sha256_of(leg / "weights.safetensors") for leg in legs[:2])]
    assert [one["pretrained"] for one in told] == sources
    before, after, mean = (one["final_layer.weight"] for one in weights)
    assert not torch.equal(before, after)
    assert torch.allclose(mean, (before + after) / 2)
    assert stage.sha256 == sha256_of(folder / "weights.safetensors")
    told_of_all = story(legs_in_work(request_, Role.LOCATE))
    assert told_of_all.count("16 samples") == 3
    assert told_of_all.endswith("; the mean of the weights before and after the last of these")

    learnt_at = [(leg / "checkpoint.pt").stat().st_mtime_ns for leg in legs]
    assert train_stage(request_, Role.LOCATE) == stage  # nothing was left to learn
    assert [(leg / "checkpoint.pt").stat().st_mtime_ns for leg in legs] == learnt_at

    for path in (legs[2] / "checkpoint.pt", legs[2] / "weights.safetensors", folder / "weights.safetensors"):
        path.unlink()  # as if it had been stopped in the last leg
    assert train_stage(request_, Role.LOCATE) == stage
    assert [(leg / "checkpoint.pt").stat().st_mtime_ns for leg in legs[:2]] == learnt_at[:2]

    with pytest.raises(ConfigurationError, match="a training in other legs"):
        train_stage(replace(request_, images=16), Role.LOCATE)


def test_what_was_begun_in_one_go_is_not_gone_on_with_in_legs(request_: ModelRequest) -> None:
    """Told before the library is built."""
    checkpoint = request_.work / "locate" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    with pytest.raises(ConfigurationError, match="a training in other legs"):
        train_stage(request_, Role.LOCATE)


def test_a_request_may_ask_for_one_leg_and_for_another_rate(request_: ModelRequest) -> None:
    assert legs_of(replace(request_, images=10), Role.LOCATE) == (Leg(images=10),)
    slow = plan_stage(replace(request_, rate=1e-4), CROPS[Role.LOCATE], Library(SIZE, request_.cache), None)
    assert [recipe.rate for recipe in slow.recipes] == [1e-4] * 3


def test_the_page_tells_the_legs_of_the_shipped_model() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    first, second, third = LEGS[Role.LOCATE]
    assert (second.rate, third.rate, first.rate) == (8e-4, 8e-4, None)
    told = (
        f"{first.images:,} samples, {second.images:,} (seed + {second.seed}) and {third.images:,} (seed + {third.seed})"
    )
    assert f"| locate | {told}, the last two at a rate of 8e-4;" in page
    for role in (Role.REFINE, Role.JOINT):
        (leg,) = LEGS[role]
        assert f"| {role} | {leg.images:,} |" in page


def written(folder: Path, before: Weights, after: Weights) -> tuple[Path, Path, Path]:
    files = (folder / "before.safetensors", folder / "after.safetensors", folder / "mean.safetensors")
    for path, tensors in zip(files, (before, after), strict=False):
        safetensors.torch.save_file(tensors, path)
    return files


def test_kernels_in_half_precision_and_counts_keep_their_kind(tmp_path: Path) -> None:
    before = {"kernel": torch.tensor([1.0, 2.0]).half(), "batches": torch.tensor(4)}
    after = {"kernel": torch.tensor([3.0, 0.0]).half(), "batches": torch.tensor(8)}
    files = written(tmp_path, before, after)
    write_mean(*files)
    mean = safetensors.torch.load_file(files[2])
    assert mean["kernel"].dtype == torch.float16
    assert mean["kernel"].tolist() == [2.0, 1.0]
    assert mean["batches"].item() == 6


@pytest.mark.parametrize(
    "after", [{"kernel": torch.zeros(3)}, {"bias": torch.zeros(2)}, {"kernel": torch.zeros(2).half()}]
)
def test_weights_of_different_networks_have_no_mean(after: Weights, tmp_path: Path) -> None:
    files = written(tmp_path, {"kernel": torch.zeros(2)}, after)
    with pytest.raises(ModelError, match="are not of one network"):
        write_mean(*files)
    assert not files[2].exists()
