"""What several folders of tests share, and is dear; and in which order they run."""

import os
from pathlib import Path

import pytest

from tests.wheel import build_wheel

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What learns takes longest, so it comes first: at the end no process waits for it. Between it and what else needs
    its library comes what needs none, so that two processes do not both build it.
    """
    items.sort(key=lambda item: _turn(item.path.relative_to(TESTS)))


def _turn(path: Path) -> int:
    if path.parts[0] != "training":
        return 3
    if path.name == "test_learns.py":
        return 0
    return 2 if path.parts[1] == "sampler" or path.name in ("test_legs.py", "test_model.py") else 1


def shared_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder that the processes of one run share, for what is written beside its name and renamed."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the checkout, built once."""
    return build_wheel(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel"))
