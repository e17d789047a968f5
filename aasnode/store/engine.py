"""The database: how it is opened, how a transaction begins, which of its errors pass.

SQLite as shipped, in WAL with synchronous=FULL: a commit that returned survives a power cut. A writer takes its lock
when it begins (BEGIN IMMEDIATE), so no transaction fails half-way because another one was faster.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from aasnode.errors import DiskReserveError, StoreBusyError

BUSY_SECONDS = 30.0
_READ_ONLY = "aasnode_read_only"
_CONNECTIONS = 128  # more than associations and services can hold at once: the database decides who waits, not the pool


def open_engine(path: Path) -> Engine:
    """Open the SQLite database at ``path``; its folder exists."""
    # Parameters hold identity: they must not stand in the message of an exception.
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
        max_overflow=_CONNECTIONS,
        pool_timeout=BUSY_SECONDS,
    )
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; committed at the end, rolled back on an error.

    Raises:
        StoreBusyError: another writer held the database for longer than ``BUSY_SECONDS``.
        DiskReserveError: the disk of the database is full.
    """
    with _translated_errors(), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads: it sees one moment of the database and holds up no writer."""
    with _translated_errors(), engine.execution_options(**{_READ_ONLY: True}).begin() as connection:
        yield connection


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row and give its ``id``; None when a unique constraint already holds such a row."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
    return connection.execute(statement).scalar()


def _prepare_connection(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    options: Any = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get(_READ_ONLY) else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreBusyError(f"no connection to the database within {BUSY_SECONDS:g} s; it is tried again") from error
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # without the extended part
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusyError(f"the database was busy for {BUSY_SECONDS:g} s; it is tried again") from error
        if code == sqlite3.SQLITE_FULL:
            raise DiskReserveError("the disk of the database is full; free some space") from error
        raise
