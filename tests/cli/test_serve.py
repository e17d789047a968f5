"""``aasnode serve`` that cannot start or is interrupted: what it says and its exit status, in a process of its own."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from aasnode.config import Config
from tests.cli.conftest import Command
from tests.waiting import eventually


def serve(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    config = folder / "config.toml"
    config.write_text("\n".join(['[node]\ndata_dir = "data"\nhost = "127.0.0.1"', *lines]))
    command = [sys.executable, "-m", "aasnode", "serve", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def last_words(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What stderr says to people, behind the log."""
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if not line.startswith("{")]


def test_a_second_node_on_the_same_data_is_told_as_that_and_not_as_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with (tmp_path / "data" / "node.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = serve(tmp_path)
    heading, problem = last_words(done)
    assert (done.returncode, heading) == (1, "The node cannot start:")
    assert "another node" in problem


def test_a_port_that_is_taken_is_told_as_that_and_not_as_a_wrong_configuration(
    tmp_path: Path, untrained_model: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port, model = taken.getsockname()[1], f'[model]\ndirectory = "{untrained_model}"\ndevice = "cpu"'
        done = serve(tmp_path, f"port = {port}", model)
    heading, problem = last_words(done)
    assert (done.returncode, heading) == (1, "The node cannot start:")
    assert str(port) in problem


def test_a_folder_that_cannot_be_written_is_told_by_its_setting(tmp_path: Path) -> None:
    lock = tmp_path / "data" / "node.lock"
    lock.mkdir(parents=True)  # no user can open this for writing, not even root
    done = serve(tmp_path)
    heading, problem = last_words(done)
    assert (done.returncode, heading) == (1, "The node cannot start:")
    assert problem.startswith(f"  node.data_dir: {lock}: ")


def test_a_file_where_the_folder_should_be_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    done = serve(tmp_path)
    _, problem = last_words(done)
    assert done.returncode == 1
    assert problem.startswith(f"  node.data_dir: {tmp_path / 'data'}: ")
    assert problem.endswith("; name a folder that this user may make and write in")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_what_goes_wrong_after_the_start_is_not_told_as_a_start(
    number: int, aasnode: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = str(tmp_path / "data" / "inbox" / "film.dcm")

    def served_for_days(_: Config) -> None:
        raise OSError(number, os.strerror(number), film)

    monkeypatch.setattr("aasnode.log.configure", lambda _: None)
    monkeypatch.setattr("aasnode.node.serve", served_for_days)
    assert aasnode("serve") == (1, "", f"aasnode serve: {film}: {os.strerror(number)}\n")


def test_a_model_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    done = serve(tmp_path, '[model]\ndirectory = "none"\ndevice = "cpu"')
    heading, problem = last_words(done)
    assert (done.returncode, heading) == (1, "The model cannot be used:")
    assert str(tmp_path / "none") in problem


def test_a_wrong_configuration_is_exit_2_so_that_nobody_starts_it_again(tmp_path: Path) -> None:
    done = serve(tmp_path, "port = 0")
    heading, problem = last_words(done)
    assert done.returncode == 2
    assert heading == f"The configuration has problems ({tmp_path / 'config.toml'}):"
    assert "node.port" in problem


def test_ctrl_c_while_the_model_loads_is_a_stop_and_no_error(tmp_path: Path, untrained_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "config.toml"
    config.write_text(
        f'[node]\ndata_dir = "data"\nhost = "127.0.0.1"\nport = {port}\n'
        f'[model]\ndirectory = "{untrained_model}"\ndevice = "cpu"\n'
    )
    command = [sys.executable, "-m", "aasnode", "serve", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        node = psutil.Process(process.pid)
        eventually(
            lambda: any("spawn_main" in " ".join(child.cmdline()) for child in node.children()), "the child is there"
        )
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    events = [json.loads(line)["event"] for line in said.splitlines()]  # nothing but the log, no traceback
    assert events[-2:] == ["node_stopping", "node_stopped"]
    assert "signal_received" in events
