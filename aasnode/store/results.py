"""What was found on each film, and which films of a study count.

A result is written once per SOP Instance UID, with everything that was found. Its columns repeat what is searched and
sorted by; ``details`` holds the whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from cattrs.preconf.json import make_converter
from sqlalchemy import Connection, RowMapping, delete, exists, insert, select, update

from aasnode.anatomy import Facing, Landmarks, View
from aasnode.dicom import exposure
from aasnode.dicom.identity import PERSON, Identity
from aasnode.dicom.selection import ViewSource
from aasnode.geometry import Spacings, Unscaled
from aasnode.measurement import CourseEntry, FilmStatus, Measurement
from aasnode.store.schema import Arrival, instances, results, revisions

_CONVERTER = make_converter()
_REPORTED = [status for status in FilmStatus if status.is_reported]
_WITHOUT_NUMBERS = [status for status in FilmStatus if not status.is_reported]


@dataclass(frozen=True, kw_only=True)
class FilmResult:
    """Everything that was found on one film. Fields that were not reached are None."""

    identity: Identity
    exposure_key: str  # equal for all renderings of one exposure
    source_sop_instance_uids: tuple[str, ...]
    for_processing: bool
    status: FilmStatus
    reason: str | None
    rule: str | None  # the selection rule that rejected it or gave its view
    view: View
    view_source: ViewSource
    facing: Facing
    landmarks: Landmarks
    spacing: Spacings | Unscaled | None
    measurement: Measurement | None
    model: str | None
    rows: int | None
    columns: int | None
    selected_by: str | None = None  # the site's rule after which no other could reject it

    @property
    def is_lateral_cervical(self) -> bool:
        """Whether the film may be what this node measures; anything else is recorded and reported nowhere."""
        return self.status.is_reported


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose film a film is, as the headers state it; empty or None where they state nothing."""

    patient_id: str
    issuer_of_patient_id: str
    birth_date: date | None
    sex: str


@dataclass(frozen=True, kw_only=True)
class StoredResult:
    """One film's result as it is kept."""

    id: int
    instance_id: int
    file_name: str | None  # in the inbox; None when no longer kept
    calling_ae_title: str
    is_representative: bool  # of the renderings of one exposure, the one that counts
    is_primary: bool  # of the repeats of one view, the one that is reported and tracked
    analysed_at: datetime
    film: FilmResult
    is_disputed: bool = False  # whether it came again under another patient ID, issuer, birth date or sex

    @property
    def person(self) -> Person:
        """Whose film this is, as its header states it."""
        identity = self.film.identity
        return Person(
            patient_id=identity.patient_id,
            issuer_of_patient_id=identity.issuer_of_patient_id,
            birth_date=identity.birth_date,
            sex=identity.sex,
        )

    def as_course_entry(self) -> CourseEntry:
        """The film as ``measurement.changes`` compares it; its key is the SOP Instance UID."""
        measured = self.film.measurement
        return CourseEntry(
            key=self.film.identity.sop_instance_uid,
            acquired_at=self.film.identity.acquisition.instant,
            view=self.film.view,
            spacing_rule=measured.spacing_rule if measured else None,
            model=self.film.model,
            adi=measured.adi if measured else None,
            sac=measured.sac if measured else None,
            is_disputed=self.is_disputed,
        )


def add(connection: Connection, *, instance_id: int, film: FilmResult, now: datetime) -> None:
    """Keep a film's result, and decide anew which films of its study count."""
    connection.execute(insert(results).values(_columns(film) | {"instance_id": instance_id, "analysed_at": now}))
    _choose_counting(connection, film.identity.study_instance_uid)


def take_back_rejection(connection: Connection, instance_id: int) -> bool:
    """Forget the result of an arrival if it has no numbers: its film waits again. Whether it had such a result."""
    without_numbers = [results.c.instance_id == instance_id, results.c.status.in_(_WITHOUT_NUMBERS)]
    if connection.execute(delete(results).where(*without_numbers)).rowcount == 0:
        return False
    waits = {"state": Arrival.RECEIVED, "reason": None}
    connection.execute(update(instances).where(instances.c.id == instance_id).values(waits))
    return True


def of_instance(connection: Connection, instance_id: int) -> Sequence[StoredResult]:
    """The results of one arrival, in the order in which they came about."""
    return select_results(connection, results.c.instance_id == instance_id, order_by=results.c.id)


def of_study(connection: Connection, study_instance_uid: str) -> Sequence[StoredResult]:
    """All results of a study, in the order of arrival."""
    return select_results(connection, results.c.study_instance_uid == study_instance_uid, order_by=results.c.id)


def study_of_reported(connection: Connection, instance_id: int) -> str | None:
    """The study in whose report the film of an arrival stands; None when it stands in none."""
    wanted = [results.c.instance_id == instance_id, results.c.status.in_(_REPORTED)]
    return connection.execute(select(results.c.study_instance_uid).where(*wanted)).scalar()


def by_persons(films: Sequence[StoredResult]) -> Mapping[Person, Sequence[StoredResult]]:
    """The films of each person, in the order in which they are given.

    A birth date or sex that a film does not state is the one that all others of its study under its patient ID state.
    """
    found: dict[Person, list[StoredResult]] = {}
    for stored in films:
        found.setdefault(_completed(stored, films), []).append(stored)
    return found


def select_results(connection: Connection, *where: Any, order_by: Any) -> Sequence[StoredResult]:
    """The results that fulfil ``where`` (SQL expressions on the tables of this room).

    In one SELECT, and one more for each film that came again with another header, which is rare.
    """
    came_again = exists().where(revisions.c.sop_instance_uid == results.c.sop_instance_uid).label("came_again")
    query = (
        select(results, instances.c.file_name, instances.c.calling_ae_title, came_again)
        .join(instances, instances.c.id == results.c.instance_id)
        .where(*where)
        .order_by(order_by)
    )
    found = connection.execute(query).mappings().all()
    disputed = _disputed(connection, {row["sop_instance_uid"] for row in found if row["came_again"]})
    return [_stored(row, is_disputed=row["sop_instance_uid"] in disputed) for row in found]


def _disputed(connection: Connection, uids: Collection[str]) -> frozenset[str]:
    """Those of the films that came again as another person's; a blank that was filled in makes nobody another."""
    return frozenset(uid for uid in uids if _names_another(connection, uid))


def _names_another(connection: Connection, sop_instance_uid: str) -> bool:
    found = select(revisions.c.differences).where(revisions.c.sop_instance_uid == sop_instance_uid)
    return any(
        one["element"] in PERSON and one["before"] and one["after"]
        for differences in connection.execute(found).scalars()
        for one in differences
    )


def _choose_counting(connection: Connection, study_instance_uid: str) -> None:
    """Mark, of each exposure, the rendering that counts, and of each view of a person, the exposure that is primary."""
    of_this_study = results.c.study_instance_uid == study_instance_uid
    connection.execute(update(results).where(of_this_study).values(is_representative=False, is_primary=False))
    selected = [stored for stored in of_study(connection, study_instance_uid) if stored.film.is_lateral_cervical]
    for films in by_persons(selected).values():
        for shown in exposure.group_exposures([_for_grouping(stored) for stored in films]):
            chosen = results.c.sop_instance_uid == shown.representative
            values = {"is_representative": True, "is_primary": shown.is_primary}
            connection.execute(update(results).where(chosen).values(values))


def _completed(stored: StoredResult, films: Iterable[StoredResult]) -> Person:
    person, study = stored.person, stored.film.identity.study_instance_uid
    if not person.patient_id or (person.birth_date and person.sex):
        return person
    others = [one.person for one in films if one.film.identity.study_instance_uid == study]
    same = [one for one in others if _under_one_id(one, person)]
    dates, sexes = {one.birth_date for one in same if one.birth_date}, {one.sex for one in same if one.sex}
    return replace(
        person,
        birth_date=person.birth_date or (dates.pop() if len(dates) == 1 else None),
        sex=person.sex or (sexes.pop() if len(sexes) == 1 else ""),
    )


def _under_one_id(one: Person, other: Person) -> bool:
    return (one.patient_id, one.issuer_of_patient_id) == (other.patient_id, other.issuer_of_patient_id)


def _for_grouping(stored: StoredResult) -> exposure.Instance:
    film = stored.film
    return exposure.Instance(
        sop_instance_uid=film.identity.sop_instance_uid,
        view=film.view,
        acquired_at=film.identity.acquisition.instant,
        exposure_key=film.exposure_key,
        source_sop_instance_uids=film.source_sop_instance_uids,
        for_processing=film.for_processing,
        arrival=stored.instance_id,
        measured=film.status is FilmStatus.MEASURED,
    )


def _columns(film: FilmResult) -> dict[str, Any]:
    identity, measured = film.identity, film.measurement
    return {
        "sop_instance_uid": identity.sop_instance_uid,
        "sop_class_uid": identity.sop_class_uid,
        "series_instance_uid": identity.series_instance_uid,
        "study_instance_uid": identity.study_instance_uid,
        "accession_number": identity.accession_number,
        "patient_id": identity.patient_id,
        "issuer_of_patient_id": identity.issuer_of_patient_id,
        "birth_date": identity.birth_date,
        "sex": identity.sex,
        "acquired_at": identity.acquisition.instant,
        "acquisition_date": identity.acquisition.date_verbatim,
        "acquisition_time": identity.acquisition.time_verbatim,
        "exposure_key": film.exposure_key,
        "source_sop_instance_uids": list(film.source_sop_instance_uids),
        "for_processing": film.for_processing,
        "is_representative": False,
        "is_primary": False,
        "status": film.status,
        "reason": film.reason,
        "view": film.view,
        "spacing_rule": measured.spacing_rule if measured else None,
        "adi_mm": measured.adi.mm if measured and measured.adi else None,
        "sac_mm": measured.sac.mm if measured and measured.sac else None,
        "assessment": measured.assessment if measured else None,
        "model": film.model,
        "details": _CONVERTER.unstructure(film),
    }


def _stored(row: RowMapping, *, is_disputed: bool) -> StoredResult:
    return StoredResult(
        id=row["id"],
        instance_id=row["instance_id"],
        file_name=row["file_name"],
        calling_ae_title=row["calling_ae_title"],
        is_representative=row["is_representative"],
        is_primary=row["is_primary"],
        analysed_at=row["analysed_at"],
        film=_CONVERTER.structure(row["details"], FilmResult),
        is_disputed=is_disputed,
    )
