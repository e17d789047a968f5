"""What left this node, what shall leave it, and what shall not any more: the deliveries of a report's objects.

That an object was delivered is a fact of its own (``delivered_at``): a job that is put back, withdrawn or laid to rest
afterwards does not unsay it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from aasnode.store.engine import insert_once
from aasnode.store.jobs import REPLACED, ended, new_values, put_back
from aasnode.store.objects import STRUCTURED_REPORT, NewObject, Report, StoredObject, of_report
from aasnode.store.schema import JobKind, JobState, jobs, objects, reports

SentReport = tuple[Report, StoredObject]
"""A version of a study's report, and the structured report of it that a peer took or is being sent."""


def add_delivery(
    connection: Connection,
    *,
    study_instance_uid: str,
    report_id: int,
    role: str,
    destination: str,
    now: datetime,
    attempts: int,
) -> None:
    """Ask for one object of a report to be sent to one destination; asking twice makes one job."""
    values = new_values(JobKind.DELIVER, now, now, attempts) | {
        "study_instance_uid": study_instance_uid,
        "report_id": report_id,
        "role": role,
        "destination": destination,
    }
    insert_once(connection, jobs, values)


def withdraw_undelivered(connection: Connection, *, study_instance_uid: str, now: datetime) -> int:
    """Withdraw what still waits of a study's reports, because a newer version takes its place; how many."""
    waiting = or_(jobs.c.state.in_([JobState.PENDING, JobState.DEAD]), _is_abandoned(now))
    chosen = and_(jobs.c.kind == JobKind.DELIVER, jobs.c.study_instance_uid == study_instance_uid, waiting)
    values = ended(JobState.WITHDRAWN, REPLACED, now)
    return connection.execute(update(jobs).where(chosen).values(values)).rowcount


def bury_unroutable(connection: Connection, destinations: Collection[str], *, now: datetime) -> int:
    """Lay deliveries to rest whose destination is not in the configuration any more."""
    unroutable = and_(
        jobs.c.kind == JobKind.DELIVER,
        or_(jobs.c.state == JobState.PENDING, _is_abandoned(now)),
        jobs.c.destination.not_in(destinations),
    )
    reason = "the destination is not in config.toml any more; put it back, then `aasnode resend`"
    return connection.execute(update(jobs).where(unroutable).values(ended(JobState.DEAD, reason, now))).rowcount


def sent_report(connection: Connection, study_instance_uid: str, *, now: datetime) -> SentReport | None:
    """The newest version that left this node, or is leaving it at this moment."""
    under_way = and_(jobs.c.state == JobState.CLAIMED, jobs.c.lease_until >= now)
    query = (
        select(reports)
        .join(jobs, jobs.c.report_id == reports.c.id)
        .where(reports.c.study_instance_uid == study_instance_uid, jobs.c.role == STRUCTURED_REPORT)
        .where(or_(jobs.c.delivered_at.is_not(None), under_way))
        .order_by(reports.c.version.desc())
    )
    row = connection.execute(query.limit(1)).mappings().first()
    return None if row is None else (Report(**row), sent_object(connection, row["id"]))


def sent_object(connection: Connection, report_id: int) -> StoredObject:
    """The structured report of a version that a peer took, or the one that is offered first while none is known to."""
    delivered = [jobs.c.report_id == report_id, jobs.c.role == STRUCTURED_REPORT, jobs.c.delivered_at.is_not(None)]
    taken = connection.execute(select(jobs.c.object_id).where(*delivered).order_by(jobs.c.id).limit(1)).scalar()
    candidates = of_report(connection, report_id, STRUCTURED_REPORT)
    return next((one for one in candidates if one.id == taken), candidates[0])


def is_delivered(connection: Connection, *, sop_instance_uid: str, destination: str) -> bool:
    """Whether a destination already holds this very object, from an earlier version of the report."""
    query = (
        select(jobs.c.id)
        .join(objects, objects.c.id == jobs.c.object_id)
        .where(
            objects.c.sop_instance_uid == sop_instance_uid,
            jobs.c.destination == destination,
            jobs.c.delivered_at.is_not(None),
        )
    )
    return connection.execute(query.limit(1)).first() is not None


def without_bytes(connection: Connection, study_instance_uid: str) -> frozenset[int]:
    """Deliveries of a study that rest because the bytes of their object are no longer kept: the ids of their jobs."""
    kept = select(objects.c.id).where(
        objects.c.report_id == jobs.c.report_id, objects.c.role == jobs.c.role, objects.c.file_name.is_not(None)
    )
    resting = [jobs.c.kind == JobKind.DELIVER, jobs.c.state == JobState.DEAD]
    query = select(jobs.c.id).where(*resting, jobs.c.study_instance_uid == study_instance_uid, ~kept.exists())
    return frozenset(connection.execute(query).scalars())


def keep_bytes_again(
    connection: Connection, study_instance_uid: str, made: Sequence[NewObject], *, now: datetime
) -> int:
    """Name the bytes that were built anew, and put back the deliveries that rested for want of them; how many."""
    before = without_bytes(connection, study_instance_uid)
    for one in made:
        gone = [objects.c.sop_instance_uid == one.sop_instance_uid, objects.c.file_name.is_(None)]
        values = {"file_name": one.file_name, "digest": one.digest, "bytes": one.bytes}
        connection.execute(update(objects).where(*gone).values(values))
    return put_back(connection, jobs.c.id.in_(before - without_bytes(connection, study_instance_uid)), now)


def _is_abandoned(now: datetime) -> ColumnElement[bool]:
    """Claimed by a sender that is no more: its lease ran out."""
    return and_(jobs.c.state == JobState.CLAIMED, jobs.c.lease_until < now)
