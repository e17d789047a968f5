"""Bones and a small library, built once for all tests of the training and all processes that run them."""

from pathlib import Path

import pytest

from aasnode.training.sampler.library import Library, LibrarySize
from tests.conftest import shared_folder

SIZE = LibrarySize(bones=4, lacking=1, sides=2, necks=1, neighbourhoods=2, fields=2)


@pytest.fixture(scope="session")
def training_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the simulator and the sampler keep."""
    return shared_folder(tmp_path_factory, "training")


@pytest.fixture(scope="session")
def library(training_cache: Path) -> Library:
    found = Library(SIZE, training_cache)
    found.build()
    return found
