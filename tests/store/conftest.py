"""A real store in an empty folder, and a clock that only tests turn."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aasnode.store.store import Store, open_store

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data") as opened:
        yield opened
