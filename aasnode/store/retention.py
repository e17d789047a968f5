"""Which files may go; numbers stay for ever.

Never what is pending, rests undelivered, or was not analysed yet; nor what is in quarantine, which waits for a person.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, bindparam, select, update

from aasnode.store.schema import Arrival, JobKind, JobState, instances, jobs, objects, reports, results

_UNFINISHED = (JobState.PENDING, JobState.CLAIMED, JobState.DEAD)
_KEPT = (Arrival.RECEIVED, Arrival.QUARANTINED)


def release_films(connection: Connection, *, older_than: datetime) -> Collection[str]:
    """Names of films' files that are no longer needed; their rows say so from now on."""
    analysing = select(jobs.c.instance_id).where(jobs.c.kind == JobKind.ANALYSE, jobs.c.state.in_(_UNFINISHED))
    reporting = select(jobs.c.study_instance_uid).where(
        jobs.c.kind.in_([JobKind.REPORT, JobKind.DELIVER]), jobs.c.state.in_(_UNFINISHED)
    )
    in_use = select(results.c.instance_id).where(results.c.study_instance_uid.in_(reporting))
    old = [
        instances.c.file_name.is_not(None),
        instances.c.kept_since < older_than,
        instances.c.state.not_in(_KEPT),
        instances.c.id.not_in(analysing),
        instances.c.id.not_in(in_use),
    ]
    return _release(connection, instances, select(instances.c.id, instances.c.file_name).where(*old))


def release_objects(connection: Connection, *, older_than: datetime) -> Collection[str]:
    """Names of objects' files that are no longer needed: delivered or withdrawn, in every version that holds them."""
    undelivered = select(jobs.c.report_id).where(jobs.c.kind == JobKind.DELIVER, jobs.c.state.in_(_UNFINISHED))
    young = select(reports.c.id).where(reports.c.created_at >= older_than)
    needed = (
        select(objects.c.file_name)
        .where(objects.c.report_id.in_(undelivered) | objects.c.report_id.in_(young))
        .where(objects.c.file_name.is_not(None))
    )
    old = [objects.c.file_name.is_not(None), objects.c.file_name.not_in(needed)]
    return _release(connection, objects, select(objects.c.id, objects.c.file_name).where(*old))


def _release(connection: Connection, table: Table, chosen: Select[int, str]) -> Collection[str]:
    found = connection.execute(chosen).all()
    _let_go(connection, table, table.c.id, [row[0] for row in found])
    return {row[1] for row in found}


def forget_films(connection: Connection, names: Collection[str]) -> None:
    """The rows of films let go of files that were lost, as if they had been released."""
    _let_go(connection, instances, instances.c.file_name, names)


def forget_objects(connection: Connection, names: Collection[str]) -> None:
    """The rows of objects let go of files that were lost, as if they had been released."""
    _let_go(connection, objects, objects.c.file_name, names)


def _let_go(connection: Connection, table: Table, column: Column[Any], values: Collection[Any]) -> None:
    """The rows with these values name no file any more; one statement a row: one may have so many parameters only."""
    if values:
        statement = update(table).where(column == bindparam("gone")).values(file_name=None)
        connection.execute(statement, [{"gone": value} for value in values])


def film_names(connection: Connection) -> frozenset[str]:
    """Names of all films' files that a row names."""
    return frozenset(connection.execute(select(instances.c.file_name)).scalars()) - {None}


def object_names(connection: Connection) -> frozenset[str]:
    """Names of all objects' files that a row names."""
    return frozenset(connection.execute(select(objects.c.file_name)).scalars()) - {None}
