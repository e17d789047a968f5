"""Promises of the node as a whole; its journeys with a real archive are in tests/journeys."""

import contextlib
import io
import json
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pynetdicom import AE

from aasnode import log, node
from aasnode.child import ChildDiedError
from aasnode.config import Config, DeliverySection, NodeSection, ReceiverSection, ReportSection, RetentionSection
from aasnode.errors import ConfigurationError, ModelError
from aasnode.inference.detection import Detector
from aasnode.store import instances, objects
from aasnode.store.store import open_store
from tests import drawn_films
from tests.drawn_films import marked_film, uid
from tests.store.arrivals import arrive
from tests.waiting import eventually

# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def configuration(tmp_path: Path) -> Config:
    return replace(
        Config(),
        node=NodeSection(host="127.0.0.1", port=0, data_dir=tmp_path / "data"),
        receiver=ReceiverSection(disk_reserve_mb=0),
        report=ReportSection(settle_seconds=0.1, settle_cap_seconds=5.0),
        delivery=DeliverySection(shadow=True),
        retention=RetentionSection(janitor_seconds=0.2),
    )


def load_nothing() -> Detector:
    raise ModelError("the weights do not match their card; install the model again")


def load_and_be_ended() -> Detector:
    os._exit(11)


@contextlib.contextmanager
def no_file_more() -> Iterator[None]:
    """This process may open no further file meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as lowest:
        free = lowest.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """The log of this process, as ``serve`` writes it."""
    root, text = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    log.configure("info", text)
    yield text
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)


def test_a_film_goes_the_whole_way_and_the_log_tells_it_without_the_patient(
    tmp_path: Path, log_lines: io.StringIO
) -> None:
    config, film = configuration(tmp_path), marked_film()
    with node.running(config, load_detector=drawn_films.load) as port:
        entity = AE(ae_title="MODALITY")
        entity.add_requested_context(film.SOPClassUID, film.file_meta.TransferSyntaxUID)
        association = entity.associate("127.0.0.1", port, ae_title="AASNODE")
        assert association.send_c_store(film).Status == 0
        association.release()
        eventually(lambda: '"report_built"' in log_lines.getvalue(), "the report is built")
    with open_store(config.node.data_dir) as store, store.reading() as connection:
        assert objects.current_report(connection, uid("study", "visit-1")) is not None
    events = [json.loads(line)["event"] for line in log_lines.getvalue().splitlines()]
    wanted = ["analyser_ready", "node_ready", "association_accepted", "film_received", "film_analysed", "report_built"]
    assert [event for event in events if event in wanted] == wanted
    for identity in ("Doe", "P-0001", "19500101"):
        assert identity not in log_lines.getvalue()


def test_a_node_stops_when_it_is_told_to_and_says_so_last(tmp_path: Path, log_lines: io.StringIO) -> None:
    stop, ports = threading.Event(), []
    arguments = {"load_detector": drawn_films.load, "ready": ports.append, "stop": stop}
    thread = threading.Thread(target=node.serve, args=[configuration(tmp_path)], kwargs=arguments)
    thread.start()
    eventually(lambda: ports, "the node is ready")
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
    events = [json.loads(line)["event"] for line in log_lines.getvalue().splitlines()]
    assert events[-2:] == ["node_stopping", "node_stopped"]


def test_a_node_that_is_stopped_while_it_starts_makes_no_error_of_a_child_that_was_ended_with_it(
    tmp_path: Path, log_lines: io.StringIO
) -> None:
    stop = threading.Event()
    with pytest.raises(ChildDiedError, match="code 11"):
        node.serve(configuration(tmp_path), load_detector=load_and_be_ended, stop=stop)
    stop.set()
    node.serve(configuration(tmp_path), load_detector=load_and_be_ended, stop=stop)
    assert json.loads(log_lines.getvalue().splitlines()[-1])["event"] == "node_stopped"


def test_the_janitor_comes_by_while_the_node_runs(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    leftover = config.node.data_dir / "inbox" / "half.dcm.part"
    with node.running(config, load_detector=drawn_films.load):
        leftover.write_bytes(b"half a film")
        long_ago = time.time() - 2 * 3600
        os.utime(leftover, (long_ago, long_ago))
        eventually(lambda: not leftover.exists(), "the leftover is swept")


def test_a_node_looks_at_its_start_for_files_that_were_lost(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with open_store(config.node.data_dir) as store, store.writing() as connection:
        film = arrive(connection)
    with pytest.raises(ModelError):  # what comes before the model is enough
        node.running(config, load_detector=load_nothing).__enter__()
    with open_store(config.node.data_dir) as store, store.reading() as connection:
        assert instances.get(connection, film).file_name is None


def test_a_second_node_on_the_same_data_is_refused(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with node.running(config, load_detector=drawn_films.load), pytest.raises(ConfigurationError, match="another node"):
        node.running(config, load_detector=drawn_films.load).__enter__()


def test_a_folder_that_cannot_be_opened_for_want_of_something_else_is_no_wrong_setting(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    config.node.data_dir.mkdir()
    with (
        no_file_more(),
        pytest.raises(OSError, match="Too many open files"),
        node.running(config, load_detector=load_nothing),
    ):
        pass


def test_a_folder_in_which_the_store_cannot_be_made_is_told_by_its_setting(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    config.node.data_dir.mkdir()
    (config.node.data_dir / "objects").write_text("no folder")
    with pytest.raises(ConfigurationError, match=r"node\.data_dir: .*objects: File exists; name a folder"):
        node.running(config, load_detector=load_nothing).__enter__()


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_database_that_is_none_is_told_by_its_setting(tmp_path: Path, *, is_folder: bool) -> None:
    config = configuration(tmp_path)
    config.node.data_dir.mkdir()
    database = config.node.data_dir / "aasnode.db"
    database.mkdir() if is_folder else database.write_bytes(b"no database, but long enough to look like one" * 100)
    with pytest.raises(ConfigurationError, match=r"node\.data_dir: .*the database cannot be used: .*put a backup back"):
        node.running(config, load_detector=load_nothing).__enter__()


def test_a_port_that_is_taken_is_told_by_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = configuration(tmp_path)
        config = replace(config, node=replace(config.node, port=taken.getsockname()[1]))
        with pytest.raises(ConfigurationError, match=r"node\.port"):
            node.running(config, load_detector=drawn_films.load).__enter__()


def test_a_node_without_a_usable_model_takes_no_films(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="do not match"):
        node.running(configuration(tmp_path), load_detector=load_nothing).__enter__()


def test_a_service_whose_step_fails_is_told_and_goes_on(
    log_lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_AFTER_DEFECT_SECONDS", 0.0)
    stop, steps = threading.Event(), iter([KeyError("Doe"), None])

    def step() -> bool:
        error = next(steps)
        if error is not None:
            raise error
        stop.set()
        return False

    node._loop("reporter", step, stop)
    assert '"service_failed"' in log_lines.getvalue()
    assert "Doe" not in log_lines.getvalue()
