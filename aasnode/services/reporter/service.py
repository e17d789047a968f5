"""The reporter: one study's report and overlays, built once, stored as bytes, handed to the deliveries.

Equal findings make no new version. A new version names the one that it replaces, if that left this node; whatever of
the older one has not left yet is withdrawn in the transaction that keeps the new one, so one of them always stands.
"""

import logging
import uuid
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage
from sqlalchemy import Connection

from aasnode import log
from aasnode.child import Child
from aasnode.config import Config
from aasnode.dicom.identity import own_uid
from aasnode.errors import AasnodeError, DiskReserveError, PermanentError, TransientError
from aasnode.reports.findings import FilmFindings, StudyFindings
from aasnode.reports.uids import structured_report_uid
from aasnode.services.reporter import drawing
from aasnode.services.reporter.drawing import Request
from aasnode.services.reporter.findings import (
    Gathered,
    as_version,
    held_apart,
    reported,
    same_person,
    study_findings,
)
from aasnode.services.reporter.making import make_objects
from aasnode.store import deliveries, history, instances, jobs, leases, objects, results
from aasnode.store.deliveries import Routes, SentReport
from aasnode.store.jobs import Backoff, Job, LeaseLostError
from aasnode.store.objects import NewObject, Report
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)

_LEASE = timedelta(seconds=30)
_LIMIT = timedelta(minutes=10)
_MOMENT = timedelta(seconds=1)
_DISK_FULL = timedelta(seconds=60)
_BACKOFF = Backoff(first_seconds=5)


class Reporter:
    """Builds the reports of one node, one study after the other."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        prepare: Callable[[Config], Callable[[Request], Dataset]] = drawing.prepare,
    ) -> None:
        """``prepare`` gives what draws overlays in a process of its own; it must be importable by name."""
        self._store = store
        self._config = config
        self._clock = clock
        self._owed = leases.Owed(store, clock)
        self._is_stopping = False
        self._deadline_seconds = config.analyser.deadline_seconds
        self._child: Child[Request, Dataset] = Child(partial(prepare, config))
        self._settle = timedelta(seconds=config.report.settle_seconds)
        self._settle_cap = timedelta(seconds=config.report.settle_cap_seconds)

    def interrupt(self) -> None:
        """Break off the overlay that is drawn, from another thread; its report is given back."""
        self._is_stopping = True
        self._child.interrupt()

    def stop(self) -> None:
        """End the process that draws."""
        self._child.end()

    def step(self) -> bool:
        """Work off one report; False when none is due.

        Raises TransientError when the database is busy, and any defect that showed: that report then waits as failed.
        """
        self._owed.settle()
        with self._store.writing() as connection:
            job = jobs.claim(connection, JobKind.REPORT, owner=jobs.this_process(), now=self._clock(), lease=_LEASE)
        if job is None:
            return False
        try:
            with leases.kept(self._store, job, _LEASE, limit=_LIMIT, clock=self._clock):
                self._work_off(job)
        except LeaseLostError:
            log.event(LOGGER, "lease_lost", level=logging.WARNING, job=job.id)
        except DiskReserveError as error:  # of the objects or of the database: no fault of the study
            log.event(LOGGER, "report_put_off", level=logging.WARNING, job=job.id, reason=str(error))
            self._owed.give_back(job, after=_DISK_FULL, reason=str(error))
        except TransientError as error:
            self._owed.give_back(job, reason=str(error))
            raise
        return True

    def _work_off(self, job: Job) -> None:
        try:
            self._report(job)
        except TransientError:
            raise
        except PermanentError as error:
            self._bury(job, error)
        except AasnodeError as error:  # an overlay hung or crashed its process, or showed a defect there
            if self._is_stopping:
                self._owed.give_back(job)
            else:
                self._fail(job, f"{type(error).__name__}: {error}")
        except Exception as error:
            self._fail(job, type(error).__name__)  # its text may quote the film
            raise

    def _report(self, job: Job) -> None:
        study_instance_uid = job.study_instance_uid or ""
        if self._is_film_awaited(job, study_instance_uid):
            return
        with self._store.writing() as connection:
            device_uid = objects.device_uid(connection, own_uid("device", uuid.uuid4().hex))
        with self._store.reading() as connection:
            gathered = _gather(connection, study_instance_uid, device_uid)
            current = objects.current_report(connection, study_instance_uid)
        if not gathered.films:
            self._finish(job, "nothing to report: no lateral cervical film in the study")
            return
        _require_one_person(gathered)
        found = study_findings(gathered, self._store, self._config, now=self._clock())
        if current is not None and current.content_digest == _content_digest(found):
            self._finish_equal(job, gathered, found, current)
            return
        while not self._build(job, gathered, found, current.version + 1 if current else 1):
            pass  # a delivery of the older version was faster, so the new one must name it

    def _finish_equal(self, job: Job, gathered: Gathered, found: StudyFindings, current: Report) -> None:
        """No new version. The bytes of the present one are made again where a delivery waits for them in vain."""
        with self._store.reading() as connection:
            is_wanted = bool(deliveries.without_bytes(connection, current.study_instance_uid))
            before = deliveries.sent_object(connection, current.predecessor_id) if current.predecessor_id else None
        if not is_wanted:
            self._finish(job, f"nothing new: equal to version {current.version}")
            return
        with self._store.objects.provisional() as written:
            made = self._make(gathered, as_version(found, current.version, before), written)
            with self._store.writing() as connection:
                count = deliveries.keep_bytes_again(connection, current.study_instance_uid, made, now=self._clock())
                jobs.finish(connection, job, now=self._clock(), outcome=f"version {current.version} made again")
            written.clear()
        log.event(LOGGER, "report_made_again", study_instance_uid=current.study_instance_uid, count=count)

    def _build(self, job: Job, gathered: Gathered, found: StudyFindings, version: int) -> bool:
        """Build a version that names what left before, and keep it; False when something else left meanwhile."""
        with self._store.reading() as connection:
            sent = deliveries.sent_report(connection, found.study_instance_uid, now=self._clock())
        study = as_version(found, version, sent[1] if sent else None)
        with self._store.objects.provisional() as written:
            is_kept = self._keep(job, gathered, study, self._make(gathered, study, written), sent)
            if is_kept:
                written.clear()
        return is_kept

    def _make(self, gathered: Gathered, study: StudyFindings, written: list[str]) -> list[NewObject]:
        return list(make_objects(study, self._store, partial(self._draw, gathered), written))

    def _draw(self, gathered: Gathered, study: StudyFindings, film: FilmFindings) -> Dataset | None:
        """The film's overlay, drawn before the deadline; None where its file is gone."""
        uid = film.sop_instance_uid
        name = next(one.file_name for one in gathered.films if one.film.identity.sop_instance_uid == uid)
        if name is None:
            return None
        request = Request(study=study, sop_instance_uid=uid, path=self._store.inbox.path(name))
        return self._child.ask(request, self._deadline_seconds)

    def _is_film_awaited(self, job: Job, study_instance_uid: str) -> bool:
        """Put the report off for a moment while a film that may belong to the study is not examined, up to the cap."""
        now = self._clock()
        if now >= job.created_at + self._settle_cap:
            return False
        with self._store.reading() as connection:
            is_awaited = instances.is_film_awaited(connection, study_instance_uid, within=self._settle)
        if is_awaited:
            until_cap = job.created_at + self._settle_cap - now
            with self._store.writing() as connection:
                jobs.give_back(connection, job, now=now, after=min(_MOMENT, until_cap))
        return is_awaited

    def _keep(
        self, job: Job, gathered: Gathered, study: StudyFindings, made: list[NewObject], sent: SentReport | None
    ) -> bool:
        """One transaction: the older version withdrawn, the new one with its objects, their deliveries, the job's end.

        False, and nothing is kept, when another report than ``sent`` is what left last.
        """
        study_instance_uid, now = job.study_instance_uid or "", self._clock()
        with self._store.writing() as connection:
            if deliveries.sent_report(connection, study_instance_uid, now=now) != sent:
                return False
            promised = deliveries.withdraw_undelivered(connection, study_instance_uid=study_instance_uid, now=now)
            report = objects.add_report(
                connection,
                study_instance_uid=study_instance_uid,
                predecessor=sent[0] if sent else None,
                content_digest=_content_digest(study),
                made=made,
                now=study.created_at,
            )
            routes = self._routes(gathered, promised)
            deliveries.ask(connection, report, routes, now=now, attempts=self._config.delivery.attempts)
            jobs.finish(connection, job, now=now, outcome=f"version {report.version}")
        self._log_built(report, len(made), routes)
        return True

    def _log_built(self, report: Report, count: int, routes: Routes) -> None:
        log.event(
            LOGGER,
            "report_built",
            study_instance_uid=report.study_instance_uid,
            version=report.version,
            objects=count,
            shadow=self._config.delivery.shadow,
        )
        for destination, obstacle in routes.items():
            if obstacle is not None:
                log.event(
                    LOGGER,
                    "report_not_sent",
                    level=logging.WARNING,
                    study_instance_uid=report.study_instance_uid,
                    destination=destination,
                    reason=obstacle,
                )

    def _routes(self, gathered: Gathered, promised: Collection[str]) -> Routes:
        """Where a study's objects go; in shadow mode only where an older version was ``promised``."""
        routes = deliveries.routes(self._config.delivery, (stored.calling_ae_title for stored in gathered.films))
        if not self._config.delivery.shadow:
            return routes
        return {name: obstacle for name, obstacle in routes.items() if name in promised}

    def _finish(self, job: Job, outcome: str) -> None:
        with self._store.writing() as connection:
            jobs.finish(connection, job, now=self._clock(), outcome=outcome)

    def _fail(self, job: Job, told: str) -> None:
        with self._store.writing() as connection:
            state = jobs.fail(connection, job, told, now=self._clock(), backoff=_BACKOFF)
        _log_failed(job, state, told)

    def _bury(self, job: Job, error: PermanentError) -> None:
        with self._store.writing() as connection:
            state = jobs.bury(connection, job, str(error), now=self._clock())
        _log_failed(job, state, str(error))


def _log_failed(job: Job, state: JobState, told: str) -> None:
    log.event(LOGGER, "report_failed", level=logging.WARNING, job=job.id, state=state, reason=told)


def _content_digest(found: StudyFindings) -> str:
    """Equal for equal findings, whatever version shows them."""
    return structured_report_uid(found, Comprehensive3DSRStorage)


def _gather(connection: Connection, study_instance_uid: str, device_uid: str) -> Gathered:
    films = reported(results.of_study(connection, study_instance_uid))
    if not films or not films[0].person.patient_id:
        return Gathered(films=films, course=films, held_apart=(), device_uid=device_uid)
    courses = history.of_patient(connection, films[0].person.patient_id)
    return Gathered(
        films=films,
        course=same_person(films[0], courses),
        held_apart=held_apart(films[0], courses),
        device_uid=device_uid,
    )


def _require_one_person(gathered: Gathered) -> None:
    """A report is of one person: films of one study that do not agree who that is are not put together."""
    if len(results.by_persons(gathered.films)) > 1:
        raise PermanentError(
            "the films of the study do not state the same patient ID, issuer, birth date and sex; this node keeps what "
            "each stated first, so it never reports the study: report it by hand, from `aasnode history` of each ID"
        )
