"""The library: projected bones and surroundings in a cache folder, built by many workers, read as memory maps.

An item depends on its kind, its number and the sources that shape it alone, never on who builds it or when. Files are
written beside their name and renamed, the index last: what was begun is built again, what is there is kept.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aasnode.errors import UnreadableError
from aasnode.training.sampler.projected import KINDS, LAYERS, ProjectedBone, draw_bone, project_bone
from aasnode.training.sampler.surroundings import PIXEL_MM, Frame, Reach, Surroundings, draw_surroundings
from aasnode.training.simulate.bank import Bank, default_cache
from aasnode.training.simulate.bank import version as bank_version
from aasnode.training.sources import digest

_SEED = 20261124
Index = Mapping[str, npt.NDArray[np.float64]]
"""Sections, points and frames of an item, by name."""
_OF_SIMULATOR = ("articulation", "atlantoaxial", "landmarks", "materials", "meshes", "patient", "posture", "priors",
                 "projection", "scene", "soft_tissue", "solids")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LibrarySize:
    """How many of each; the whole takes about 3 GB of disk and forty minutes of one core."""

    bones: int = 240  # C1, and as many C2
    lacking: int = 48  # bones of each kind that lacks a part
    sides: int = 8  # of each bone
    necks: int = 32  # different bones of a kind that surroundings are made of
    neighbourhoods: int = 600
    fields: int = 400


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to build."""

    kind: str  # of bone (KINDS) or a Reach
    number: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.kind}-{self.number:04d}"


class Library:
    """What is in the cache folder, in order; nothing is read until it is asked for."""

    def __init__(self, size: LibrarySize | None = None, cache: Path | None = None) -> None:
        self.size = size or LibrarySize()
        self._root = cache or default_cache().parent
        self.folder = self._root / "sampler" / f"{version()}-{self.size.sides}-{self.size.necks}"

    @property
    def bank(self) -> Bank:
        """The simulator's bones that the surroundings are made of."""
        return Bank(self._root / "bones", self.size.necks)

    def bones(self, name: str) -> Sequence[ProjectedBone]:
        """All of one of ``KINDS``. Raises UnreadableError where one is missing."""
        return self._bones[name]

    def surroundings(self, reach: Reach) -> Sequence[Surroundings]:
        """All of that reach. Raises UnreadableError where one is missing."""
        return self._surroundings[reach]

    @cached_property
    def _bones(self) -> Mapping[str, Sequence[ProjectedBone]]:
        return {kind: _Shelf(self, self._items(kind, count), _as_bone) for kind, count in self._bone_counts().items()}

    @cached_property
    def _surroundings(self) -> Mapping[Reach, Sequence[Surroundings]]:
        return {reach: _Shelf(self, self._items(reach, n), _as_surroundings) for reach, n in self._counts().items()}

    def _bone_counts(self) -> Mapping[str, int]:
        return {kind: self.size.bones if kind in LAYERS else self.size.lacking for kind in KINDS}

    def _counts(self) -> Mapping[Reach, int]:
        return {Reach.NEIGHBOURHOOD: self.size.neighbourhoods, Reach.FIELD: self.size.fields}

    def _items(self, kind: str, count: int) -> list[Item]:
        return [Item(kind=str(kind), number=number) for number in range(count)]

    def items(self) -> list[Item]:
        """Everything that belongs in."""
        bones = [item for kind, count in self._bone_counts().items() for item in self._items(kind, count)]
        return bones + [item for reach, count in self._counts().items() for item in self._items(reach, count)]

    def missing(self) -> list[Item]:
        """What is not yet built."""
        return [item for item in self.items() if not self.index_path(item).exists()]

    def maps_path(self, item: Item) -> Path:
        """The item's maps."""
        return self.folder / f"{item.name}.npy"

    def index_path(self, item: Item) -> Path:
        """The item's sections, points and frame; written last."""
        return self.folder / f"{item.name}.npz"

    def build(self, *, workers: int = 1, progress: bool = False) -> None:
        """Build what is missing."""
        items = self.missing()
        self.folder.mkdir(parents=True, exist_ok=True)
        with _bar(progress, len(items)) as done:
            for _ in _built(partial(build_item, self), items, workers):
                done()

    def index(self, item: Item) -> Index:
        """What the index file holds. Raises UnreadableError."""
        try:
            with np.load(self.index_path(item)) as data:
                return {key: data[key] for key in data.files}
        except (OSError, ValueError) as error:
            raise UnreadableError(f"{self.index_path(item)}: {error}; build the library first") from error

    def maps(self, item: Item) -> npt.NDArray[np.uint16]:
        """A memory map of the item's maps."""
        return np.asarray(np.lib.format.open_memmap(self.maps_path(item), mode="r"))


def _as_bone(_: Item, maps: npt.NDArray[np.uint16], index: Index) -> ProjectedBone:
    return ProjectedBone(maps=maps, sections=_under("section.", index), points=_under("point.", index))


def _as_surroundings(item: Item, maps: npt.NDArray[np.uint16], index: Index) -> Surroundings:
    frame = Frame(**{name: (float(at[0]), float(at[1])) for name, at in index.items()})
    return Surroundings(maps=maps, pixel_mm=PIXEL_MM[Reach(item.kind)], frame=frame)


def _under(prefix: str, index: Index) -> Index:
    return {key.removeprefix(prefix): value for key, value in index.items() if key.startswith(prefix)}


_T_co = TypeVar("_T_co", covariant=True)


class _Shelf(Sequence[_T_co]):
    """Items whose maps are opened when they are asked for: more files than a process may hold open."""

    def __init__(
        self, library: Library, items: list[Item], make: Callable[[Item, npt.NDArray[np.uint16], Index], _T_co]
    ) -> None:
        self._library, self._items, self._make = library, items, make
        self._indices = [library.index(item) for item in items]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> _T_co:  # type: ignore[override]  # no slices
        item = self._items[number]
        return self._make(item, self._library.maps(item), self._indices[number])


def _built(build: Callable[[Item], None], items: list[Item], workers: int) -> Iterator[None]:
    if workers == 1:
        yield from map(build, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        yield from pool.map(build, items, chunksize=2)


def _one_thread() -> None:
    cv2.setNumThreads(1)


_banks: dict[Path, Bank] = {}  # one a process


def build_item(library: Library, item: Item) -> None:
    """Build and keep one item, the same for the same item and sources. One that another process has kept since the
    list was made is not built; two that build it at once keep the same.
    """
    if library.index_path(item).exists():
        return
    kinds = list(dict.fromkeys([*LAYERS, *(str(reach) for reach in Reach), *KINDS]))
    rng = np.random.default_rng(np.random.SeedSequence([_SEED, kinds.index(item.kind), item.number]))
    if item.kind in KINDS:
        bone = project_bone(item.kind, draw_bone(item.kind, rng), library.size.sides, rng)
        sections = {f"section.{key}": value for key, value in bone.sections.items()}
        points = {f"point.{key}": value for key, value in bone.points.items()}
        _keep(library, item, bone.maps, sections | points)
        return
    bank = _banks.setdefault(library.folder, library.bank)
    around = draw_surroundings(Reach(item.kind), bank, rng)
    _keep(library, item, around.maps, {key: np.array(value) for key, value in asdict(around.frame).items()})


def _keep(library: Library, item: Item, maps: npt.NDArray[np.uint16], index: Index) -> None:
    """Maps first, index last; each under its name only when whole."""
    maps_path, index_path = library.maps_path(item), library.index_path(item)
    for path in (maps_path, index_path):
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with part.open("wb") as file:
            if path is maps_path:
                np.save(file, maps)
            else:
                np.savez(file, **index)  # type: ignore[arg-type]  # numpy's stubs take every keyword for allow_pickle
        part.replace(path)


def version() -> str:
    """Changes when a source that shapes the items changes, so that a stale cache is never read."""
    here, simulator = Path(__file__).parent, Path(__file__).parents[1] / "simulate"
    sources = [here / "projected.py", here / "surroundings.py", *sorted((simulator / "bones").glob("*.py"))]
    sources += [simulator / f"{name}.py" for name in _OF_SIMULATOR]
    return digest(sources, f"{_SEED} {bank_version()}")


@contextmanager
def _bar(shown: bool, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("library"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("items", total=total)
        yield lambda: progress.advance(task)
