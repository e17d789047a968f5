"""Step 2 of the journey: the bytes of one C-STORE become durable, then a row and a job, then an answer.

Nothing is decoded here. The order is the promise: file synced, folder synced, transaction committed, 0x0000.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from aasnode import log
from aasnode.config import Config
from aasnode.errors import DiskReserveError, TransientError
from aasnode.network.scp import IncomingInstance
from aasnode.network.status import Status
from aasnode.store import deliveries, instances, jobs
from aasnode.store.instances import Instance
from aasnode.store.schema import Arrival
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)


class Receiver:
    """Answers the C-STORE requests of many threads; holds nothing between two of them."""

    def __init__(self, store: Store, config: Config, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._acknowledged = frozenset(config.receiver.acknowledged_sop_classes)
        self._attempts = config.analyser.attempts
        self._settle = timedelta(seconds=config.report.settle_seconds)
        self._settle_cap = timedelta(seconds=config.report.settle_cap_seconds)
        self._clock = clock

    def on_store(self, incoming: IncomingInstance) -> Status:
        """Make one instance durable and answer for it; raises nothing."""
        try:
            outcome = self._receive(incoming)
        except TransientError as error:
            self._log(incoming, "film_refused", level=logging.WARNING, reason=type(error).__name__)
            return Status.OUT_OF_RESOURCES
        except Exception:  # noqa: BLE001  the sender must have an answer; one of failure makes it keep the film
            log.defect(LOGGER, "receiver_failed", sop_instance_uid=incoming.sop_instance_uid)
            return Status.PROCESSING_FAILURE
        self._log(incoming, outcome)
        return Status.SUCCESS

    def has_room(self) -> bool:
        """Whether further films can be taken: the disk is not below its reserve."""
        try:
            self._store.inbox.require_space()
        except DiskReserveError:
            return False
        return True

    def _receive(self, incoming: IncomingInstance) -> str:
        """Name of the event that the arrival was."""
        digest = hashlib.sha256(incoming.data_set).hexdigest()
        known = self._find(incoming, digest)
        if known is not None:
            with self._store.reading() as connection:
                study_instance_uid = deliveries.study_in_want(connection, known)
            is_wanted = study_instance_uid is not None or _is_missed(known)
            return self._receive_again(incoming, known, study_instance_uid) if is_wanted else "film_known"
        if incoming.sop_class_uid in self._acknowledged:
            self._record(incoming, digest, None, Arrival.ACKNOWLEDGED)
            return "object_acknowledged"
        is_new = self._write(incoming, lambda name: self._record(incoming, digest, name, Arrival.RECEIVED))
        return "film_received" if is_new else "film_known"

    def _find(self, incoming: IncomingInstance, digest: str) -> Instance | None:
        """The arrival of these bytes, if they came before; of a copy in another encoding, the film that it copies.

        A file that it names and that was lost is one that went.
        """
        with self._store.reading() as connection:
            known = instances.find(connection, sop_instance_uid=incoming.sop_instance_uid, digest=digest)
            if known is not None and known.state is Arrival.REENCODED:
                known = instances.first_under_uid(connection, known) or known
        if known is None or known.file_name is None or self._store.inbox.holds(known.file_name):
            return known
        with self._store.writing() as connection:
            instances.forget_file(connection, known.id, known.file_name)
        return replace(known, file_name=None)

    def _receive_again(self, incoming: IncomingInstance, known: Instance, study_instance_uid: str | None) -> str:
        """The bytes of a known film, once more: its file is kept again, and a study that wants it asks for a report."""

        def record(file_name: str | None) -> bool:
            now = self._clock()
            with self._store.writing() as connection:
                if file_name and not instances.keep_again(connection, known.id, file_name=file_name, now=now):
                    return False
                if study_instance_uid is not None:
                    jobs.add_report(
                        connection,
                        study_instance_uid=study_instance_uid,
                        now=now,
                        settle=self._settle,
                        cap=self._settle_cap,
                    )
                if known.state is Arrival.UNREADABLE:
                    jobs.analyse_again(connection, known.id, now=now)
            return True

        if known.file_name is not None:
            record(None)
            return "film_known"
        return "film_kept_again" if self._write(incoming, record) else "film_known"

    def _write(self, incoming: IncomingInstance, record: Callable[[str], bool]) -> bool:
        """Make the bytes a file and have it recorded; without a row it goes again. Whether it was recorded."""
        self._store.inbox.require_space(incoming.data_set.nbytes)
        file = self._store.inbox.write([incoming.file_head(), incoming.data_set])
        try:
            is_recorded = record(file.name)
        except BaseException:
            self._store.inbox.remove(file.name)
            raise
        if not is_recorded:  # the same bytes came over another association a moment ago
            self._store.inbox.remove(file.name)
        return is_recorded

    def _record(self, incoming: IncomingInstance, digest: str, file_name: str | None, state: Arrival) -> bool:
        """One transaction: the arrival, and its analysis as a job. Whether it is new."""
        now = self._clock()
        with self._store.writing() as connection:
            instance_id = instances.add(
                connection,
                sop_instance_uid=incoming.sop_instance_uid,
                digest=digest,
                sop_class_uid=incoming.sop_class_uid,
                transfer_syntax_uid=incoming.transfer_syntax_uid,
                size=incoming.data_set.nbytes,
                file_name=file_name,
                calling_ae_title=incoming.calling_ae_title,
                now=now,
                state=state,
            )
            if instance_id is not None and state is Arrival.RECEIVED:
                jobs.add_analysis(connection, instance_id=instance_id, now=now, attempts=self._attempts)
        return instance_id is not None

    @staticmethod
    def _log(incoming: IncomingInstance, event: str, *, level: int = logging.INFO, **values: object) -> None:
        log.event(
            LOGGER,
            event,
            level=level,
            sop_instance_uid=incoming.sop_instance_uid,
            sop_class_uid=incoming.sop_class_uid,
            calling_ae_title=incoming.calling_ae_title,
            bytes=incoming.data_set.nbytes,
            **values,
        )


def _is_missed(known: Instance) -> bool:
    """Whether the file of an arrival went that somebody still waits for.

    It was lost before its analysis; or it is in quarantine, and an earlier version of this node let it go; or its
    rejection was taken back too late.
    """
    return known.file_name is None and known.state in (Arrival.RECEIVED, Arrival.QUARANTINED, Arrival.UNREADABLE)
