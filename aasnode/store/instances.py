"""What arrived: one row per SOP Instance UID and content. Nothing that arrived is ever overwritten.

The same bytes again are the same row. Other bytes under a known UID stand beside the first: a header revision when the
pixels are the same, quarantine when they are not. A revision is shown to the operator and never applied silently.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, func, insert, or_, select, update

from aasnode.store.engine import insert_once
from aasnode.store.schema import Arrival, JobKind, JobState, instances, jobs, results, revisions


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What tells whether a later arrival shows the same film: outlives the film's file. Never for a log line."""

    decoded: str | None  # SHA-256 of the stored values; None where they cannot be decoded
    encoded: str  # SHA-256 of the encoded pixels
    header: Mapping[str, str]  # elements of identity by their DICOM keyword; empty when missing

    def has_pixels_of(self, other: "Likeness") -> bool:
        """Whether both show the same pixels, whatever their encoding; equal bytes where one cannot be decoded."""
        if self.decoded is None or other.decoded is None:
            return self.encoded == other.encoded
        return self.decoded == other.decoded


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One arrival."""

    id: int
    sop_instance_uid: str  # as stated by the C-STORE command
    digest: str  # SHA-256 of the encoded data set
    sop_class_uid: str
    transfer_syntax_uid: str
    bytes: int
    file_name: str | None  # in the inbox; None when not kept, or no longer
    kept_since: datetime | None  # the file: when it was written, first or again
    likeness: Likeness | None  # of what was analysed
    calling_ae_title: str
    received_at: datetime
    state: Arrival
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One element of identity that two arrivals under one UID state differently. Never for a log line."""

    element: str  # DICOM keyword
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A later header of an instance that was already analysed; its numbers keep the first identity."""

    sop_instance_uid: str
    first_instance_id: int
    instance_id: int
    differences: tuple[Difference, ...]
    found_at: datetime


def add(
    connection: Connection,
    *,
    sop_instance_uid: str,
    digest: str,
    sop_class_uid: str,
    transfer_syntax_uid: str,
    size: int,
    file_name: str | None,
    calling_ae_title: str,
    now: datetime,
    state: Arrival,
) -> int | None:
    """Record an arrival and give its id; None when these bytes are already here under this UID."""
    values = {
        "sop_instance_uid": sop_instance_uid,
        "digest": digest,
        "sop_class_uid": sop_class_uid,
        "transfer_syntax_uid": transfer_syntax_uid,
        "bytes": size,
        "file_name": file_name,
        "kept_since": None if file_name is None else now,
        "calling_ae_title": calling_ae_title,
        "received_at": now,
        "state": state,
    }
    return insert_once(connection, instances, values)


def find(connection: Connection, *, sop_instance_uid: str, digest: str) -> Instance | None:
    """The arrival of these bytes under this UID, if they came before."""
    same = [instances.c.sop_instance_uid == sop_instance_uid, instances.c.digest == digest]
    row = connection.execute(select(instances).where(*same)).mappings().first()
    return None if row is None else _instance(row)


def keep_again(connection: Connection, instance_id: int, *, file_name: str, now: datetime) -> bool:
    """Name a new file of the same bytes, in place of the one that went; False when there is one already."""
    gone = [instances.c.id == instance_id, instances.c.file_name.is_(None)]
    values = {"file_name": file_name, "kept_since": now}
    return connection.execute(update(instances).where(*gone).values(values)).rowcount == 1


def forget_file(connection: Connection, instance_id: int, file_name: str) -> None:
    """The file of an arrival was lost: it is no longer kept, unless another one was named meanwhile."""
    lost = [instances.c.id == instance_id, instances.c.file_name == file_name]
    connection.execute(update(instances).where(*lost).values(file_name=None))


def hand_over(connection: Connection, copy: Instance, first: Instance, *, now: datetime) -> None:
    """The file of a copy in another encoding is from now on that of the first film, if the first film's own went."""
    if copy.file_name is not None and keep_again(connection, first.id, file_name=copy.file_name, now=now):
        connection.execute(update(instances).where(instances.c.id == copy.id).values(file_name=None))


def get(connection: Connection, instance_id: int) -> Instance:
    """One arrival by its id, which a job holds."""
    return _instance(connection.execute(select(instances).where(instances.c.id == instance_id)).mappings().one())


def first_under_uid(connection: Connection, instance: Instance) -> Instance | None:
    """The arrival that holds the UID of ``instance``, if that is another one: analysed, else the first that may be."""
    holds = or_(
        instances.c.state == Arrival.ANALYSED,
        and_(instances.c.state == Arrival.RECEIVED, instances.c.id < instance.id),
    )
    others = [instances.c.sop_instance_uid == instance.sop_instance_uid, instances.c.id != instance.id, holds]
    analysed_first = case((instances.c.state == Arrival.ANALYSED, 0), else_=1)
    query = select(instances).where(*others).order_by(analysed_first, instances.c.id).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _instance(row)


def set_state(connection: Connection, instance_id: int, state: Arrival, reason: str | None = None) -> None:
    """Say what became of an arrival."""
    connection.execute(update(instances).where(instances.c.id == instance_id).values(state=state, reason=reason))


def set_likeness(connection: Connection, instance_id: int, likeness: Likeness) -> None:
    """Keep what later arrivals under the same UID are compared with."""
    connection.execute(update(instances).where(instances.c.id == instance_id).values(likeness=asdict(likeness)))


def add_revision(
    connection: Connection, *, first: Instance, later: Instance, differences: Sequence[Difference], now: datetime
) -> None:
    """Keep what a later header states differently, for the operator to see."""
    stated = [{"element": one.element, "before": one.before, "after": one.after} for one in differences]
    values = {
        "sop_instance_uid": first.sop_instance_uid,
        "first_instance_id": first.id,
        "instance_id": later.id,
        "differences": stated,
        "found_at": now,
    }
    connection.execute(insert(revisions).values(values))
    set_state(connection, later.id, Arrival.REVISION, _changed(differences))


def list_revisions(connection: Connection, *, limit: int = 100) -> Sequence[Revision]:
    """The newest header revisions, newest first."""
    rows = connection.execute(select(revisions).order_by(revisions.c.id.desc()).limit(limit)).mappings()
    return [_revision(row) for row in rows]


def list_in_state(connection: Connection, state: Arrival, *, limit: int = 100) -> Sequence[Instance]:
    """The newest arrivals in a state, newest first, e.g. what is in quarantine."""
    query = select(instances).where(instances.c.state == state).order_by(instances.c.id.desc()).limit(limit)
    return [_instance(row) for row in connection.execute(query).mappings()]


def is_film_awaited(connection: Connection, study_instance_uid: str, *, within: timedelta) -> bool:
    """Whether a film that may belong to the study still waits for its examination.

    That is one of a sender of the study's films which arrived ``within`` that time of one of them: what study a film
    belongs to is not known before it is read.
    """
    arrival = select(instances.c.calling_ae_title, instances.c.received_at).order_by(instances.c.received_at)
    of_study = arrival.join(results, results.c.instance_id == instances.c.id).where(
        results.c.study_instance_uid == study_instance_uid
    )
    came: dict[str, list[datetime]] = {}
    for calling_ae_title, received_at in connection.execute(of_study):
        came.setdefault(calling_ae_title, []).append(received_at)
    waiting = [jobs.c.kind == JobKind.ANALYSE, jobs.c.state.in_([JobState.PENDING, JobState.CLAIMED])]
    unread = arrival.join(jobs, jobs.c.instance_id == instances.c.id).where(*waiting)
    return any(
        _has_one_between(came.get(calling_ae_title, []), received_at - within, received_at + within)
        for calling_ae_title, received_at in connection.execute(unread)
    )


def last_arrivals(connection: Connection) -> Mapping[str, datetime]:
    """When each calling AE title last sent something."""
    query = select(instances.c.calling_ae_title, func.max(instances.c.received_at)).group_by(
        instances.c.calling_ae_title
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _has_one_between(moments: Sequence[datetime], first: datetime, last: datetime) -> bool:
    """Whether one of ``moments``, which are in order, is from ``first`` to ``last``."""
    place = bisect_left(moments, first)
    return place < len(moments) and moments[place] <= last


def _changed(differences: Sequence[Difference]) -> str:
    return "changed: " + ", ".join(one.element for one in differences)


def _instance(row: RowMapping) -> Instance:
    stated = row["likeness"]
    likeness = None if stated is None else Likeness(**stated)
    return Instance(**{**row, "state": Arrival(row["state"]), "likeness": likeness})


def _revision(row: RowMapping) -> Revision:
    stated: Sequence[Mapping[str, Any]] = row["differences"]
    return Revision(
        sop_instance_uid=row["sop_instance_uid"],
        first_instance_id=row["first_instance_id"],
        instance_id=row["instance_id"],
        differences=tuple(Difference(**one) for one in stated),
        found_at=row["found_at"],
    )
