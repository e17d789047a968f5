"""A child process is ended by its deadline, is replaced after a crash, and hands errors over."""

import os
import signal
import threading
import traceback
from collections.abc import Callable
from functools import partial

import pytest

from aasnode.child import Child, ChildDiedError, DeadlineError
from aasnode.errors import ModelError, UnreadableError


def answer(request: str) -> str:
    if request == "hang":
        threading.Event().wait()
    if request == "crash":
        os._exit(11)
    if request == "unreadable":
        raise UnreadableError("no DICOM") from KeyError("DOE^JANE")
    return f"{request} by {os.getpid()}"


def prepare() -> Callable[[str], str]:
    return answer


def prepare_in_vain(message: str) -> Callable[[str], str]:
    raise ModelError(message)


class InterruptedOnArrival:
    """Ctrl-C while the child is being spawned: it is unpickled there before anything of ours runs."""

    def __call__(self) -> Callable[[str], str]:
        return answer

    def __reduce__(self) -> tuple[Callable[[], Callable[[], Callable[[str], str]]], tuple[()]]:
        return interrupted_on_arrival, ()


def interrupted_on_arrival() -> Callable[[], Callable[[str], str]]:
    os.kill(os.getpid(), signal.SIGINT)
    return prepare


def test_answers_come_from_one_process_that_is_kept() -> None:
    with Child(prepare) as child:
        first, second = child.ask("one", 20), child.ask("two", 20)
    assert first.split()[0] == "one"
    assert first.split()[-1] == second.split()[-1] != str(os.getpid())


def test_a_hanging_request_is_ended_by_its_deadline_and_the_next_is_answered_by_a_new_process() -> None:
    with Child(prepare) as child:
        before = child.ask("one", 20)
        with pytest.raises(DeadlineError, match=r"0\.2 s"):
            child.ask("hang", 0.2)
        after = child.ask("two", 20)
    assert before.split()[-1] != after.split()[-1]


def test_a_crash_is_told_with_its_exit_code_and_the_next_request_is_answered() -> None:
    with Child(prepare) as child:
        with pytest.raises(ChildDiedError, match="code 11"):
            child.ask("crash", 20)
        assert child.ask("two", 20).startswith("two")


def test_an_error_of_ours_is_raised_in_the_parent_and_the_child_lives_on() -> None:
    with Child(prepare) as child:
        before = child.ask("one", 20)
        with pytest.raises(UnreadableError, match="no DICOM") as told:
            child.ask("unreadable", 20)
        assert child.ask("one", 20) == before
    assert "DOE" not in "".join(traceback.format_exception(told.value)), "a library's text may quote the data set"


def test_a_child_that_cannot_be_prepared_says_why() -> None:
    with Child(partial(prepare_in_vain, "weights do not match card.toml")) as child:
        for _ in range(2):  # whenever it is asked
            with pytest.raises(ModelError, match="card"):
                child.ask("one", 20)


def test_ctrl_c_in_the_terminal_ends_no_request_that_is_under_way() -> None:
    with Child(prepare) as child:
        process = int(child.ask("one", 20).split()[-1])
        os.kill(process, signal.SIGINT)
        assert child.ask("two", 20) == f"two by {process}"


def test_ctrl_c_ends_no_child_that_is_being_spawned() -> None:
    with Child(InterruptedOnArrival()) as child:
        assert child.ask("one", 20).startswith("one")
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()), "the parent hears it again"


def test_ending_leaves_no_process_behind() -> None:
    child = Child(prepare)
    process = int(child.ask("one", 20).split()[-1])
    child.end()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
