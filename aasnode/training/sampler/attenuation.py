"""The parts' thickness maps become a line integral, each part with a weight of its own; the joint always stays visible.

Earlier networks learnt to guess: in films whose lateral masses lay opaque over the dens there was nothing to see, and
randomisation wiped out the rest. So the arches and the core of C2 vary little in weight, and what lies beside them goes
from its full weight to next to nothing. A network that has seen the edges uncovered finds them when they are covered.
"""

import math
from dataclasses import dataclass

import numpy as np

from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import band_noise, blurred
from aasnode.training.simulate.materials import Layer, attenuation_per_mm

Range = tuple[float, float]  # even between the two
_F = np.float32


@dataclass(frozen=True, kw_only=True)
class CropMaps:
    """Thickness in mm, (k, n, n) each."""

    c1: Floats  # 4: arches cortical, cancellous; lateral cortical, cancellous
    c2: Floats  # 4: core, lateral
    spine: Floats  # 2: cortical, cancellous
    skull: Floats  # 3: cortical, diploe, dense
    soft: Floats  # (n, n), air taken off


@dataclass(frozen=True, kw_only=True)
class AttenuationPriors:
    """How a film's densities vary; logs are standard deviations of a log-normal factor."""

    energy_kev: Range = (40.0, 62.0)  # effective
    cancellous_share: tuple[float, float] = (0.44, 0.037)  # of cortical attenuation: mean, deviation (osteoporosis)
    diploe_share: float = 0.565
    median_log: float = 0.25  # arches of C1; body and dens of C2: never far from their true weight
    c1_lateral: Range = (0.08, 1.15)  # real masses are lighter than modelled ones, and seldom lie on the joint
    c2_lateral: Range = (0.3, 1.1)
    lateral_blur_mm: Range = (0.0, 1.2)  # their edges are not those of the joint
    spine_log: float = 0.3
    skull_light_share: float = 0.6  # mastoid and mandible overlie the arch on real films as shadows more than as bone
    skull_light: Range = (0.05, 1.0)
    skull_log: float = 0.35
    textured_share: float = 0.85
    texture: Range = (0.0, 1.2)
    displaced: float = 0.8  # share of the bone's thickness that soft tissue gives way to
    cloud_share: float = 0.6  # of films with an extra, uneven layer of soft tissue
    cloud_mm: Range = (0.0, 8.0)
    cells_strong_share: float = 0.2  # of films with coarse air cells in the skull's base
    cells_weak: float = 0.4


PRIORS = AttenuationPriors()
_DENSE_MOST_MM = 60.0  # more metal makes nothing darker


def line_integral(
    maps: CropMaps, mm_per_px: float, rng: np.random.Generator, priors: AttenuationPriors = PRIORS
) -> Floats:
    """Attenuation along every ray, (n, n), with texture."""
    texture = _Texture(rng, maps.soft.shape[-1], mm_per_px)
    energy = float(rng.uniform(*priors.energy_kev))
    cortical = attenuation_per_mm(Layer.SPINE_CORTICAL, energy)
    cancellous = cortical * max(0.2, rng.normal(*priors.cancellous_share))
    thick, marrow = _bone(maps, mm_per_px, rng, priors)
    skull = maps.skull * _F(_skull_weight(rng, priors))
    soft = _soft_tissue(maps.soft, thick + marrow + skull[0] + skull[1], texture, rng, priors)
    grain = rng.uniform(*priors.texture) if rng.random() < priors.textured_share else 0.0
    trabeculae = 1 + _F(grain) * (0.07 * texture(0.3) + 0.08 * texture(0.7) + 0.05 * texture(1.25))
    total = attenuation_per_mm(Layer.SOFT, energy) * soft
    total += cortical * thick * (1 + _F(0.04 * grain) * texture(1.0)) + cancellous * marrow * trabeculae
    cells = _air_cells(texture, rng, priors)
    total += cortical * skull[0] * cells + priors.diploe_share * cortical * skull[1] * cells
    total += attenuation_per_mm(Layer.TOOTH, energy) * np.minimum(maps.skull[2], _DENSE_MOST_MM)
    return np.asarray(total, _F)


def _bone(
    maps: CropMaps, mm_per_px: float, rng: np.random.Generator, priors: AttenuationPriors
) -> tuple[Floats, Floats]:
    """Cortical and cancellous thickness of C1, C2 and the spine as this film weighs them."""
    c1, c2 = _factor(priors.median_log, rng), _factor(priors.median_log, rng)
    beside_c1, beside_c2 = rng.uniform(*priors.c1_lateral), rng.uniform(*priors.c2_lateral)
    sigma_px = rng.uniform(*priors.lateral_blur_mm) / mm_per_px
    spine = _factor(priors.spine_log, rng)
    thick, marrow = (
        _F(c1) * (maps.c1[i] + _F(beside_c1) * _softened(maps.c1[i + 2], sigma_px))
        + _F(c2) * (maps.c2[i] + _F(beside_c2) * maps.c2[i + 2])
        + _F(spine) * maps.spine[i]
        for i in range(2)
    )
    return np.asarray(thick, _F), np.asarray(marrow, _F)


def _softened(image: Floats, sigma_px: float) -> Floats:
    return blurred(image, sigma_px) if sigma_px > 0.3 else image


def _factor(log: float, rng: np.random.Generator) -> float:
    return math.exp(rng.normal(0, log))


def _skull_weight(rng: np.random.Generator, priors: AttenuationPriors) -> float:
    if rng.random() < priors.skull_light_share:
        return float(rng.uniform(*priors.skull_light))
    return _factor(priors.skull_log, rng)


def _soft_tissue(
    soft: Floats, bone: Floats, texture: "_Texture", rng: np.random.Generator, priors: AttenuationPriors
) -> Floats:
    """Muscle and fat are uneven, and some films have a layer more of them."""
    soft = np.maximum(soft - _F(priors.displaced) * bone, 0)
    uneven = rng.uniform(0, 0.06) * texture(rng.uniform(2.5, 8)) + rng.uniform(0, 0.02) * texture(rng.uniform(1, 2.5))
    soft = soft * (1 + uneven)
    if rng.random() < priors.cloud_share:
        soft = soft + _F(rng.uniform(*priors.cloud_mm)) * texture(rng.uniform(4, 10))
    return np.asarray(soft, _F)


def _air_cells(texture: "_Texture", rng: np.random.Generator, priors: AttenuationPriors) -> Floats:
    """Mastoid cells: coarse and fine holes in the skull's base."""
    strength = 1.0 if rng.random() < priors.cells_strong_share else priors.cells_weak
    fine = rng.uniform(0, 0.22) * texture(rng.uniform(0.4, 1.5))
    coarse = rng.uniform(0, 0.25) * texture(rng.uniform(2, 6))
    return np.asarray(1 + np.clip(strength * (fine + coarse), -0.7, 1), _F)


class _Texture:
    """Noise by the size of its structures in mm."""

    def __init__(self, rng: np.random.Generator, n: int, mm_per_px: float) -> None:
        self._rng, self._n, self._mm_per_px = rng, n, mm_per_px

    def __call__(self, size_mm: float) -> Floats:
        return band_noise(self._rng, (self._n, self._n), size_mm / self._mm_per_px)
