"""The objects that we made: built once, their bytes stored once, grouped into the versions of a study's report.

A role is what an object is for: the structured report, or the overlay of one film. A role may have several candidates
(the same report in several SOP classes); one of them, the first that a peer accepts, is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from aasnode.store.schema import facts, objects, reports

STRUCTURED_REPORT = "structured_report"


def overlay_role(sop_instance_uid: str) -> str:
    """The role of the overlay of one film."""
    return f"overlay:{sop_instance_uid}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One version of a study's report."""

    id: int
    study_instance_uid: str
    version: int
    predecessor_id: int | None
    content_digest: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewObject:
    """One object whose bytes are stored, before its row is written."""

    role: str
    preference: int
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    file_name: str
    digest: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object of a report."""

    id: int
    report_id: int
    role: str
    preference: int  # 0 is offered first
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    file_name: str | None  # among the objects; None when no longer kept
    digest: str
    bytes: int


def add_report(
    connection: Connection,
    *,
    study_instance_uid: str,
    predecessor: Report | None,
    content_digest: str,
    made: Sequence[NewObject],
    now: datetime,
) -> Report:
    """Keep a new version of a study's report with its objects."""
    current = current_report(connection, study_instance_uid)
    values = {
        "study_instance_uid": study_instance_uid,
        "version": current.version + 1 if current else 1,
        "predecessor_id": predecessor.id if predecessor else None,
        "content_digest": content_digest,
        "created_at": now,
    }
    row = connection.execute(insert(reports).values(values).returning(reports)).mappings().one()
    report = Report(**row)
    for one in made:
        connection.execute(insert(objects).values({**vars(one), "report_id": report.id}))
    return report


def current_report(connection: Connection, study_instance_uid: str) -> Report | None:
    """The newest version of a study's report."""
    query = select(reports).where(reports.c.study_instance_uid == study_instance_uid).order_by(reports.c.version.desc())
    row = connection.execute(query.limit(1)).mappings().first()
    return None if row is None else Report(**row)


def list_reports(connection: Connection, study_instance_uid: str) -> Sequence[Report]:
    """All versions of a study's report, oldest first."""
    query = select(reports).where(reports.c.study_instance_uid == study_instance_uid).order_by(reports.c.version)
    return [Report(**row) for row in connection.execute(query).mappings()]


def of_report(connection: Connection, report_id: int, role: str | None = None) -> Sequence[StoredObject]:
    """The objects of a report, of one role where it is named, in the order in which they are offered to a peer."""
    query = select(objects).where(objects.c.report_id == report_id)
    if role is not None:
        query = query.where(objects.c.role == role)
    rows = connection.execute(query.order_by(objects.c.role, objects.c.preference)).mappings()
    return [_object(row) for row in rows]


def is_current(connection: Connection, report_id: int, role: str) -> bool:
    """Whether an object of this role of this report still is part of the newest version of its study's report."""
    of_role = select(objects.c.sop_instance_uid).where(objects.c.report_id == report_id, objects.c.role == role)
    study = select(reports.c.study_instance_uid).where(reports.c.id == report_id).scalar_subquery()
    newest = (
        select(reports.c.id)
        .where(reports.c.study_instance_uid == study)
        .order_by(reports.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    shared = [objects.c.report_id == newest, objects.c.sop_instance_uid.in_(of_role)]
    return connection.execute(select(objects.c.id).where(*shared).limit(1)).first() is not None


def find_stored(connection: Connection, sop_instance_uid: str) -> StoredObject | None:
    """An object that was already built under this UID and whose bytes are still kept: it is never built again."""
    wanted = [objects.c.sop_instance_uid == sop_instance_uid, objects.c.file_name.is_not(None)]
    row = connection.execute(select(objects).where(*wanted).limit(1)).mappings().first()
    return None if row is None else _object(row)


def first_made_at(connection: Connection, sop_instance_uid: str) -> datetime | None:
    """When an object was built under this UID for the first time; None when it never was."""
    query = select(reports.c.created_at).join(objects, objects.c.report_id == reports.c.id)
    first = query.where(objects.c.sop_instance_uid == sop_instance_uid).order_by(reports.c.created_at).limit(1)
    return connection.execute(first).scalar()


def device_uid(connection: Connection, proposed: str) -> str:
    """The UID of this node, constant over its life: the one kept, or ``proposed``, which is then kept."""
    kept = connection.execute(select(facts.c.value).where(facts.c.name == "device_uid")).scalar()
    if kept is None:
        connection.execute(insert(facts).values(name="device_uid", value=proposed))
    return kept or proposed


def _object(row: RowMapping) -> StoredObject:
    return StoredObject(**row)
