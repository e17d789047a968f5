"""A line integral becomes a picture as some detector, some vendor and some copyist might have left it.

Far wider than the simulator's films: any intensity and processing randomisation at all was the largest step from
simulated to real films (mean error 14.0 to 3.0 mm). Moves no point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import band_noise, blurred

Range = tuple[float, float]  # even between the two
_F = np.float32


@dataclass(frozen=True, kw_only=True)
class ExposurePriors:
    """What differs between films; mm, or shares of the films."""

    scatter: Range = (0.0, 0.8)  # to primary
    scatter_mm: float = 24.0
    motion_mm: float = 0.28  # standard deviation of the blur's sigma
    photons: Range = (600.0, 60_000.0)  # per 0.15 mm pixel behind the neck, log-even
    detector_share: float = 0.6
    detector_blur_mm: Range = (0.05, 0.25)
    window_low: Range = (0.5, 10.0)  # percentiles that become black and white
    window_high: Range = (95.0, 99.9)
    compression_share: float = 0.6
    compression: Range = (0.0, 0.75)
    compression_mm: Range = (5.0, 25.0)
    sharpening_share: float = 0.5
    sharpening: Range = (0.0, 1.5)
    sharpening_mm: Range = (0.4, 2.0)
    sigmoid_share: float = 0.5
    sigmoid_slope: Range = (2.0, 7.0)
    sigmoid_middle: Range = (0.35, 0.7)
    gamma_share: float = 0.8
    gamma_log: float = 0.4
    clipped_share: float = 0.3
    toe: Range = (0.0, 0.1)  # what falls to black
    latitude: Range = (0.85, 1.1)  # what lies between black and white
    grain_share: float = 0.3
    grain: Range = (0.0, 0.04)
    slope_share: float = 0.4
    slope: float = 0.35  # of the whole range, from edge to edge
    coarse_share: float = 0.2
    coarse: Range = (1.3, 3.0)
    copied_share: float = 0.3  # equalised piece by piece or through JPEG


PRIORS = ExposurePriors()


def expose(total: Floats, mm_per_px: float, rng: np.random.Generator, priors: ExposurePriors = PRIORS) -> Floats:
    """−ln of what the detector reads: scatter, blur, quantum noise."""
    primary = np.exp(-total)
    intensity = primary + _F(rng.uniform(*priors.scatter)) * blurred(primary, priors.scatter_mm / mm_per_px, shrink=4)
    motion_px = abs(rng.normal(0, priors.motion_mm)) / mm_per_px
    if motion_px > 0.25:
        intensity = blurred(intensity, motion_px)
    photons = math.exp(rng.uniform(*np.log(priors.photons))) * (mm_per_px / 0.15) ** 2
    quanta = photons / float(np.percentile(intensity[::4, ::4], 30))
    noise = np.sqrt(np.maximum(intensity, 1e-9) / _F(quanta)) * rng.standard_normal(total.shape, dtype=_F)
    intensity = np.maximum(intensity + noise, _F(1e-7))
    if rng.random() < priors.detector_share:
        intensity = blurred(intensity, max(0.3, rng.uniform(*priors.detector_blur_mm) / mm_per_px))
    return np.asarray(-np.log(np.maximum(intensity, 1e-6)), _F)


def develop(signal: Floats, mm_per_px: float, rng: np.random.Generator, priors: ExposurePriors = PRIORS) -> Floats:
    """A vendor's processing, about 0 to 1."""
    y = _windowed(signal, rng, priors)
    for step, share in _STEPS:
        if rng.random() < getattr(priors, share):
            y = step(y, mm_per_px, rng, priors)
    return np.asarray(y, _F)


def copy(picture: Floats, rng: np.random.Generator, priors: ExposurePriors = PRIORS) -> Floats:
    """What exports, prints and cameras do to it: fewer pixels, local equalisation, JPEG."""
    if rng.random() < priors.coarse_share:
        picture = _coarser(picture, rng.uniform(*priors.coarse))
    if rng.random() < priors.copied_share:
        picture = _in_eight_bits(picture, rng)
    return picture


def _windowed(y: Floats, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    low, high = np.percentile(y[::4, ::4], (rng.uniform(*priors.window_low), rng.uniform(*priors.window_high)))
    return np.asarray((y - low) / (high - low + 1e-6), _F)


def _compressed(y: Floats, mm_per_px: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    wide = blurred(y, rng.uniform(*priors.compression_mm) / mm_per_px, shrink=4)
    return np.asarray(y - rng.uniform(*priors.compression) * (wide - wide.mean()), _F)


def _sharpened(y: Floats, mm_per_px: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    strength, sigma_px = rng.uniform(*priors.sharpening), rng.uniform(*priors.sharpening_mm) / mm_per_px
    return np.asarray(y + strength * (y - blurred(y, sigma_px)), _F)


def _sigmoid(y: Floats, _: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    slope, middle = rng.uniform(*priors.sigmoid_slope), rng.uniform(*priors.sigmoid_middle)
    return np.asarray(1 / (1 + np.exp(-slope * (y - middle))), _F)


def _gamma(y: Floats, _: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    return np.asarray(_from_0_to_1(y) ** math.exp(rng.normal(0, priors.gamma_log)), _F)


def _clipped(y: Floats, _: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    """Toe and shoulder of a film that was exposed too little or too long."""
    return np.asarray(np.clip((_from_0_to_1(y) - rng.uniform(*priors.toe)) / rng.uniform(*priors.latitude), 0, 1), _F)


def _grainy(y: Floats, _: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    grain = band_noise(rng, (y.shape[0], y.shape[1]), rng.uniform(0.6, 2))
    return np.asarray(_from_0_to_1(y) + rng.uniform(*priors.grain) * grain, _F)


def _sloping(y: Floats, _: float, rng: np.random.Generator, priors: ExposurePriors) -> Floats:
    """The heel effect, or a badly lit view box."""
    along = np.linspace(-0.5, 0.5, y.shape[0], dtype=_F)
    across, down = rng.uniform(-priors.slope, priors.slope, 2)
    return np.asarray(_from_0_to_1(y) + across * along[None, :] + down * along[:, None], _F)


_Step = Callable[[Floats, float, np.random.Generator, ExposurePriors], Floats]
_STEPS: tuple[tuple[_Step, str], ...] = (
    (_compressed, "compression_share"),
    (_sharpened, "sharpening_share"),
    (_sigmoid, "sigmoid_share"),
    (_gamma, "gamma_share"),
    (_clipped, "clipped_share"),
    (_grainy, "grain_share"),
    (_sloping, "slope_share"),
)


def _from_0_to_1(y: Floats) -> Floats:
    y = y - y.min()
    return np.asarray(y / (y.max() + 1e-6), _F)


def _coarser(picture: Floats, factor: float) -> Floats:
    n = picture.shape[0]
    m = max(16, int(n / factor))
    small = cv2.resize(picture, (m, m), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (n, n), interpolation=cv2.INTER_CUBIC), _F)


def _in_eight_bits(picture: Floats, rng: np.random.Generator) -> Floats:
    grey = np.round(255 * _from_0_to_1(picture)).astype(np.uint8)
    if rng.random() < 0.5:
        tiles = int(rng.integers(2, 7))
        return np.asarray(cv2.createCLAHE(rng.uniform(1, 4), (tiles, tiles)).apply(grey) / 255, _F)
    _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 90))])
    return np.asarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)) / 255, _F)
