"""The demo from start to end: films, archive, node, C-STORE, waiting, and what came of it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console

from aasnode.demo.archive import Archive
from aasnode.demo.node import DemoError, RunningNode, running_node
from aasnode.demo.patient import films_of_the_patient
from aasnode.demo.progress import Counts, busy, counting
from aasnode.demo.show import show_films, show_returned
from aasnode.measurement import FilmStatus
from aasnode.store import history, jobs
from aasnode.store.results import StoredResult
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, open_store

_LIMIT_SECONDS = 600.0
_WIDTH_IN_A_FILE = 120  # columns, where stdout is no terminal
_BETWEEN_LOOKS_SECONDS = 0.25
_ENDED = (JobState.FINISHED, JobState.WITHDRAWN)


def run_demo(keep: Path | None, model: Path | None) -> None:
    """Run the whole journey in ``keep``, which must not exist, or in a new temporary folder, and print it.

    Raises:
        DemoError: the folder exists, the node did not start or did not finish, a job could not be done, or no film
            was measured.
    """
    folder = _folder(keep)
    talk, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else _WIDTH_IN_A_FILE)
    talk.print("[bold]1[/] A patient: two visits, a year apart; neutral, flexion, extension")
    films = films_of_the_patient(folder / "films", talk)
    talk.print("[bold]2[/] An archive and a node: [dim]aasnode serve[/]")
    with ExitStack() as stack:
        archive = stack.enter_context(closing(Archive(folder / "archive", films)))
        with busy(talk, "the node loads its model"):
            node = stack.enter_context(running_node(folder, archive.port, model))
        talk.print(f"[bold]3[/] C-STORE to port {node.address.port}, then waiting for what comes back")
        for film in films:
            archive.send(film, node.address)
        with open_store(node.data_dir) as store:
            _wait(store, node, len(films), talk)
            results = _results(store, films[0].patient_id)
    show_films(console, films, results)
    if not any(stored.film.status is FilmStatus.MEASURED for stored in results.values()):
        raise DemoError(f"the model measured none of the films; the log of the node is {node.log_file}")
    _show_history(console, films[0].patient_id, node)
    show_returned(console, archive.returned, folder)


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="aasnode-demo-"))
    if keep.exists():
        raise DemoError(f"{keep} exists; name a folder that does not")
    keep.mkdir(parents=True)
    return keep.absolute()


def _wait(store: Store, node: RunningNode, films: int, talk: Console) -> None:
    """Wait until every film is analysed, every report built, every object delivered."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    with counting(talk) as show:
        while time.monotonic() < deadline:
            node.require_running()
            with store.reading() as connection:
                counts = jobs.counts(connection)
            show(_progress(counts, films))
            if _all_ended(counts, films):
                return
            time.sleep(_BETWEEN_LOOKS_SECONDS)
    raise DemoError(f"not finished within {_LIMIT_SECONDS:.0f} s; the log of the node is {node.log_file}")


def _progress(counts: Mapping[tuple[JobKind, JobState], int], films: int) -> Counts:
    return {
        "films analysed": (counts.get((JobKind.ANALYSE, JobState.FINISHED), 0), films),
        "objects delivered": (
            counts.get((JobKind.DELIVER, JobState.FINISHED), 0),
            _of_kind(counts, JobKind.DELIVER) or None,
        ),
    }


def _all_ended(counts: Mapping[tuple[JobKind, JobState], int], films: int) -> bool:
    """Whether nothing is left to do. Raises DemoError when something never will be done."""
    dead = sum(count for (_, state), count in counts.items() if state is JobState.DEAD)
    if dead:
        raise DemoError(f"{dead} jobs could not be done: see aasnode jobs list --state dead")
    waiting = sum(count for (_, state), count in counts.items() if state not in _ENDED)
    return waiting == 0 and _of_kind(counts, JobKind.ANALYSE) == films


def _of_kind(counts: Mapping[tuple[JobKind, JobState], int], wanted: JobKind) -> int:
    return sum(count for (kind, _), count in counts.items() if kind is wanted)


def _results(store: Store, patient_id: str) -> dict[str, StoredResult]:
    """Results by SOP Instance UID."""
    with store.reading() as connection:
        courses = history.of_patient(connection, patient_id)
    return {stored.film.identity.sop_instance_uid: stored for course in courses for stored in course.results}


def _show_history(console: Console, patient_id: str, node: RunningNode) -> None:
    """The course, by the command that anyone can repeat."""
    arguments = ["history", "--patient-id", patient_id, "--config", str(node.config_file)]
    console.print(f"\n[dim]$ aasnode {' '.join(arguments)}[/]", soft_wrap=True)
    console.file.flush()
    subprocess.run([sys.executable, "-m", "aasnode", *arguments], check=True)
