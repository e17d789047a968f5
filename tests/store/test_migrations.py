"""Promises about databases that an earlier version of this node wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from aasnode.store import instances, jobs, migrations, retention
from aasnode.store.engine import open_engine, writing
from aasnode.store.migrations import OtherSchemaError
from aasnode.store.schema import Arrival, JobState
from aasnode.store.store import open_store

WHEN = "2026-03-01 12:00:00.000000"


def upgrade_to(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def insert(engine: Engine, table: str, **values: object) -> None:
    names = ", ".join(values)
    with writing(engine) as connection:
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{names.replace(', ', ', :')})"), values)


@pytest.fixture
def first_schema(tmp_path: Path) -> Iterator[Engine]:
    """The database of a node that ran before there was a second migration."""
    engine = open_engine(tmp_path / "aasnode.db")
    upgrade_to(engine, "0001")
    yield engine
    engine.dispose()


def insert_delivery(engine: Engine, role: str, **values: object) -> None:
    common = {"kind": "deliver", "destination": "pacs", "report_id": 1, "role": role, "study_instance_uid": "1.9"}
    numbers = {"priority": 0, "attempts": 1, "max_attempts": 3, "token": 1}
    insert(engine, "jobs", **common, **numbers, due_at=WHEN, created_at=WHEN, **values)


def test_what_was_delivered_is_still_known_after_an_update(first_schema: Engine, tmp_path: Path) -> None:
    report = {"id": 1, "study_instance_uid": "1.9", "version": 1, "content_digest": "d", "created_at": WHEN}
    insert(first_schema, "reports", **report)
    names = ("role", "sop_class_uid", "sop_instance_uid", "series_instance_uid", "transfer_syntax_uid", "digest")
    insert(first_schema, "objects", id=7, report_id=1, preference=0, bytes=1, **dict.fromkeys(names, "1"))
    insert_delivery(first_schema, "finished", state="finished", object_id=7, finished_at="2026-03-02 12:00:00.000000")
    insert_delivery(first_schema, "put_back", state="pending", object_id=7)
    insert_delivery(first_schema, "never", state="dead")
    with open_store(tmp_path) as store, store.reading() as connection:
        found = {job.role: job.delivered_at for job in jobs.list_jobs(connection)}
        assert jobs.list_jobs(connection, state=JobState.FINISHED)[0].object_id == 7
    assert found == {
        "finished": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "put_back": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "never": None,
    }


def test_an_arrival_that_rests_in_the_dead_letter_no_longer_stands_in_the_way_of_a_better_copy(
    first_schema: Engine, tmp_path: Path
) -> None:
    names = ("sop_class_uid", "transfer_syntax_uid", "calling_ae_title", "file_name")
    common = {"bytes": 1, "received_at": WHEN, "state": "received", **dict.fromkeys(names, "1")}
    numbers = {"priority": 0, "attempts": 3, "max_attempts": 3, "token": 3, "due_at": WHEN, "created_at": WHEN}
    for number, state in enumerate(("dead", "pending"), start=1):
        insert(first_schema, "instances", id=number, sop_instance_uid="1.2.3", digest=state, **common)
        insert(first_schema, "jobs", kind="analyse", state=state, instance_id=number, reason="killed", **numbers)
    with open_store(tmp_path) as store, store.reading() as connection:
        assert instances.get(connection, 1).state is Arrival.UNREADABLE
        assert instances.get(connection, 1).reason == "killed"
        assert instances.get(connection, 2).state is Arrival.RECEIVED


def test_a_database_of_a_newer_version_is_neither_updated_nor_a_traceback_of_alembic(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OtherSchemaError, match="newer version of aasnode") as told, open_store(tmp_path):
        pass
    assert str(tmp_path / "aasnode.db") in str(told.value)


def test_films_that_are_kept_stay_as_long_after_an_update_as_before(first_schema: Engine, tmp_path: Path) -> None:
    names = ("sop_class_uid", "transfer_syntax_uid", "calling_ae_title")
    common = {"bytes": 1, "received_at": WHEN, "state": "analysed", **dict.fromkeys(names, "1")}
    insert(first_schema, "instances", sop_instance_uid="1.2.3", digest="kept", file_name="kept.dcm", **common)
    insert(first_schema, "instances", sop_instance_uid="1.2.4", digest="gone", **common)
    received = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with open_store(tmp_path) as store, store.writing() as connection:
        assert retention.release_films(connection, older_than=received) == set()
        assert retention.release_films(connection, older_than=received + timedelta(seconds=1)) == {"kept.dcm"}
