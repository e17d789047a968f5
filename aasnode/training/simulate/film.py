"""Thickness maps become a processed radiograph: attenuation, scatter, noise, blur, and what a vendor makes of it.

Images are float32 (rows, columns). ``signal`` is −ln(I/I0), bright where dense; ``film`` is 0 to 1. Ranges of scatter,
blur and noise are estimates for a 150 to 200 cm neck film without air gap; processing imitates dynamic-range
compression, unsharp masking and a sigmoid curve as the vendors do them. Knows no bones and no landmarks.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.materials import CANCELLOUS, Layer, ThicknessMaps, attenuation_per_mm

Image = npt.NDArray[np.float32]
_F = np.float32

BITS_STORED = 12
WHITE = 2**BITS_STORED - 1


@dataclass(frozen=True, kw_only=True)
class Technique:
    """Exposure and processing of one film."""

    energy_kev: float  # effective
    scatter: float  # to primary
    focus_blur_mm: float  # focal spot and motion
    detector_blur_mm: float
    photons: float  # per pixel of 0.15 mm behind the neck
    soft_texture: float
    bone_texture: float
    skull_texture: float
    compression: float  # of the dynamic range, 0 to 1
    compression_mm: float
    sharpening: float
    sharpening_mm: float
    contrast: float  # steepness of the sigmoid
    brightness: float  # its middle
    gamma: float


def draw_technique(rng: np.random.Generator, *, plain: bool = False) -> Technique:
    """A technique that occurs; ``plain`` keeps to the middle of the ranges."""

    def between(low: float, high: float) -> float:
        return (low + high) / 2 if plain else float(rng.uniform(low, high))

    return Technique(
        energy_kev=between(44, 58),
        scatter=between(0.15, 0.7),
        focus_blur_mm=between(0.10, 0.28),
        detector_blur_mm=between(0.07, 0.14),
        photons=between(1500, 6000),
        soft_texture=between(0.5, 1.4),
        bone_texture=between(0.4, 1.4),
        skull_texture=between(0.4, 1.4),
        compression=between(0.3, 0.75),
        compression_mm=between(9, 22),
        sharpening=between(0.1, 0.9),
        sharpening_mm=between(0.8, 2.0),
        contrast=between(3.0, 5.5),
        brightness=between(0.42, 0.58),
        gamma=between(0.85, 1.25),
    )


def band_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> Image:
    """Smooth noise of unit variance with structures of about ``sigma_px``."""
    rows, columns = shape
    step = max(1.0, sigma_px / 1.5)
    grains = rng.standard_normal((int(rows / step) + 4, int(columns / step) + 4), dtype=_F)
    smooth = cv2.GaussianBlur(grains, (0, 0), max(0.5, sigma_px / step))
    fine = cv2.resize(smooth, (columns, rows), interpolation=cv2.INTER_CUBIC) if step > 1 else smooth[:rows, :columns]
    return np.asarray(fine / fine[::3, ::3].std(), _F)


def blurred(image: Image, sigma_px: float, shrink: int = 1) -> Image:
    """Gaussian blur; ``shrink`` does a wide one on a smaller image."""
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), _F)
    rows, columns = image.shape
    small = cv2.resize(image, (columns // shrink, rows // shrink), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / shrink, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), _F)


def attenuation(
    maps: ThicknessMaps, technique: Technique, osteoporosis: float, pixel_mm: float, rng: np.random.Generator
) -> Image:
    """Line integral of the attenuation, with the textures of muscle, trabeculae and the skull's base."""
    shape = maps[Layer.SOFT].shape
    noise = _Texture(rng, (shape[0], shape[1]), pixel_mm)
    hard = [layer for layer in maps if layer not in (Layer.SOFT, Layer.AIR)]
    bone: Image = np.sum([maps[layer] for layer in hard], axis=0, dtype=_F)
    soft = np.maximum(maps[Layer.SOFT] - maps[Layer.AIR] - bone, 0)
    soft = soft * (1 + _F(technique.soft_texture) * (0.02 * noise(9) + 0.010 * noise(3)))
    trabeculae = 1 + _F(technique.bone_texture) * (0.012 * noise(0.3) + 0.025 * noise(0.8) + 0.035 * noise(3))
    cells = np.clip(1 + _F(technique.skull_texture) * (0.05 * noise(1.5) + 0.06 * noise(5)), 0.3, 1.8)
    total = attenuation_per_mm(Layer.SOFT, technique.energy_kev) * soft
    textures = {Layer.SKULL_DIPLOE: cells, Layer.SKULL_CORTICAL: 0.6 + 0.4 * cells}
    for layer in hard:
        weakening = _F(attenuation_per_mm(layer, technique.energy_kev, osteoporosis))
        texture = textures.get(layer, trabeculae if layer in CANCELLOUS else _F(1))
        total += weakening * maps[layer] * texture
    return np.asarray(total, _F)


class _Texture:
    """Noise by the size of its structures in mm."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], pixel_mm: float) -> None:
        self._rng, self._shape, self._pixel_mm = rng, shape, pixel_mm

    def __call__(self, size_mm: float) -> Image:
        return band_noise(self._rng, self._shape, size_mm / self._pixel_mm)


def exposed(total: Image, technique: Technique, pixel_mm: float, rng: np.random.Generator) -> Image:
    """What the detector reads: −ln of the intensity, with scatter, blur and quantum noise."""
    intensity = np.exp(-total)
    intensity = intensity + _F(0.6 * technique.scatter) * blurred(intensity, 28 / pixel_mm, shrink=8)
    intensity = blurred(intensity, technique.focus_blur_mm / pixel_mm)
    rows, columns = intensity.shape
    behind_neck = np.percentile(intensity[rows // 4 : 3 * rows // 4 : 4, columns // 4 : 3 * columns // 4 : 4], 30)
    quanta = technique.photons * (pixel_mm / 0.15) ** 2 / behind_neck
    noise = np.sqrt(np.maximum(intensity, 1e-9) / _F(quanta)) * rng.standard_normal(intensity.shape, dtype=_F)
    intensity = blurred(np.maximum(intensity + noise, 1e-7), technique.detector_blur_mm / pixel_mm)
    return -np.log(np.maximum(intensity, 1e-6))


def processed(signal: Image, technique: Technique, pixel_mm: float) -> Image:
    """A vendor's processing: compress the range, sharpen, sigmoid; 0 to 1."""
    y = _stretched(signal, 1, 99.3)
    wide = blurred(y, technique.compression_mm / pixel_mm, shrink=4)
    fine = blurred(y, technique.sharpening_mm / pixel_mm, shrink=2)
    y = y - _F(technique.compression) * (wide - wide.mean()) + _F(technique.sharpening) * (y - fine)
    y = np.clip(_stretched(y, 1, 99.6), -0.1, 1.1)
    y = 1 / (1 + np.exp(-_F(technique.contrast) * (y - _F(technique.brightness))))
    y = (y - y.min()) / (y.max() - y.min())
    return np.asarray(y ** _F(technique.gamma), _F)


def _stretched(image: Image, low: float, high: float) -> Image:
    a, b = np.percentile(image[::4, ::4], (low, high))
    return (image - _F(a)) / _F(b - a + 1e-6)


def quantised(film: Image) -> npt.NDArray[np.uint16]:
    """12 bits in uint16."""
    return np.asarray(np.round(np.clip(film, 0, 1) * WHITE), np.uint16)
