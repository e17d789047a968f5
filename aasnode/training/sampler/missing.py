"""Parts that are not there: a posterior arch that is open or missing, a dens that is destroyed or apart.

Taken off the crop's maps, so that the points on them teach empty heatmaps and the network learns to say so.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aasnode.training.sampler.joint import AxisPoints, Points
from aasnode.training.sampler.warp import Floats
from aasnode.training.simulate.film import band_noise

_F = np.float32


class Missing(StrEnum):
    """What is missing."""

    POSTERIOR_ARCH = "posterior_arch"
    DENS = "dens"
    DENS_APART = "dens_apart"  # os odontoideum


@dataclass(frozen=True, kw_only=True)
class MissingPriors:
    """Shares of the close-ups; lengths in shares."""

    posterior_arch: float = 0.03
    dens: float = 0.03
    dens_apart: float = 0.015
    arch_from: tuple[float, float] = (0.15, 0.95)  # of SAC, from point 3: how far forward the arch is gone
    dens_from: tuple[float, float] = (0.35, 0.8)  # from C2's foot to the C1 axis: where the stump ends
    apart: tuple[float, float] = (0.12, 0.3)  # of the same: width of the gap
    ragged: float = 0.08  # of the same: how uneven the stump is
    remnant: tuple[float, float] = (0.0, 0.12)  # share of the bone's thickness that is left


PRIORS = MissingPriors()


def draw_missing(rng: np.random.Generator, priors: MissingPriors = PRIORS) -> Missing | None:
    """Mostly nothing is missing."""
    chance = rng.random()
    for missing in Missing:
        share: float = getattr(priors, missing.value)
        if chance < share:
            return missing
        chance -= share
    return None


def absent_points(missing: Missing | None) -> tuple[int, ...]:
    """Rows of the points that are then not there: landmarks, then the centres of the arches."""
    if missing is None:
        return ()
    return (3, 5) if missing is Missing.POSTERIOR_ARCH else (1, 2)


def what_is_left(
    missing: Missing, axis: AxisPoints, foot: Points, n: int, rng: np.random.Generator, priors: MissingPriors = PRIORS
) -> Floats:
    """Share of the bone's thickness in each pixel, (n, n): of C1's arches, or of the core of C2.

    ``foot`` is the middle of C2's lower end; all points in pixels.
    """
    y, x = np.mgrid[0:n, 0:n].astype(_F)
    if missing is Missing.POSTERIOR_ARCH:
        (from_x, from_y), (forward_x, forward_y) = axis.landmarks[2].astype(_F), axis.ventral.astype(_F)
        along = (x - from_x) * forward_x + (y - from_y) * forward_y
        canal = float(np.linalg.norm(axis.landmarks[2] - axis.landmarks[3]))
        gone = along < -canal * rng.uniform(*priors.arch_from)
    else:
        gone = _gone_of_dens(missing, axis, foot, (x, y), rng, priors)
    return np.where(gone, _F(rng.uniform(*priors.remnant)), _F(1))


def _gone_of_dens(
    missing: Missing,
    axis: AxisPoints,
    foot: Points,
    grid: tuple[Floats, Floats],
    rng: np.random.Generator,
    priors: MissingPriors,
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Everything above a ragged line across the dens, or a gap there."""
    up = axis.landmarks[1:3].mean(0) - foot
    length = max(float(np.hypot(*up)), 1e-6)
    height = ((grid[0] - _F(foot[0])) * _F(up[0]) + (grid[1] - _F(foot[1])) * _F(up[1])) / _F(length**2)
    n = height.shape[0]
    height = height + _F(rng.uniform(0, priors.ragged)) * band_noise(rng, (n, n), rng.uniform(0.02, 0.06) * n)
    start = rng.uniform(*priors.dens_from)
    if missing is Missing.DENS:
        return np.asarray(height > start)
    return np.asarray((height > start) & (height < start + rng.uniform(*priors.apart)))
