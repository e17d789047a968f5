"""The services of one node without its loops: every step is taken by the test, and the clock turned by it."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from sqlalchemy import event

from aasnode.config import AnalyserSection, Config, DeliverySection, Destination, NodeSection
from aasnode.network.scp import IncomingInstance
from aasnode.network.status import Status
from aasnode.services.analyser.examination import Examiner
from aasnode.services.analyser.service import Analyser
from aasnode.services.janitor import Janitor
from aasnode.services.receiver import Receiver
from aasnode.services.reporter import drawing
from aasnode.services.reporter.service import Reporter
from aasnode.services.sender import Sender, destinations
from aasnode.store import engine, jobs
from aasnode.store.jobs import Job
from aasnode.store.schema import JobKind, JobState
from aasnode.store.store import Store, open_store
from tests import drawn_films

NOBODY = Destination(name="pacs", ae_title="PACS", host="127.0.0.1", port=1)


class Here:
    """In place of a child process: it is asked where a test can look on, and no process has to start."""

    def __init__(self, answer: Callable[[Any], object]) -> None:
        self._answer = answer

    def start(self) -> None: ...

    def ask(self, request: object, _: float) -> object:
        return self._answer(request)

    def end(self) -> None: ...


class Node:
    """One node, stepped by hand. Its processes are those of tests/services/test_analyser.py and tests/test_node.py."""

    def __init__(self, store: Store, config: Config, *, examined_here: bool) -> None:
        self.store, self.config = store, config
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.receiver = Receiver(store, config, clock=self.clock)
        self.analyser = Analyser(store, config, load_detector=drawn_films.load, clock=self.clock)
        self.reporter = Reporter(store, config, clock=self.clock)
        if examined_here:
            self.analyser._child = Here(Examiner(drawn_films.load(), config).examine)  # type: ignore[assignment]
        self.reporter._child = Here(partial(drawing.draw, config.pixels))  # type: ignore[assignment]
        self.senders = [Sender(store, config, one, clock=self.clock) for one in destinations(config)]
        names = [one.name for one in destinations(config)]
        self.janitor = Janitor(store, config, destinations=names, clock=self.clock)

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Turn the clock."""
        self.now += timedelta(seconds=seconds)

    def receive(self, dataset: Dataset, *, uid: str | None = None, calling: str = "MODALITY") -> Status:
        """Hand over one film as the SCP does."""
        buffer = BytesIO()
        dataset.save_as(buffer, implicit_vr=False, little_endian=True)
        with buffer.getbuffer() as data_set:
            incoming = IncomingInstance(
                sop_class_uid=dataset.SOPClassUID,
                sop_instance_uid=uid or dataset.SOPInstanceUID,
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                calling_ae_title=calling,
                data_set=data_set,
            )
            return self.receiver.on_store(incoming)

    def analyse(self, *films: Dataset) -> None:
        """Receive films and examine them all."""
        for film in films:
            assert self.receive(film) is Status.SUCCESS
        while self.analyser.step():
            pass

    def report(self, *films: Dataset) -> None:
        """Receive, examine, wait until the study is quiet, report."""
        self.analyse(*films)
        self.wait(self.config.report.settle_cap_seconds)
        while self.reporter.step():
            pass

    def claim_delivery(self, destination: str = NOBODY.name) -> Job | None:
        """As a sender that ends before it did anything."""
        lease = timedelta(seconds=30)
        with self.store.writing() as connection:
            return jobs.claim(
                connection, JobKind.DELIVER, owner="gone", now=self.now, lease=lease, destination=destination
            )

    def jobs(self, kind: JobKind, state: JobState | None = None) -> list[Job]:
        """Oldest first."""
        with self.store.reading() as connection:
            return list(reversed(jobs.list_jobs(connection, kind=kind, state=state)))


def limit_pages(store: Store, pages: int) -> None:
    """A database that may not grow beyond ``pages`` (1: not at all), as on a full disk."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}").close()

    store.engine.dispose()
    event.listen(store.engine, "connect", limit)


def hold_database(node: Node) -> sqlite3.Connection:
    """Another process that writes and does not end, until the connection is closed."""
    other = sqlite3.connect(node.config.node.data_dir / "aasnode.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE").close()
    return other


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that does not wait for a busy database; to be used before the node is made."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.01)


MakeNode = Callable[..., Node]


@pytest.fixture
def examined_here() -> bool:
    """Whether films are examined in the process of the test."""
    return True


@pytest.fixture
def make_node(tmp_path: Path, examined_here: bool) -> Iterator[MakeNode]:
    """Makes a node with the given settings of delivery and sections."""
    with open_store(tmp_path / "data") as store:
        nodes: list[Node] = []

        def make(*places: Destination, shadow: bool = False, **sections: object) -> Node:
            config = replace(
                Config(),
                node=NodeSection(host="127.0.0.1", port=0, data_dir=tmp_path / "data"),
                analyser=AnalyserSection(deadline_seconds=20.0, attempts=2, retry_delay_seconds=1.0),
                delivery=DeliverySection(destinations=places, shadow=shadow, timeout_seconds=10.0, attempts=3),
            )
            nodes.append(Node(store, replace(config, **sections), examined_here=examined_here))
            return nodes[-1]

        yield make
        for one in nodes:
            one.analyser.stop()


@pytest.fixture
def node(make_node: MakeNode) -> Node:
    """A node with one destination where nobody listens."""
    return make_node(NOBODY)
