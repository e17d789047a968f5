"""What the lengths of one film say of atlantoaxial subluxation: the decision table of docs/measurements.md, as code."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aasnode.config import AbnormalAbove, AbnormalBelow, MeasurementSection, Plane
from aasnode.geometry import SpacingRule
from aasnode.measurement.length import Length


class Assessment(StrEnum):
    """What one film, or one study, says of atlantoaxial subluxation (decision table in docs/measurements.md)."""

    AAS_SUSPECTED = "aas_suspected"
    BORDERLINE = "borderline"
    NO_AAS_ON_THIS_VIEW = "no_aas_on_this_view"
    UNCERTAIN = "uncertain"
    NOT_ASSESSED = "not_assessed"


SEVERITY = (Assessment.AAS_SUSPECTED, Assessment.UNCERTAIN, Assessment.BORDERLINE, Assessment.NO_AAS_ON_THIS_VIEW)
"""Of several statements the first in this order is the film's, or the study's."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one length says, and why."""

    assessment: Assessment
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Range:
    """A length as it is compared with a threshold: in the threshold's plane."""

    low_mm: float
    high_mm: float
    mm: float | None  # None where only a range is known in that plane
    note: str  # what to say of the plane; empty when it is the length's own


def assess_film(
    *,
    adi: Length | None,
    sac: Length | None,
    adi_reason: str | None,
    sac_reason: str | None,
    spacing_rule: SpacingRule | None,
    age_years: float | None,
    settings: MeasurementSection,
) -> tuple[Assessment, str]:
    """The film's assessment and its reason in words. ``adi_reason`` and ``sac_reason`` say why a length is missing."""
    if age_years is not None and age_years < settings.minimum_age_years:
        return Assessment.NOT_ASSESSED, f"under {settings.minimum_age_years:g} years: thresholds are those of adults"
    adi_finding = _assess_adi(adi, spacing_rule, settings) if adi else _missing("ADI", adi_reason)
    sac_finding = _assess_sac(sac, spacing_rule, settings) if sac else _missing("SAC", sac_reason)
    combined = combine((adi_finding.assessment, sac_finding.assessment))
    if combined is Assessment.NO_AAS_ON_THIS_VIEW and adi is None:
        combined = Assessment.NOT_ASSESSED  # a normal SAC does not exclude a subluxation
    reasons = [adi_finding.reason, sac_finding.reason]
    if age_years is None and combined is not Assessment.NOT_ASSESSED:
        reasons.append("age unknown, taken as adult")
    return combined, "; ".join(dict.fromkeys(reasons))


def combine(assessments: Sequence[Assessment]) -> Assessment:
    """The gravest of several statements; not assessed when there is none."""
    return next((grave for grave in SEVERITY if grave in assessments), Assessment.NOT_ASSESSED)


def _missing(name: str, reason: str | None) -> Finding:
    return Finding(assessment=Assessment.NOT_ASSESSED, reason=f"{name} not measured ({reason or 'unknown reason'})")


def _assess_adi(length: Length, rule: SpacingRule | None, settings: MeasurementSection) -> Finding:
    compared = _in_plane(length, rule, settings)
    threshold, operator = settings.adi_threshold_mm, settings.adi_operator
    low, high = (_is_above(mm, threshold, operator) for mm in (compared.low_mm, compared.high_mm))
    assessment = {
        (True, True): Assessment.AAS_SUSPECTED,
        (False, False): Assessment.NO_AAS_ON_THIS_VIEW,
    }.get((low, high), Assessment.UNCERTAIN)
    return Finding(assessment=assessment, reason=_reason("ADI", length, compared, f"{operator} {threshold:g} mm"))


def _assess_sac(length: Length, rule: SpacingRule | None, settings: MeasurementSection) -> Finding:
    compared = _in_plane(length, rule, settings)
    threshold, operator = settings.sac_threshold_mm, settings.sac_operator
    low, high = (_is_below(mm, threshold, operator) for mm in (compared.low_mm, compared.high_mm))
    limits = f"{operator} {threshold:g} mm, borderline to {settings.sac_borderline_mm:g} mm"
    return Finding(
        assessment=_sac_assessment(compared, low, high, settings), reason=_reason("SAC", length, compared, limits)
    )


def _sac_assessment(compared: _Range, low: bool, high: bool, settings: MeasurementSection) -> Assessment:
    """``low`` and ``high``: whether that end of the interval is abnormal."""
    if high:
        return Assessment.AAS_SUSPECTED
    if low:
        return Assessment.UNCERTAIN
    is_borderline = compared.mm is not None and compared.mm <= settings.sac_borderline_mm
    return Assessment.BORDERLINE if is_borderline else Assessment.NO_AAS_ON_THIS_VIEW


def _is_above(mm: float, threshold_mm: float, operator: AbnormalAbove) -> bool:
    return mm > threshold_mm if operator is AbnormalAbove.GREATER else mm >= threshold_mm


def _is_below(mm: float, threshold_mm: float, operator: AbnormalBelow) -> bool:
    return mm < threshold_mm if operator is AbnormalBelow.LESS else mm <= threshold_mm


def _in_plane(length: Length, rule: SpacingRule | None, settings: MeasurementSection) -> _Range:
    """The length in the plane of the thresholds: as it is, scaled by the header, or widened by the possible range."""
    wanted = settings.threshold_plane
    known = length.detector_plane_mm if wanted is Plane.DETECTOR else length.corrected_mm
    if known is not None and length.mm > 0:
        scale = known / length.mm
        note = f"compared in the {wanted} plane: {known:.1f} mm" if abs(scale - 1) > 1e-9 else ""
        return _Range(low_mm=length.low_mm * scale, high_mm=length.high_mm * scale, mm=known, note=note)
    own = _plane_of(rule)
    if own is None or own is wanted:
        note = "plane of the pixel spacing not stated" if own is None else ""
        return _Range(low_mm=length.low_mm, high_mm=length.high_mm, mm=length.mm, note=note)
    return _widened(length, settings, to_detector=wanted is Plane.DETECTOR)


def _plane_of(rule: SpacingRule | None) -> Plane | None:
    """The plane of a length in mm; None where the header does not state it."""
    if rule is SpacingRule.DETECTOR_PLANE:
        return Plane.DETECTOR
    return Plane.CORRECTED if rule is not None and rule.is_magnification_corrected else None


def _widened(length: Length, settings: MeasurementSection, *, to_detector: bool) -> _Range:
    """The length in the other plane, where only the usual range of magnification is known."""
    least, most = settings.magnification_low, settings.magnification_high
    scales = (least, most) if to_detector else (1 / most, 1 / least)
    planes = ("magnification-corrected", "detector plane") if to_detector else ("detector plane", "corrected plane")
    note = f"only a {planes[0]} value; compared in the {planes[1]}, magnification {least:g} to {most:g} allowed for"
    return _Range(low_mm=length.low_mm * scales[0], high_mm=length.high_mm * scales[1], mm=None, note=note)


def _reason(name: str, length: Length, compared: _Range, limits: str) -> str:
    stated = f"{name} {length.mm:.1f} mm [{length.low_mm:.1f}, {length.high_mm:.1f}], abnormal {limits}"
    return f"{stated} ({compared.note})" if compared.note else stated
