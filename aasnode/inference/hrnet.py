"""The network: HRNet for heatmaps, with the parameter names of the official implementation.

Sun et al., *Deep High-Resolution Representation Learning for Human Pose Estimation*, CVPR 2019. The names of modules
and parameters equal those of the official files (leoxiaobin/deep-high-resolution-net.pytorch, MIT), so that their
checkpoints load (``weights.load_pretrained``). Written anew here; knows nothing of files, films or anatomy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4  # input pixels per heatmap pixel


class Variant(StrEnum):
    """Width and depth, named as in the official model zoo."""

    W18_SMALL = "w18_small"
    W18_SMALL_V2 = "w18_small_v2"
    W18 = "w18"
    W32 = "w32"
    W48 = "w48"


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What distinguishes the variants; the branches have 1, 2, 4 and 8 times ``width`` channels."""

    width: int
    stem_blocks: int  # bottlenecks of layer1
    stem_planes: int
    modules: tuple[int, int, int]  # of stages 2, 3 and 4
    blocks: int  # basic blocks per branch

    @property
    def channels(self) -> list[int]:
        """Channels of the four branches, finest first."""
        return [self.width * 2**branch for branch in range(4)]


ARCHITECTURES: Mapping[Variant, Architecture] = {
    Variant.W18_SMALL: Architecture(width=16, stem_blocks=1, stem_planes=32, modules=(1, 1, 1), blocks=2),
    Variant.W18_SMALL_V2: Architecture(width=18, stem_blocks=2, stem_planes=64, modules=(1, 3, 2), blocks=2),
    Variant.W18: Architecture(width=18, stem_blocks=4, stem_planes=64, modules=(1, 4, 3), blocks=4),
    Variant.W32: Architecture(width=32, stem_blocks=4, stem_planes=64, modules=(1, 4, 3), blocks=4),
    Variant.W48: Architecture(width=48, stem_blocks=4, stem_planes=64, modules=(1, 4, 3), blocks=4),
}


def _conv_bn(inputs: int, outputs: int, kernel: int, *, stride: int = 1, relu: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, rows, columns) in and out."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return functional.relu(self.bn2(self.conv2(y)) + x, inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with four times the planes on the way out."""

    def __init__(self, inputs: int, planes: int) -> None:
        super().__init__()
        outputs = 4 * planes
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _conv_bn(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, rows, columns) → (N, 4 * planes, rows, columns)."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        identity = x if self.downsample is None else self.downsample(x)
        return functional.relu(self.bn3(self.conv3(y)) + identity, inplace=True)


class HighResolutionModule(nn.Module):
    """Parallel branches, then every output branch as the sum of all, up- or downsampled to its resolution."""

    def __init__(self, channels: list[int], blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*[BasicBlock(c) for _ in range(blocks)]) for c in channels)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fuse(channels, source, target) for source in range(len(channels)))
            for target in range(outputs)
        )

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        """One tensor per branch, finest first; as many come out as there are fuse rows."""
        x = [branch(value) for branch, value in zip(self.branches, inputs, strict=True)]
        return [functional.relu(_sum(row, x)) for row in self.fuse_layers if isinstance(row, nn.ModuleList)]


def _fuse(channels: list[int], source: int, target: int) -> nn.Module:
    if source == target:
        return nn.Identity()
    if source > target:
        up = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
        return _conv_bn(channels[source], channels[target], 1).append(up)
    steps = target - source
    widths = [channels[source]] * steps + [channels[target]]
    return nn.Sequential(*[_conv_bn(widths[k], widths[k + 1], 3, stride=2, relu=k < steps - 1) for k in range(steps)])


def _sum(row: nn.ModuleList, x: list[Tensor]) -> Tensor:
    total: Tensor = row[0](x[0])
    for layer, value in zip(list(row)[1:], x[1:], strict=True):
        total = total + layer(value)
    return total


class PoseHRNet(nn.Module):
    """(N, ``inputs``, rows, columns), both multiples of 32 → (N, ``maps``, rows/4, columns/4), not squashed."""

    def __init__(self, variant: Variant, maps: int, inputs: int = 1) -> None:
        super().__init__()
        shape = ARCHITECTURES[variant]
        channels = shape.channels
        stem = 4 * shape.stem_planes
        self.conv1 = nn.Conv2d(inputs, 64, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(
            *[Bottleneck(stem if block else 64, shape.stem_planes) for block in range(shape.stem_blocks)]
        )
        self.transition1 = _transition([stem], channels[:2])
        self.stage2 = _stage(channels[:2], shape.modules[0], shape.blocks, last_outputs=2)
        self.transition2 = _transition(channels[:2], channels[:3])
        self.stage3 = _stage(channels[:3], shape.modules[1], shape.blocks, last_outputs=3)
        self.transition3 = _transition(channels[:3], channels)
        self.stage4 = _stage(channels, shape.modules[2], shape.blocks, last_outputs=1)
        self.final_layer = nn.Conv2d(channels[0], maps, 1)
        nn.init.normal_(self.final_layer.weight, std=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Heatmaps at a quarter of the resolution."""
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.relu(self.bn2(self.conv2(x)), inplace=True)
        y = self.stage2(_widen(self.transition1, [self.layer1(x)]))
        y = self.stage3(_widen(self.transition2, y))
        y = self.stage4(_widen(self.transition3, y))
        heatmaps: Tensor = self.final_layer(y[0])
        return heatmaps


def _stage(channels: list[int], modules: int, blocks: int, *, last_outputs: int) -> nn.Sequential:
    outputs = [len(channels)] * (modules - 1) + [last_outputs]
    return nn.Sequential(*[HighResolutionModule(channels, blocks, count) for count in outputs])


def _transition(before: list[int], after: list[int]) -> nn.ModuleList:
    kept = [
        nn.Identity() if old == new else _conv_bn(old, new, 3, relu=True)
        for old, new in zip(before, after, strict=False)
    ]
    added = [nn.Sequential(_conv_bn(before[-1], new, 3, stride=2, relu=True)) for new in after[len(before) :]]
    return nn.ModuleList([*kept, *added])


def _widen(transition: nn.ModuleList, y: list[Tensor]) -> list[Tensor]:
    """The branches of the next stage; a new branch is made of the coarsest one so far."""
    return [layer(y[min(index, len(y) - 1)]) for index, layer in enumerate(transition)]


def parameter_count(network: nn.Module) -> int:
    """Number of trained numbers, buffers not counted."""
    return sum(parameter.numel() for parameter in network.parameters())


def to_inference(network: PoseHRNet, device: torch.device) -> PoseHRNet:
    """Frozen, in evaluation mode, in the memory layout that convolutions like best."""
    network.eval().requires_grad_(False)
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
