"""``aasnode status``, ``jobs`` and ``resend`` on a real store."""

import contextlib
import errno
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aasnode.cli.main import main
from aasnode.cli.options import existing_store
from aasnode.config import load
from aasnode.store import deliveries, jobs, objects, results
from aasnode.store.jobs import Backoff
from aasnode.store.objects import NewObject
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, utc_now
from tests.cli.conftest import Command
from tests.store.arrivals import NOON, arrive, film, keep

MINUTE = timedelta(minutes=1)


def delivery_that_died(store: Store) -> int:
    """A delivery that was refused; its number."""
    with store.writing() as connection:
        jobs.add_report(connection, study_instance_uid="1.2.9", now=NOON, settle=MINUTE, cap=MINUTE)
        job = jobs.claim(connection, JobKind.REPORT, owner="test", now=NOON + MINUTE, lease=MINUTE)
        assert job is not None
        jobs.bury(connection, job, "PACS: answered 0xC000", now=NOON + MINUTE)
        return job.id


def state_of(store: Store, job: int) -> JobState:
    with store.reading() as connection:
        return jobs.get(connection, job).state


def test_a_dead_job_is_listed_with_its_reason_and_one_command_puts_it_back(aasnode: Command, store: Store) -> None:
    job = delivery_that_died(store)
    _, listed, _ = aasnode("jobs", "list", "--state", "dead")
    assert "answered 0xC000" in listed
    status, out, err = aasnode("jobs", "retry", str(job))
    assert (status, out) == (0, "")
    assert f"Job {job}" in err
    assert state_of(store, job) is JobState.PENDING


def test_one_job_is_shown_whole(aasnode: Command, store: Store) -> None:
    job = delivery_that_died(store)
    _, out, _ = aasnode("jobs", "show", str(job), "--format", "json")
    shown = json.loads(out)
    assert shown["study_instance_uid"] == "1.2.9"
    assert datetime.fromisoformat(shown["created_at"]) == NOON.astimezone(UTC)


def test_a_film_s_job_names_the_film_and_its_study_and_tells_what_happened_when(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        instance = arrive(connection, "1.2.31")
        jobs.add_analysis(connection, instance_id=instance, now=NOON, attempts=3)
        job = jobs.claim(connection, JobKind.ANALYSE, owner="node:7", now=NOON, lease=MINUTE)
        assert job is not None
        results.add(connection, instance_id=instance, film=film("1.2.31", study="1.2.30"), now=NOON + MINUTE)
        jobs.finish(connection, job, now=NOON + MINUTE)
    _, out, _ = aasnode("jobs", "show", str(job.id), "--format", "json")
    shown = json.loads(out)
    assert shown["film"]["sop_instance_uid"] == "1.2.31"
    assert shown["film"]["study_instance_uid"] == "1.2.30"
    assert [one["what"] for one in shown["history"]] == [
        "film received from MODALITY", "analysis asked for", "film analysed: measured", "finished",
    ]  # fmt: skip
    _, table, _ = aasnode("jobs", "show", str(job.id))
    for said in ("1.2.31", "1.2.30", "finished", "1 of 3", "film received from MODALITY", "film analysed: measured"):
        assert said in table
    for identity in ("P1", "1950", "A1"):
        assert identity not in table + out


def test_a_film_that_was_not_read_yet_is_named_and_its_study_is_not_known(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        jobs.add_analysis(connection, instance_id=arrive(connection, "1.2.31"), now=NOON, attempts=3)
    _, listed, _ = aasnode("jobs", "list")
    assert "film 1.2.31" in listed
    _, out, _ = aasnode("jobs", "show", "1", "--format", "json")
    film_shown = json.loads(out)["film"]
    assert (film_shown["sop_instance_uid"], film_shown["study_instance_uid"]) == ("1.2.31", None)
    table = aasnode("jobs", "show", "1")[1]
    assert "1.2.31" in table
    assert str(store.inbox.path("1.2.31.d.dcm")) in table  # where it can be looked at


def test_a_delivery_names_the_film_whose_overlay_it_sends_and_the_version_of_the_report(
    aasnode: Command, store: Store
) -> None:
    with store.writing() as connection:
        report = objects.add_report(
            connection, study_instance_uid="1.2.30", predecessor=None, content_digest="d", made=[], now=NOON
        )
        role = objects.overlay_role("1.2.31")
        deliveries.add_delivery(
            connection,
            study_instance_uid="1.2.30",
            report_id=report.id,
            role=role,
            destination="pacs",
            now=NOON,
            attempts=9,
        )
        job = jobs.claim(connection, JobKind.DELIVER, owner="node:7", now=NOON, lease=MINUTE)
        assert job is not None
        jobs.fail(connection, job, "pacs: no answer", now=NOON, backoff=jobs.Backoff(first_seconds=60))
    _, table, _ = aasnode("jobs", "show", str(job.id))
    for said in ("1.2.31", "1.2.30", "overlay", "pacs: no answer", "version 1 of the report", "1 of 9", "due again"):
        assert said in table


def test_a_report_s_job_names_the_films_of_its_study(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", study="1.2.30"))
        jobs.add_report(connection, study_instance_uid="1.2.30", now=NOON, settle=MINUTE, cap=MINUTE)
    _, table, _ = aasnode("jobs", "show", "1")
    assert "1.2.31" in table
    assert "flexion, measured" in table


def test_a_job_that_does_not_exist_is_exit_1_and_a_sentence(aasnode: Command) -> None:
    status, out, err = aasnode("jobs", "show", "4711")
    assert (status, out) == (1, "")
    assert "4711" in err


def test_status_counts_what_waits_and_what_rests(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        instance = arrive(connection)
        jobs.add_analysis(connection, instance_id=instance, now=NOON, attempts=3)
    delivery_that_died(store)
    _, out, _ = aasnode("status", "--format", "json")
    state = json.loads(out)
    assert state["jobs"]["analyse"]["pending"] == 1
    assert state["jobs"]["report"]["dead"] == 1
    assert state["waiting_seconds"]["analyse"] > 0
    assert "MODALITY" in state["last_arrivals"]
    _, table, _ = aasnode("status")
    assert "aasnode jobs list --state dead" in table


def test_a_delivery_that_was_tried_in_vain_waits_since_it_was_asked_for_and_is_sent_when_that_is_wanted(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    reported_in_shadow_mode(store)
    with config_file.open("a") as file:
        file.write('[[delivery.destinations]]\nname = "pacs"\nae_title = "X"\nhost = "h"\nport = 104\n')
    with store.writing() as connection:
        deliveries.ask_for_study(connection, "1.2.30", {"pacs": None}, now=utc_now() - MINUTE, attempts=9)
        job = jobs.claim(connection, JobKind.DELIVER, owner="t", now=utc_now(), lease=MINUTE, destination="pacs")
        assert job is not None
        jobs.fail(connection, job, "no answer; it is tried again", now=utc_now(), backoff=Backoff(first_seconds=999))
    state = json.loads(aasnode("status", "--format", "json")[1])
    assert state["waiting_seconds"]["deliver"] >= 60
    [put_off] = state["put_off"]
    assert (put_off["destination"], put_off["count"]) == ("pacs", 1)
    assert "no answer; it is tried again" in aasnode("status")[1]
    assert "No delivery can be put back" in aasnode("resend", "--all-dead")[2], "it is not dead"
    assert aasnode("resend", "--destination", "pacs")[::2] == (0, "1 delivery is due again.\n")
    with store.reading() as connection:
        assert jobs.put_off(connection) == []
        assert all(one.due_at <= utc_now() for one in jobs.list_jobs(connection))


def test_times_are_those_of_the_site(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        jobs.add_report(connection, study_instance_uid="1.2.30", now=NOON, settle=MINUTE, cap=MINUTE)
    assert "2026-03-01 21:01:00+09:00" in aasnode("jobs", "list")[1]


def test_a_destination_that_is_not_known_is_wrong_usage_and_the_known_ones_are_named(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    with config_file.open("a") as file:
        for name in ("pacs", "archive"):
            file.write(f'[[delivery.destinations]]\nname = "{name}"\nae_title = "X"\nhost = "h"\nport = 104\n')
        file.write('[[delivery.return_table]]\nae_title = "MODALITY"\nhost = "h"\nport = 104\n')
    status, out, err = aasnode("resend", "--destination", "nope")
    assert (status, out) == (2, "")
    assert "there is no 'nope'; there are pacs, archive, return:MODALITY" in err
    assert "did you mean archive?" in aasnode("resend", "--destination", "archiv")[2]
    assert aasnode("resend", "--destination", "pacs")[0] == 1


def test_without_destinations_resend_says_where_they_are_set(aasnode: Command) -> None:
    status, _, err = aasnode("resend", "--destination", "nope")
    assert status == 2
    assert "[[delivery.destinations]]" in err


def test_resend_of_a_study_that_has_no_deliveries_says_how_to_find_those_that_are(aasnode: Command) -> None:
    status, _, err = aasnode("resend", "--study", "1.2.99")
    assert status == 1
    assert "1.2.99" in err
    assert "aasnode jobs list --kind deliver" in err


def reported_in_shadow_mode(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", study="1.2.30"))
        report, overlay = (
            NewObject(
                role=role,
                preference=0,
                sop_class_uid="1.2",
                sop_instance_uid=uid,
                series_instance_uid="1.2.30.1",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                file_name=f"{uid}.dcm",
                digest=uid,
                bytes=1,
            )
            for role, uid in ((objects.STRUCTURED_REPORT, "1.2.32"), (objects.overlay_role("1.2.31"), "1.2.33"))
        )
        objects.add_report(
            connection,
            study_instance_uid="1.2.30",
            predecessor=None,
            content_digest="d",
            made=[report, overlay],
            now=NOON,
        )


def test_a_study_that_was_reported_in_shadow_mode_is_sent_when_that_is_asked_for(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    reported_in_shadow_mode(store)
    with config_file.open("a") as file:
        for name in ("pacs", "archive"):
            file.write(f'[[delivery.destinations]]\nname = "{name}"\nae_title = "X"\nhost = "h"\nport = 104\n')
    for _ in range(2):  # a second time there is nothing to add
        aasnode("resend", "--study", "1.2.30", "--destination", "pacs")
        with store.reading() as connection:
            found = jobs.list_jobs(connection, kind=JobKind.DELIVER)
        assert [(job.destination, job.state) for job in found] == [("pacs", JobState.PENDING)] * 2
    status, _, err = aasnode("resend", "--study", "1.2.30")
    assert status == 0
    assert "2 deliveries are due again" in err
    with store.reading() as connection:
        assert {job.destination for job in jobs.list_jobs(connection)} == {"pacs", "archive"}


def test_a_study_whose_deliveries_are_waiting_is_told_as_that(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    reported_in_shadow_mode(store)
    with config_file.open("a") as file:
        file.write("[delivery]\nshadow = true\n")
        for name in ("pacs", "archive"):
            file.write(f'[[delivery.destinations]]\nname = "{name}"\nae_title = "X"\nhost = "h"\nport = 104\n')
    assert "4 deliveries are due again." in aasnode("resend", "--study", "1.2.30")[2]
    status, _, err = aasnode("resend", "--study", "1.2.30")
    assert (status, err.splitlines()[0]) == (0, "Deliveries of study 1.2.30: 4 are already waiting or being sent.")
    assert "Shadow mode: nothing is sent" in err
    assert "2 are already waiting" in aasnode("resend", "--study", "1.2.30", "--destination", "pacs")[2]
    status, _, err = aasnode("resend", "--study", "1.2.31")
    assert (status, "already waiting" in err) == (1, False)


def test_a_delivery_that_is_being_sent_is_told_and_one_that_nobody_will_send_is_not(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    reported_in_shadow_mode(store)
    with store.writing() as connection:
        deliveries.ask_for_study(connection, "1.2.30", {"old": None}, now=NOON, attempts=9)
    status, _, err = aasnode("resend", "--study", "1.2.30")
    assert (status, err.partition(";")[0]) == (1, "No delivery of study 1.2.30 can be put back")
    with config_file.open("a") as file:
        file.write('[[delivery.destinations]]\nname = "pacs"\nae_title = "X"\nhost = "h"\nport = 104\n')
    assert "2 deliveries are due again." in aasnode("resend", "--study", "1.2.30")[2]
    with store.writing() as connection:
        now = utc_now()
        assert jobs.claim(connection, JobKind.DELIVER, owner="test", now=now, lease=MINUTE, destination="pacs")
    status, _, err = aasnode("resend", "--study", "1.2.30")
    assert (status, err) == (0, "Deliveries of study 1.2.30: 2 are already waiting or being sent.\n")


RETURNS = '[delivery]\nreturn_to_sender = true\n[[delivery.return_table]]\nae_title = "{}"\nhost = "h"\nport = 104\n'


def test_what_has_nowhere_to_go_is_left_alone_and_named(aasnode: Command, store: Store, config_file: Path) -> None:
    reported_in_shadow_mode(store)
    shipped = config_file.read_text()
    config_file.write_text(shipped + RETURNS.format("OTHER"))
    for _ in range(2):  # at first the deliveries are asked for, then they rest
        status, _, err = aasnode("resend", "--study", "1.2.30")
        assert status == 1
        assert "No delivery" in err
        assert "Left alone, since config.toml does not name it: return:MODALITY." in err
    status, _, err = aasnode("resend", "--all-dead")
    assert (status, "return:MODALITY" in err) == (1, True)
    with store.reading() as connection:
        found = jobs.list_jobs(connection, kind=JobKind.DELIVER)
    assert {(job.state, job.reason) for job in found} == {(JobState.DEAD, deliveries.NO_RETURN_ADDRESS)}
    config_file.write_text(shipped + RETURNS.format("MODALITY"))
    status, _, err = aasnode("resend", "--all-dead")
    assert (status, err) == (0, "2 deliveries are due again.\n")


def test_resend_in_shadow_mode_says_that_nothing_is_sent_yet(aasnode: Command, store: Store, config_file: Path) -> None:
    reported_in_shadow_mode(store)
    with config_file.open("a") as file:
        file.write("[delivery]\nshadow = true\n")
        file.write('[[delivery.destinations]]\nname = "pacs"\nae_title = "X"\nhost = "h"\nport = 104\n')
    assert "Shadow mode" in aasnode("resend", "--study", "1.2.30")[2]


def test_resend_without_saying_what_is_wrong_usage(aasnode: Command) -> None:
    status, _, err = aasnode("resend")
    assert status == 2
    assert "--study" in err


@pytest.mark.parametrize("folder_exists", [False, True])
def test_a_node_that_is_not_there_is_not_made_by_asking(
    folder_exists: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config, data = tmp_path / "config.toml", tmp_path / "data"
    config.write_text('[node]\ndata_dir = "data"\n')
    if folder_exists:
        data.mkdir()
    assert main(["status", "--config", str(config)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("There is no database here:\n")
    assert str(data) in err
    assert "node.data_dir" in err
    assert "configuration" not in err
    assert not data.exists() or list(data.iterdir()) == []


def test_a_file_that_is_no_database_is_told_with_its_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "aasnode.db").write_text("no database at all, but longer than the header of one would have to be")
    config = tmp_path / "config.toml"
    config.write_text('[node]\ndata_dir = "."\n')
    assert main(["status", "--config", str(config)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("The database cannot be used:\n")
    assert str(tmp_path / "aasnode.db") in err
    assert "put a backup back" in err
    assert AS_THE_SERVICE not in err


@contextlib.contextmanager
def denied(folder: Path) -> Iterator[None]:
    """A folder that the user of this process may not look into; root is another user meanwhile."""
    is_root, mode = os.geteuid() == 0, folder.stat().st_mode
    folder.chmod(0)
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(mode)


AS_THE_SERVICE = "run it as the user of the service"


@pytest.mark.parametrize("command", ["status", "jobs list", "history --patient-id 1"])
def test_a_folder_of_another_user_is_told_with_who_may_look(
    command: str, aasnode: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_file: Path
) -> None:
    config = load(config_file)
    monkeypatch.setattr("aasnode.config.load", lambda _: config)  # whoever may not look here cannot read it either
    aasnode(*command.split())
    with denied(tmp_path / "data"):
        status, out, err = aasnode(*command.split())
        _, findings, _ = aasnode("doctor", "--only", "database", "--format", "json")
    assert (status, out) == (1, "")
    heading, problem = err.splitlines()
    assert heading == "The database cannot be used:"
    assert problem == f"  {tmp_path / 'data' / 'aasnode.db'}: Permission denied; {AS_THE_SERVICE}"
    assert [(one["well"], one["seen"]) for one in json.loads(findings)[1:]] == [(False, problem.strip())]


def test_what_a_command_itself_may_not_do_is_not_told_of_the_database(config_file: Path) -> None:
    with pytest.raises(PermissionError), existing_store(load(config_file)):
        raise PermissionError(errno.EACCES, "Permission denied", "elsewhere")


def test_a_database_that_sqlite_may_not_open_is_told_with_who_may(aasnode: Command, tmp_path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{tmp_path / 'data' / 'aasnode.db'}{suffix}").unlink(missing_ok=True)
    (tmp_path / "data" / "aasnode.db-wal").mkdir()  # to SQLite the same as a file that is another user's
    status, _, err = aasnode("status")
    assert status == 1
    assert AS_THE_SERVICE in err
    assert str(tmp_path / "data" / "aasnode.db") in err


def test_a_node_does_not_start_on_a_database_of_a_newer_version_and_says_so(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    status, out, err = aasnode("serve")
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    assert (status, out) == (1, "")
    assert err.startswith("The node cannot start:\n")
    assert "newer version of aasnode" in err
    assert "put back the backup" in err


@pytest.mark.parametrize(("revision", "hint"), [("0002", "start the node first"), ("9999", "newer version")])
@pytest.mark.parametrize("command", ["status", "doctor --only database", "jobs list", "history --patient-id 1"])
def test_a_database_of_another_version_is_told_and_left_alone(
    command: str, revision: str, hint: str, aasnode: Command, store: Store
) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    status, out, err = aasnode(*command.split())
    assert status == 1
    assert hint in out + err
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == revision
