"""The landmarks, their one order, their colours, and the words for a film's view and facing.

The four points lie where the C1 axis (centre of the anterior arch to centre of the posterior arch, in the mid-sagittal
plane) cuts the four cortices. Their order is ventral to dorsal, the colours those of Okita et al., Arthritis Res Ther
2023;25:181. Nothing else may repeat this list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aasnode.geometry import Point


class Landmark(StrEnum):
    """The four points, in the order of every array that holds them."""

    C1_ANTERIOR_ARCH_POSTERIOR = "c1_anterior_arch_posterior"
    DENS_ANTERIOR = "dens_anterior"
    DENS_POSTERIOR = "dens_posterior"
    C1_POSTERIOR_ARCH_ANTERIOR = "c1_posterior_arch_anterior"


LANDMARKS: tuple[Landmark, ...] = tuple(Landmark)

COLOURS_RGB: Mapping[Landmark, tuple[int, int, int]] = {
    Landmark.C1_ANTERIOR_ARCH_POSTERIOR: (255, 59, 48),  # red
    Landmark.DENS_ANTERIOR: (191, 90, 242),  # purple
    Landmark.DENS_POSTERIOR: (48, 209, 88),  # green
    Landmark.C1_POSTERIOR_ARCH_ANTERIOR: (255, 214, 10),  # yellow
}


class View(StrEnum):
    """Position of the neck."""

    NEUTRAL = "neutral"
    FLEXION = "flexion"
    EXTENSION = "extension"
    UNKNOWN = "unknown"


class Facing(StrEnum):
    """Side of the stored image to which the face points."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class LandmarkEstimate:
    """One landmark as found in a film.

    ``covariance_px2`` is ((xx, xy), (xy, yy)) in pixels of the stored image squared; ``confidence`` is 0 to 1.
    """

    point: Point
    covariance_px2: tuple[tuple[float, float], tuple[float, float]]
    confidence: float

    @property
    def sigma_px(self) -> float:
        """Root of the mean variance of the two axes, in pixels."""
        (xx, _), (_, yy) = self.covariance_px2
        return float(((xx + yy) / 2) ** 0.5)


Landmarks = Mapping[Landmark, LandmarkEstimate | None]
"""Every landmark is a key; None where it was not found."""
