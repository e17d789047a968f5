"""What the films of one study say together: the gravest finding, and the movement between flexion and extension."""

from collections.abc import Sequence
from dataclasses import dataclass

from aasnode.anatomy import View
from aasnode.config import MeasurementSection
from aasnode.measurement.assessment import Assessment, combine
from aasnode.measurement.film import Measurement
from aasnode.measurement.length import Change, Length, difference


@dataclass(frozen=True, kw_only=True)
class StudyFilm:
    """What was measured on one film, and what it is in its study."""

    measurement: Measurement
    is_view_stated: bool  # by the header; else it was told from the picture
    is_repeat: bool  # whether another film of this view is the one that is compared over time

    @property
    def view(self) -> View:
        """Neutral, flexion, extension or unknown."""
        return self.measurement.view

    @property
    def assessment(self) -> Assessment:
        """What the film says."""
        return self.measurement.assessment

    @property
    def excludes_aas(self) -> bool:
        """Whether "absent" may be said."""
        return self.assessment is Assessment.NO_AAS_ON_THIS_VIEW and self.why_nothing_excluded is None

    @property
    def why_nothing_excluded(self) -> str | None:
        """Why "absent" may not be said of a normal film; None where it may.

        A neutral film alone misses half of the unstable joints (Kauppi & Neva 1998); that the neck is bent is told from
        the picture wrongly on one film of fifteen; and to exclude takes more than to be probably normal.
        """
        if self.view is not View.FLEXION:
            return "only a flexion film can"
        if not self.is_view_stated:
            return "the flexion is told from the picture alone"
        findings = (self.measurement.adi_finding, self.measurement.sac_finding)
        spanned = any(finding.spans_threshold for finding in findings if finding)
        return "the interval spans the threshold" if spanned else None


@dataclass(frozen=True, kw_only=True)
class StudyAssessment:
    """What the films of one study say together."""

    assessment: Assessment
    reason: str
    adi_flexion_minus_extension: Change | None
    sac_flexion_minus_extension: Change | None
    excludes_aas: bool  # whether "absent" may be said of the study


def assess_study(films: Sequence[StudyFilm], settings: MeasurementSection) -> StudyAssessment:
    """Combine the films of ONE study. A repeat of a view has a say in the assessment, and none in the movement."""
    assessment = combine([film.assessment for film in films])
    excludes_aas = assessment is Assessment.NO_AAS_ON_THIS_VIEW and any(film.excludes_aas for film in films)
    return StudyAssessment(
        assessment=assessment,
        reason=_reason(films, assessment),
        adi_flexion_minus_extension=_movement(films, "adi", settings),
        sac_flexion_minus_extension=_movement(films, "sac", settings),
        excludes_aas=excludes_aas,
    )


def _why_not_excluded(films: Sequence[StudyFilm]) -> str | None:
    """What to say beside the best that is said of a study, unless the neck is bent forward on a film that says it."""
    normal = [film for film in films if film.assessment is Assessment.NO_AAS_ON_THIS_VIEW]
    if not normal or any(film.excludes_aas for film in normal):
        return None
    why = dict.fromkeys(film.why_nothing_excluded for film in normal if film.view is View.FLEXION)
    return f"Not excluded: {', '.join(map(str, why))}" if why else "Not excluded without a measured flexion film"


def _reason(films: Sequence[StudyFilm], assessment: Assessment) -> str:
    if not films:
        return "no film of this study was measured"
    deciding = [film for film in films if film.assessment is assessment]
    words = [
        f"{film.view}{', repeat' if film.is_repeat else ''}: {film.measurement.assessment_reason}" for film in deciding
    ]
    if caveat := _why_not_excluded(deciding):
        words += [caveat, "Other views miss half of the unstable joints"]  # Kauppi & Neva 1998
    if unlike := _why_no_movement(films):
        words.append(unlike)
    return ". ".join(words)


def _movement(films: Sequence[StudyFilm], name: str, settings: MeasurementSection) -> Change | None:
    """Flexion minus extension; None unless both were measured by one spacing rule and one model."""
    flexion, extension = _of_view(films, View.FLEXION), _of_view(films, View.EXTENSION)
    if flexion is None or extension is None or _why_no_movement(films):
        return None
    later, earlier = _length(flexion, name), _length(extension, name)
    if later is None or earlier is None:
        return None
    return difference(later, earlier, magnification_sd=settings.magnification_sd)


def _why_no_movement(films: Sequence[StudyFilm]) -> str | None:
    """Why flexion and extension cannot be compared although both are there."""
    flexion, extension = _of_view(films, View.FLEXION), _of_view(films, View.EXTENSION)
    if flexion is None or extension is None:
        return None
    if flexion.spacing_rule is not extension.spacing_rule:
        unlike = f"spacing rules: {flexion.spacing_rule or 'none'}, {extension.spacing_rule or 'none'}"
    elif flexion.model != extension.model:
        unlike = f"models: {flexion.model or 'unknown'}, {extension.model or 'unknown'}"
    else:
        return None
    return f"No movement stated: flexion and extension differ in their {unlike}"


def _of_view(films: Sequence[StudyFilm], view: View) -> Measurement | None:
    return next((film.measurement for film in films if film.view is view and not film.is_repeat), None)


def _length(film: Measurement, name: str) -> Length | None:
    return film.adi if name == "adi" else film.sac
