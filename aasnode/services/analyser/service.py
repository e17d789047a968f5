"""The analyser: claims a job, has its film examined by a child process, keeps what was found in one transaction.

One film at a time, so a film that hangs or crashes the process concerns no other: the child is replaced, the job is
tried again by itself, and rests in the dead letter after its attempts.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from aasnode import log
from aasnode.assets import shipped_model
from aasnode.child import PREPARE_SECONDS, Child
from aasnode.config import Config
from aasnode.errors import AasnodeError, PermanentError, TransientError
from aasnode.inference.detection import Detector
from aasnode.services.analyser import examination
from aasnode.services.analyser.examination import DetectorFactory, Examination, Request
from aasnode.store import deliveries, instances, jobs, leases, results
from aasnode.store.instances import Instance
from aasnode.store.jobs import Backoff, Job, LeaseLostError
from aasnode.store.schema import Arrival, JobKind, JobState
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)


def load_configured_detector(config: Config) -> Detector:
    """The detector of the configured model. Called in the child only: it imports torch."""
    from aasnode.inference.detector import load_detector
    from aasnode.inference.stage import choose_device

    detector = load_detector(config.model.directory or shipped_model(), config.model.device)
    log.event(LOGGER, "model_loaded", model=detector.model, device=choose_device(config.model.device))
    return detector


class Analyser:
    """One analyser with its child process."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        load_detector: DetectorFactory | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``load_detector`` None loads the configured model; another one must be importable by name."""
        self._store = store
        self._clock = clock
        self._is_stopping = False
        self._owed = leases.Owed(store, clock)
        self._deadline_seconds = config.analyser.deadline_seconds
        self._lease = timedelta(seconds=config.analyser.lease_seconds)
        self._backoff = Backoff(first_seconds=config.analyser.retry_delay_seconds)
        self._settle = timedelta(seconds=config.report.settle_seconds)
        self._settle_cap = timedelta(seconds=config.report.settle_cap_seconds)
        load = load_detector or partial(load_configured_detector, config)
        self._child: Child[Request | None, Examination | str] = Child(partial(examination.prepare, load, config))

    def start(self) -> None:
        """Start the child and load the model; raises ModelError, DeadlineError, ChildDiedError."""
        model = self._child.ask(None, self._deadline_seconds)
        log.event(LOGGER, "analyser_ready", model=model)

    def interrupt(self) -> None:
        """Break off the film that is examined, from another thread; its job is given back."""
        self._is_stopping = True
        self._child.interrupt()

    def stop(self) -> None:
        """End the child."""
        self._child.end()

    def step(self) -> bool:
        """Work off one job; False when none is due.

        Raises:
            TransientError: the database is busy or full, or the model cannot be loaded. That is no fault of the film:
                its claim is given back, and no attempt is counted.
        """
        self._owed.settle()
        with self._store.writing() as connection:
            job = jobs.claim(
                connection, JobKind.ANALYSE, owner=jobs.this_process(), now=self._clock(), lease=self._lease
            )
        if job is None:
            return False
        try:
            self._work_off(job)
        except LeaseLostError:
            log.event(LOGGER, "lease_lost", level=logging.WARNING, job=job.id)
        except TransientError as error:
            if self._is_stopping:  # a process that was ended while it loaded the model
                self._owed.give_back(job)
                return True
            self._owed.give_back(job, reason=str(error))
            raise
        return True

    def _make_ready(self) -> None:
        """See to it that there is a process that can be asked, in the place of one that crashed or was ended."""
        try:
            self._child.start()
        except AasnodeError as error:
            raise TransientError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error

    def _work_off(self, job: Job) -> None:
        with self._store.reading() as connection:
            instance = instances.get(connection, job.instance_id or 0)
            namesake = instances.first_under_uid(connection, instance)
        limit = timedelta(seconds=PREPARE_SECONDS + 2 * self._deadline_seconds)
        try:
            with leases.kept(self._store, job, self._lease, limit=limit, clock=self._clock):
                self._make_ready()
                found = self._examine(instance, namesake)
        except TransientError:
            raise
        except PermanentError as error:
            self._bury(job, instance, error)
        except AasnodeError as error:
            self._fail(job, instance, error)
        else:
            self._keep(job, instance, namesake, found)

    def _examine(self, instance: Instance, namesake: Instance | None) -> Examination:
        if instance.file_name is None:
            raise PermanentError("the film is no longer kept; send it again")
        request = Request(
            path=self._store.inbox.path(instance.file_name),
            sop_instance_uid=instance.sop_instance_uid,
            has_namesake=namesake is not None,
            namesake=self._store.inbox.path(namesake.file_name) if namesake and namesake.file_name else None,
            likeness=namesake.likeness if namesake else None,
        )
        found = self._child.ask(request, self._deadline_seconds)
        assert isinstance(found, Examination)  # the answer to a Request
        return found

    def _keep(self, job: Job, instance: Instance, namesake: Instance | None, found: Examination) -> None:
        """One transaction: the job's end, what became of the arrival, its result, the study's report."""
        now = self._clock()
        with self._store.writing() as connection:
            jobs.finish(connection, job, now=now, outcome=found.film.status if found.film else found.state)
            if namesake is not None and found.differences:
                instances.add_revision(
                    connection, first=namesake, later=instance, differences=found.differences, now=now
                )
            else:
                instances.set_state(connection, instance.id, found.state, found.reason)
            if namesake is not None and found.state is Arrival.REENCODED:
                self._serve_first(connection, namesake, instance, now)
            if found.likeness is not None:
                instances.set_likeness(connection, instance.id, found.likeness)
            if found.film is not None:
                results.add(connection, instance_id=instance.id, film=found.film, now=now)
                if found.film.is_lateral_cervical:
                    self._ask_for_report(connection, found.film.identity.study_instance_uid, now)
        _log_kept(job, instance, found)

    def _serve_first(self, connection: Connection, namesake: Instance, copy: Instance, now: datetime) -> None:
        """A copy in another encoding does what the same bytes would: its report may want the first film again."""
        first = instances.get(connection, namesake.id)
        study_instance_uid = deliveries.study_in_want(connection, first)
        if study_instance_uid is not None:
            instances.hand_over(connection, copy, first, now=now)
            self._ask_for_report(connection, study_instance_uid, now)

    def _ask_for_report(self, connection: Connection, study_instance_uid: str, now: datetime) -> None:
        jobs.add_report(
            connection, study_instance_uid=study_instance_uid, now=now, settle=self._settle, cap=self._settle_cap
        )

    def _fail(self, job: Job, instance: Instance, error: AasnodeError) -> None:
        if self._is_stopping:
            with self._store.writing() as connection:
                jobs.give_back(connection, job, now=self._clock())
            return
        reason = f"{type(error).__name__}: {error}"
        with self._store.writing() as connection:
            state = jobs.fail(connection, job, reason, now=self._clock(), backoff=self._backoff)
            if state is JobState.DEAD:
                instances.set_state(connection, instance.id, Arrival.UNREADABLE, reason)
        _log_failed(job, instance, reason, state)

    def _bury(self, job: Job, instance: Instance, error: PermanentError) -> None:
        with self._store.writing() as connection:
            state = jobs.bury(connection, job, str(error), now=self._clock())
            instances.set_state(connection, instance.id, Arrival.UNREADABLE, str(error))
        _log_failed(job, instance, str(error), state)


def _log_kept(job: Job, instance: Instance, found: Examination) -> None:
    is_odd = found.state in (Arrival.REVISION, Arrival.QUARANTINED)
    log.event(
        LOGGER,
        f"film_{found.state}",
        level=logging.WARNING if is_odd else logging.INFO,
        job=job.id,
        sop_instance_uid=instance.sop_instance_uid,
        study_instance_uid=found.film.identity.study_instance_uid if found.film else None,
        status=found.film.status if found.film else None,
        reason=found.film.reason if found.film else found.reason,
        view=found.film.view if found.film else None,
        model=found.film.model if found.film else None,
    )


def _log_failed(job: Job, instance: Instance, reason: str, state: str) -> None:
    log.event(
        LOGGER,
        "analysis_failed",
        level=logging.WARNING,
        job=job.id,
        attempt=job.attempts,
        state=state,
        sop_instance_uid=instance.sop_instance_uid,
        reason=reason,
    )
