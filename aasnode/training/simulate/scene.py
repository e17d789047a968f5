"""One exposure: thickness maps, one a layer, and where the landmarks lie in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aasnode.anatomy import LANDMARKS
from aasnode.geometry import Point
from aasnode.training.simulate.articulation import Anatomy, Neck, articulate, patient_in_room
from aasnode.training.simulate.landmarks import absent_landmarks, landmarks_of
from aasnode.training.simulate.materials import Layer, ThicknessMaps
from aasnode.training.simulate.meshes import Material, Points, Transform
from aasnode.training.simulate.posture import Posture, Stand
from aasnode.training.simulate.projection import Beam, Placed, thickness_maps
from aasnode.training.simulate.soft_tissue import build_soft_tissue


@dataclass(frozen=True, kw_only=True)
class Window:
    """The part of the detector's plane that is drawn, and its pixels.

    ``on_joint`` centres it on the middle of the four points (a training crop); else it is framed like a film.
    """

    rows: int
    columns: int
    pixel_mm: float
    on_joint: bool = False


FILM = Window(rows=1300, columns=1100, pixel_mm=0.2)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Thickness maps of one exposure and the landmarks in pixels of these maps; the face points to greater x."""

    window: Window
    maps: ThicknessMaps
    landmarks: Mapping[str, Point]  # all of SCENE_LANDMARKS
    absent: frozenset[str]  # landmarks that this anatomy does not have
    magnification: float  # of the mid-sagittal plane
    adi_mm: float
    sac_mm: float
    c1_inner_diameter_mm: float


def compose(
    anatomy: Anatomy, posture: Posture, stand: Stand, years: float, window: Window, rng: np.random.Generator
) -> Scene:
    """Articulate, surround with soft tissue, and project.

    ``rng`` shapes the soft tissue. Raises ``ValueError`` where the C1 axis misses the dens.
    """
    neck = articulate(anatomy, posture, years)
    to_room = patient_in_room(neck, stand)
    points = {name: to_room(point) for name, point in landmarks_of(neck).items()}
    beam = beam_of(points, stand, window)
    return Scene(
        window=window,
        maps=thickness_maps(parts_of(neck, to_room, rng), beam),
        landmarks={name: beam.pixel(point) for name, point in points.items()},
        absent=absent_landmarks(neck),
        magnification=beam.magnification(),
        adi_mm=neck.adi_mm,
        sac_mm=neck.sac_mm,
        c1_inner_diameter_mm=anatomy.atlas.inner_diameter_mm,
    )


def beam_of(points: Mapping[str, Points], stand: Stand, window: Window) -> Beam:
    """Source at the patient's left, detector at the right, the window on the joint or framed like a film."""
    source_x = stand.source_to_image_mm - stand.object_to_image_mm
    whole = Beam(
        source_mm=(source_x, *stand.source_offset_mm),
        detector_x_mm=-stand.object_to_image_mm,
        origin_mm=(0.0, 0.0),
        rows=window.rows,
        columns=window.columns,
        pixel_mm=window.pixel_mm,
    )
    middle = np.asarray(stand.centre_offset_mm) * stand.magnification
    if window.on_joint:
        middle = whole.on_detector(np.array([points[name] for name in LANDMARKS])).mean(axis=0)
    left, top = middle[0] - window.columns * window.pixel_mm / 2, middle[1] + window.rows * window.pixel_mm / 2
    return Beam(**{**whole.__dict__, "origin_mm": (float(left), float(top))})


def parts_of(neck: Neck, to_room: Transform, rng: np.random.Generator) -> list[Placed]:
    """Every bone and the soft tissue, each with the layers of its materials."""
    parts = []
    for name, bone in neck.anatomy.bones.items():
        place = to_room.after(neck.transforms[name])
        parts.append(Placed(bone=bone, transform=place, layers=LAYERS_OF.get(name, _SPINE)))
    tissue = build_soft_tissue(neck, rng)
    around = (tissue.skin, tissue.airway, tissue.hyoid)
    return parts + [Placed(bone=part, transform=to_room, layers=_SPINE) for part in around]


_COMMON = {
    Material.DIPLOE: Layer.SKULL_DIPLOE,
    Material.TOOTH: Layer.TOOTH,
    Material.METAL: Layer.METAL,
    Material.SOFT: Layer.SOFT,
    Material.AIR: Layer.AIR,
}
_SKULL = {Material.CORTICAL: Layer.SKULL_CORTICAL, Material.CANCELLOUS: Layer.SKULL_DIPLOE, **_COMMON}
_SPINE = {
    Material.CORTICAL: Layer.SPINE_CORTICAL,
    Material.CANCELLOUS: Layer.SPINE_CANCELLOUS,
    **_COMMON,
}
_C1 = {
    Material.CORTICAL: Layer.C1_CORTICAL,
    Material.CANCELLOUS: Layer.C1_CANCELLOUS,
    Material.LATERAL_CORTICAL: Layer.C1_LATERAL_CORTICAL,
    Material.LATERAL_CANCELLOUS: Layer.C1_LATERAL_CANCELLOUS,
}
_C2 = {
    Material.CORTICAL: Layer.C2_CORTICAL,
    Material.CANCELLOUS: Layer.C2_CANCELLOUS,
    Material.LATERAL_CORTICAL: Layer.C2_LATERAL_CORTICAL,
    Material.LATERAL_CANCELLOUS: Layer.C2_LATERAL_CANCELLOUS,
}
LAYERS_OF = {"c1": _C1, "c2": _C2, "skull": _SKULL, "mandible": _SKULL}
