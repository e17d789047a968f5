"""A small library, built once for all tests of the sampler and all processes that run them."""

import pytest

from aasnode.training.sampler.library import Library, LibrarySize
from tests.conftest import shared_folder

SIZE = LibrarySize(bones=4, lacking=1, sides=2, necks=1, neighbourhoods=2, fields=2)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    found = Library(SIZE, shared_folder(tmp_path_factory, "library"))
    found.build()
    return found
