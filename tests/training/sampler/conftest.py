"""A small library, built once for all tests of the sampler."""

import pytest

from aasnode.training.sampler.library import Library, LibrarySize

SIZE = LibrarySize(bones=4, lacking=1, sides=2, necks=1, neighbourhoods=2, fields=2)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    found = Library(SIZE, tmp_path_factory.mktemp("cache"))
    found.build()
    return found
