"""What the database knows of one job: which film, study and report it is of, and what happened when.

UIDs, states and times; never the patient.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from aasnode.store import instances, jobs, objects, results
from aasnode.store.instances import Instance
from aasnode.store.jobs import Job
from aasnode.store.objects import Report
from aasnode.store.results import StoredResult
from aasnode.store.schema import JobKind, JobState

_NOUNS = {JobKind.ANALYSE: "analysis", JobKind.REPORT: "report", JobKind.DELIVER: "delivery"}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened, or is due."""

    at: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class JobStory:
    """One job with what it is of."""

    job: Job
    arrival: Instance | None  # analyse
    films: Sequence[StoredResult]  # the film itself, that of the overlay, or those of the study's report
    report: Report | None  # deliver

    @property
    def sop_instance_uid(self) -> str | None:
        """Of the one film that the job is of, known from its arrival on."""
        if self.arrival is not None:
            return self.arrival.sop_instance_uid
        return film_of_role(self.job.role)

    @property
    def study_instance_uid(self) -> str | None:
        """None for a film that was not read yet."""
        known = [film.film.identity.study_instance_uid for film in self.films]
        return self.job.study_instance_uid or next(iter(known), None)

    def events(self) -> list[Event]:
        """In the order of time; what is due comes last."""
        return sorted(self._events(), key=lambda event: event.at)

    def _events(self) -> Iterator[Event]:
        job = self.job
        if self.arrival is not None:
            yield Event(at=self.arrival.received_at, what=f"film received from {self.arrival.calling_ae_title}")
        if self.report is not None:
            yield Event(at=self.report.created_at, what=f"version {self.report.version} of the report built")
        again = " again" if job.delivered_at is not None and job.delivered_at < job.created_at else ""
        yield Event(at=job.created_at, what=f"{_NOUNS[job.kind]} asked for{again}")
        if self.arrival is not None:
            for one in self.films:
                yield Event(at=one.analysed_at, what=f"film analysed: {one.film.status}")
        if job.delivered_at is not None and job.delivered_at != job.finished_at:
            yield Event(at=job.delivered_at, what=f"delivered to {job.destination}")
        if (now := _where_it_stands(job)) is not None:
            yield now


def read(connection: Connection, job_id: int) -> JobStory:
    """All of it; raises UnknownJobError."""
    job = jobs.get(connection, job_id)
    return JobStory(
        job=job,
        arrival=None if job.instance_id is None else instances.get(connection, job.instance_id),
        films=_films(connection, job),
        report=_report(connection, job),
    )


def subject(connection: Connection, job: Job) -> str:
    """The film or the study of a job, in a cell of a list."""
    if job.instance_id is not None:
        return f"film {instances.get(connection, job.instance_id).sop_instance_uid}"
    return f"study {job.study_instance_uid}"


def film_of_role(role: str | None) -> str | None:
    """SOP Instance UID of the film whose overlay a delivery sends; None for a report."""
    kind, _, sop_instance_uid = (role or "").partition(":")
    return sop_instance_uid if kind == objects.overlay_role("").partition(":")[0] else None


def _films(connection: Connection, job: Job) -> Sequence[StoredResult]:
    if job.instance_id is not None:
        return results.of_instance(connection, job.instance_id)
    found = results.of_study(connection, job.study_instance_uid or "")
    one = film_of_role(job.role)
    return [stored for stored in found if one in (None, stored.film.identity.sop_instance_uid)]


def _report(connection: Connection, job: Job) -> Report | None:
    versions = objects.list_reports(connection, job.study_instance_uid or "") if job.kind is JobKind.DELIVER else ()
    return next((one for one in versions if one.id == job.report_id), None)


def _where_it_stands(job: Job) -> Event | None:
    """The end of a job, or what it waits for."""
    reason = f": {job.reason}" if job.reason else ""
    if job.finished_at is not None:
        return Event(at=job.finished_at, what=f"{job.state}{reason}")
    if job.state is JobState.CLAIMED and job.lease_until is not None:
        return Event(at=job.lease_until, what=f"lease of {job.owner} ends, unless renewed")
    failed = f"due again, after attempt {job.attempts} of {job.max_attempts}{reason}"
    return Event(at=job.due_at, what=failed if job.attempts else "due")
