"""A network learns in legs: each goes on from the weights of the one before, its rate raised and led down once more.

Of several legs the mean of the weights before and after the last one ships: what lies between a network and what became
of it often sees best of all what neither was trained on (Wortsman et al. 2022, arXiv:2109.01903). Where the legs lie is
said by ``request.legs_in_work``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from aasnode.errors import ModelError
from aasnode.inference.weights import read_tensors
from aasnode.training.plan import Plan
from aasnode.training.train import WEIGHTS, learnt, train


def train_legs(
    plan: Plan, legs: Sequence[Path], out: Path, *, pretrained: Path | None, device: str, progress: bool
) -> None:
    """Train every leg in its folder, or go on where it was stopped; the weights that ship are then in ``out``, which is
    the only leg's own where there is one.

    Raises ConfigurationError where a leg's folder holds a training by another recipe, ModelError as ``train`` does.
    """
    start = pretrained
    for recipe, leg in zip(plan.recipes, legs, strict=True):
        train(plan.stream, plan.held_out, recipe, leg, pretrained=start, device=device, progress=progress)
        start = leg / WEIGHTS
    if len(legs) > 1:
        write_mean(legs[-2] / WEIGHTS, legs[-1] / WEIGHTS, out)


def story(legs: Sequence[Path]) -> str:
    """What a network has seen in each leg, in words."""
    told = ", then ".join(map(learnt, legs))
    return told if len(legs) == 1 else f"{told}; the mean of the weights before and after the last of these"


def write_mean(before: Path, after: Path, out: Path) -> None:
    """The mean of two files of weights. Running means and variances are averaged as they are, not estimated anew.

    Raises ModelError where they are not of one network.
    """
    one, other = read_tensors(before), read_tensors(after)
    if _shapes(one) != _shapes(other):
        raise ModelError(f"{before} and {after} are not of one network")
    mean = {name: ((tensor.double() + other[name].double()) / 2).to(tensor.dtype) for name, tensor in one.items()}
    beside = out.with_suffix(".new")
    safetensors.torch.save_file(mean, beside)
    beside.replace(out)


def _shapes(tensors: Mapping[str, Tensor]) -> Mapping[str, tuple[torch.Size, torch.dtype]]:
    return {name: (one.shape, one.dtype) for name, one in tensors.items()}
