"""C1 and C2, each alone in the beam: maps of its parts and the sections of its midline, from many sides.

The bones are the simulator's, drawn more widely where natural ranges would be learnt as a rule: a network that knows
how deep a dens usually is guesses one of its edges from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aasnode.training.simulate.bones.c1 import arches, build_c1, draw_c1_shape
from aasnode.training.simulate.bones.c1_posterior_arch import PosteriorArch
from aasnode.training.simulate.bones.c2 import C2Shape, DensVariant, build_c2, draw_c2_shape
from aasnode.training.simulate.materials import Layer
from aasnode.training.simulate.meshes import Bone, Transform, area_and_centroid
from aasnode.training.simulate.projection import Beam, Placed, thickness_maps
from aasnode.training.simulate.scene import LAYERS_OF
from aasnode.training.simulate.solids import rotation

PIXEL_MM = 0.2  # in the midline plane: as fine as the joint stage sees
UNITS_PER_MM = 100  # of the stored thickness
GRID_MM = 0.5

LAYERS: Mapping[str, tuple[Layer, ...]] = {
    "c1": (Layer.C1_CORTICAL, Layer.C1_CANCELLOUS, Layer.C1_LATERAL_CORTICAL, Layer.C1_LATERAL_CANCELLOUS),
    "c2": (Layer.C2_CORTICAL, Layer.C2_CANCELLOUS, Layer.C2_LATERAL_CORTICAL, Layer.C2_LATERAL_CANCELLOUS),
}
"""The maps of a bone, in order: what lies in the midline, then what lies beside it."""

KINDS: Mapping[str, PosteriorArch | DensVariant] = {
    "c1": PosteriorArch.CLOSED,
    "c2": DensVariant.WHOLE,
    "c1_open": PosteriorArch.OPEN,
    "c1_missing": PosteriorArch.MISSING,
    "c2_os_odontoideum": DensVariant.OS_ODONTOIDEUM,
    "c2_destroyed": DensVariant.DESTROYED,
}
"""Kinds of bones in the library: the whole ones, then those that lack a part."""

Contour = npt.NDArray[np.float64]
Maps = npt.NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True)
class BonePriors:
    """How the bones of the sampler differ from a patient's, and how they stand in the beam; mm and degrees."""

    dens_depth_mm: tuple[float, float] = (7.2, 11.8)  # even, where patients' cluster about 9.5
    dens_height_mm: tuple[float, float] = (13.0, 21.0)
    body_depth_mm: tuple[float, float] = (13.5, 17.5)
    body_height_mm: tuple[float, float] = (16.5, 22.0)
    eroded: float = 0.4  # share of C2
    yaw_degrees: float = 4.5  # standard deviation: double contours of the lateral parts
    roll_degrees: float = 3.5
    source_to_image_mm: tuple[float, ...] = (1500.0, 1800.0, 2000.0)
    object_to_image_mm: tuple[float, float] = (100.0, 330.0)  # cephalogram to broad shoulders
    source_offset_mm: tuple[float, float] = (30.0, 50.0)  # standard deviations: forward, up


PRIORS = BonePriors()


@dataclass(frozen=True, kw_only=True)
class ProjectedBone:
    """One bone from P sides. Sections and points are in pixels of the maps, x to the face, y down."""

    maps: Maps  # (P, 4, rows, columns), hundredths of a mm; a memory map where it was read from a file
    sections: Mapping[str, Contour]  # (P, n, 2): anterior_arch and posterior_arch, or core
    points: Mapping[str, npt.NDArray[np.float64]]  # (P, 2)


def draw_bone(kind: str, rng: np.random.Generator, priors: BonePriors = PRIORS) -> Bone:
    """A bone of one of ``KINDS`` whose lateral parts have their full weight; samples weigh them."""
    form = KINDS[kind]
    if isinstance(form, PosteriorArch):
        c1 = draw_c1_shape(rng, form)
        return build_c1(replace(c1, masses=replace(c1.masses, weight=1.0)), rng, GRID_MM)
    drawn = draw_c2_shape(rng, eroded=bool(rng.random() < priors.eroded), variant=form)
    return build_c2(_spread(drawn, rng, priors), rng, GRID_MM)


def _spread(c2: C2Shape, rng: np.random.Generator, priors: BonePriors) -> C2Shape:
    dens = replace(c2.dens, depth_mm=rng.uniform(*priors.dens_depth_mm), height_mm=rng.uniform(*priors.dens_height_mm))
    return replace(
        c2,
        dens=dens,
        body_depth_mm=rng.uniform(*priors.body_depth_mm),
        body_height_mm=rng.uniform(*priors.body_height_mm),
        lateral_weight=1.0,
    )


def project_bone(
    kind: str, bone: Bone, sides: int, rng: np.random.Generator, priors: BonePriors = PRIORS
) -> ProjectedBone:
    """The bone from that many sides."""
    name = kind.partition("_")[0]
    views = [_side(name, bone, rng, priors) for _ in range(sides)]
    rows, columns = (max(maps.shape[axis] for maps, _, _ in views) for axis in (1, 2))
    maps = np.zeros((sides, len(LAYERS[name]), rows, columns), np.uint16)
    for i, (own, _, _) in enumerate(views):
        maps[i, :, : own.shape[1], : own.shape[2]] = own
    return ProjectedBone(
        maps=maps,
        sections={key: np.stack([sections[key] for _, sections, _ in views]) for key in views[0][1]},
        points={key: np.stack([points[key] for _, _, points in views]) for key in views[0][2]},
    )


_Side = tuple[Maps, dict[str, Contour], dict[str, npt.NDArray[np.float64]]]


def _side(name: str, bone: Bone, rng: np.random.Generator, priors: BonePriors) -> _Side:
    turn = rotation("z", rng.normal(0, priors.yaw_degrees)) @ rotation("y", rng.normal(0, priors.roll_degrees))
    place = Transform(rotation=turn, translation=np.zeros(3))
    beam = _framed(_draw_beam(rng, priors), bone, place)
    found = thickness_maps([Placed(bone=bone, transform=place, layers=LAYERS_OF[name])], beam)
    maps = np.stack([found[layer] for layer in LAYERS[name]])
    stored = np.clip(maps * UNITS_PER_MM, 0, np.iinfo(np.uint16).max).astype(np.uint16)
    sections = {key: _seen(beam, place, contour) for key, contour in _sections(name, bone).items()}
    points = {key: _seen(beam, place, bone.points[key][None, 1:])[0] for key in _POINTS[name]}
    return stored, sections, points


_POINTS = {"c1": (), "c2": ("dens_base", "dens_axis_end", "inferior_centre")}


def _sections(name: str, bone: Bone) -> dict[str, Contour]:
    if name == "c1":
        front, back = arches(bone.profile)
        return {"anterior_arch": _thinned(front), "posterior_arch": _thinned(back)}
    in_front = [contour for contour in bone.profile if contour[:, 0].max() > 0]
    return {"core": _thinned(max(in_front, key=lambda contour: area_and_centroid(contour)[0]))}


def _thinned(contour: Contour) -> Contour:
    """Every other point of a closed contour: half the grid's step is finer than a section needs."""
    return np.concatenate([contour[:-1:2], contour[:1]])


def _draw_beam(rng: np.random.Generator, priors: BonePriors) -> Beam:
    """Source at the patient's left; the pixels measure ``PIXEL_MM`` in the midline plane."""
    sid, oid = float(rng.choice(priors.source_to_image_mm)), float(rng.uniform(*priors.object_to_image_mm))
    forward, up = rng.normal(0, priors.source_offset_mm)
    return Beam(
        source_mm=(sid - oid, forward, up),
        detector_x_mm=-oid,
        origin_mm=(0.0, 0.0),
        rows=1,
        columns=1,
        pixel_mm=PIXEL_MM * sid / (sid - oid),
    )


def _framed(beam: Beam, bone: Bone, place: Transform) -> Beam:
    """The beam with a window that just holds the bone."""
    margin = 2 * beam.pixel_mm
    cast = np.concatenate([beam.on_detector(place(shell.vertices)) for shell in bone.shells])
    left, top = float(cast[:, 0].min() - margin), float(cast[:, 1].max() + margin)
    columns = int((cast[:, 0].max() - left) / beam.pixel_mm) + 4
    rows = int((top - cast[:, 1].min()) / beam.pixel_mm) + 4
    return replace(beam, origin_mm=(left, top), rows=rows, columns=columns)


def _seen(beam: Beam, place: Transform, midline: Contour) -> Contour:
    """Points (n, 2) = (y, z) of the midline plane in pixels."""
    cast = beam.on_detector(place(np.c_[np.zeros(len(midline)), midline]))
    return np.asarray(np.c_[cast[:, 0] - beam.origin_mm[0], beam.origin_mm[1] - cast[:, 1]] / beam.pixel_mm)
