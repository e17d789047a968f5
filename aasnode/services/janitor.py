"""Step 11: what must happen by itself from time to time. Files go; numbers stay.

APScheduler is the ticker that calls ``step``; it holds no jobs of the queue.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aasnode import log
from aasnode.config import Config
from aasnode.errors import DiskReserveError
from aasnode.store import deliveries, jobs, retention
from aasnode.store.files import FileStore
from aasnode.store.store import Store, utc_now

LOGGER = logging.getLogger(__name__)

_LEFTOVER_SECONDS = 3600.0  # older than any transfer that may still be under way


class Janitor:
    """Retention, abandoned leases, deliveries without a destination, leftovers, the disk's reserve."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        destinations: Collection[str] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``destinations`` are the names of all places that objects may go to."""
        self._store = store
        self._film_age = timedelta(days=config.retention.film_days)
        self._object_age = timedelta(days=config.retention.object_days)
        self._destinations = frozenset(destinations)
        self._clock = clock

    def sweep_leftovers(self) -> int:
        """At start, before anything is received: what a process left behind half-written, and objects without a row."""
        return self._sweep(seconds=0.0)

    def forget_lost_files(self) -> int:
        """At start, before anything is received: rows let go of the files that their folder lacks; how many files.

        A database was put back without its folders, or somebody emptied one. What comes again is then kept again.
        """
        lost = self._forget(self._store.inbox, retention.film_names, retention.forget_films)
        lost += self._forget(self._store.objects, retention.object_names, retention.forget_objects)
        if lost:
            log.event(LOGGER, "files_lost", level=logging.WARNING, count=lost)
        return lost

    def step(self) -> None:
        """One round. Raises TransientError when the database is busy."""
        self._bury()
        deleted = self._delete(self._store.inbox, retention.release_films, self._film_age)
        deleted += self._delete(self._store.objects, retention.release_objects, self._object_age)
        deleted += self._sweep(seconds=_LEFTOVER_SECONDS)
        if deleted:
            log.event(LOGGER, "files_deleted", deleted=deleted)
        self._look_at_disk()

    def _bury(self) -> None:
        now = self._clock()
        with self._store.writing() as connection:
            abandoned = jobs.bury_abandoned(connection, now=now)
            unroutable = deliveries.bury_unroutable(connection, self._destinations, now=now)
        if abandoned or unroutable:
            log.event(LOGGER, "jobs_laid_to_rest", level=logging.WARNING, count=abandoned + unroutable)

    def _delete(self, files: FileStore, release: Callable[..., Collection[str]], age: timedelta) -> int:
        """First the rows let go, then the files go; a file that stays behind is swept as a leftover."""
        with self._store.writing() as connection:
            names = release(connection, older_than=self._clock() - age)
        for name in names:
            files.remove(name)
        return len(names)

    def _forget(
        self,
        files: FileStore,
        named: Callable[[Connection], frozenset[str]],
        forget: Callable[[Connection, Collection[str]], None],
    ) -> int:
        lost = files.lost(self._names(named))
        with self._store.writing() as connection:
            forget(connection, lost)
        return len(lost)

    def _sweep(self, *, seconds: float) -> int:
        """A film without a row is kept as long as any film: a restored database knows nothing of the latest ones.

        And never shorter than a leftover: its row may be about to be committed.
        """
        films, objects = self._names(retention.film_names), self._names(retention.object_names)
        unnamed_seconds = max(self._film_age.total_seconds(), _LEFTOVER_SECONDS)
        return self._store.inbox.sweep(
            films, parts_seconds=seconds, unnamed_seconds=unnamed_seconds
        ) + self._store.objects.sweep(objects, parts_seconds=seconds, unnamed_seconds=seconds)

    def _names(self, named: Callable[[Connection], frozenset[str]]) -> frozenset[str]:
        with self._store.reading() as connection:
            return named(connection)

    def _look_at_disk(self) -> None:
        try:
            self._store.inbox.require_space()
        except DiskReserveError as error:
            log.event(LOGGER, "disk_reserve_reached", level=logging.ERROR, reason=str(error))
