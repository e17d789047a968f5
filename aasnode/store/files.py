"""A folder of files that never change: written durably under names of our own, read, removed, swept.

Nothing that came over the wire becomes part of a name. A file is either whole under its final name, or a leftover
(``*.part``) that the sweep removes: temporary name, fsync, rename, fsync of the folder.
"""

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aasnode.errors import DiskReserveError

_PART = ".part"
_OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file that is durable."""

    name: str
    bytes: int


class FileStore:
    """One folder. ``reserve_bytes`` of its disk are left alone."""

    def __init__(self, folder: Path, *, suffix: str = ".dcm", reserve_bytes: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._suffix = suffix
        self._reserve_bytes = reserve_bytes

    def free_bytes(self) -> int:
        """Free space of the disk, for this user."""
        return shutil.disk_usage(self.folder).free

    def require_space(self, size: int = 0) -> None:
        """Raise DiskReserveError when ``size`` further bytes would touch the reserve."""
        if self.free_bytes() - size < self._reserve_bytes:
            raise DiskReserveError(
                f"{self.folder}: {self.free_bytes() >> 20} MB free, {self._reserve_bytes >> 20} MB are kept in "
                "reserve; free some space or lower receiver.disk_reserve_mb"
            )

    def write(self, chunks: Iterable[bytes | memoryview]) -> StoredFile:
        """Write one file; it is durable when this returns.

        Raises:
            DiskReserveError: the disk filled while writing; nothing is left behind.
        """
        name = f"{uuid.uuid4().hex}{self._suffix}"
        part = self.folder / f"{name}{_PART}"
        try:
            size = _write_synced(part, chunks)
            part.rename(self.folder / name)
            self._sync_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            if error.errno in _OUT_OF_SPACE:
                raise DiskReserveError(f"{self.folder}: no space left while writing; free some space") from error
            raise
        return StoredFile(name=name, bytes=size)

    def path(self, name: str) -> Path:
        """Where the file ``name`` lies."""
        return self.folder / name

    def holds(self, name: str) -> bool:
        """Whether the file ``name`` is here."""
        return self.path(name).is_file()

    def lost(self, names: Iterable[str]) -> frozenset[str]:
        """Those of ``names`` that are not here; none while the folder itself is away, and with it its disk."""
        if not self.folder.is_dir():
            return frozenset()
        return frozenset(names) - {path.name for path in self.folder.iterdir()}

    def remove(self, name: str) -> None:
        """Remove a file; one that is already gone is fine."""
        self.path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def provisional(self) -> Iterator[list[str]]:
        """A list for the names of new files, which go again at the end: cleared by who let a row name them."""
        written: list[str] = []
        try:
            yield written
        finally:
            for name in written:  # on a full disk the next attempt would leave as many again
                self.remove(name)

    def sweep(self, known: Container[str], *, parts_seconds: float, unnamed_seconds: float) -> int:
        """Remove half-written files and whole ones that no row names, each from its age on; how many.

        A whole file without a row may be all that is left of an acknowledged film when an older database was put
        back, so it is given far more time. What is no plain file is not ours and stays.
        """
        now, removed = time.time(), 0
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                age = parts_seconds if path.suffix == _PART else unnamed_seconds
                if path.name not in known and path.is_file() and path.stat().st_mtime <= now - age:
                    path.unlink()
                    removed += 1
        return removed

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_synced(path: Path, chunks: Iterable[bytes | memoryview]) -> int:
    """Size of a new file, flushed to the disk."""
    with path.open("xb") as file:
        size = sum(file.write(chunk) for chunk in chunks)
        file.flush()
        os.fsync(file.fileno())
    return size
