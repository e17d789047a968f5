"""A patient's course as flat rows: every film with its measurement and its changes, every key always there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aasnode.config import Config
from aasnode.measurement import Compared, CourseChanges, Length, LengthFinding, Measurement, NotComparable, changes
from aasnode.store.history import Course
from aasnode.store.results import FilmResult, Person, StoredResult

Comparison = Compared | NotComparable
Row = Mapping[str, object]

_REPEAT = NotComparable(reason="a repeat of this view in the same study: another film of it is tracked")


@dataclass(frozen=True, kw_only=True)
class TrackedFilm:
    """One film of a course with its changes."""

    stored: StoredResult
    changes: CourseChanges
    zone: ZoneInfo

    @property
    def found(self) -> FilmResult:
        """What was found on it."""
        return self.stored.film

    @property
    def acquired_at(self) -> str | None:
        """The instant in the site's time zone, ISO 8601; None where the header gives none."""
        instant = self.found.identity.acquisition.instant
        return None if instant is None else instant.astimezone(self.zone).isoformat()


def tracked(course: Course, config: Config) -> tuple[TrackedFilm, ...]:
    """The films of a course with their changes; of repeats of a view in one study only the primary is compared."""
    primary = [stored.as_course_entry() for stored in course.results if stored.is_primary]
    found = {one.key: one for one in changes(primary, config.measurement)}
    zone = ZoneInfo(config.node.time_zone)
    films = []
    for stored in course.results:
        key = stored.film.identity.sop_instance_uid
        films.append(TrackedFilm(stored=stored, changes=found.get(key) or _not_tracked(key), zone=zone))
    return tuple(films)


def _not_tracked(key: str) -> CourseChanges:
    return CourseChanges(
        key=key,
        adi_since_previous=_REPEAT,
        adi_since_first=_REPEAT,
        sac_since_previous=_REPEAT,
        sac_since_first=_REPEAT,
    )


_OF_PERSON: Mapping[str, Callable[[Person], object]] = {
    "patient_id": lambda person: person.patient_id,
    "issuer_of_patient_id": lambda person: person.issuer_of_patient_id,
    "birth_date": lambda person: person.birth_date.isoformat() if person.birth_date else None,
    "sex": lambda person: person.sex or None,
}
_OF_FILM: Mapping[str, Callable[[TrackedFilm], object]] = {
    "study_instance_uid": lambda tracked: tracked.found.identity.study_instance_uid,
    "series_instance_uid": lambda tracked: tracked.found.identity.series_instance_uid,
    "sop_instance_uid": lambda tracked: tracked.found.identity.sop_instance_uid,
    "accession_number": lambda tracked: tracked.found.identity.accession_number,
    "acquisition_date": lambda tracked: tracked.found.identity.acquisition.date_verbatim,
    "acquisition_time": lambda tracked: tracked.found.identity.acquisition.time_verbatim,
    "acquired_at": lambda tracked: tracked.acquired_at,
    "view": lambda tracked: tracked.found.view,
    "view_source": lambda tracked: tracked.found.view_source,
    "facing": lambda tracked: tracked.found.facing,
    "primary": lambda tracked: tracked.stored.is_primary,
    "status": lambda tracked: tracked.found.status,
    "reason": lambda tracked: tracked.found.reason,
    "model": lambda tracked: tracked.found.model,
}


def person_row(course: Course) -> Row:
    """Whom the course belongs to, as the headers state it."""
    return {name: of(course.person) for name, of in _OF_PERSON.items()}


def film_rows(course: Course, config: Config) -> Iterator[Row]:
    """One flat row per film, every key always there."""
    for film in tracked(course, config):
        row = {name: of(film) for name, of in _OF_FILM.items()}
        yield row | _measurement_row(film.found.measurement) | _change_rows(film.changes)


def columns() -> tuple[str, ...]:
    """The keys of a person's row and of a film's (docs/measurements.md tells what they hold)."""
    return (*_OF_PERSON, *_OF_FILM, *_measurement_row(None), *_change_rows(_not_tracked("")))


def _measurement_row(measured: Measurement | None) -> dict[str, object]:
    return {
        "spacing_rule": measured.spacing_rule if measured else None,
        **_length_row("adi", measured.adi if measured else None),
        **_finding_row("adi", measured.adi_finding if measured else None),
        "adi_ratio": measured.adi_ratio if measured else None,
        **_length_row("sac", measured.sac if measured else None),
        **_finding_row("sac", measured.sac_finding if measured else None),
        "sac_ratio": measured.sac_ratio if measured else None,
        "c1_inner_diameter_mm": measured.c1_inner_diameter_mm if measured else None,
        "assessment": measured.assessment if measured else None,
        "assessment_reason": measured.assessment_reason if measured else None,
        "criteria": measured.criteria if measured else None,
        "assumption": measured.assumption if measured else None,
        "interval_source": measured.interval_source if measured else None,
    }


def _length_row(name: str, length: Length | None) -> dict[str, object]:
    return {
        f"{name}_mm": length.mm if length else None,
        f"{name}_low_mm": length.low_mm if length else None,
        f"{name}_high_mm": length.high_mm if length else None,
        f"{name}_detector_plane_mm": length.detector_plane_mm if length else None,
        f"{name}_corrected_mm": length.corrected_mm if length else None,
    }


def _finding_row(name: str, finding: LengthFinding | None) -> dict[str, object]:
    compared = finding.compared if finding else None
    return {
        f"{name}_compared_mm": compared.mm if compared else None,
        f"{name}_compared_low_mm": compared.low_mm if compared else None,
        f"{name}_compared_high_mm": compared.high_mm if compared else None,
        f"{name}_compared_plane": compared.plane if compared else None,
        f"{name}_limit": finding.limit if finding else None,
        f"{name}_finding": finding.assessment if finding else None,
        f"{name}_spans_threshold": finding.spans_threshold if finding else None,
    }


def _change_rows(change: CourseChanges) -> dict[str, object]:
    return {
        **_change_row("adi_since_previous", change.adi_since_previous),
        **_change_row("adi_since_first", change.adi_since_first),
        **_change_row("sac_since_previous", change.sac_since_previous),
        **_change_row("sac_since_first", change.sac_since_first),
    }


def _change_row(name: str, comparison: Comparison) -> dict[str, object]:
    compared = comparison if isinstance(comparison, Compared) else None
    return {
        f"{name}_mm": compared.change.mm if compared else None,
        f"{name}_error_mm": compared.change.error_mm if compared else None,
        f"{name}_exceeds_error": compared.change.exceeds_error if compared else None,
        f"{name}_against": compared.against if compared else None,
        f"{name}_not_comparable": None if isinstance(comparison, Compared) else comparison.reason,
    }
