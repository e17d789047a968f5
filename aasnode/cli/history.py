"""``aasnode history``: a patient's course, every film in the order of acquisition with its change.

The same ID with another issuer, birth date or sex may be another person: such courses are shown one after the other.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from aasnode.anatomy import View
from aasnode.cli.course import Comparison, TrackedFilm, columns, film_rows, person_row, tracked
from aasnode.cli.options import Format, add_config, add_format, existing_store, load_config
from aasnode.cli.table import MISSING, print_csv, print_json, print_table
from aasnode.config import Config
from aasnode.measurement import Assessment, ComparedLength, Length, LengthFinding, Measurement, NotComparable, criteria
from aasnode.reports import wording
from aasnode.store import history, jobs
from aasnode.store.history import Course
from aasnode.store.schema import JobKind, JobState

_EXCEEDS = " !"
_HEADINGS = (
    "acquired",
    "ADI mm (90 %)", "% C1", "since previous", "since first",
    "SAC mm (90 %)", "% C1", "since previous", "since first",
)  # fmt: skip
_VERDICT_HEADINGS = (
    "acquired",
    "ADI mm as compared",
    "finding",
    "SAC mm as compared",
    "finding",
    "in plane",
    "assessment",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--patient-id", metavar="ID", required=True, help="Patient ID (0010,0020)")
    parser.add_argument(
        "--issuer", metavar="I", help='Issuer of Patient ID (0010,0021); "" for films that state none, else all issuers'
    )
    add_format(parser, Format.TABLE, Format.JSON, Format.CSV)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the courses under the ID."""
    config = load_config(arguments)
    with existing_store(config) as store, store.reading() as connection:
        courses = history.of_patient(connection, arguments.patient_id, arguments.issuer)
        counts = jobs.counts(connection)
    nothing = [] if courses else ["No film of this patient was analysed"]
    if told := [*nothing, *_of_waiting(counts)]:
        print(f"{'; '.join(told)}.", file=sys.stderr)
    show = {Format.TABLE: _show_tables, Format.JSON: _show_json, Format.CSV: _show_csv}
    show[arguments.format](courses, config)
    return 0


def _of_waiting(counts: Mapping[tuple[JobKind, JobState], int]) -> Iterator[str]:
    """How many films the queue holds, whosesoever they are: no patient is known before a film is read."""
    waiting = sum(counts.get((JobKind.ANALYSE, state), 0) for state in (JobState.PENDING, JobState.CLAIMED))
    if waiting:
        yield "1 film waits to be analysed" if waiting == 1 else f"{waiting} films wait to be analysed"


def _show_tables(courses: Sequence[Course], config: Config) -> None:
    """One block per person and view: the course, and what was compared with the thresholds; notes stand below."""
    today = criteria(config.measurement)
    for number, course in enumerate(courses, 1):
        print(_person_line(course, number, len(courses)))
        films = tracked(course, config)
        for view in View:
            of_view = [film for film in films if film.found.view is view]
            if of_view:
                _show_view(view, of_view, today)
        _show_studies(films)
        print(f"\n% C1: percent of the {wording.C1_DIAMETER}, whatever the magnification")
    if courses:
        measured = (stored.film.measurement for course in courses for stored in course.results)
        print(f"Thresholds: {today}.")
        print(wording.describe_standing(one.calibrated_on for one in measured if one))


def _person_line(course: Course, number: int, count: int) -> str:
    person = course.person
    issuer = f", issuer {person.issuer_of_patient_id}" if person.issuer_of_patient_id else ""
    held_apart = f"  [{number} of {count}: held apart, the headers do not agree on who this is]" if count > 1 else ""
    return f"Patient {person.patient_id}{issuer}, born {person.birth_date or '?'}, sex {person.sex or '?'}{held_apart}"


def _show_view(view: View, films: Sequence[TrackedFilm], criteria_today: str) -> None:
    notes: dict[str, int] = {}  # reason → number of its note
    print(f"\n{view}")
    rows = [_cells(film, notes) for film in films]
    print_table(_HEADINGS, rows)
    if any(_EXCEEDS in cell for row in rows for cell in row):
        print(f" {_EXCEEDS}  more than measurement error explains (95 %)")
    print()
    print_table(_VERDICT_HEADINGS, [_verdict_cells(film, notes, criteria_today) for film in films])
    for reason, number in notes.items():
        print(f"  [{number}] {reason}")


def _show_studies(films: Sequence[TrackedFilm]) -> None:
    """Each visit's study, by the UID that ``aasnode resend`` asks for."""
    first: dict[str, TrackedFilm] = {}
    for film in films:
        first.setdefault(film.found.identity.study_instance_uid, film)
    print()
    print_table(("acquired", "Study Instance UID"), [(_acquired(film), uid) for uid, film in first.items()])


def _cells(film: TrackedFilm, notes: dict[str, int]) -> tuple[str, ...]:
    measured, change = film.found.measurement, film.changes

    def compared(name: str, comparison: Comparison) -> str:
        if isinstance(comparison, NotComparable):
            return _note(comparison.reason, notes)
        fell = (
            f" {_note(wording.PSEUDOSTABILISATION, notes)}" if wording.is_smaller_adi(name, comparison.change) else ""
        )
        exceeds = _EXCEEDS if comparison.change.exceeds_error else ""
        return f"{comparison.change.mm:+.1f} ±{comparison.change.error_mm:.1f}{exceeds}{fell}"

    return (
        _acquired(film),
        _length(measured.adi if measured else None),
        _ratio(measured.adi_ratio if measured else None),
        compared("ADI", change.adi_since_previous),
        compared("ADI", change.adi_since_first),
        _length(measured.sac if measured else None),
        _ratio(measured.sac_ratio if measured else None),
        compared("SAC", change.sac_since_previous),
        compared("SAC", change.sac_since_first),
    )


def _verdict_cells(film: TrackedFilm, notes: dict[str, int], criteria_today: str) -> tuple[str, ...]:
    measured, reason = film.found.measurement, film.found.reason
    if measured is None:
        status = f"{film.found.status} {_note(reason, notes) if reason else ''}".rstrip()
        return (_acquired(film), *[MISSING] * 5, status)
    findings = (measured.adi_finding, measured.sac_finding)
    planes = {str(finding.compared.plane or "not stated") for finding in findings if finding}
    verdicts = [cell for finding in findings for cell in _finding(finding)]
    remarks = " ".join(_note(remark, notes) for remark in _remarks(measured, criteria_today))
    return (_acquired(film), *verdicts, ", ".join(planes) or MISSING, f"{measured.assessment} {remarks}".rstrip())


def _remarks(measured: Measurement, criteria_today: str) -> Iterator[str]:
    """What must be known of an assessment: why there is none, or what it takes for granted; and other thresholds."""
    if measured.assessed_by not in (None, criteria_today):
        yield f"assessed by {measured.assessed_by}"
    if measured.assessment is Assessment.NOT_ASSESSED:
        yield measured.assessment_reason
    elif measured.assumption:
        yield measured.assumption


def _finding(finding: LengthFinding | None) -> tuple[str, str]:
    """The value that was compared, and on which side of which limit it lies."""
    if finding is None:
        return MISSING, MISSING
    compared = finding.compared
    value = MISSING if compared.mm is None else finding.shown(compared.mm)
    return _interval(value, compared), ", ".join(filter(None, (finding.said, finding.doubt)))


def _acquired(film: TrackedFilm) -> str:
    acquisition = film.found.identity.acquisition
    acquired = film.acquired_at or f"{acquisition.date_verbatim or '?'} {acquisition.time_verbatim}".strip()
    return acquired.replace("T", " ")[:16]


def _note(reason: str, notes: dict[str, int]) -> str:
    return f"[{notes.setdefault(reason, len(notes) + 1)}]"


def _length(length: Length | None) -> str:
    return MISSING if length is None else _interval(f"{length.mm:.1f}", length)


def _ratio(ratio: float | None) -> str:
    return MISSING if ratio is None else f"{100 * ratio:4.1f}"


def _interval(value: str, length: Length | ComparedLength) -> str:
    return f"{value:>4} ({length.low_mm:.1f} – {length.high_mm:.1f})"


def _show_json(courses: Sequence[Course], config: Config) -> None:
    shown = [{"person": person_row(course), "films": list(film_rows(course, config))} for course in courses]
    print_json({"courses": shown})


def _show_csv(courses: Sequence[Course], config: Config) -> None:
    rows = [{**person_row(course), **row} for course in courses for row in film_rows(course, config)]
    print_csv(rows, columns())
