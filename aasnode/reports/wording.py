"""The words for people that the structured report and the overlay share. English; values with unit and interval."""

from collections.abc import Iterable

from aasnode.anatomy import View
from aasnode.geometry import SpacingRule
from aasnode.measurement import (
    PLANES,
    Assessment,
    Change,
    ComparedLength,
    Length,
    LengthFinding,
    NotComparable,
)
from aasnode.reports.findings import EarlierLength, FilmFindings, StudyFindings

RESULT_STATUS = "AI result, not verified. Research use only, not for diagnosis."
TRAINING = "The model was trained on simulated radiographs."
LIMITS_OF_USE = f"{RESULT_STATUS} {TRAINING}"

VIEWS = {
    View.NEUTRAL: "neutral",
    View.FLEXION: "flexion",
    View.EXTENSION: "extension",
    View.UNKNOWN: "unknown position",
}

ASSESSMENTS = {
    Assessment.AAS_SUSPECTED: "atlantoaxial subluxation suspected",
    Assessment.BORDERLINE: "borderline",
    Assessment.NO_AAS_ON_THIS_VIEW: "no atlantoaxial subluxation on this view",
    Assessment.UNCERTAIN: "uncertain",
    Assessment.NOT_ASSESSED: "not assessed",
}

REPEAT = "Repeat: changes over time are taken from the other film of this view, whose finding is less grave"
GRAVER_REPEAT = "Another film of this view in the study shows a graver finding"
NOT_OF_REPEATS = "of the films compared over time, not of a repeat"
HELD_APART = (
    "Some earlier films under this patient ID differ in birth date or sex, or only some state an issuer: "
    "those are not compared"
)
PSEUDOSTABILISATION = "a smaller ADI may mean that the dens has moved up"
C1_DIAMETER = "inner sagittal diameter of C1"

SPACING_RULES = {
    SpacingRule.GEOMETRY: "Pixel Spacing, calibrated by geometry (patient plane)",
    SpacingRule.FIDUCIAL: "Pixel Spacing, calibrated by fiducial (patient plane)",
    SpacingRule.IMAGER_MAGNIFIED: "Imager Pixel Spacing / stated magnification (patient plane)",
    SpacingRule.SOURCE_DISTANCES: "Imager Pixel Spacing by source distances (patient plane)",
    SpacingRule.PIXEL_SPACING_CORRECTED: "Pixel Spacing below Imager Pixel Spacing (patient plane)",
    SpacingRule.DETECTOR_PLANE: "Imager Pixel Spacing (detector plane)",
    SpacingRule.PIXEL_SPACING_UNKNOWN: "Pixel Spacing, plane not stated",
    SpacingRule.GIVEN: "spacing given by the user",
}


def describe_standing(interval_sources: Iterable[str | None]) -> str:
    """The line under a table of results: that nobody verified them, and what their intervals are calibrated on."""
    sources = " and ".join(sorted({source for source in interval_sources if source}))
    return f"{RESULT_STATUS} 90 % intervals: calibrated on {sources}." if sources else RESULT_STATUS


def describe_length(length: Length) -> str:
    """Value, unit and 90 % interval: ``5.8 mm (5.1 to 6.4)``."""
    return f"{length.mm:.1f} mm ({length.low_mm:.1f} to {length.high_mm:.1f})"


def describe_other_plane(film: FilmFindings, length: Length) -> str | None:
    """The same length in the plane that was not measured in, where the header knows both."""
    if film.spacing is None or length.detector_plane_mm is None or length.corrected_mm is None:
        return None
    if film.spacing.rule.is_magnification_corrected:
        return f"{length.detector_plane_mm:.1f} mm in the detector plane"
    return f"{length.corrected_mm:.1f} mm in the patient plane"


def describe_ratios(adi_ratio: float | None, sac_ratio: float | None) -> str | None:
    """The lengths relative to ``C1_DIAMETER``: ``ADI 10.7 %, SAC 52.3 %``; None where neither is known."""
    ratios = {"ADI": adi_ratio, "SAC": sac_ratio}
    return ", ".join(f"{name} {100 * ratio:.1f} %" for name, ratio in ratios.items() if ratio is not None) or None


def describe_doubt(finding: LengthFinding) -> str | None:
    """What must be known of a finding beside it: that its interval spans the threshold, and what of the plane."""
    return "; ".join(filter(None, (finding.doubt, describe_plane_note(finding.compared)))) or None


def describe_compared(finding: LengthFinding) -> str:
    """The value that was compared, and its plane where one is stated: ``4.9 mm (4.4 to 5.5), detector plane``."""
    compared = finding.compared
    interval = f"{compared.low_mm:.1f} to {compared.high_mm:.1f}"
    value = f"{interval} mm" if compared.mm is None else f"{finding.shown(compared.mm)} mm ({interval})"
    return f"{value}, {PLANES[compared.plane]}" if compared.plane else value


def describe_plane_note(compared: ComparedLength) -> str | None:
    """What must be known of the plane and is not seen from the value that was compared."""
    return compared.note if compared.note and (compared.is_as_measured or compared.mm is None) else None


def describe_verdict(finding: LengthFinding) -> str:
    """One length's verdict in one line: ``4.9 mm (4.4 to 5.5), detector plane, > 3 mm: abnormal``."""
    verdict = f"{describe_compared(finding)}, {finding.said}"
    doubt = describe_doubt(finding)
    return f"{verdict} ({doubt})" if doubt else verdict


def describe_motion(study: StudyFindings, change: Change) -> str:
    """Flexion minus extension, and of which films where there is a repeat of one of them."""
    told = describe_change(change)
    repeated = [film.view for film in study.films if film.is_repeat]
    return f"{told} ({NOT_OF_REPEATS})" if {View.FLEXION, View.EXTENSION} & set(repeated) else told


def describe_change(change: Change) -> str:
    """Signed, with the error of measurement: ``+1.2 mm, within measurement error (1.9 mm)``."""
    verdict = "exceeds" if change.exceeds_error else "within"
    return f"{change.mm:+.1f} mm, {verdict} measurement error ({change.error_mm:.1f} mm)"


def describe_before(name: str, before: EarlierLength | NotComparable) -> str:
    """The earlier ADI or SAC, its date and the change; or why there is nothing to compare with."""
    if isinstance(before, NotComparable):
        return f"not compared: {before.reason}"
    change = describe_change(before.change)
    told = f"{before.mm:.1f} mm on {describe_date(before.acquisition_date)}, change {change}"
    return f"{told}; {PSEUDOSTABILISATION}" if is_smaller_adi(name, before.change) else told


def is_smaller_adi(name: str, change: Change) -> bool:
    """Whether an ADI became smaller by more than error: that may be no improvement (Kauppi 1996)."""
    return name == "ADI" and change.mm < 0 and change.exceeds_error


def describe_date(verbatim: str) -> str:
    """``YYYYMMDD`` as ``YYYY-MM-DD``; anything else as it came."""
    if len(verbatim) == 8 and verbatim.isdigit():
        return f"{verbatim[:4]}-{verbatim[4:6]}-{verbatim[6:]}"
    return verbatim or "unknown date"


def describe_reason(reason: str | None) -> str:
    """A reason's code as words: ``point_hidden`` becomes ``point hidden``; sentences stay as they are."""
    return (reason or "no reason given").replace("_", " ")


def reason_for_missing(film: FilmFindings, reason: str | None) -> str:
    """Why a length has no mm: its own reason, else the film's."""
    return describe_reason(reason or film.reason)


def describe_view(film: FilmFindings) -> str:
    """``flexion``, and where the header does not say so, that the picture alone does."""
    return VIEWS[film.view] if film.is_view_stated else f"{VIEWS[film.view]} (told from the picture)"


def remarks(film: FilmFindings) -> list[str]:
    """What else must be known of a film: who says which view it is, and that it is not the only film of its view."""
    told = {
        "The view is told from the picture alone": not film.is_view_stated,
        REPEAT: film.is_repeat,
        GRAVER_REPEAT: film.has_graver_repeat,
    }
    return [remark for remark, is_due in told.items() if is_due]


def describe_caveat(film: FilmFindings) -> str | None:
    """What to say of one film, whatever the others of its study show, beside the best that can be said of it."""
    one = film.in_study
    if one is None or one.assessment is not Assessment.NO_AAS_ON_THIS_VIEW or one.excludes_aas:
        return None
    return f"Excludes nothing: {one.why_nothing_excluded}"


def describe_study(study: StudyFindings) -> str:
    """The study's assessment, and what it rests on."""
    together = study.assessment
    said = ASSESSMENTS[together.assessment]
    if sum(bool(film.measurement and film.measurement.assessment is together.assessment) for film in study.films) > 1:
        said = said.replace("this view", "these views")
    return f"Study: {said}. {together.reason}".strip()


def film_name(study: StudyFindings, film: FilmFindings) -> str:
    """``flexion``; ``flexion, repeat`` of one that is not compared over time; numbered where there are several."""
    name = f"{VIEWS[film.view]}, repeat" if film.is_repeat else VIEWS[film.view]
    place = study.place_in_view(film)
    return name if place == 0 else f"{name} {place + 1}"
