"""What left this node, what shall leave it, and what shall not any more: the deliveries of a report's objects.

That an object was delivered is a fact of its own (``delivered_at``): a job that is put back, withdrawn or laid to rest
afterwards does not unsay it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from aasnode.config import DeliverySection
from aasnode.store.engine import insert_once
from aasnode.store.instances import Instance
from aasnode.store.jobs import REPLACED, ended, new_values, put_back
from aasnode.store.objects import (
    STRUCTURED_REPORT,
    NewObject,
    Report,
    StoredObject,
    current_report,
    is_current,
    of_report,
)
from aasnode.store.results import study_of_reported
from aasnode.store.schema import JobKind, JobState, jobs, objects, reports

SentReport = tuple[Report, StoredObject]
"""A version of a study's report, and the structured report of it that a peer took or is being sent."""

Routes = Mapping[str, str | None]
"""Names of destinations, each with the obstacle that keeps anything from being sent there; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Resent:
    """What came of putting deliveries back."""

    count: int  # that are due again
    unknown: frozenset[str]  # destinations that the configuration does not name: their deliveries were left alone


NO_RETURN_ADDRESS = "not in delivery.return_table; put the sender there, restart the node, then `aasnode jobs retry`"


def return_to(ae_title: str) -> str:
    """Name of the destination that is the sender of the films."""
    return f"return:{ae_title}"


def routes(delivery: DeliverySection, senders: Iterable[str]) -> Routes:
    """Where a study's objects go whose films came from the AE titles ``senders``."""
    fixed: dict[str, str | None] = {destination.name: None for destination in delivery.destinations}
    if not delivery.return_to_sender:
        return fixed
    known = {address.ae_title for address in delivery.return_table}
    return fixed | {return_to(one): None if one in known else NO_RETURN_ADDRESS for one in senders}


def ask(connection: Connection, report: Report, asked: Routes, *, now: datetime, attempts: int) -> int:
    """Ask for the objects of a report to be sent to each destination that does not hold them yet; how many are due.

    An overlay that a further film left as it is does not go out again. Where an obstacle is known, nothing is due.
    """
    of_role: dict[str, list[str]] = {}
    for one in of_report(connection, report.id):
        of_role.setdefault(one.role, []).append(one.sop_instance_uid)
    return sum(
        add_delivery(
            connection,
            study_instance_uid=report.study_instance_uid,
            report_id=report.id,
            role=role,
            destination=destination,
            now=now,
            attempts=attempts,
            obstacle=obstacle,
        )
        and obstacle is None
        for destination, obstacle in asked.items()
        for role, uids in of_role.items()
        if not any(is_delivered(connection, sop_instance_uid=uid, destination=destination) for uid in uids)
    )


def ask_for_study(
    connection: Connection, study_instance_uid: str, asked: Routes, *, now: datetime, attempts: int
) -> int:
    """Ask for the newest version of a study's report to be sent where that was never asked for; how many are due."""
    report = current_report(connection, study_instance_uid)
    return 0 if report is None else ask(connection, report, asked, now=now, attempts=attempts)


def add_delivery(
    connection: Connection,
    *,
    study_instance_uid: str,
    report_id: int,
    role: str,
    destination: str,
    now: datetime,
    attempts: int,
    obstacle: str | None = None,
) -> bool:
    """Ask for one object of a report to be sent to one destination; asking twice makes one job. Whether it is new.

    Where an ``obstacle`` is known, the job rests with it in the dead letter at once.
    """
    values = new_values(JobKind.DELIVER, now, now, attempts) | {
        "study_instance_uid": study_instance_uid,
        "report_id": report_id,
        "role": role,
        "destination": destination,
    }
    if obstacle is not None:
        values |= ended(JobState.DEAD, obstacle, now)
    return insert_once(connection, jobs, values) is not None


def resend(
    connection: Connection,
    known: Collection[str],
    *,
    now: datetime,
    study_instance_uid: str | None = None,
    destination: str | None = None,
) -> Resent:
    """Put deliveries back: the dead ones; with a study or a destination named also those that wait for another attempt,
    which are then due now; with a study named also those that were delivered.

    What a newer version replaced is left alone, and so is what goes to a destination that is not among the ``known``.
    """
    wanted = [jobs.c.state == JobState.DEAD]
    if study_instance_uid is not None or destination is not None:
        wanted.append(and_(jobs.c.state == JobState.PENDING, jobs.c.due_at > now))
    if study_instance_uid is not None:
        wanted.append(jobs.c.state == JobState.FINISHED)
    chosen = [jobs.c.kind == JobKind.DELIVER, or_(*wanted)]
    if study_instance_uid is not None:
        chosen.append(jobs.c.study_instance_uid == study_instance_uid)
    if destination is not None:
        chosen.append(jobs.c.destination == destination)
    resting = connection.execute(select(jobs.c.id, jobs.c.report_id, jobs.c.role, jobs.c.destination).where(*chosen))
    current = [row for row in resting.all() if is_current(connection, row.report_id, row.role)]
    ids = [row.id for row in current if row.destination in known]
    return Resent(
        count=sum(put_back(connection, jobs.c.id == one, now) for one in ids),
        unknown=frozenset(row.destination for row in current) - frozenset(known),
    )


def on_their_way(connection: Connection, study_instance_uid: str, destinations: Collection[str]) -> int:
    """How many deliveries of a study to these destinations wait or are being sent."""
    chosen = [
        jobs.c.kind == JobKind.DELIVER,
        jobs.c.state.in_([JobState.PENDING, JobState.CLAIMED]),
        jobs.c.study_instance_uid == study_instance_uid,
        jobs.c.destination.in_(destinations),
    ]
    return connection.execute(select(func.count()).select_from(jobs).where(*chosen)).scalar_one()


def withdraw_undelivered(connection: Connection, *, study_instance_uid: str, now: datetime) -> frozenset[str]:
    """Withdraw what waits of a study's reports, because a newer version takes its place; for which destinations."""
    waiting = or_(jobs.c.state.in_([JobState.PENDING, JobState.DEAD]), _is_abandoned(now))
    chosen = and_(jobs.c.kind == JobKind.DELIVER, jobs.c.study_instance_uid == study_instance_uid, waiting)
    values = ended(JobState.WITHDRAWN, REPLACED, now)
    withdrawn = update(jobs).where(chosen).values(values).returning(jobs.c.destination)
    return frozenset(connection.execute(withdrawn).scalars())


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


def study_in_want(connection: Connection, film: Instance) -> str | None:
    """The study whose report wants this film again: its file is gone, or the bytes of what is to be sent are."""
    study_instance_uid = study_of_reported(connection, film.id)
    if study_instance_uid is None:
        return None
    is_wanted = film.file_name is None or without_bytes(connection, study_instance_uid)
    return study_instance_uid if is_wanted else None


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
