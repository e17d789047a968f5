"""Step 10: sends the stored bytes of our objects to one destination; every answer is read.

One sender per destination, so one that is down holds up no other.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from aasnode import log
from aasnode.config import Config, Destination
from aasnode.errors import PeerUnreachableError, PermanentError, TransientError
from aasnode.network import scu
from aasnode.network.scu import Candidate, Sent
from aasnode.store import deliveries, jobs, leases, objects
from aasnode.store.jobs import Backoff, Job, LeaseLostError
from aasnode.store.objects import StoredObject
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)

_LEASE = timedelta(seconds=30)
_LIMIT = timedelta(minutes=30)


def destinations(config: Config) -> tuple[Destination, ...]:
    """Every place that objects may go to: the fixed destinations, and the senders that the return table names."""
    returns = tuple(
        Destination(name=deliveries.return_to(one.ae_title), ae_title=one.ae_title, host=one.host, port=one.port)
        for one in config.delivery.return_table
    )
    return config.delivery.destinations + returns


class Sender:
    """The deliveries to one destination."""

    def __init__(
        self, store: Store, config: Config, destination: Destination, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.destination = destination
        self._store = store
        self._calling_ae_title = config.node.ae_title
        self._timeout_seconds = config.delivery.timeout_seconds
        self._backoff = Backoff(
            first_seconds=config.delivery.retry_delay_seconds, cap_seconds=config.delivery.retry_delay_cap_seconds
        )
        self._clock = clock
        self._owed = leases.Owed(store, clock)

    def step(self) -> bool:
        """Work off one delivery; False when none is due.

        Raises TransientError when the database is busy, and any defect that showed: that delivery then waits as failed.
        """
        self._owed.settle()
        with self._store.writing() as connection:
            job = jobs.claim(
                connection,
                JobKind.DELIVER,
                owner=jobs.this_process(),
                now=self._clock(),
                lease=_LEASE,
                destination=self.destination.name,
            )
        if job is None:
            return False
        try:
            with leases.kept(self._store, job, _LEASE, limit=_LIMIT, clock=self._clock):
                self._work_off(job)
        except LeaseLostError:
            log.event(LOGGER, "lease_lost", level=logging.WARNING, job=job.id)
        except TransientError as error:  # the database is busy or full
            self._owed.give_back(job, reason=str(error))
            raise
        return True

    def _work_off(self, job: Job) -> None:
        try:
            self._deliver(job)
        except TransientError:
            raise
        except Exception as error:
            self._fail(job, type(error).__name__)  # its text may quote the object
            raise

    def _deliver(self, job: Job) -> None:
        candidates = self._candidates(job)
        if candidates is None:
            self._withdraw(job)
            return
        try:
            sent = self._send(candidates)
        except PeerUnreachableError as error:
            self._fail(job, str(error) if job.is_last_attempt else f"{error}; it is tried again")
        except PermanentError as error:
            self._bury(job, error)
        else:
            self._finish(job, candidates, sent)

    def _candidates(self, job: Job) -> Sequence[StoredObject] | None:
        """What may be sent for the job, in order of preference; None when a newer version replaced it."""
        with self._store.reading() as connection:
            report_id, role = job.report_id or 0, job.role or ""
            if not objects.is_current(connection, report_id, role):
                return None
            return objects.of_report(connection, report_id, role)

    def _send(self, candidates: Sequence[StoredObject]) -> Sent:
        offered = [self._offer(one) for one in candidates if one.file_name is not None]
        if not offered:
            raise PermanentError("the object's bytes are no longer kept; have the films of the study sent again")
        return scu.send(
            self.destination,
            offered,
            calling_ae_title=self._calling_ae_title,
            timeout_seconds=self._timeout_seconds,
        )

    def _offer(self, one: StoredObject) -> Candidate:
        return Candidate(
            path=self._store.objects.path(one.file_name or ""),
            sop_class_uid=one.sop_class_uid,
            sop_instance_uid=one.sop_instance_uid,
            transfer_syntax_uid=one.transfer_syntax_uid,
        )

    def _finish(self, job: Job, candidates: Sequence[StoredObject], sent: Sent) -> None:
        uid = sent.candidate.sop_instance_uid
        object_id = next(one.id for one in candidates if one.sop_instance_uid == uid)
        with self._store.writing() as connection:
            jobs.finish(connection, job, now=self._clock(), outcome=sent.outcome, object_id=object_id)
        log.event(
            LOGGER,
            "object_delivered",
            job=job.id,
            destination=self.destination.name,
            sop_class_uid=sent.candidate.sop_class_uid,
            sop_instance_uid=uid,
            study_instance_uid=job.study_instance_uid,
            status=sent.outcome,
        )

    def _withdraw(self, job: Job) -> None:
        with self._store.writing() as connection:
            state = jobs.withdraw(connection, job, now=self._clock())
        self._log_not_delivered(job, state, jobs.REPLACED, logging.INFO)

    def _fail(self, job: Job, reason: str) -> None:
        with self._store.writing() as connection:
            state = jobs.fail(connection, job, reason, now=self._clock(), backoff=self._backoff)
        self._log_not_delivered(job, state, reason, logging.WARNING)

    def _bury(self, job: Job, error: PermanentError) -> None:
        with self._store.writing() as connection:
            state = jobs.bury(connection, job, str(error), now=self._clock())
        self._log_not_delivered(job, state, str(error), logging.ERROR)

    def _log_not_delivered(self, job: Job, state: JobState, reason: str, level: int) -> None:
        log.event(
            LOGGER,
            "object_not_delivered",
            level=level,
            job=job.id,
            attempt=job.attempts,
            destination=self.destination.name,
            study_instance_uid=job.study_instance_uid,
            state=state,
            reason=reason,
        )
