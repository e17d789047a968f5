"""The queue: claim, finish, fail, retry. A job is a row until its work is finished, and afterwards still a row.

A claim holds a lease and a fencing token. A lease that is not renewed returns the job; whoever held it then carries an
old token, and nothing that it does counts: ``finish`` and ``fail`` raise LeaseLostError, which rolls its results back.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult, RowMapping, and_, case, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from aasnode.errors import PermanentError, TransientError
from aasnode.store.engine import insert_once
from aasnode.store.results import take_back_rejection
from aasnode.store.schema import Arrival, JobKind, JobState, instances, jobs

REPORT_ATTEMPTS = 5
REPLACED = "replaced by a newer version"
"""Why a delivery is withdrawn."""
REPORTED_LATER = "a later report was built"
"""Why a report that rested in the dead letter is withdrawn."""


class LeaseLostError(TransientError):
    """The lease ran out and the job is someone else's: what was done for it does not count."""


class UnknownJobError(PermanentError):
    """There is no such job, or it is in no state for what was asked."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the queue."""

    id: int
    kind: JobKind
    state: JobState
    instance_id: int | None  # analyse
    study_instance_uid: str | None  # report, deliver
    report_id: int | None  # deliver
    role: str | None  # deliver: which of the report's objects
    destination: str | None  # deliver
    object_id: int | None  # deliver: which object of the role was sent
    priority: int
    due_at: datetime
    attempts: int
    max_attempts: int
    lease_until: datetime | None
    token: int
    owner: str | None
    reason: str | None
    created_at: datetime  # asked for, the last time
    finished_at: datetime | None
    delivered_at: datetime | None  # deliver: when the peer last took the object; stays when the job is put back

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure of the claim that is held sends the job to the dead letter."""
        return self.attempts >= self.max_attempts


@dataclass(frozen=True, kw_only=True)
class PutOff:
    """Jobs of one kind, to one destination, that were tried or claimed in vain for one reason and wait."""

    kind: JobKind
    destination: str | None
    count: int
    next_at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """A delay that doubles with every attempt, up to a cap."""

    first_seconds: float
    cap_seconds: float = 3600.0

    def delay(self, attempts: int) -> timedelta:
        """Wait after the attempt numbered ``attempts`` (from 1)."""
        doublings = min(max(attempts - 1, 0), 30)
        return timedelta(seconds=min(self.first_seconds * 2**doublings, self.cap_seconds))


def this_process() -> str:
    """Who claims: host and process, for people who look at a job that is under way."""
    return f"{socket.gethostname()}:{os.getpid()}"


def add_analysis(connection: Connection, *, instance_id: int, now: datetime, attempts: int) -> None:
    """Ask for the analysis of one arrival; asking twice makes one job."""
    values = new_values(JobKind.ANALYSE, now, now, attempts) | {"instance_id": instance_id}
    insert_once(connection, jobs, values)


def add_report(
    connection: Connection, *, study_instance_uid: str, now: datetime, settle: timedelta, cap: timedelta
) -> None:
    """Ask for a study's report once it has been quiet for ``settle``, at the latest ``cap`` after the first asking."""
    pending = _pending_report(connection, study_instance_uid)
    if pending is None:
        values = new_values(JobKind.REPORT, now, now + min(settle, cap), REPORT_ATTEMPTS)
        connection.execute(insert(jobs).values(values | {"study_instance_uid": study_instance_uid}))
        return
    due_at = min(now + settle, pending.created_at + cap)
    if due_at > pending.due_at:
        connection.execute(update(jobs).where(jobs.c.id == pending.id).values(due_at=due_at))


def claim(
    connection: Connection,
    kind: JobKind,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    destination: str | None = None,
) -> Job | None:
    """Take the most urgent job that is due, or whose lease ran out; None when there is none."""
    due = and_(jobs.c.state == JobState.PENDING, jobs.c.due_at <= now)
    returned = and_(jobs.c.state == JobState.CLAIMED, jobs.c.lease_until < now, jobs.c.attempts < jobs.c.max_attempts)
    wanted = [jobs.c.kind == kind, or_(due, returned)]
    if destination is not None:
        wanted.append(jobs.c.destination == destination)
    most_urgent = (
        select(jobs.c.id)
        .where(*wanted)
        .order_by(jobs.c.priority.desc(), jobs.c.due_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # left out by SQLite, where BEGIN IMMEDIATE does the same
        .scalar_subquery()
    )
    taken = {
        "state": JobState.CLAIMED,
        "attempts": jobs.c.attempts + 1,
        "token": jobs.c.token + 1,
        "lease_until": now + lease,
        "owner": owner,
    }
    row = connection.execute(update(jobs).where(jobs.c.id == most_urgent).values(taken).returning(jobs)).mappings()
    return _job(found) if (found := row.first()) is not None else None


def renew(connection: Connection, job: Job, *, now: datetime, lease: timedelta) -> None:
    """Hold a claim for longer; raises LeaseLostError."""
    _update_held(connection, job, {"lease_until": now + lease})


def finish(
    connection: Connection, job: Job, *, now: datetime, outcome: str | None = None, object_id: int | None = None
) -> None:
    """The work is done; raises LeaseLostError, and with it rolls back what was written beside it.

    ``object_id`` is the object that a peer took, and only a delivery has one. What rests of a study's earlier reports
    is withdrawn by a later one.
    """
    delivered = {} if object_id is None else {"object_id": object_id, "delivered_at": now}
    _update_held(connection, job, ended(JobState.FINISHED, outcome, now) | delivered)
    if job.kind is JobKind.REPORT:
        resting = [jobs.c.kind == JobKind.REPORT, jobs.c.state == JobState.DEAD]
        of_study = jobs.c.study_instance_uid == job.study_instance_uid
        values = ended(JobState.WITHDRAWN, REPORTED_LATER, now)
        connection.execute(update(jobs).where(*resting, of_study).values(values))


def give_back(
    connection: Connection, job: Job, *, now: datetime, after: timedelta = timedelta(0), reason: str | None = None
) -> None:
    """Let a claim go through no fault of its work: it is due again in ``after``, and no attempt is counted."""
    changes = {"attempts": job.attempts - 1, "reason": reason or job.reason}
    _return_to_queue(connection, job, changes, now=now, due_at=now + after)


def fail(connection: Connection, job: Job, reason: str, *, now: datetime, backoff: Backoff) -> JobState:
    """The work may succeed later: it is due again after a growing delay, or rests after its last attempt."""
    if job.is_last_attempt:
        return bury(connection, job, f"{reason} (attempt {job.attempts} of {job.max_attempts})", now=now)
    _return_to_queue(connection, job, {"reason": reason}, now=now, due_at=now + backoff.delay(job.attempts))
    return JobState.PENDING


def bury(connection: Connection, job: Job, reason: str, *, now: datetime) -> JobState:
    """The work will never succeed as it is: the job rests in the dead letter with its reason."""
    _update_held(connection, job, ended(JobState.DEAD, reason, now))
    return JobState.DEAD


def withdraw(connection: Connection, job: Job, *, now: datetime) -> JobState:
    """A delivery that is held is of a version that a newer one replaced: it is not sent any more."""
    _update_held(connection, job, ended(JobState.WITHDRAWN, REPLACED, now))
    return JobState.WITHDRAWN


def bury_abandoned(connection: Connection, *, now: datetime) -> int:
    """Lay jobs to rest whose lease ran out on their last attempt: whoever works on them does not survive it.

    The arrival of an analysis is unreadable from now on, so that whatever comes next under its UID is the first.
    """
    abandoned = and_(jobs.c.state == JobState.CLAIMED, jobs.c.lease_until < now, jobs.c.attempts >= jobs.c.max_attempts)
    reason = "the lease ran out on the last attempt: the process that worked on it ended or hung"
    buried = update(jobs).where(abandoned).values(ended(JobState.DEAD, reason, now)).returning(jobs.c.instance_id)
    arrivals = connection.execute(buried).scalars().all()
    unreadable = update(instances).where(instances.c.id.in_([one for one in arrivals if one is not None]))
    connection.execute(unreadable.values(state=Arrival.UNREADABLE, reason=reason))
    return len(arrivals)


def retry(connection: Connection, job_id: int, *, now: datetime) -> Job:
    """Put one job back with all its attempts; raises UnknownJobError.

    One that rests in the dead letter, or the analysis of a film that was rejected or failed: that result is taken back.
    """
    job = get(connection, job_id)
    states = [JobState.DEAD, JobState.FINISHED] if _take_back(connection, job) else [JobState.DEAD]
    resting = and_(jobs.c.id == job_id, jobs.c.state.in_(states))
    if job.kind is JobKind.REPORT and _pending_report(connection, job.study_instance_uid or "") is not None:
        raise UnknownJobError(f"job {job_id}: a newer job for the same study's report is already pending")
    if put_back(connection, resting, now) == 0:
        raise UnknownJobError(
            f"job {job_id} is neither in the dead letter (`aasnode jobs list --state dead`) nor of a rejected film"
        )
    return get(connection, job_id)


def analyse_again(connection: Connection, instance_id: int, *, now: datetime) -> None:
    """Put the analysis of an arrival back that rests in the dead letter."""
    resting = [jobs.c.kind == JobKind.ANALYSE, jobs.c.state == JobState.DEAD]
    put_back(connection, and_(*resting, jobs.c.instance_id == instance_id), now)


def get(connection: Connection, job_id: int) -> Job:
    """One job; raises UnknownJobError."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
    if row is None:
        raise UnknownJobError(f"there is no job {job_id}; see `aasnode jobs list`")
    return _job(row)


def list_jobs(
    connection: Connection, *, kind: JobKind | None = None, state: JobState | None = None, limit: int = 100
) -> Sequence[Job]:
    """The newest jobs, newest first."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    if state is not None:
        query = query.where(jobs.c.state == state)
    return [_job(row) for row in connection.execute(query).mappings()]


def counts(connection: Connection) -> Mapping[tuple[JobKind, JobState], int]:
    """How many jobs of each kind are in each state; absent pairs are zero."""
    query = select(jobs.c.kind, jobs.c.state, func.count()).group_by(jobs.c.kind, jobs.c.state)
    return {(JobKind(kind), JobState(state)): count for kind, state, count in connection.execute(query)}


def waiting_since(connection: Connection, kind: JobKind, *, now: datetime) -> datetime | None:
    """Since when the job of a kind that waits longest does so; None when none waits.

    Since it was asked for, where it was tried in vain or is put off; else since it became due. What is not due yet, and
    never was, does not wait.
    """
    since = case((jobs.c.reason.is_(None), jobs.c.due_at), else_=jobs.c.created_at)
    waiting = [jobs.c.kind == kind, jobs.c.state == JobState.PENDING, since <= now]
    return connection.execute(select(since).where(*waiting).order_by(since).limit(1)).scalar()


def put_off(connection: Connection) -> Sequence[PutOff]:
    """The pending jobs that wait for another attempt or for better times, by the reason of their last one."""
    alike = (jobs.c.kind, jobs.c.destination, jobs.c.reason)
    query = (
        select(jobs.c.kind, jobs.c.destination, func.count(), func.min(jobs.c.due_at), jobs.c.reason)
        .where(jobs.c.state == JobState.PENDING, jobs.c.reason.is_not(None))
        .group_by(*alike)
        .order_by(*alike)
    )
    return [
        PutOff(kind=JobKind(kind), destination=destination, count=count, next_at=next_at, reason=reason)
        for kind, destination, count, next_at, reason in connection.execute(query)
    ]


def new_values(kind: JobKind, now: datetime, due_at: datetime, attempts: int) -> dict[str, Any]:
    """The columns of a job that is asked for ``now``."""
    return {
        "kind": kind,
        "state": JobState.PENDING,
        "priority": 0,
        "due_at": due_at,
        "attempts": 0,
        "max_attempts": attempts,
        "token": 0,
        "created_at": now,
    }


def ended(state: JobState, reason: str | None, now: datetime) -> dict[str, Any]:
    """The columns of a job that is over: nobody holds it."""
    return {"state": state, "reason": reason, "lease_until": None, "finished_at": now}


def put_back(connection: Connection, chosen: ColumnElement[bool], now: datetime) -> int:
    """Make the chosen jobs due with all their attempts, as if they were asked for now; how many."""
    values = {
        "state": JobState.PENDING,
        "attempts": 0,
        "reason": None,
        "created_at": now,
        "due_at": now,
        "lease_until": None,
        "finished_at": None,
    }
    return _count(connection.execute(update(jobs).where(chosen).values(values)))


def _take_back(connection: Connection, job: Job) -> bool:
    """Take the result of a finished analysis back, if it has no numbers; whether it was one."""
    if job.kind is not JobKind.ANALYSE or job.state is not JobState.FINISHED or job.instance_id is None:
        return False
    return take_back_rejection(connection, job.instance_id)


def _pending_report(connection: Connection, study_instance_uid: str) -> Job | None:
    wanted = [
        jobs.c.kind == JobKind.REPORT,
        jobs.c.state == JobState.PENDING,
        jobs.c.study_instance_uid == study_instance_uid,
    ]
    row = connection.execute(select(jobs).where(*wanted)).mappings().first()
    return None if row is None else _job(row)


def _return_to_queue(
    connection: Connection, job: Job, changes: Mapping[str, Any], *, now: datetime, due_at: datetime
) -> None:
    """A claim becomes pending again. A study has one pending report: where another was asked for, that one is it."""
    values: dict[str, Any] = {"state": JobState.PENDING, "due_at": due_at, "lease_until": None}
    if job.kind is JobKind.REPORT and _pending_report(connection, job.study_instance_uid or "") is not None:
        values = ended(JobState.FINISHED, "asked for again meanwhile", now)
    _update_held(connection, job, {**changes, **values})


def _update_held(connection: Connection, job: Job, values: Mapping[str, Any]) -> None:
    held = and_(jobs.c.id == job.id, jobs.c.token == job.token, jobs.c.state == JobState.CLAIMED)
    if _count(connection.execute(update(jobs).where(held).values(values))) == 0:
        raise LeaseLostError(f"job {job.id}: the lease of claim {job.token} ran out; its work does not count")


def _count(result: CursorResult[Any]) -> int:
    return result.rowcount


def _job(row: RowMapping) -> Job:
    return Job(**{**row, "kind": JobKind(row["kind"]), "state": JobState(row["state"])})
