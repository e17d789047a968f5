"""The library is built once, goes on where it was stopped, and every item depends on nothing but its name."""

import os
from pathlib import Path

import numpy as np
import pytest
from skimage.draw import polygon2mask

from aasnode.errors import UnreadableError
from aasnode.training.plan import plans_of
from aasnode.training.request import ModelRequest
from aasnode.training.sampler.library import Item, Library, LibrarySize, build_item
from aasnode.training.sampler.surroundings import PIXEL_MM, SIDE_PX, Reach


@pytest.fixture
def own(library: Library, tmp_path: Path) -> Library:
    """A library of the test's own: other processes go on reading the shared one."""
    found = Library(library.size, tmp_path)
    found.folder.mkdir(parents=True)
    for item in library.items():
        for path in (library.maps_path(item), library.index_path(item)):
            os.link(path, found.folder / path.name)
    return found


def test_what_is_there_is_not_built_again(own: Library) -> None:
    before = {path: path.stat().st_mtime_ns for path in own.folder.iterdir()}
    own.build()
    build_item(own, Item(kind="c1", number=0))  # as if another process had been quicker
    assert {path: path.stat().st_mtime_ns for path in own.folder.iterdir()} == before
    assert own.missing() == []


def test_an_item_without_its_index_is_built_again_and_is_the_same(
    own: Library, library: Library, tmp_path: Path
) -> None:
    item = Item(kind="c1", number=1)
    own.index_path(item).unlink()  # as if it had been stopped between maps and index
    assert own.missing() == [item]
    plans_of(ModelRequest(out=tmp_path, work=tmp_path, size=own.size, cache=own.folder.parents[1]), None)
    assert own.missing() == []
    assert np.array_equal(own.maps(item), library.maps(item))
    assert own.index(item).keys() == library.index(item).keys()
    assert all(np.array_equal(value, library.index(item)[key]) for key, value in own.index(item).items())


def test_an_item_is_the_same_in_another_library(library: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    item = Item(kind="c1", number=0)
    other = Library(library.size, tmp_path_factory.mktemp("other"))
    other.folder.mkdir(parents=True)
    build_item(other, item)
    assert np.array_equal(other.maps(item), library.maps(item))
    assert {key: value.tolist() for key, value in other.index(item).items()} == {
        key: value.tolist() for key, value in library.index(item).items()
    }


def test_a_library_that_was_not_built_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(UnreadableError, match="build the library first"):
        Library(LibrarySize(bones=1), tmp_path_factory.mktemp("empty")).bones("c1")


@pytest.mark.parametrize(("name", "section"), [("c1", "anterior_arch"), ("c1", "posterior_arch"), ("c2", "core")])
def test_sections_lie_where_their_bone_is_dense(library: Library, name: str, section: str) -> None:
    for bone in library.bones(name):
        for maps, contour in zip(bone.maps, bone.sections[section], strict=True):
            inside = polygon2mask(maps.shape[1:], contour[:, ::-1])
            assert (maps[0] + maps[1].astype(int))[inside].astype(bool).mean() > 0.98


def test_the_two_bones_are_missing_where_they_stood(library: Library) -> None:
    """Bone of the spine lies below C2, none in the canal of C1: that C1 and C2 are left out."""
    for around in library.surroundings(Reach.NEIGHBOURHOOD):
        assert around.maps.shape == (6, SIDE_PX, SIDE_PX)
        spine = around.maps[0].astype(int) + around.maps[1]
        x, y = (np.add(around.frame.dens_end, around.frame.c2_inferior_centre) / 2 / around.pixel_mm).astype(int)
        assert spine[y, x] == 0
        assert spine.max() > 500
        assert around.pixel_mm == PIXEL_MM[Reach.NEIGHBOURHOOD]
