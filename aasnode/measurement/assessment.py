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

FINDINGS = {
    Assessment.AAS_SUSPECTED: "abnormal",
    Assessment.BORDERLINE: "borderline",
    Assessment.NO_AAS_ON_THIS_VIEW: "normal",
    Assessment.UNCERTAIN: "uncertain",
    Assessment.NOT_ASSESSED: "not assessed",
}
"""What one length says, in a word: a normal SAC alone excludes no subluxation."""

PLANES = {Plane.DETECTOR: "detector plane", Plane.CORRECTED: "patient plane"}
"""The planes of a length, in words."""

AGE_UNKNOWN = "age unknown, taken as adult"
"""What an assessment takes for granted."""
PLANE_NOT_STATED = "plane of the pixel spacing not stated"
"""What to say of a length that is compared as it is."""

_NOT = {
    AbnormalAbove.GREATER: "<=",
    AbnormalAbove.GREATER_OR_EQUAL: "<",
    AbnormalBelow.LESS: ">=",
    AbnormalBelow.LESS_OR_EQUAL: ">",
}
_SAME = 1e-9  # relative difference of what is the same value


@dataclass(frozen=True, kw_only=True)
class ComparedLength:
    """A length as it is compared with a threshold: in the threshold's plane."""

    mm: float | None  # None where only a range is known in that plane
    low_mm: float
    high_mm: float
    plane: Plane | None  # None: as measured, in a plane that the header does not state
    is_as_measured: bool  # whether it is the measured length itself
    note: str = ""  # what to say of the plane; empty when it is the length's own


@dataclass(frozen=True, kw_only=True)
class LengthFinding:
    """What one length says: on which side of which limit the compared value lies."""

    assessment: Assessment
    limit: str  # "> 3 mm"; "not clear of 3 mm" where it is uncertain
    compared: ComparedLength
    threshold_mm: float | None = None  # None: kept before it was told
    borderline_mm: float | None = None

    @property
    def spans_threshold(self) -> bool | None:
        """Whether the threshold lies within the interval of what was compared; None where it is not known."""
        if self.threshold_mm is None:
            return None
        return self.compared.low_mm <= self.threshold_mm <= self.compared.high_mm

    @property
    def said(self) -> str:
        """On which side of which limit it lies, and what that means: ``> 3 mm: abnormal``."""
        return f"{self.limit}: {FINDINGS[self.assessment]}"

    @property
    def doubt(self) -> str:
        """What to say where the value decided and the interval does not: ``interval spans 3 mm``; else empty."""
        is_told = self.assessment is Assessment.UNCERTAIN or not self.spans_threshold
        return "" if is_told else f"interval spans {self.threshold_mm:g} mm"

    def shown(self, mm: float) -> str:
        """The value with one decimal; with two where one would put it onto a limit."""
        limits = {f"{limit:.1f}" for limit in (self.threshold_mm, self.borderline_mm) if limit is not None}
        return f"{mm:.2f}" if f"{mm:.1f}" in limits else f"{mm:.1f}"


@dataclass(frozen=True, kw_only=True)
class FilmAssessment:
    """What one film says, and what each of its lengths says; None for one that was not compared."""

    assessment: Assessment
    reason: str  # in words, all of it
    adi: LengthFinding | None = None
    sac: LengthFinding | None = None
    assumption: str | None = None  # what was taken for granted


def assess_film(
    *,
    adi: Length | None,
    sac: Length | None,
    adi_reason: str | None,
    sac_reason: str | None,
    spacing_rule: SpacingRule | None,
    age_years: float | None,
    settings: MeasurementSection,
) -> FilmAssessment:
    """The film's assessment. ``adi_reason`` and ``sac_reason`` say why a length is missing."""
    if age_years is not None and age_years < settings.minimum_age_years:
        reason = f"under {settings.minimum_age_years:g} years: thresholds are those of adults"
        return FilmAssessment(assessment=Assessment.NOT_ASSESSED, reason=reason)
    adi_finding = _assess_adi(_in_plane(adi, spacing_rule, settings), settings) if adi else None
    sac_finding = _assess_sac(_in_plane(sac, spacing_rule, settings), settings) if sac else None
    combined = combine([finding.assessment for finding in (adi_finding, sac_finding) if finding])
    if combined is Assessment.NO_AAS_ON_THIS_VIEW and adi is None:
        combined = Assessment.NOT_ASSESSED  # a normal SAC does not exclude a subluxation
    reasons = [
        _said("ADI", adi, adi_finding) if adi and adi_finding else _missing("ADI", adi_reason),
        _said("SAC", sac, sac_finding) if sac and sac_finding else _missing("SAC", sac_reason),
    ]
    assumption = AGE_UNKNOWN if age_years is None and combined is not Assessment.NOT_ASSESSED else None
    return FilmAssessment(
        assessment=combined,
        reason="; ".join(filter(None, (*reasons, assumption))),
        adi=adi_finding,
        sac=sac_finding,
        assumption=assumption,
    )


def criteria(settings: MeasurementSection) -> str:
    """One line: what counts as abnormal, in which plane, and what is then uncertain."""
    beyond, near = settings.suspected_guard, settings.normal_guard
    guards = [
        f"abnormal if beyond by {_standard_errors(beyond)}" if beyond else "",
        f"else uncertain within {_standard_errors(near)}" if near else "else uncertain" if beyond else "",
    ]
    told = (
        f"ADI {settings.adi_operator} {settings.adi_threshold_mm:g} mm, "
        f"SAC {settings.sac_operator} {settings.sac_threshold_mm:g} mm "
        f"(borderline to {settings.sac_borderline_mm:g} mm), in the {PLANES[settings.threshold_plane]}"
    )
    return "; ".join(filter(None, [told, *guards]))


def _standard_errors(number: float) -> str:
    return f"{number:g} standard error{'' if number == 1 else 's'}"


def combine(assessments: Sequence[Assessment]) -> Assessment:
    """The gravest of several statements; not assessed when there is none."""
    return next((grave for grave in SEVERITY if grave in assessments), Assessment.NOT_ASSESSED)


def _assess_adi(adi: "_InPlane", settings: MeasurementSection) -> LengthFinding:
    threshold, operator = settings.adi_threshold_mm, settings.adi_operator
    if _is_above(adi.least.shorter_by(settings.suspected_guard), threshold, operator):
        assessment, limit = Assessment.AAS_SUSPECTED, f"{operator} {threshold:g} mm"
    elif _is_above(adi.most.longer_by(settings.normal_guard), threshold, operator):
        assessment, limit = Assessment.UNCERTAIN, f"not clear of {threshold:g} mm"
    else:
        assessment, limit = Assessment.NO_AAS_ON_THIS_VIEW, f"{_NOT[operator]} {threshold:g} mm"
    return LengthFinding(assessment=assessment, limit=limit, compared=adi.compared, threshold_mm=threshold)


def _assess_sac(sac: "_InPlane", settings: MeasurementSection) -> LengthFinding:
    threshold, operator, borderline = settings.sac_threshold_mm, settings.sac_operator, settings.sac_borderline_mm
    mm = sac.compared.mm
    if _is_below(sac.most.longer_by(settings.suspected_guard), threshold, operator):
        assessment, limit = Assessment.AAS_SUSPECTED, f"{operator} {threshold:g} mm"
    elif _is_below(sac.least.shorter_by(settings.normal_guard), threshold, operator):
        assessment, limit = Assessment.UNCERTAIN, f"not clear of {threshold:g} mm"
    elif mm is not None and mm <= borderline:
        assessment, limit = Assessment.BORDERLINE, f"<= {borderline:g} mm"
    else:
        normal = f"> {borderline:g} mm" if mm is not None else f"{_NOT[operator]} {threshold:g} mm"
        assessment, limit = Assessment.NO_AAS_ON_THIS_VIEW, normal
    return LengthFinding(
        assessment=assessment, limit=limit, compared=sac.compared, threshold_mm=threshold, borderline_mm=borderline
    )


def _is_above(mm: float, threshold_mm: float, operator: AbnormalAbove) -> bool:
    return mm > threshold_mm if operator is AbnormalAbove.GREATER else mm >= threshold_mm


def _is_below(mm: float, threshold_mm: float, operator: AbnormalBelow) -> bool:
    return mm < threshold_mm if operator is AbnormalBelow.LESS else mm <= threshold_mm


@dataclass(frozen=True, kw_only=True)
class _Value:
    """A value in the plane of the thresholds, with its standard error."""

    mm: float
    error_mm: float

    def longer_by(self, standard_errors: float) -> float:
        """The value in mm, so many standard errors added."""
        return self.mm + standard_errors * self.error_mm

    def shorter_by(self, standard_errors: float) -> float:
        """The value in mm, so many standard errors taken away."""
        return self.mm - standard_errors * self.error_mm


@dataclass(frozen=True, kw_only=True)
class _InPlane:
    """A length in the plane of the thresholds: the least and the most that it may be, the same where it is known."""

    compared: ComparedLength
    least: _Value
    most: _Value


def _scaled_by(length: Length, scale: float) -> _Value:
    return _Value(mm=length.mm * scale, error_mm=length.sigma_mm * scale)


def _in_plane(length: Length, rule: SpacingRule | None, settings: MeasurementSection) -> _InPlane:
    """The length in the plane of the thresholds: as it is, scaled by the header, or widened by the possible range."""
    wanted = settings.threshold_plane
    known = length.detector_plane_mm if wanted is Plane.DETECTOR else length.corrected_mm
    if known is not None and length.mm > 0 and abs(known / length.mm - 1) > _SAME:
        return _scaled(length, known, wanted)
    own = _plane_of(rule)
    if known is None and own not in (None, wanted):
        return _widened(length, settings)
    is_known = known is not None or own is not None
    compared = ComparedLength(
        low_mm=length.low_mm,
        high_mm=length.high_mm,
        mm=length.mm,
        plane=wanted if is_known else None,
        is_as_measured=True,
        note="" if is_known else PLANE_NOT_STATED,
    )
    value = _scaled_by(length, 1.0)
    return _InPlane(compared=compared, least=value, most=value)


def _scaled(length: Length, known_mm: float, plane: Plane) -> _InPlane:
    """The length in a plane in which the header knows it, its interval in the same proportion."""
    scale = known_mm / length.mm
    compared = ComparedLength(
        low_mm=length.low_mm * scale,
        high_mm=length.high_mm * scale,
        mm=known_mm,
        plane=plane,
        is_as_measured=False,
        note=f"compared in the {PLANES[plane]}: {known_mm:.2f} mm",
    )
    value = _Value(mm=known_mm, error_mm=length.sigma_mm * scale)
    return _InPlane(compared=compared, least=value, most=value)


def _plane_of(rule: SpacingRule | None) -> Plane | None:
    """The plane of a length in mm; None where the header does not state it."""
    if rule is SpacingRule.DETECTOR_PLANE:
        return Plane.DETECTOR
    return Plane.CORRECTED if rule is not None and rule.is_magnification_corrected else None


def _widened(length: Length, settings: MeasurementSection) -> _InPlane:
    """The length in the other plane, where only the usual range of magnification is known."""
    low, high = settings.magnification_low, settings.magnification_high
    to_detector = settings.threshold_plane is Plane.DETECTOR
    least, most = (low, high) if to_detector else (1 / high, 1 / low)
    own = Plane.CORRECTED if to_detector else Plane.DETECTOR
    compared = ComparedLength(
        low_mm=length.low_mm * least,
        high_mm=length.high_mm * most,
        mm=None,
        plane=settings.threshold_plane,
        is_as_measured=False,
        note=(
            f"known in the {PLANES[own]} only; compared in the {PLANES[settings.threshold_plane]}, "
            f"magnification {low:g} to {high:g} allowed for"
        ),
    )
    return _InPlane(compared=compared, least=_scaled_by(length, least), most=_scaled_by(length, most))


def _missing(name: str, reason: str | None) -> str:
    return f"{name} not measured ({(reason or 'unknown reason').replace('_', ' ')})"


def _said(name: str, length: Length, finding: LengthFinding) -> str:
    """``ADI 1.9 mm [1.1, 2.8], <= 3 mm: normal``, and what must be known of the plane."""
    stated = f"{name} {finding.shown(length.mm)} mm [{length.low_mm:.1f}, {length.high_mm:.1f}]"
    notes = "; ".join(filter(None, (finding.doubt, finding.compared.note)))
    return f"{stated}, {finding.said} ({notes})" if notes else f"{stated}, {finding.said}"
