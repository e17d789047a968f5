"""One child process that does one thing at a time, is ended by a deadline when it hangs, and replaced when it crashes.

A decoder in C that never returns cannot be interrupted from within Python; a process can. The next request starts a new
child. Knows neither films nor jobs.
"""

import contextlib
import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from aasnode.errors import AasnodeError

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy threads and locks of torch and of the log
_GRACE_SECONDS = 5.0
PREPARE_SECONDS = 120.0
"""Time that preparing may take."""


class DeadlineError(AasnodeError):
    """The child did not answer in time and was ended."""


class ChildDiedError(AasnodeError):
    """The child ended before it answered: it crashed, or the system killed it."""


class DefectError(AasnodeError):
    """A defect of ours showed on a film; told by its type and place, since its text may quote the data set."""


@contextlib.contextmanager
def no_quoted_data() -> Iterator[None]:
    """Around what a child does with one film: no warning or error gets out that quotes a data set.

    Raises DefectError for any error that is not an AasnodeError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings quote values
            yield
    except AasnodeError:
        raise
    except Exception as error:  # noqa: BLE001  the one broad except of these processes
        raise DefectError(_place_of(error)) from None


class Child(Generic[RequestT, AnswerT]):
    """A process that is prepared once and then answers one request after another.

    ``prepare`` runs in the child, once, and returns the function that answers; it must be importable by name
    (a module-level function, or a ``functools.partial`` of one). The child starts with the first request, and again
    after it was ended; preparing has a limit of its own, so that loading a model is not charged to the first film.
    """

    def __init__(
        self, prepare: Callable[[], Callable[[RequestT], AnswerT]], *, prepare_seconds: float = PREPARE_SECONDS
    ) -> None:
        self._prepare = prepare
        self._prepare_seconds = prepare_seconds
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def start(self) -> Connection:
        """Start and prepare it, unless it runs; raises DeadlineError, ChildDiedError, or what ``prepare`` raised."""
        if self._process is not None and not self._process.is_alive():
            self.end()  # it died while it was idle
        return self._connection or self._start()

    def ask(self, request: RequestT, deadline_seconds: float) -> AnswerT:
        """The answer to one request.

        Raises DeadlineError or ChildDiedError; an AasnodeError that the answering function raised is raised here.
        """
        connection = self.start()
        try:
            connection.send(request)
        except (BrokenPipeError, ConnectionResetError) as error:  # it died a moment ago
            raise self._died() from error
        answer: AnswerT = self._receive(connection, deadline_seconds)
        return answer

    def end(self) -> None:
        """End the child if it runs; it may be asked again afterwards."""
        if self._connection is not None:
            self._connection.close()  # an idle child sees the end of its requests and leaves
        if self._process is not None:
            self._process.join(0.2)
            self._kill(self._process)
        self._process = self._connection = None

    def interrupt(self) -> None:
        """Break off, from another thread, the request that is under way: its ``ask`` raises ChildDiedError."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError):  # it ended by itself a moment ago
                process.kill()

    def _start(self) -> Connection:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(theirs, self._prepare), daemon=True)
        with _deaf_to_ctrl_c():
            process.start()
        theirs.close()
        self._process, self._connection = process, ours
        try:
            self._receive(ours, self._prepare_seconds)
        except AasnodeError:
            self.end()
            raise
        return ours

    def _receive(self, connection: Connection, seconds: float) -> AnswerT:
        try:
            if not connection.poll(seconds):
                self.end()
                raise DeadlineError(f"no answer within {seconds:g} s; the process was ended")
            answer = connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._died() from error
        if isinstance(answer, AasnodeError):
            raise answer
        value: AnswerT = answer
        return value

    def _died(self) -> ChildDiedError:
        process = self._process
        if process is not None:
            process.join(_GRACE_SECONDS)
        code = process.exitcode if process is not None else None
        self.end()
        return ChildDiedError(f"the process ended with code {code} before it answered")

    @staticmethod
    def _kill(process: multiprocessing.process.BaseProcess) -> None:
        if process.is_alive():
            process.kill()
        process.join(_GRACE_SECONDS)
        with contextlib.suppress(ValueError):  # still a zombie of the kernel: nothing more can be done
            process.close()


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started within never hears SIGINT, from its first instruction on: a mask of signals is inherited.

    Ctrl-C reaches every process of the terminal; when the child ends is for its parent to say. The parent loses none:
    what arrives meanwhile waits, or another thread takes it.
    """
    resource_tracker.ensure_running()  # the first start would start it as well, which unblocks SIGINT (Python 3.11)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, prepare: Callable[[], Callable[[RequestT], AnswerT]]) -> None:
    """Life of the child: prepare, say so, answer until the parent hangs up."""
    try:
        answer = prepare()
        connection.send(None)
        while True:
            connection.send(_answer(answer, connection.recv()))
    except AasnodeError as error:  # preparing failed, for instance a model that does not match its card
        connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _answer(answer: Callable[[RequestT], AnswerT], request: RequestT) -> AnswerT | AasnodeError:
    try:
        return answer(request)
    except AasnodeError as error:
        return error


def _place_of(error: Exception) -> str:
    """Type and place of an exception that nobody expected."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "unknown place" if frame is None else f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
    return f"{type(error).__name__} at {place}"
