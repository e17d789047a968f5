"""Real parts: an Orthanc, a node in processes of its own, films that go over the wire."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pydicom import Dataset
from pynetdicom import AE
from sqlalchemy import Connection, Engine

from aasnode.store import history, instances, jobs, objects, results
from aasnode.store.engine import open_engine, reading
from aasnode.store.instances import Instance
from aasnode.store.jobs import Job
from aasnode.store.objects import Report
from aasnode.store.results import StoredResult
from aasnode.store.schema import Arrival, JobKind, JobState
from tests import drawn_films
from tests.journeys.pacs import Orthanc, documented_rule
from tests.journeys.world import private_network
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PORT = 11112

_CONFIG = """
[node]
host = "127.0.0.1"
port = 11112
data_dir = "{data_dir}"
[receiver]
disk_reserve_mb = {disk_reserve_mb}
[analyser]
deadline_seconds = {deadline_seconds}
lease_seconds = 2.0
attempts = 2
retry_delay_seconds = 0.2
[report]
settle_seconds = 1.0
settle_cap_seconds = 10.0
[delivery]
shadow = {shadow}
timeout_seconds = 5.0
retry_delay_seconds = 0.5
retry_delay_cap_seconds = 1.0
[[delivery.destinations]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = 4242
[retention]
janitor_seconds = 1.0
"""


def configuration(data_dir: Path, **settings: object) -> str:
    """A node's config.toml: a destination ``pacs``, and short times."""
    values = {"disk_reserve_mb": 0, "deadline_seconds": 60.0, "shadow": "false"} | settings
    return _CONFIG.format(data_dir=data_dir, **values)


class RunningNode:
    """A node in a process of its own, and a look into its store from outside."""

    def __init__(self, folder: Path, data_dir: Path, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.seen = folder / "seen"
        self._config = folder / "config.toml"
        self._config.write_text(configuration(data_dir, **settings))
        self._log = folder / "node.log"
        self._engine: Engine | None = None
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.journeys.marked_node", self._config]
        environment = os.environ | {drawn_films.SEEN: str(self.seen)}
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("READY"), self.log()

    def stop(self) -> int:
        """SIGTERM; gives the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self._end()

    def kill(self) -> None:
        """SIGKILL to the node and whatever it started: the power goes."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        self._end()

    def kill_analyser(self) -> None:
        """SIGKILL to the process that examines films."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children():
            if "spawn_main" in " ".join(child.cmdline()):
                os.kill(child.pid, signal.SIGKILL)

    def log(self) -> str:
        return self._log.read_text()

    def jobs(self, kind: JobKind, state: JobState | None = None) -> list[Job]:
        with self._look() as connection:
            return list(jobs.list_jobs(connection, kind=kind, state=state))

    def is_idle(self) -> bool:
        """Whether nothing is pending or under way."""
        with self._look() as connection:
            counts = jobs.counts(connection)
        return not any(counts.get((kind, state)) for kind in JobKind for state in (JobState.PENDING, JobState.CLAIMED))

    def results(self, study: str) -> list[StoredResult]:
        with self._look() as connection:
            return list(results.of_study(connection, drawn_films.uid("study", study)))

    def versions(self, study: str) -> list[Report]:
        with self._look() as connection:
            return list(objects.list_reports(connection, drawn_films.uid("study", study)))

    def arrivals(self, state: Arrival) -> list[Instance]:
        with self._look() as connection:
            return list(instances.list_in_state(connection, state))

    def revisions(self) -> list[instances.Revision]:
        with self._look() as connection:
            return list(instances.list_revisions(connection))

    def courses(self, patient_id: str) -> tuple[history.Course, ...]:
        with self._look() as connection:
            return history.of_patient(connection, patient_id)

    def _look(self) -> contextlib.AbstractContextManager[Connection]:
        """A look into the database beside the node that writes it."""
        if self._engine is None:
            self._engine = open_engine(self.data_dir / "aasnode.db")
        return reading(self._engine)

    def close(self) -> None:
        """Stop looking."""
        if self._engine is not None:
            self._engine.dispose()

    def _end(self) -> int:
        assert self.process is not None
        status = self.process.wait(60)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


StartNode = Callable[..., RunningNode]


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    with private_network():
        yield


@pytest.fixture(scope="module")
def orthanc(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """With the routing rule of the documentation."""
    archive = Orthanc(tmp_path_factory.mktemp("pacs") / "orthanc", documented_rule())
    archive.start()
    yield archive
    archive.stop()


@pytest.fixture
def start_node(network: None, tmp_path: Path) -> Iterator[StartNode]:
    """Starts the node of this test, with settings of its own."""
    started: list[RunningNode] = []

    def start(data_dir: Path | None = None, **settings: object) -> RunningNode:
        folder = tmp_path / f"node-{len(started)}"
        started.append(RunningNode(folder, data_dir or folder / "data", **settings))
        started[-1].start()
        return started[-1]

    yield start
    for node in started:
        if node.process is not None and node.process.poll() is None:
            node.kill()
        node.close()


def send(*films: Dataset, port: int = PORT, ae_title: str = "AASNODE") -> list[int]:
    """C-STORE of films over one association of a stock client; the statuses (-1 where there was no answer)."""
    entity = AE(ae_title="MODALITY")
    for film in films:
        entity.add_requested_context(film.SOPClassUID, film.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port, ae_title=ae_title)
    assert association.is_established
    statuses = [int(association.send_c_store(film).get("Status", -1)) for film in films]
    association.release()
    return statuses


def send_to_pacs(tmp_path: Path, *films: Dataset) -> None:
    """What a modality does: DCMTK's storescu to the archive."""
    folder = tmp_path / "modality"
    folder.mkdir(exist_ok=True)
    for number, film in enumerate(films):
        film.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    subprocess.run(
        ["storescu", "-aet", "MODALITY", "-aec", "PACS", "127.0.0.1", "4242", *sorted(folder.iterdir())],
        check=True,
        timeout=60,
    )
    for path in folder.iterdir():
        path.unlink()


def all_done(node: RunningNode, what: str = "the node has nothing left to do") -> None:
    eventually(node.is_idle, what)
