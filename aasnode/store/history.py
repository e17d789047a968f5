"""A patient's course: every film that counts, in the order of acquisition. Knows no change; ``measurement`` does.

A blank patient ID is nobody's: it is never pooled. The same ID with another issuer, birth date or sex may be another
person: such films are held apart, each in a course of its own, and the reader is shown that there are several.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from aasnode.errors import UnsupportedError
from aasnode.measurement import CourseEntry
from aasnode.store.results import Person, StoredResult, by_persons, select_results
from aasnode.store.schema import results


@dataclass(frozen=True, kw_only=True)
class Course:
    """One person's films in the order of acquisition; films without a date come first, in the order of arrival."""

    person: Person
    results: tuple[StoredResult, ...]

    def entries(self) -> tuple[CourseEntry, ...]:
        """The films as ``measurement.changes`` compares them, in the same order."""
        return tuple(stored.as_course_entry() for stored in self.results)


def of_patient(connection: Connection, patient_id: str, issuer: str | None = None) -> tuple[Course, ...]:
    """The courses under a patient ID: usually one; several where the headers do not agree who that is.

    One exposure counts once. ``issuer`` None asks for all issuers, "" for films that state none.

    Raises:
        UnsupportedError: ``patient_id`` is blank.
    """
    if not patient_id.strip():
        raise UnsupportedError("a blank patient ID is nobody's: films without one are never pooled into a course")
    where = [results.c.patient_id == patient_id.strip(), results.c.is_representative]
    if issuer is not None:
        where.append(results.c.issuer_of_patient_id == issuer)
    return _held_apart(select_results(connection, *where, order_by=results.c.acquired_at))


def _held_apart(found: Sequence[StoredResult]) -> tuple[Course, ...]:
    by_person = sorted(by_persons(found).items(), key=lambda item: repr(item[0]))
    return tuple(Course(person=person, results=tuple(films)) for person, films in by_person)
