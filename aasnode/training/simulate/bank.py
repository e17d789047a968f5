"""The bank of bones: each is built once from its own seed, kept in a cache folder, and read back in milliseconds.

A bone depends on its edition, kind and number alone, never on who asks first or how many workers there are. Files are
written beside their name and renamed, so workers may build at the same time. Only bones that are asked for are built.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aasnode.training.simulate.bones.c1 import build_c1, draw_c1_shape
from aasnode.training.simulate.bones.c1_posterior_arch import PosteriorArch
from aasnode.training.simulate.bones.c2 import DensVariant, build_c2, draw_c2_shape
from aasnode.training.simulate.bones.mandible import build_mandible
from aasnode.training.simulate.bones.skull import build_skull, draw_skull_shape
from aasnode.training.simulate.bones.subaxial import LEVELS, build_vertebra, draw_vertebrae
from aasnode.training.simulate.meshes import Bone, Material, Shell
from aasnode.training.simulate.patient import Patient, Variant
from aasnode.training.sources import digest

_SEED = 20261123
FIRST_EDITION = 0  # of the bank; another one has other bones. Added to the seed, so 1 would be the sampler's own
_IN_MEMORY = 48  # sets of bones a worker keeps, about 5 MB each


class BoneKind(StrEnum):
    """What a set of bones holds."""

    C1 = "c1"
    C1_OPEN = "c1_open"
    C1_MISSING = "c1_missing"
    C2 = "c2"
    C2_ERODED = "c2_eroded"
    C2_OS_ODONTOIDEUM = "c2_os_odontoideum"
    C2_DESTROYED = "c2_destroyed"
    SUBAXIAL = "subaxial"  # C3 to T1
    SUBAXIAL_WORN = "subaxial_worn"
    SKULL = "skull"  # with the mandible


COUNTS: Mapping[BoneKind, int] = {
    BoneKind.C1: 200,
    BoneKind.C1_OPEN: 24,
    BoneKind.C1_MISSING: 8,
    BoneKind.C2: 200,
    BoneKind.C2_ERODED: 150,
    BoneKind.C2_OS_ODONTOIDEUM: 12,
    BoneKind.C2_DESTROYED: 16,
    BoneKind.SUBAXIAL: 32,
    BoneKind.SUBAXIAL_WORN: 32,
    BoneKind.SKULL: 24,
}
"""How many different sets the full bank has."""

BoneSet = Mapping[str, Bone]
"""By name: ``c1``, ``c2``, ``c3`` … ``c7``, ``t1``, ``skull``, ``mandible``."""

Key = tuple[BoneKind, int]


def level_name(level: int) -> str:
    """Name of a level: 1 to 7 are C1 to C7, 8 is T1."""
    return "t1" if level == 8 else f"c{level}"


def _build_atlas(arch: PosteriorArch, rng: np.random.Generator) -> BoneSet:
    return {"c1": build_c1(draw_c1_shape(rng, arch), rng)}


def _build_axis(variant: DensVariant, eroded: bool, rng: np.random.Generator) -> BoneSet:
    return {"c2": build_c2(draw_c2_shape(rng, eroded=eroded, variant=variant), rng)}


def _build_subaxial(degeneration: float, rng: np.random.Generator) -> BoneSet:
    shapes = draw_vertebrae(rng, degeneration)
    return {level_name(level): build_vertebra(s, rng) for level, s in zip(LEVELS, shapes, strict=True)}


def _build_skull(rng: np.random.Generator) -> BoneSet:
    shape = draw_skull_shape(rng)
    return {"skull": build_skull(shape, rng), "mandible": build_mandible(shape, rng)}


_BUILDERS: Mapping[BoneKind, Callable[[np.random.Generator], BoneSet]] = {
    BoneKind.C1: partial(_build_atlas, PosteriorArch.CLOSED),
    BoneKind.C1_OPEN: partial(_build_atlas, PosteriorArch.OPEN),
    BoneKind.C1_MISSING: partial(_build_atlas, PosteriorArch.MISSING),
    BoneKind.C2: partial(_build_axis, DensVariant.WHOLE, False),
    BoneKind.C2_ERODED: partial(_build_axis, DensVariant.WHOLE, True),
    BoneKind.C2_OS_ODONTOIDEUM: partial(_build_axis, DensVariant.OS_ODONTOIDEUM, False),
    BoneKind.C2_DESTROYED: partial(_build_axis, DensVariant.DESTROYED, True),
    BoneKind.SUBAXIAL: partial(_build_subaxial, 0.1),
    BoneKind.SUBAXIAL_WORN: partial(_build_subaxial, 0.9),
    BoneKind.SKULL: _build_skull,
}


def build(key: Key, edition: int = FIRST_EDITION) -> BoneSet:
    """Build a set of bones; the same for the same key and edition."""
    kind, number = key
    seed = np.random.SeedSequence([_SEED + edition, list(BoneKind).index(kind), number])
    return _BUILDERS[kind](np.random.default_rng(seed))


def keys_of(patient: Patient, largest: int | None = None) -> tuple[Key, ...]:
    """Which sets of the bank this patient is made of; ``largest`` bounds the sets of a kind (a small, quick bank)."""
    atlas = {
        Variant.OPEN_POSTERIOR_ARCH: BoneKind.C1_OPEN,
        Variant.MISSING_POSTERIOR_ARCH: BoneKind.C1_MISSING,
    }.get(patient.variant, BoneKind.C1)
    axis = {
        Variant.OS_ODONTOIDEUM: BoneKind.C2_OS_ODONTOIDEUM,
        Variant.DESTROYED_DENS: BoneKind.C2_DESTROYED,
    }.get(patient.variant, BoneKind.C2_ERODED if patient.eroded else BoneKind.C2)
    subaxial = BoneKind.SUBAXIAL_WORN if patient.degeneration > 0.5 else BoneKind.SUBAXIAL
    kinds = (atlas, axis, subaxial, BoneKind.SKULL)
    limits = [COUNTS[kind] if largest is None else min(COUNTS[kind], largest) for kind in kinds]
    return tuple((kind, int(u * n)) for kind, u, n in zip(kinds, patient.draws, limits, strict=True))


def default_cache() -> Path:
    """The user's cache folder (XDG Base Directory)."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "aasnode" / "bones"


def version() -> str:
    """Changes when a module that shapes the bones changes, so that a stale cache is never read."""
    here = Path(__file__).parent
    return digest(sorted([*(here / "bones").glob("*.py"), here / "solids.py", here / "meshes.py", here / "bank.py"]))


class Bank:
    """Bones by key, from memory, else from the cache folder, else built and kept."""

    def __init__(self, cache: Path | None = None, largest: int | None = None, edition: int = FIRST_EDITION) -> None:
        self.folder = (cache or default_cache()) / version() / f"edition-{edition}"
        self.largest = largest
        self.edition = edition
        self._recent: OrderedDict[Key, BoneSet] = OrderedDict()

    def bones(self, patient: Patient) -> dict[str, Bone]:
        """Every bone of the patient, at the bank's size."""
        found: dict[str, Bone] = {}
        for key in keys_of(patient, self.largest):
            found.update(self.get(key))
        return found

    def get(self, key: Key) -> BoneSet:
        """One set of bones."""
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        path = self.path(key)
        if not path.exists():
            _write(path, build(key, self.edition))
        self._recent[key] = _read(path)
        if len(self._recent) > _IN_MEMORY:
            self._recent.popitem(last=False)
        return self._recent[key]

    def path(self, key: Key) -> Path:
        """Where a set is kept."""
        return self.folder / f"{key[0].value}-{key[1]:03d}.npz"


def _write(path: Path, bones: BoneSet) -> None:
    arrays: dict[str, Any] = {}
    index: dict[str, Any] = {}
    for name, bone in bones.items():
        index[name] = {"shells": [[[m.value, w] for m, w in s.shares] for s in bone.shells],
                       "points": {k: [float(c) for c in p] for k, p in bone.points.items()},
                       "contours": len(bone.profile), "numbers": dict(bone.numbers)}  # fmt: skip
        for i, s in enumerate(bone.shells):
            arrays[f"{name}.{i}.vertices"], arrays[f"{name}.{i}.faces"] = s.vertices, s.faces
        for i, contour in enumerate(bone.profile):
            arrays[f"{name}.{i}.contour"] = contour
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        np.savez(file, index=np.array(json.dumps(index)), **arrays)
    part.replace(path)


def _read(path: Path) -> BoneSet:
    with np.load(path) as data:
        index = json.loads(str(data["index"]))
        return {name: _bone(name, entry, data) for name, entry in index.items()}


def _bone(name: str, entry: dict[str, Any], data: Any) -> Bone:
    shells = tuple(
        Shell(
            vertices=data[f"{name}.{i}.vertices"],
            faces=data[f"{name}.{i}.faces"],
            shares=tuple((Material(m), float(w)) for m, w in shares),
        )
        for i, shares in enumerate(entry["shells"])
    )
    return Bone(
        shells=shells,
        points={k: np.array(p) for k, p in entry["points"].items()},
        profile=tuple(data[f"{name}.{i}.contour"] for i in range(entry["contours"])),
        numbers=entry["numbers"],
    )
