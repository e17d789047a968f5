"""Points to heatmaps and back, without the bias of whole pixels.

Frame of crops: 0, 0 is the centre of the first input pixel; heatmap pixel ``i`` is centred on input pixel
``4 i + 1.5``. Targets are Gaussians at the exact point (Zhang et al., DARK, CVPR 2020; Huang et al., UDP, CVPR 2020),
not at the nearest heatmap pixel as in the official code. Knows nothing of films.
"""

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional

from aasnode.inference.hrnet import STRIDE

SIGMA = 2.0  # heatmap pixels
_OFFSET = (STRIDE - 1) / 2
_SMOOTHING = 1.0  # heatmap pixels, before the logarithm is differentiated
_WINDOW = 9  # heatmap pixels on each side of the peak in which the covariance is taken
_CUT = 0.1  # share of the peak below which a heatmap counts as background
_LEAST_VARIANCE_PX2 = 0.05**2  # input pixels; no point is surer than this


class Decoding(StrEnum):
    """How a heatmap becomes a point."""

    ARGMAX = "argmax"  # centre of the highest pixel
    QUARTER = "quarter"  # a quarter pixel towards the higher neighbour: the official code
    DARK = "dark"  # Newton step on the logarithm: exact on a Gaussian


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """What K heatmaps of N crops say, in input pixels."""

    points: Tensor  # (N, K, 2) as x, y
    heights: Tensor  # (N, K) highest value; 1 where the network is sure
    covariances_px2: Tensor  # (N, K, 2, 2) of the point itself: the target's own width is taken off


def to_heatmap(points: Tensor) -> Tensor:
    """Input pixels → heatmap pixels."""
    return (points - _OFFSET) / STRIDE


def to_input(points: Tensor) -> Tensor:
    """Heatmap pixels → input pixels."""
    return points * STRIDE + _OFFSET


def gaussian_targets(points: Tensor, rows: int, columns: int, sigma: float = SIGMA) -> Tensor:
    """(N, K, 2) points in input pixels → (N, K, rows, columns) heatmaps with peak 1 at the exact point."""
    x, y = to_heatmap(points).unbind(-1)
    across = torch.arange(columns, device=points.device) - x[..., None]
    down = torch.arange(rows, device=points.device) - y[..., None]
    return torch.exp(-(across[..., None, :] ** 2 + down[..., :, None] ** 2) / (2 * sigma**2))


def decode(heatmaps: Tensor, decoding: Decoding = Decoding.DARK) -> Peaks:
    """(N, K, rows, columns) heatmaps, at least 5 x 5 → the point, height and covariance of each."""
    maps = heatmaps.float()
    heights, flat = maps.flatten(2).max(-1)
    columns = maps.shape[-1]
    pixel = torch.stack([flat % columns, flat // columns], -1)
    point = pixel + _OFFSETS[decoding](maps, pixel)
    return Peaks(points=to_input(point), heights=heights, covariances_px2=_covariance(maps, point, heights))


def _no_offset(maps: Tensor, pixel: Tensor) -> Tensor:
    return torch.zeros_like(pixel, dtype=maps.dtype)


def _quarter_offset(maps: Tensor, pixel: Tensor) -> Tensor:
    around = _neighbourhood(maps, pixel)
    step = torch.stack([around[..., 1, 2] - around[..., 1, 0], around[..., 2, 1] - around[..., 0, 1]], -1)
    return 0.25 * step.sign()


def _dark_offset(maps: Tensor, pixel: Tensor) -> Tensor:
    """Newton step to the peak of the smoothed logarithm; none where the surface is no peak."""
    log = _neighbourhood(_smooth(maps), pixel).clamp_min(1e-6).log()
    dx, dy = (log[..., 1, 2] - log[..., 1, 0]) / 2, (log[..., 2, 1] - log[..., 0, 1]) / 2
    dxx = log[..., 1, 2] - 2 * log[..., 1, 1] + log[..., 1, 0]
    dyy = log[..., 2, 1] - 2 * log[..., 1, 1] + log[..., 0, 1]
    dxy = (log[..., 2, 2] - log[..., 2, 0] - log[..., 0, 2] + log[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    is_peak = (determinant > 1e-8) & (dxx < 0)
    step = torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], -1) / determinant.clamp_min(1e-8)[..., None]
    return torch.where(is_peak[..., None], step.clamp(-1.5, 1.5), 0.0)


_OFFSETS = {Decoding.ARGMAX: _no_offset, Decoding.QUARTER: _quarter_offset, Decoding.DARK: _dark_offset}


def _neighbourhood(maps: Tensor, pixel: Tensor) -> Tensor:
    """(N, K, 3, 3) values round ``pixel``; the border is repeated."""
    padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    steps = torch.arange(3, device=maps.device)
    rows = pixel[..., 1, None, None] + steps[:, None]
    columns = pixel[..., 0, None, None] + steps[None, :]
    return padded.flatten(2).gather(2, (rows * padded.shape[-1] + columns).flatten(2)).reshape(*pixel.shape[:2], 3, 3)


def _smooth(maps: Tensor) -> Tensor:
    reach = int(4 * _SMOOTHING)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1, device=maps.device) ** 2) / (2 * _SMOOTHING**2))
    kernel = kernel / kernel.sum()
    single = functional.pad(maps.flatten(0, 1)[:, None], (reach, reach, reach, reach), mode="replicate")
    single = functional.conv2d(single, kernel[None, None, None, :])
    return functional.conv2d(single, kernel[None, None, :, None])[:, 0].reshape(maps.shape)


def _covariance(maps: Tensor, point: Tensor, heights: Tensor) -> Tensor:
    """Covariance of the locally normalised heatmap less the target's: under squared error a heatmap is the distribution
    of the point blurred by the target's Gaussian. Values below a tenth of the peak are background; what this cuts off a
    Gaussian is put back by a known factor.
    """
    level = _CUT * heights.clamp_min(1e-6)[..., None, None]
    rows, columns = (torch.arange(n, device=maps.device) for n in maps.shape[-2:])
    dx = (columns - point[..., 0, None])[..., None, :].expand_as(maps)
    dy = (rows - point[..., 1, None])[..., :, None].expand_as(maps)
    near = (dx.abs() <= _WINDOW) & (dy.abs() <= _WINDOW)
    weight = torch.where(near, (maps - level).clamp_min(0), 0.0)
    weight = weight / weight.sum((-2, -1), keepdim=True).clamp_min(1e-12)
    moments = [(weight * a * b).sum((-2, -1)) for a, b in ((dx, dx), (dx, dy), (dy, dy))]
    xx, xy, yy = (moment / _cut_factor() for moment in moments)
    own = SIGMA**2
    covariance = torch.stack([xx - own, xy, xy, yy - own], -1).reshape(*point.shape, 2) * STRIDE**2
    empty = (heights <= 0)[..., None, None]
    anywhere = torch.eye(2, device=maps.device) * (_WINDOW * STRIDE) ** 2
    return torch.where(empty, anywhere, _at_least(covariance, _LEAST_VARIANCE_PX2))


def _cut_factor() -> float:
    """Variance of a Gaussian less ``_CUT`` of its peak, where that is positive, in units of its own variance."""
    depth = -torch.log(torch.tensor(_CUT, dtype=torch.float64)).item()
    mass = 1 - _CUT - _CUT * depth
    return (1 - (1 + depth) * _CUT - _CUT * depth**2 / 2) / mass


def _at_least(covariance: Tensor, variance: float) -> Tensor:
    """The nearest covariance whose every direction has at least ``variance``."""
    values, vectors = torch.linalg.eigh(covariance)
    raised: Tensor = (vectors * values.clamp_min(variance)[..., None, :]) @ vectors.mT
    return raised
