"""A mean of two files of weights, as the shipped first look is one."""

import runpy
from pathlib import Path

import pytest
import safetensors.torch
import torch

SCRIPT = Path(__file__).parents[2] / "scripts" / "average_weights.py"
Weights = dict[str, torch.Tensor]


def average(folder: Path, monkeypatch: pytest.MonkeyPatch, before: Weights, after: Weights) -> int | str | None:
    """The exit status; the mean lies in ``mean.safetensors``."""
    for name, tensors in (("before", before), ("after", after)):
        safetensors.torch.save_file(tensors, folder / f"{name}.safetensors")
    files = [str(folder / f"{name}.safetensors") for name in ("before", "after", "mean")]
    monkeypatch.setattr("sys.argv", [str(SCRIPT), *files])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return ended.value.code


def test_kernels_in_half_precision_and_counts_keep_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {"kernel": torch.tensor([1.0, 2.0]).half(), "batches": torch.tensor(4)}
    after = {"kernel": torch.tensor([3.0, 0.0]).half(), "batches": torch.tensor(8)}
    assert average(tmp_path, monkeypatch, before, after) == 0
    mean = safetensors.torch.load_file(tmp_path / "mean.safetensors")
    assert mean["kernel"].dtype == torch.float16
    assert mean["kernel"].tolist() == [2.0, 1.0]
    assert mean["batches"].item() == 6


@pytest.mark.parametrize(
    "after", [{"kernel": torch.zeros(3)}, {"bias": torch.zeros(2)}, {"kernel": torch.zeros(2).half()}]
)
def test_weights_of_different_networks_have_no_mean(
    after: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert average(tmp_path, monkeypatch, {"kernel": torch.zeros(2)}, after) == 2
    assert "are not of one network" in capsys.readouterr().err
    assert not (tmp_path / "mean.safetensors").exists()
