"""The node: starts the services in their order and stops them, in one process and the analyser's child.

The services meet only in the store. Each has a ``step``; here is the one loop that calls it, and the one broad except.
"""

import contextlib
import errno
import fcntl
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DatabaseError

from aasnode import log
from aasnode.child import ChildDiedError
from aasnode.config import Config
from aasnode.errors import ConfigurationError, TransientError
from aasnode.network.scp import storage_scp
from aasnode.services import sender as sending
from aasnode.services.analyser.examination import DetectorFactory
from aasnode.services.analyser.service import Analyser
from aasnode.services.janitor import Janitor
from aasnode.services.receiver import Receiver
from aasnode.services.reporter.service import Reporter
from aasnode.services.sender import Sender
from aasnode.store.migrations import OtherSchemaError
from aasnode.store.store import Store, open_store

LOGGER = logging.getLogger(__name__)

_IDLE_SECONDS = 0.2  # between two looks at an empty queue
_AFTER_DEFECT_SECONDS = 5.0  # so that a defect which repeats fills no disk with its log
_STOP_SECONDS = 5.0
_NO_FOLDER_OF_OURS = (errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EPERM, errno.EROFS)
"""What the operating system says of a place where another folder would do."""

Step = Callable[[], bool]
"""Works off one job; False when none is due."""


def serve(
    config: Config,
    *,
    load_detector: DetectorFactory | None = None,
    ready: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run the node until SIGTERM, SIGINT or ``stop``.

    ``ready`` is called with the port once films are taken. ``load_detector`` None loads the configured model.

    Raises:
        ConfigurationError: the data folder cannot be made or written in, another node runs on it, a newer version of
            aasnode wrote its database, or the port cannot be listened on.
        ModelError: the model cannot be loaded.
    """
    stop = stop or threading.Event()
    with _stopped_by_signals(stop):
        try:
            with running(config, load_detector=load_detector) as port:
                if ready is not None:
                    ready(port)
                stop.wait()
                log.event(LOGGER, "node_stopping")
        except ChildDiedError:  # what stops the node may end the analyser's child too, while its model loads
            if not stop.is_set():
                raise
    log.event(LOGGER, "node_stopped")


@contextlib.contextmanager
def running(config: Config, *, load_detector: DetectorFactory | None = None) -> Iterator[int]:
    """A node that runs while the block does; gives the port on which it listens. Raises as ``serve``."""
    with contextlib.ExitStack() as stack:
        store = _open_store(stack, config)
        _start_janitor(stack, store, config)
        _start_analyser(stack, store, config, load_detector)
        reporter = Reporter(store, config)
        stack.callback(reporter.stop)
        _start_loop(stack, "reporter", reporter.step, reporter.interrupt)
        if not config.delivery.shadow:
            for destination in sending.destinations(config):
                _start_loop(stack, f"sender {destination.name}", Sender(store, config, destination).step)
        port = _listen(stack, store, config)
        log.event(LOGGER, "node_ready", port=port, ae_title=config.node.ae_title, shadow=config.delivery.shadow)
        yield port


def _open_store(stack: contextlib.ExitStack, config: Config) -> Store:
    """The store, in a data folder that this node alone holds."""
    try:
        stack.enter_context(_only_node_on(config.node.data_dir))
        return stack.enter_context(open_store(config.node.data_dir, disk_reserve_mb=config.receiver.disk_reserve_mb))
    except OtherSchemaError as error:
        raise ConfigurationError([f"node.data_dir: {error}"]) from error
    except DatabaseError as error:
        told = f"node.data_dir: {config.node.data_dir}: the database cannot be used: {error.orig}"
        raise ConfigurationError([f"{told}; look at its permissions, or put a backup back"]) from error
    except OSError as error:
        if error.errno not in _NO_FOLDER_OF_OURS:
            raise
        hint = "name a folder that this user may make and write in"
        raise ConfigurationError([f"node.data_dir: {error.filename}: {error.strerror}; {hint}"]) from error


def _start_janitor(stack: contextlib.ExitStack, store: Store, config: Config) -> None:
    names = [destination.name for destination in sending.destinations(config)]
    janitor = Janitor(store, config, destinations=names)
    janitor.forget_lost_files()
    log.event(LOGGER, "leftovers_swept", deleted=janitor.sweep_leftovers())
    ticker = BackgroundScheduler(timezone="UTC")
    seconds = config.retention.janitor_seconds
    ticker.add_job(_guarded("janitor", janitor.step), "interval", seconds=seconds, coalesce=True, max_instances=1)
    ticker.start()
    stack.callback(ticker.shutdown)


def _start_analyser(
    stack: contextlib.ExitStack, store: Store, config: Config, load_detector: DetectorFactory | None
) -> None:
    analyser = Analyser(store, config, load_detector=load_detector)
    analyser.start()
    stack.callback(analyser.stop)
    _start_loop(stack, "analyser", analyser.step, analyser.interrupt)


def _listen(stack: contextlib.ExitStack, store: Store, config: Config) -> int:
    try:
        receiver = Receiver(store, config)
        return stack.enter_context(storage_scp(config.node, config.receiver, receiver.on_store, receiver.has_room))
    except OSError as error:
        where = f"{config.node.host}:{config.node.port}"
        raise ConfigurationError([f"node.host, node.port: cannot listen on {where} ({error.strerror})"]) from error


def _start_loop(
    stack: contextlib.ExitStack, service: str, step: Step, interrupt: Callable[[], None] | None = None
) -> None:
    """A thread that calls ``step`` until the stack is left; ``interrupt`` then breaks off a step that takes long."""
    stop = threading.Event()
    thread = threading.Thread(target=_loop, args=(service, step, stop), name=service, daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(_STOP_SECONDS)
        if thread.is_alive() and interrupt is not None:
            interrupt()
            thread.join(_STOP_SECONDS)

    stack.callback(end)


def _loop(service: str, step: Step, stop: threading.Event) -> None:
    """Step while there is work, wait while there is none; no error ends the service."""
    while not stop.is_set():
        try:
            worked = step()
        except TransientError as error:
            log.event(LOGGER, "service_waits", level=logging.WARNING, service=service, reason=str(error))
            stop.wait(_AFTER_DEFECT_SECONDS)
        except Exception:  # noqa: BLE001  told, and the service goes on
            log.defect(LOGGER, "service_failed", service=service)
            stop.wait(_AFTER_DEFECT_SECONDS)
        else:
            if not worked:
                stop.wait(_IDLE_SECONDS)


def _guarded(service: str, step: Callable[[], None]) -> Callable[[], None]:
    """``step`` for the ticker: a round that fails is told, and the next one comes."""

    def tick() -> None:
        try:
            step()
        except Exception:  # noqa: BLE001  told, and the service goes on
            log.defect(LOGGER, "service_failed", service=service)

    return tick


@contextlib.contextmanager
def _only_node_on(data_dir: Path) -> Iterator[None]:
    """Hold the data folder: what another node left half-written would be swept away under it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "node.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError([f"node.data_dir: another node runs on {data_dir.absolute()}; stop it"]) from error
        yield


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``stop``; only the main thread may say so."""

    def on_signal(number: int, _: FrameType | None) -> None:
        log.event(LOGGER, "signal_received", signal=signal.Signals(number).name)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
