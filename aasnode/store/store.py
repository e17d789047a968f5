"""One node's store: its database, its inbox of films, its objects. What every service is handed."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from aasnode.store import engine as database
from aasnode.store.files import FileStore
from aasnode.store.migrations import require_present, upgrade


def utc_now() -> datetime:
    """The present moment, aware. Services take it as a parameter, so that tests can turn the clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where everything is kept. ``inbox`` is the one seam to the films, ``objects`` to what we made."""

    engine: Engine
    inbox: FileStore
    objects: FileStore

    def writing(self) -> contextlib.AbstractContextManager[Connection]:
        """One transaction that may write; raises StoreBusyError, DiskReserveError."""
        return database.writing(self.engine)

    def reading(self) -> contextlib.AbstractContextManager[Connection]:
        """One transaction that only reads."""
        return database.reading(self.engine)


@contextlib.contextmanager
def open_store(data_dir: Path, *, disk_reserve_mb: int = 0, is_upgraded: bool = True) -> Iterator[Store]:
    """Open the store in ``data_dir``, made and brought to the present schema where that is needed.

    With ``is_upgraded`` False a database of another schema is left alone, and OtherSchemaError raised; one of a newer
    version of this program always is.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    engine = database.open_engine(data_dir / "aasnode.db")
    try:
        if is_upgraded:
            upgrade(engine)
        else:
            require_present(engine)
        yield Store(
            engine=engine,
            inbox=FileStore(data_dir / "inbox", reserve_bytes=disk_reserve_mb << 20),
            objects=FileStore(data_dir / "objects"),
        )
    finally:
        engine.dispose()
