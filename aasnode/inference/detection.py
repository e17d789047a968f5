"""What a detector says of one film. No torch here: the other rooms may read this."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import Facing, Landmarks, View
from aasnode.geometry import PixelSpacing
from aasnode.measurement import Calibration


class Outcome(StrEnum):
    """Whether the film can be used."""

    FOUND = "found"  # at least one measurable pair of points
    ABSTAINED = "abstained"  # perhaps a lateral cervical view, not measurable
    OTHER_VIEW = "other_view"  # no lateral cervical view


class Reason(StrEnum):
    """Why a film, or a measurement of it, is withheld."""

    NO_LATERAL_CERVICAL_VIEW = "no_lateral_cervical_view"
    POINT_HIDDEN = "point_hidden"
    POINT_OUTSIDE_FIELD = "point_outside_field"
    OPERATED_NECK = "operated_neck"
    JOINT_DESTROYED = "joint_destroyed"
    IMPLAUSIBLE_GEOMETRY = "implausible_geometry"
    LOW_CONFIDENCE = "low_confidence"


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The answer for one film; ``adi_reason`` and ``sac_reason`` are None where the measurement stands."""

    outcome: Outcome
    landmarks: Landmarks
    adi_reason: Reason | None
    sac_reason: Reason | None
    facing: Facing
    facing_confidence: float  # of the points that tell it
    view: View
    view_confidence: float
    model: str  # name and version, e.g. "aas-cpu 1.0.0"

    @property
    def reason(self) -> Reason | None:
        """Why nothing could be used; None when at least one measurement stands."""
        if self.adi_reason is None or self.sac_reason is None:
            return None
        return self.adi_reason


class Detector(Protocol):
    """The seam to the network: one film in, one Detection out."""

    @property
    def model(self) -> str:
        """Name and version of the model."""

    @property
    def calibration(self) -> Calibration:
        """How wide the 90 % intervals of its measurements are, from the model's card."""

    def detect(
        self, pixels: npt.NDArray[np.float32], spacing: PixelSpacing | None, aspect_ratio: float = 1.0
    ) -> Detection:
        """Find the landmarks. ``pixels`` is (rows, columns), bright = dense; ``spacing`` None if unknown.

        ``aspect_ratio``: distance between rows / between columns, used where there is no ``spacing``.
        """
