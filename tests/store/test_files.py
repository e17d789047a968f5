"""Promises of the inbox and the objects' folder."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aasnode.errors import DiskReserveError
from aasnode.store.files import FileStore


def test_a_written_file_is_whole_under_a_name_of_our_own(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    stored = files.write([b"head", memoryview(b"body")])
    assert files.path(stored.name).read_bytes() == b"headbody"
    assert stored.bytes == 8


def test_a_disk_that_fills_while_writing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskReserveError):
        FileStore(tmp_path).write([b"film"])
    assert list(tmp_path.iterdir()) == []


def test_the_reserve_is_left_alone(tmp_path: Path) -> None:
    files = FileStore(tmp_path, reserve_bytes=10**18)
    with pytest.raises(DiskReserveError, match="in reserve"):
        files.require_space()


def test_a_file_that_does_not_fit_beside_the_reserve_is_refused(tmp_path: Path) -> None:
    files = FileStore(tmp_path, reserve_bytes=1)
    files.require_space()
    with pytest.raises(DiskReserveError):
        files.require_space(10**18)


def test_the_sweep_removes_leftovers_and_orphans_and_nothing_else(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    kept, orphan = files.write([b"kept"]), files.write([b"orphan"])
    (tmp_path / "x.dcm.part").write_bytes(b"half a film")
    (tmp_path / "lost+found").mkdir()
    assert files.sweep({kept.name}, parts_seconds=3600, unnamed_seconds=3600) == 0
    assert files.sweep({kept.name}, parts_seconds=0, unnamed_seconds=3600) == 1
    assert files.path(orphan.name).exists()  # perhaps an acknowledged film of a database that was put back
    assert files.sweep({kept.name}, parts_seconds=0, unnamed_seconds=0) == 1
    (tmp_path / "lost+found").rmdir()
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert orphan.name != kept.name


def test_the_bytes_and_then_the_name_are_on_the_disk_before_write_returns(tmp_path: Path) -> None:
    """Order of system calls, as the kernel sees it: fsync of the file, rename, fsync of the folder, then the answer."""
    trace = tmp_path / "trace"
    code = (
        "import os, sys; from pathlib import Path; from aasnode.store.files import FileStore\n"
        "FileStore(Path(sys.argv[1])).write([b'film']); os.getppid()"
    )
    subprocess.run(
        ["strace", "-f", "-y", "-e", "trace=fsync,rename,getppid", "-o", trace]
        + [sys.executable, "-c", code, tmp_path / "inbox"],
        check=True,
    )
    calls = [line.split("(")[0].split()[-1] for line in trace.read_text().splitlines() if "(" in line]
    assert [call for call in calls if call in ("fsync", "rename", "getppid")][-4:] == [
        "fsync",
        "rename",
        "fsync",
        "getppid",
    ]
