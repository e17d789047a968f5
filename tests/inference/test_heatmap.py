"""Heatmaps give points back: exactly where they can, within the known floors where they cannot."""

import pytest
import torch
from torch import Tensor

from aasnode.inference.heatmap import SIGMA, Decoding, decode, gaussian_targets, to_heatmap, to_input

# Mean error in heatmap pixels on noiseless maps: argmax loses half a pixel's spread, a quarter offset half of that.
FLOORS = {Decoding.ARGMAX: (0.36, 0.41), Decoding.QUARTER: (0.16, 0.22), Decoding.DARK: (0.0, 0.001)}


def somewhere(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 50 + 150 * torch.rand(count, 1, 2, generator=generator)


def mean_error(heatmaps: Tensor, points: Tensor, decoding: Decoding) -> float:
    return float((decode(heatmaps, decoding).points - points).norm(dim=-1).mean()) / 4


def correlated_noise(shape: torch.Size, seed: int = 0) -> Tensor:
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    return smooth / smooth.std()


def test_a_target_has_its_peak_at_the_exact_point() -> None:
    target = gaussian_targets(torch.tensor([[[21.5, 41.5]]]), 32, 32)
    assert target[0, 0, 10, 5] == 1  # input 21.5, 41.5 is the centre of heatmap pixel 5, 10
    assert target[0, 0, 10, 5 + int(SIGMA)] == pytest.approx(torch.tensor(-0.5).exp().item())
    assert target[0, 0].argmax() == 10 * 32 + 5


def test_the_frames_of_input_and_heatmap_are_inverse() -> None:
    points = somewhere(20)
    assert torch.allclose(to_input(to_heatmap(points)), points, atol=1e-4)


@pytest.mark.parametrize("decoding", Decoding)
def test_decoding_reaches_its_floor_on_unbiased_targets(decoding: Decoding) -> None:
    points = somewhere(400)
    low, high = FLOORS[decoding]
    assert low <= mean_error(gaussian_targets(points, 64, 64), points, decoding) <= high


def test_dark_is_exact_on_unbiased_targets_and_biased_on_rounded_ones() -> None:
    points = somewhere(400)
    rounded = to_input(to_heatmap(points).round())
    assert float((decode(gaussian_targets(points, 64, 64)).points - points).norm(dim=-1).max()) < 1e-3
    assert mean_error(gaussian_targets(rounded, 64, 64), points, Decoding.DARK) == pytest.approx(0.384, abs=0.02)


@pytest.mark.parametrize(("noise", "floor"), [(0.02, 0.07), (0.05, 0.18)])
def test_under_noise_dark_stays_well_below_argmax(noise: float, floor: float) -> None:
    points = somewhere(300)
    maps = gaussian_targets(points, 64, 64)
    maps = maps + noise * correlated_noise(maps.shape)
    errors = {decoding: mean_error(maps, points, decoding) for decoding in Decoding}
    assert errors[Decoding.DARK] < floor < errors[Decoding.QUARTER] < errors[Decoding.ARGMAX]


def test_a_point_at_the_border_is_found_at_the_border() -> None:
    points = torch.tensor([[[1.5, 1.5], [253.5, 253.5]]])
    assert torch.allclose(decode(gaussian_targets(points, 64, 64)).points, points, atol=2.0)


def test_a_sure_heatmap_has_hardly_any_covariance() -> None:
    peaks = decode(gaussian_targets(somewhere(100), 64, 64))
    assert float(peaks.covariances_px2.diagonal(dim1=-2, dim2=-1).mean().sqrt()) < 1.0
    assert float(peaks.heights.min()) > 0.85


@pytest.mark.parametrize("extra", [1.0, 2.0, 3.0])
def test_a_blurred_heatmap_tells_its_blur(extra: float) -> None:
    """The distribution of a point is the heatmap less the target's own width."""
    wide = gaussian_targets(somewhere(100), 64, 64, sigma=(SIGMA**2 + extra**2) ** 0.5)
    variance = decode(wide).covariances_px2.diagonal(dim1=-2, dim2=-1).mean() / 16
    assert float(variance) == pytest.approx(extra**2, rel=0.15)


def test_covariance_is_long_where_the_heatmap_is_long() -> None:
    point = torch.tensor([[[100.0, 100.0]]])
    along = torch.stack([gaussian_targets(point + torch.tensor([4.0 * k, 0.0]), 64, 64) for k in range(-3, 4)]).mean(0)
    covariance = decode(along).covariances_px2[0, 0]
    assert covariance[0, 0] > 10 * covariance[1, 1]
    assert abs(float(covariance[0, 1])) < 1


def test_an_empty_heatmap_has_no_height_and_a_wide_covariance() -> None:
    peaks = decode(torch.zeros(1, 1, 64, 64))
    assert float(peaks.heights) == 0
    assert float(peaks.covariances_px2[0, 0, 0, 0]) > 30**2
