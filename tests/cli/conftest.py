"""A node's store and the configuration file that leads to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aasnode.cli.main import main
from aasnode.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def config_file(tmp_path: Path, store: Store) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[node]\ndata_dir = "{tmp_path / "data"}"\ntime_zone = "Asia/Tokyo"\n')
    return path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aasnode(config_file: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on the store: exit status, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments, "--config", str(config_file)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
