"""ADI and SAC, their uncertainty, their assessment and their change over time. Pure mathematics: no DICOM, no torch.

Definitions, decision table and the rule for changes: docs/measurements.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aasnode.anatomy import LandmarkEstimate, Landmarks, View
from aasnode.config import MeasurementSection
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings, Unscaled


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
    sigma_mm: float  # the standard deviation that the interval implies: half-width / 1.645
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
    spacing_rule: SpacingRule | None  # None without mm
    adi: Length | None
    sac: Length | None
    adi_reason: str | None  # why there is no ADI in mm; None where there is one
    sac_reason: str | None
    adi_ratio: float | None  # ADI / inner sagittal diameter of C1 (ADI + dens + SAC); needs no mm
    sac_ratio: float | None
    c1_inner_diameter_mm: float | None
    assessment: Assessment
    assessment_reason: str
    interval_source: str  # what the intervals are calibrated on, e.g. "simulated films"

    @property
    def excludes_aas(self) -> bool:
        """Whether "absent" may be said: a neutral film alone misses half of the unstable ones (Kauppi & Neva 1998)."""
        return self.assessment is Assessment.NO_AAS_ON_THIS_VIEW and self.view is View.FLEXION


@dataclass(frozen=True, kw_only=True)
class Change:
    """A difference of two lengths and the measurement error of such a difference (95 %), in mm."""

    mm: float
    error_mm: float

    @property
    def exceeds_error(self) -> bool:
        """Whether the difference is larger than measurement error explains."""
        return abs(self.mm) > self.error_mm


@dataclass(frozen=True, kw_only=True)
class StudyAssessment:
    """What the films of one study say together."""

    assessment: Assessment
    reason: str
    adi_flexion_minus_extension: Change | None
    sac_flexion_minus_extension: Change | None
    excludes_aas: bool  # whether "absent" may be said of the study


@dataclass(frozen=True, kw_only=True)
class CourseEntry:
    """One film in a patient's course. ``key`` is the caller's own, e.g. the SOP instance UID."""

    key: str
    acquired_at: datetime | None
    view: View
    spacing_rule: SpacingRule | None
    model: str | None
    adi: Length | None
    sac: Length | None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A change against an earlier, comparable film."""

    against: str  # key of the earlier film
    change: Change


@dataclass(frozen=True, kw_only=True)
class NotComparable:
    """No earlier film can be compared with, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CourseChanges:
    """The changes of one film against the previous and the first comparable film."""

    key: str
    adi_since_previous: Compared | NotComparable
    adi_since_first: Compared | NotComparable
    sac_since_previous: Compared | NotComparable
    sac_since_first: Compared | NotComparable


def length_sigma_mm(a: LandmarkEstimate, b: LandmarkEstimate, spacing: PixelSpacing) -> float:
    """Standard deviation of the distance of two points: their covariances, in mm, along the line that joins them."""
    raise NotImplementedError


def measure(
    *,
    landmarks: Landmarks,
    spacing: Spacings | Unscaled,
    view: View,
    calibration: Calibration,
    settings: MeasurementSection,
    age_years: float | None,
    adi_reason: str | None = None,
    sac_reason: str | None = None,
) -> Measurement:
    """Measure one film. ``adi_reason`` and ``sac_reason`` withhold a length although its points are there."""
    raise NotImplementedError


def assess_study(measurements: Sequence[Measurement], settings: MeasurementSection) -> StudyAssessment:
    """Combine the primary films of ONE study."""
    raise NotImplementedError


def changes(entries: Sequence[CourseEntry], settings: MeasurementSection) -> tuple[CourseChanges, ...]:
    """The changes of every film, in the order of ``entries``; like is compared with like only."""
    raise NotImplementedError
