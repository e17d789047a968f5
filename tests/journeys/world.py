"""A network of our own: what listens in it is reachable from nowhere else, so ports may be fixed.

The calling thread enters a new network namespace, and every process that it starts lives there too. Linux, and root;
or `unshare --map-root-user --mount` around the tests.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def private_network() -> Iterator[None]:
    """Only the loopback interface, and nobody else on it; fails loudly where that is not allowed."""
    with Path("/proc/thread-self/ns/net").open() as outside:
        _check(
            _LIBC.unshare(_CLONE_NEWNET), "a network namespace needs root: run the tests as root, or in `unshare -rm`"
        )
        try:
            _bring_loopback_up()
            yield
        finally:
            _check(_LIBC.setns(outside.fileno(), _CLONE_NEWNET), "leaving the network namespace")


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own, that fills up; ``mount`` needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def enlarge(folder: Path, megabytes: int) -> None:
    """Give a small disk more room."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", folder], check=True)


def _bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (_, flags) = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what} ({os.strerror(ctypes.get_errno())})")
