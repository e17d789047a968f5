"""The real node of the demo: ``aasnode serve`` in a process of its own, with a configuration written for it."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aasnode.config import Destination
from aasnode.demo.archive import AE_TITLE
from aasnode.errors import AasnodeError, PeerUnreachableError
from aasnode.network import scu

_NODE_TITLE = "AASNODE"
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_BETWEEN_LOOKS_SECONDS = 0.2

_CONFIG = """\
# Written by aasnode demo.
[node]
ae_title = "{title}"
host = "127.0.0.1"
port = {port}
data_dir = "{data_dir}"

[receiver]
allowed_calling_ae_titles = ["{archive_title}"]
disk_reserve_mb = 64

[report]
settle_seconds = 2.0

[model]
directory = "{model}"

[[delivery.destinations]]
name = "archive"
ae_title = "{archive_title}"
host = "127.0.0.1"
port = {archive_port}
"""


class DemoError(AasnodeError):
    """The demo could not be brought to its end."""


@dataclass(frozen=True, kw_only=True)
class RunningNode:
    """A node that answers."""

    process: subprocess.Popen[bytes]
    address: Destination  # where it listens, as the archive calls it
    config_file: Path
    data_dir: Path
    log_file: Path

    def require_running(self) -> None:
        """Raise DemoError when the process ended."""
        if self.process.poll() is not None:
            raise DemoError(f"the node ended with status {self.process.returncode}; its log is {self.log_file}")


@contextlib.contextmanager
def running_node(folder: Path, archive_port: int, model: Path | None) -> Iterator[RunningNode]:
    """Start the node with ``model``, else the shipped one; wait until it answers C-ECHO, and stop it at the end."""
    port = _free_port()
    config_file, log_file, data_dir = folder / "config.toml", folder / "node.log", folder / "node"
    text = _CONFIG.format(
        title=_NODE_TITLE,
        port=port,
        data_dir=data_dir.as_posix(),
        archive_title=AE_TITLE,
        archive_port=archive_port,
        model=model.absolute().as_posix() if model else "",
    )
    config_file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "aasnode", "serve", "--config", str(config_file)]
    with log_file.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        address = Destination(name="node", ae_title=_NODE_TITLE, host="127.0.0.1", port=port)
        node = RunningNode(
            process=process, address=address, config_file=config_file, data_dir=data_dir, log_file=log_file
        )
        try:
            _wait_until_it_answers(node)
            yield node
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_it_answers(node: RunningNode) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        node.require_running()
        try:
            return scu.echo(node.address, calling_ae_title=AE_TITLE, timeout_seconds=5)
        except PeerUnreachableError:
            time.sleep(_BETWEEN_LOOKS_SECONDS)
    raise DemoError(f"the node does not answer within {_START_SECONDS:.0f} s; its log is {node.log_file}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
