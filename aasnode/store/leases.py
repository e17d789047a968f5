"""Keeping a claim while its work is done, up to a limit, and giving one back that could not be worked off."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from aasnode import log
from aasnode.errors import TransientError
from aasnode.store import jobs
from aasnode.store.jobs import Job, LeaseLostError
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)


class Owed:
    """The claim that a service must give back: the database was busy or full, which is no fault of the work.

    So no attempt is counted. Where even giving back fails, the claim stays owed; a service settles before it claims.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._claim: tuple[Job, timedelta, str | None] | None = None

    def give_back(self, job: Job, *, after: timedelta = timedelta(0), reason: str | None = None) -> None:
        """Give the claim back, due again in ``after``; raises TransientError, and owes it from then on."""
        self._claim = job, after, reason
        self.settle()

    def settle(self) -> None:
        """Give back what is owed, if anything is; raises TransientError."""
        if self._claim is None:
            return
        job, after, reason = self._claim
        with contextlib.suppress(LeaseLostError), self._store.writing() as connection:
            jobs.give_back(connection, job, now=self._clock(), after=after, reason=reason)
        self._claim = None


@contextmanager
def kept(
    store: Store, job: Job, lease: timedelta, *, limit: timedelta, clock: Callable[[], datetime] = utc_now
) -> Iterator[None]:
    """Renew the lease of ``job`` until the block ends, at the longest for ``limit``: work that hangs is let go."""
    done = threading.Event()
    keeper = threading.Thread(target=_renew, args=(store, job, lease, limit, clock, done), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _renew(
    store: Store, job: Job, lease: timedelta, limit: timedelta, clock: Callable[[], datetime], done: threading.Event
) -> None:
    end = clock() + limit
    while not done.wait(lease.total_seconds() / 3) and clock() < end:
        try:
            with store.writing() as connection:
                jobs.renew(connection, job, now=clock(), lease=lease)
        except LeaseLostError:
            return
        except TransientError as error:  # the next round tries again; the lease has room for two more
            log.event(LOGGER, "lease_not_renewed", level=logging.WARNING, job=job.id, error=type(error).__name__)
        except Exception:  # noqa: BLE001  told, and tried again: the work itself goes on
            log.defect(LOGGER, "lease_not_renewed", job=job.id)
