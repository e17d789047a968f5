"""What is known of a simulated film: every landmark, every length, every disturbance.

Plain values; knows neither bones nor pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aasnode.anatomy import LANDMARKS, Facing, Landmark, View
from aasnode.geometry import Point
from aasnode.inference.detection import Reason

_LEVELS = ("c3", "c4", "c5", "c6", "c7")
_CORNERS = ("superior_anterior", "superior_posterior", "inferior_anterior", "inferior_posterior", "spinolaminar")

SCENE_LANDMARKS: tuple[str, ...] = (
    *LANDMARKS,
    "posterior_nasal_spine",
    "occiput_lowest",
    "basion",
    "opisthion",
    "c1_anterior_arch_anterior",
    "c1_anterior_arch_superior",
    "c1_anterior_arch_inferior",
    "c1_posterior_arch_posterior",
    "c1_posterior_arch_superior",
    "c1_posterior_arch_inferior",
    "dens_tip",
    "dens_base",
    "c2_pedicle",
    "c2_superior_facet_left",
    "c2_superior_facet_right",
    "c2_inferior_anterior",
    "c2_inferior_middle",
    "c2_inferior_posterior",
    "c2_spinolaminar",
    *(f"{level}_{corner}" for level in _LEVELS for corner in _CORNERS),
    "t1_superior_anterior",
    "t1_superior_posterior",
)
"""Names of the 50 landmarks that every scene holds: the node's four first, then skull base to T1."""


class Hidden(StrEnum):
    """Why a landmark that exists in the scene cannot be seen, or does not exist."""

    OUTSIDE_FIELD = "outside_field"
    COVERED = "covered"
    ABSENT = "absent"  # an open or missing posterior arch has no anterior margin in the mid-sagittal plane


@dataclass(frozen=True, kw_only=True)
class LandmarkTruth:
    """Where one landmark lies in the stored image; ``hidden`` is None where it can be seen."""

    point: Point
    hidden: Hidden | None = None

    @property
    def visible(self) -> bool:
        """Whether a reader could mark it."""
        return self.hidden is None


@dataclass(frozen=True, kw_only=True)
class FilmTruth:
    """The truth of one film. Lengths without another word are in the patient's mid-sagittal plane."""

    path: str  # of the film, relative to the output folder
    patient_id: str
    visit: int  # 0 is the first
    acquired: datetime
    view: View
    near_horizontal: bool  # flexion so strong that the spine lies almost flat
    facing: Facing
    landmarks: Mapping[str, LandmarkTruth]  # by name, all of SCENE_LANDMARKS
    adi_mm: float
    sac_mm: float
    adi_detector_mm: float  # measured on the film: magnified, foreshortened
    sac_detector_mm: float
    c1_inner_diameter_mm: float
    magnification: float
    pixel_mm: float  # in the detector's plane
    yaw_degrees: float
    roll_degrees: float
    pitch_degrees: float
    variant: str
    disturbances: Mapping[str, float]  # name to strength, 0 to 1; only what is there
    adi_reason: Reason | None  # why it cannot be measured; None where it can
    sac_reason: Reason | None

    def landmark(self, landmark: Landmark) -> LandmarkTruth:
        """The truth of one of the node's four points."""
        return self.landmarks[landmark.value]
