"""ADI and SAC, their uncertainty, their assessment and their change over time. Pure mathematics: no DICOM, no torch."""

from dataclasses import dataclass
from enum import StrEnum

from aasnode.anatomy import View


class Assessment(StrEnum):
    """What one film, or one study, says of atlantoaxial subluxation (decision table in docs/measurements.md)."""

    AAS_SUSPECTED = "aas_suspected"
    BORDERLINE = "borderline"
    NO_AAS_ON_THIS_VIEW = "no_aas_on_this_view"
    UNCERTAIN = "uncertain"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, kw_only=True)
class Length:
    """One measured length with its 90 % interval, in mm, in the plane of the spacing rule."""

    mm: float
    low_mm: float
    high_mm: float
    detector_plane_mm: float | None  # the same without correction for magnification, where that is known
    corrected_mm: float | None  # the same corrected for magnification, where that is known


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Split-conformal half-width of an interval: mm = max(floor, quantile * sigma); from the model's card."""

    adi_quantile: float
    sac_quantile: float
    adi_floor_mm: float
    sac_floor_mm: float
    source: str  # "simulated films" until a site has calibrated


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured on one film. A length stands or falls by its own two points."""

    view: View
    adi: Length | None
    sac: Length | None
    adi_ratio: float | None  # ADI / inner sagittal diameter of C1 (ADI + dens + SAC)
    sac_ratio: float | None
    c1_inner_diameter_mm: float | None
    assessment: Assessment
    assessment_reason: str
