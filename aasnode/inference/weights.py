"""Weights files in and out of the network: our own, and official checkpoints for transfer learning.

Files are read as safetensors or with ``torch.load(weights_only=True)``: no file can run code here.
"""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from aasnode.errors import ModelError
from aasnode.inference.hrnet import PoseHRNet

_WRAPPERS = ("state_dict", "model", "ema")  # where checkpoints of various trainers keep the weights
_PREFIXES = ("module.", "backbone.")
# What an ImageNet classifier has beyond a pose network: its own head, and the coarse rows of its last fusion.
_CLASSIFIER = ("classifier.", "incre_modules.", "downsamp_modules.", "conv_head.", "bn_head.", "fc.", "final_layer.")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Name → tensor on the CPU. Raises ModelError when the file is missing, broken or no such file."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, safetensors.SafetensorError, pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError) as error:
        raise ModelError(f"{path}: no readable weights: {error}") from error
    return _tensors(found, path)


def _tensors(found: object, path: Path) -> dict[str, Tensor]:
    while isinstance(found, Mapping) and (wrapper := next((key for key in _WRAPPERS if key in found), None)):
        found = found[wrapper]
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ModelError(f"{path}: holds no table of tensors; give a state dict")
    return {_without_prefix(str(name)): tensor for name, tensor in found.items()}


def _without_prefix(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def write_weights(network: PoseHRNet, path: Path) -> None:
    """Write safetensors; convolution kernels in half precision, everything else as it is."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({name: t.half() if t.ndim == 4 else t for name, t in tensors.items()}, path)


def load_weights(network: PoseHRNet, path: Path) -> None:
    """Load weights of exactly this network. Raises ModelError naming what is missing, left over or of another shape."""
    _load(network, read_tensors(path), path, may_miss=())


def load_pretrained(network: PoseHRNet, path: Path) -> None:
    """Load an official COCO, MPII or ImageNet checkpoint, or one of ours, for transfer learning.

    Three-channel input kernels are summed where the network has one input; a head of another size is left as it was
    initialised. Anything else that is missing, left over or of another shape raises ModelError.
    """
    tensors = {name: tensor for name, tensor in read_tensors(path).items() if not _belongs_to_classifier(name, network)}
    first = tensors.get("conv1.weight")
    if first is not None and first.shape[1] == 3 and network.conv1.in_channels == 1:
        tensors["conv1.weight"] = first.sum(1, keepdim=True)
    head = tensors.get("final_layer.weight")
    if head is not None and head.shape != network.final_layer.weight.shape:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("final_layer.")}
    _load(network, tensors, path, may_miss=("final_layer.weight", "final_layer.bias"))


def _belongs_to_classifier(name: str, network: PoseHRNet) -> bool:
    last = f"stage4.{len(network.stage4) - 1}.fuse_layers."
    coarse_row = name.startswith(last) and not name.startswith(last + "0.")
    return coarse_row or (name.startswith(_CLASSIFIER) and name not in ("final_layer.weight", "final_layer.bias"))


def _load(network: PoseHRNet, tensors: dict[str, Tensor], path: Path, may_miss: tuple[str, ...]) -> None:
    own = network.state_dict()
    counters = tuple(name for name in own if name.endswith("num_batches_tracked"))
    problems = [f"{name} is missing" for name in own if name not in tensors and name not in may_miss + counters]
    problems += [f"{name} is left over" for name in tensors if name not in own]
    problems += [
        f"{name} has shape {list(tensor.shape)}, needed is {list(own[name].shape)}"
        for name, tensor in tensors.items()
        if name in own and own[name].shape != tensor.shape
    ]
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ModelError(f"{path}: does not fit the network: {'; '.join(problems[:5])}{more}; choose the same variant")
    network.load_state_dict(tensors, strict=False)
