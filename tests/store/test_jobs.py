"""Promises of the queue."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from aasnode.store import instances, jobs, leases
from aasnode.store.jobs import Backoff, Job, LeaseLostError, UnknownJobError
from aasnode.store.schema import Arrival, JobKind, JobState
from aasnode.store.store import Store
from tests.store.arrivals import arrive
from tests.waiting import eventually

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
BACKOFF = Backoff(first_seconds=10, cap_seconds=60)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def ask_for_analysis(store: Store, uid: str = "1.2.3", attempts: int = 3) -> None:
    with store.writing() as connection:
        jobs.add_analysis(connection, instance_id=arrive(connection, uid), now=NOON, attempts=attempts)


def claim(store: Store, now: datetime = NOON, owner: str = "one") -> Job | None:
    with store.writing() as connection:
        return jobs.claim(connection, JobKind.ANALYSE, owner=owner, now=now, lease=LEASE)


def claimed(store: Store, now: datetime = NOON) -> Job:
    job = claim(store, now)
    assert job is not None
    return job


def get(store: Store, job_id: int) -> Job:
    with store.reading() as connection:
        return jobs.get(connection, job_id)


def test_a_claimed_job_is_nobody_elses(store: Store) -> None:
    ask_for_analysis(store)
    assert claim(store) is not None
    assert claim(store) is None


def test_many_claimants_get_each_job_once(store: Store) -> None:
    for number in range(20):
        ask_for_analysis(store, f"1.2.{number}")
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: claim(store), range(40)))
    assert sorted(job.id for job in taken if job) == list(range(1, 21))


def test_a_job_is_not_claimed_before_it_is_due(store: Store) -> None:
    ask_for_analysis(store)
    assert claim(store, NOON - seconds(1)) is None


def test_a_job_whose_holder_died_returns_when_its_lease_runs_out(store: Store) -> None:
    ask_for_analysis(store)
    first = claimed(store)
    assert claim(store, NOON + LEASE) is None
    second = claimed(store, NOON + LEASE + seconds(1))
    assert second.id == first.id
    assert second.attempts == 2


def test_a_late_finisher_changes_nothing(store: Store) -> None:
    ask_for_analysis(store)
    late = claimed(store)
    present = claimed(store, NOON + seconds(60))

    def write_and_finish(job: Job) -> None:
        with store.writing() as connection:
            arrive(connection, "1.2.999")  # what is written beside a lost job is rolled back with it
            jobs.finish(connection, job, now=NOON)

    with pytest.raises(LeaseLostError):
        write_and_finish(late)
    write_and_finish(present)
    with pytest.raises(LeaseLostError), store.writing() as connection:
        jobs.fail(connection, late, "too late", now=NOON, backoff=BACKOFF)
    assert get(store, present.id).state is JobState.FINISHED


def test_a_failed_job_is_tried_again_after_a_growing_delay_and_then_rests_with_its_reason(store: Store) -> None:
    ask_for_analysis(store, attempts=3)
    now = NOON
    for delay in (10, 20):
        job = claimed(store, now)
        with store.writing() as connection:
            assert jobs.fail(connection, job, "peer is down", now=now, backoff=BACKOFF) is JobState.PENDING
        assert claim(store, now + seconds(delay - 1)) is None
        now += seconds(delay)
    job = claimed(store, now)
    with store.writing() as connection:
        assert jobs.fail(connection, job, "peer is down", now=now, backoff=BACKOFF) is JobState.DEAD
    resting = get(store, job.id)
    assert resting.reason == "peer is down (attempt 3 of 3)"
    assert claim(store, now + timedelta(days=1)) is None


def test_the_delay_has_a_cap() -> None:
    assert BACKOFF.delay(1000) == seconds(60)


def test_a_dead_job_can_be_put_back_with_all_its_attempts(store: Store) -> None:
    ask_for_analysis(store)
    job = claimed(store)
    with store.writing() as connection:
        jobs.bury(connection, job, "unreadable", now=NOON)
    with store.writing() as connection:
        assert jobs.retry(connection, job.id, now=NOON).attempts == 0
    assert claimed(store).id == job.id


def test_only_a_dead_job_can_be_put_back(store: Store) -> None:
    ask_for_analysis(store)
    with pytest.raises(UnknownJobError), store.writing() as connection:
        jobs.retry(connection, 1, now=NOON)


def test_a_job_that_ends_its_process_on_every_attempt_is_laid_to_rest(store: Store) -> None:
    ask_for_analysis(store, attempts=2)
    claimed(store)
    claimed(store, NOON + seconds(31))
    later = NOON + seconds(100)
    assert claim(store, later) is None
    with store.writing() as connection:
        assert jobs.bury_abandoned(connection, now=later) == 1
    assert get(store, 1).state is JobState.DEAD
    with store.reading() as connection:
        [arrival] = instances.list_in_state(connection, Arrival.UNREADABLE)
    assert arrival.reason == get(store, 1).reason


def test_one_arrival_has_one_analysis(store: Store) -> None:
    with store.writing() as connection:
        instance_id = arrive(connection)
        for _ in range(2):
            jobs.add_analysis(connection, instance_id=instance_id, now=NOON, attempts=3)
        assert jobs.counts(connection) == {(JobKind.ANALYSE, JobState.PENDING): 1}


def test_a_study_has_one_pending_report_that_waits_for_quiet_but_not_for_ever(store: Store) -> None:
    def ask(now: datetime) -> None:
        with store.writing() as connection:
            jobs.add_report(connection, study_instance_uid="1.9", now=now, settle=seconds(10), cap=seconds(25))

    def due(now: datetime) -> Job | None:
        with store.writing() as connection:
            return jobs.claim(connection, JobKind.REPORT, owner="one", now=now, lease=LEASE)

    for late in (0, 8, 16, 24):
        ask(NOON + seconds(late))
    assert due(NOON + seconds(24)) is None
    first = due(NOON + seconds(25))
    assert first is not None
    ask(NOON + seconds(26))  # a film that comes while the report is built asks for another one
    assert due(NOON + seconds(35)) is None
    assert due(NOON + seconds(36)) is not None


def test_a_kept_lease_does_not_run_out_while_the_work_lasts(store: Store) -> None:
    ask_for_analysis(store)
    job = claimed(store)
    renewed = NOON + seconds(25)
    with leases.kept(store, job, timedelta(milliseconds=30), limit=seconds(60), clock=lambda: renewed):
        eventually(lambda: get(store, job.id).lease_until != job.lease_until, "the lease is renewed")
    assert get(store, job.id).lease_until == renewed + timedelta(milliseconds=30)


def test_what_was_put_back_waits_since_then_and_what_is_put_off_since_it_was_asked_for(store: Store) -> None:
    def waiting(minutes: float) -> datetime | None:
        with store.reading() as connection:
            return jobs.waiting_since(connection, JobKind.ANALYSE, now=NOON + seconds(60 * minutes))

    ask_for_analysis(store)
    assert waiting(1) == NOON
    with store.writing() as connection:
        jobs.give_back(connection, claimed_in(connection), now=NOON + seconds(60), reason="the disk is full")
    assert waiting(2) == NOON, "it was claimed in vain"
    with store.writing() as connection:
        jobs.bury(connection, claimed_in(connection, NOON + seconds(120)), "no", now=NOON + seconds(120))
        later = NOON + timedelta(days=300)
        jobs.retry(connection, 1, now=later)
        jobs.fail(connection, claimed_in(connection, later), "no", now=later, backoff=BACKOFF)
        assert jobs.waiting_since(connection, JobKind.ANALYSE, now=later + seconds(60)) == later


def test_a_report_that_waits_until_its_study_is_quiet_is_not_late(store: Store) -> None:
    with store.writing() as connection:
        jobs.add_report(connection, study_instance_uid="1.9", now=NOON, settle=seconds(10), cap=seconds(99))
        assert jobs.waiting_since(connection, JobKind.REPORT, now=NOON + seconds(9)) is None
        assert jobs.waiting_since(connection, JobKind.REPORT, now=NOON + seconds(12)) == NOON + seconds(10)


def test_what_is_put_off_is_told_by_its_reason(store: Store) -> None:
    for number, reason in enumerate(("timed out", "0xA700 out of resources", "timed out")):
        ask_for_analysis(store, f"1.2.{number}")
        with store.writing() as connection:
            jobs.fail(connection, claimed_in(connection), reason, now=NOON, backoff=BACKOFF)
    with store.reading() as connection:
        told = [(one.reason, one.count) for one in jobs.put_off(connection)]
    assert told == [("0xA700 out of resources", 1), ("timed out", 2)]


def claimed_in(connection: Connection, now: datetime = NOON) -> Job:
    job = jobs.claim(connection, JobKind.ANALYSE, owner="one", now=now, lease=LEASE)
    assert job is not None
    return job


def test_an_error_of_the_database_ends_no_renewing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for_analysis(store)
    job, renew, rounds = claimed(store), jobs.renew, iter(range(100))

    def fail_once(*given: Any, **named: Any) -> None:
        if next(rounds) == 0:
            raise OperationalError("UPDATE jobs", {}, sqlite3.OperationalError("disk I/O error"))
        renew(*given, **named)

    monkeypatch.setattr(jobs, "renew", fail_once)
    renewed = NOON + seconds(25)
    with leases.kept(store, job, timedelta(milliseconds=30), limit=seconds(60), clock=lambda: renewed):
        eventually(lambda: get(store, job.id).lease_until != job.lease_until, "the lease is renewed")


def test_urgent_jobs_come_first_then_the_oldest(store: Store) -> None:
    for number in range(3):
        ask_for_analysis(store, f"1.2.{number}")
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET priority = 5 WHERE id = 3")
    assert [claimed(store).id for _ in range(3)] == [3, 1, 2]


def test_a_report_that_fails_while_another_is_asked_for_leaves_one_pending(store: Store) -> None:
    def ask() -> None:
        with store.writing() as connection:
            jobs.add_report(connection, study_instance_uid="1.9", now=NOON, settle=seconds(0), cap=seconds(0))

    ask()
    with store.writing() as connection:
        job = jobs.claim(connection, JobKind.REPORT, owner="one", now=NOON, lease=LEASE)
    assert job is not None
    ask()
    with store.writing() as connection:
        jobs.fail(connection, job, "peer is down", now=NOON, backoff=BACKOFF)
        assert jobs.counts(connection) == {
            (JobKind.REPORT, JobState.PENDING): 1,
            (JobKind.REPORT, JobState.FINISHED): 1,
        }
    assert get(store, job.id).finished_at == NOON  # not when it would have been due again


def test_a_claim_that_is_given_back_counts_no_attempt(store: Store) -> None:
    ask_for_analysis(store)
    with store.writing() as connection:
        job = jobs.claim(connection, JobKind.ANALYSE, owner="one", now=NOON, lease=LEASE)
        assert job is not None
        jobs.give_back(connection, job, now=NOON)
    assert get(store, job.id).attempts == 0
    assert claimed(store).token == 2
