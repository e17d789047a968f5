"""Waiting for what other processes do: as short as possible, and never for ever."""

import threading
import time
from collections.abc import Callable

_PAUSE = threading.Event()


def eventually(holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Return as soon as ``holds()`` is true; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        _PAUSE.wait(0.05)


def for_a_while(holds: Callable[[], object], what: str, seconds: float = 3.0) -> None:
    """Fail as soon as ``holds()`` is not true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert holds(), f"did not stay: {what}"
        _PAUSE.wait(0.1)
