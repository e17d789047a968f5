"""What is seen while the demo waits: bars on a terminal, elsewhere a line for each change. Always where talk goes."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Counts = Mapping[str, tuple[int, int | None]]
"""By what is counted: how many are done, and of how many; None while that is not known."""

Show = Callable[[Counts], None]


@contextlib.contextmanager
def busy(talk: Console, what: str) -> Iterator[None]:
    """Say what takes its time while it does, and how long it took."""
    started = time.monotonic()
    if talk.is_terminal:
        with talk.status(f"{what} …"):
            yield
    else:
        talk.print(f"  {what} …", highlight=False)
        yield
    talk.print(f"  {what}: {time.monotonic() - started:.0f} s", highlight=False)


@contextlib.contextmanager
def counting(talk: Console) -> Iterator[Show]:
    """Show counts as often as they are handed over."""
    if talk.is_terminal:
        with _bars(talk) as show:
            yield show
    else:
        yield _lines(talk)


@contextlib.contextmanager
def _bars(talk: Console) -> Iterator[Show]:
    """One bar for each count; they stay as they were at the end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=talk) as progress:
        tasks = {}

        def show(counts: Counts) -> None:
            for what, (done, total) in counts.items():
                if what not in tasks:
                    tasks[what] = progress.add_task(what, total=None)
                progress.update(tasks[what], completed=done, total=total)

        yield show


def _lines(talk: Console) -> Show:
    """A line when something changed, for a file or a pipe."""
    started, last = time.monotonic(), ""

    def show(counts: Counts) -> None:
        nonlocal last
        parts = [f"{what} {done}" + (f" of {total}" if total else "") for what, (done, total) in counts.items()]
        if (line := ", ".join(parts)) != last:
            last = line
            talk.print(f"  {time.monotonic() - started:4.0f} s  {line}", highlight=False, soft_wrap=True)

    return show
