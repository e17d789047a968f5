"""What is measured on one film: ADI and SAC, each by its own two points, and both against the size of C1."""

from dataclasses import dataclass

from aasnode.anatomy import Landmark, Landmarks, View
from aasnode.config import MeasurementSection
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings, Unscaled, distance_mm
from aasnode.measurement.assessment import Assessment, LengthFinding, assess_film, criteria
from aasnode.measurement.length import Calibration, Length, PointPair, measure_length

ADI_ENDS = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
SAC_ENDS = (Landmark.DENS_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)

POINT_MISSING = "point_missing"


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
    criteria: str | None = None  # the thresholds by which it was assessed, in words; None: by none, or not kept
    interval_source: str  # what the intervals are calibrated on, e.g. "simulated films"
    model: str | None = None  # name and version of the model that found the points; None where nobody said
    adi_finding: LengthFinding | None = None  # None: not compared with a threshold
    sac_finding: LengthFinding | None = None
    assumption: str | None = None  # what the assessment takes for granted
    adi_withheld: bool = False  # whether it was kept back although its points may be there; ``adi_reason`` says why
    sac_withheld: bool = False

    @property
    def assessed_by(self) -> str | None:
        """The thresholds by which its lengths were assessed; None where none was."""
        if self.adi_finding is None and self.sac_finding is None:
            return None
        return self.criteria or "thresholds that were not kept"

    @property
    def calibrated_on(self) -> str | None:
        """What its intervals are calibrated on; None where no length in mm has one."""
        return self.interval_source if self.adi or self.sac else None


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
    model: str | None = None,
) -> Measurement:
    """Measure one film. ``adi_reason`` and ``sac_reason`` withhold a length although its points may be there."""
    adi_withheld, sac_withheld = bool(adi_reason), bool(sac_reason)
    adi_points = None if adi_withheld else _pair(landmarks, ADI_ENDS)
    sac_points = None if sac_withheld else _pair(landmarks, SAC_ENDS)
    adi_reason = adi_reason or _why_no_length(adi_points, spacing)
    sac_reason = sac_reason or _why_no_length(sac_points, spacing)
    adi = sac = None
    if isinstance(spacing, Spacings):
        adi = adi_points and measure_length(adi_points, spacing, calibration.adi)
        sac = sac_points and measure_length(sac_points, spacing, calibration.sac)
    rule = spacing.primary.rule if isinstance(spacing, Spacings) else None
    assessed = assess_film(
        adi=adi,
        sac=sac,
        adi_reason=adi_reason,
        sac_reason=sac_reason,
        spacing_rule=rule,
        age_years=age_years,
        settings=settings,
    )
    scale = _scale(spacing)
    diameter = _c1_inner_diameter(adi_points, sac_points, scale)
    return Measurement(
        view=view,
        spacing_rule=rule,
        adi=adi,
        sac=sac,
        adi_reason=adi_reason,
        sac_reason=sac_reason,
        adi_ratio=_ratio(adi_points, diameter, scale),
        sac_ratio=_ratio(sac_points, diameter, scale),
        c1_inner_diameter_mm=diameter if rule else None,
        assessment=assessed.assessment,
        assessment_reason=assessed.reason,
        criteria=criteria(settings) if assessed.adi or assessed.sac else None,
        interval_source=calibration.source,
        model=model,
        adi_finding=assessed.adi,
        sac_finding=assessed.sac,
        assumption=assessed.assumption,
        adi_withheld=adi_withheld,
        sac_withheld=sac_withheld,
    )


def _pair(landmarks: Landmarks, ends: tuple[Landmark, Landmark]) -> PointPair | None:
    first, second = landmarks.get(ends[0]), landmarks.get(ends[1])
    return (first, second) if first and second else None


def _why_no_length(pair: PointPair | None, spacing: Spacings | Unscaled) -> str | None:
    if pair is None:
        return POINT_MISSING
    return spacing.reason if isinstance(spacing, Unscaled) else None


def _scale(spacing: Spacings | Unscaled) -> PixelSpacing:
    """The spacing that ratios of lengths are taken with: without mm, a column counts as 1."""
    if isinstance(spacing, Spacings):
        return spacing.primary
    return PixelSpacing(row_mm=spacing.aspect_ratio, column_mm=1.0, rule=SpacingRule.GIVEN)


def _c1_inner_diameter(adi: PointPair | None, sac: PointPair | None, scale: PixelSpacing) -> float | None:
    """From the anterior to the posterior arch: ADI + dens + SAC, which lie on one line by definition."""
    return distance_mm(adi[0].point, sac[1].point, scale) if adi and sac else None


def _ratio(pair: PointPair | None, diameter: float | None, scale: PixelSpacing) -> float | None:
    return distance_mm(pair[0].point, pair[1].point, scale) / diameter if pair and diameter else None
