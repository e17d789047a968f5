"""Keeping a claim while its work is done: a thread renews the lease, up to a limit."""

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
