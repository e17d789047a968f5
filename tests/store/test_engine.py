"""Promises of the database."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from aasnode.errors import StoreBusyError
from aasnode.store import engine as database
from aasnode.store import migrations
from aasnode.store.migrations import upgrade
from aasnode.store.schema import metadata
from aasnode.store.store import Store, open_store


def test_a_commit_survives_a_power_cut(store: Store) -> None:
    with store.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL


def test_the_migrations_lead_to_the_schema(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_a_store_is_opened_with(store: Store) -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_current_head() == migrations.HEAD
    with store.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == migrations.HEAD


def test_a_store_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        with open_store(tmp_path) as store:
            upgrade(store.engine)


def test_a_busy_database_is_something_to_try_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    other = sqlite3.connect(tmp_path / "data" / "aasnode.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = database.open_engine(tmp_path / "data" / "aasnode.db")
    with pytest.raises(StoreBusyError), database.writing(impatient):
        pass
    with database.reading(impatient) as connection:  # readers are not held up
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar() == 0
    other.close()
    impatient.dispose()


def test_an_error_takes_everything_back(store: Store) -> None:
    def insert_and_fail() -> None:
        with store.writing() as connection:
            connection.execute(text("INSERT INTO facts VALUES ('a', 'b')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        insert_and_fail()
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM facts")).scalar() == 0
