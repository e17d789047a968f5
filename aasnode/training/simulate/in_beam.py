"""Things in the beam: metal, plastic, hair. They are drawn onto the thickness maps, beside the anatomy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.anatomy import Landmark
from aasnode.geometry import Point
from aasnode.training.simulate.disturbances import Disturbance
from aasnode.training.simulate.film import Image, blurred
from aasnode.training.simulate.materials import Layer, ThicknessMaps
from aasnode.training.simulate.scene import Scene

_COVERING_MM = 0.8  # metal that thick hides a cortex
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LaidOn:
    """Maps with the things in the beam, and where these hide what lies behind: (rows, columns) of bool."""

    maps: ThicknessMaps
    covered: npt.NDArray[np.bool_]


class Sketch:
    """A canvas in mm: what is drawn on it becomes a thickness."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene, self.rng = scene, rng
        self.pixels_per_mm = scene.magnification / scene.window.pixel_mm  # mm in the patient's middle
        self.canvas = np.zeros((scene.window.rows, scene.window.columns), np.uint8)

    def at(self, landmark: str, forward_mm: float = 0.0, up_mm: float = 0.0) -> Vector:
        """Pixel (x, y) of a landmark, moved along the film."""
        point: Point = self.scene.landmarks[landmark]
        return np.array([point.x + forward_mm * self.pixels_per_mm, point.y - up_mm * self.pixels_per_mm])

    def line(self, a: Vector, b: Vector, width_mm: float) -> None:
        """A bar."""
        width = max(1, round(width_mm * self.pixels_per_mm))
        cv2.line(self.canvas, _whole(a), _whole(b), 255, width, cv2.LINE_AA)

    def curve(self, points: Vector, width_mm: float) -> None:
        """A line through the points (n, 2)."""
        width = max(1, round(width_mm * self.pixels_per_mm))
        cv2.polylines(self.canvas, [np.round(points).astype(np.int32)], False, 255, width, cv2.LINE_AA)

    def ring(self, centre: Vector, radius_mm: float, width_mm: float | None) -> None:
        """A ring, or a disc where ``width_mm`` is None."""
        width = -1 if width_mm is None else max(1, round(width_mm * self.pixels_per_mm))
        radius = max(1, round(radius_mm * self.pixels_per_mm))
        cv2.circle(self.canvas, _whole(centre), radius, 255, width, cv2.LINE_AA)

    def screw(self, head: Vector, tip: Vector, width_mm: float = 3.0) -> None:
        """A screw with its head."""
        self.line(head, tip, width_mm)
        self.ring(head, 2.8, None)

    def thickness(self, depth_mm: float) -> Image:
        """The drawing, as deep as given, with softened rims."""
        return blurred(self.canvas.astype(np.float32), 0.25 * self.pixels_per_mm) * np.float32(depth_mm / 255)


def _whole(p: Vector) -> tuple[int, int]:
    return round(float(p[0])), round(float(p[1]))


def _upper_fusion(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """C1 lateral mass and C2 pedicle screws on rods; the stronger, the further down."""
    rng = s.rng
    lowest = 2 + round(2 * strength)
    for _ in range(2):  # both sides, slightly apart
        shift = rng.normal(0, 1.5, 2) * s.pixels_per_mm
        heads = [s.at(Landmark.DENS_POSTERIOR, -13, -2) + shift, s.at("c2_pedicle", -18, 0) + shift]
        tips = [s.at(Landmark.DENS_ANTERIOR, -1, -1) + shift, s.at("c2_inferior_anterior", -3, 8) + shift]
        for level in range(3, lowest + 1):
            heads.append(s.at(f"c{level}_inferior_posterior", -15, 4) + shift)
            tips.append(s.at(f"c{level}_superior_posterior", -1, 0) + shift)
        for head, tip in zip(heads, tips, strict=True):
            s.screw(head, tip)
        s.curve(np.array([heads[0] + [0, -5 * s.pixels_per_mm], *heads]), 3.3)
    if rng.random() < 0.4:  # a wire round the posterior arch
        s.ring(s.at(Landmark.C1_POSTERIOR_ARCH_ANTERIOR, -3), 6, 1.0)
    return Layer.METAL, s.thickness(rng.uniform(2.0, 4.0))


def _lower_fusion(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """Anterior plate with screws, or posterior rods, between C3 and C7."""
    rng = s.rng
    top = int(rng.integers(3, 6))
    levels = range(top, min(7, top + 1 + round(2 * strength)) + 1)
    if rng.random() < 0.7:
        front = np.array([s.at(f"c{n}_{e}_anterior", 1.5) for n in levels for e in ("superior", "inferior")])
        s.curve(front, 2.2)
        for n in levels:
            s.line(s.at(f"c{n}_superior_anterior", 2, -5), s.at(f"c{n}_superior_posterior", 3, -6), 3.4)
    else:
        heads = [s.at(f"c{n}_inferior_posterior", -15, 4) for n in levels]
        for n, head in zip(levels, heads, strict=True):
            s.screw(head, s.at(f"c{n}_superior_posterior", -3, 0))
        s.curve(np.array(heads), 3.3)
    return Layer.METAL, s.thickness(rng.uniform(1.5, 4.0))


def _ear_rods(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """The rods of a cephalostat: one or two rings about the ear canal."""
    rng = s.rng
    centre = s.at("basion", rng.uniform(-22, -6), rng.uniform(6, 22))
    radius = rng.uniform(4, 9)
    for _ in range(rng.integers(1, 3)):
        place = centre + rng.normal(0, 2, 2) * s.pixels_per_mm
        s.ring(place, radius, rng.uniform(0.5, 1.6))
        if rng.random() < 0.6:
            s.ring(place, 0.55 * radius, 0.8 if rng.random() < 0.5 else None)
    return Layer.METAL, s.thickness(0.1 + 0.6 * strength)


def _collar(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """A neck collar: bands of plastic and foam, holes, a fastener."""
    rng = s.rng
    columns = s.canvas.shape[1]
    across = np.linspace(0, columns, 40)
    for level in ("c3_inferior_anterior", "c5_inferior_anterior", "c7_inferior_anterior"):
        y = s.at(level)[1] + rng.normal(0, 5) * s.pixels_per_mm
        wave = y + 12 * s.pixels_per_mm * np.sin(across / columns * np.pi + rng.uniform(-0.4, 0.4))
        s.curve(np.stack([across, wave], 1), rng.uniform(2, 6))
    for _ in range(rng.integers(0, 4)):
        s.ring(s.at("c5_inferior_anterior", rng.uniform(-70, 40), rng.uniform(-20, 30)), rng.uniform(2, 4), 1.0)
    return Layer.SPINE_CANCELLOUS, s.thickness(1 + 5 * strength)


def _hair(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """Plaits and strands behind the neck."""
    rng = s.rng
    for _ in range(rng.integers(6, 14)):
        start = s.at("opisthion", rng.uniform(-70, -15), rng.uniform(-10, 30))
        down = np.linspace(0, rng.uniform(40, 120), 24) * s.pixels_per_mm
        sway = rng.uniform(1, 7) * np.sin(down / (s.pixels_per_mm * rng.uniform(6, 25)) + rng.uniform(0, 6))
        s.curve(start + np.stack([sway * s.pixels_per_mm, down], 1), rng.uniform(0.5, 3.5))
    return Layer.SPINE_CANCELLOUS, s.thickness(0.5 + 4 * strength)


def _jewellery(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """Ear-rings by the angle of the jaw, sometimes a necklace."""
    rng = s.rng
    centre = s.at("basion", rng.uniform(-20, 8), rng.uniform(-28, 4))
    for _ in range(2):
        s.ring(centre + rng.normal(0, 7, 2) * s.pixels_per_mm, rng.uniform(1.5, 8), rng.choice([0.7, 1.2, 2.0]))
    if rng.random() < 0.4:
        a, b = s.at("c7_superior_anterior", -75, 10), s.at("c7_superior_anterior", 60, rng.uniform(-50, -10))
        share = np.linspace(0, 1, 60)[:, None]
        s.curve(a * (1 - share) + b * share + rng.normal(0, 2, (60, 2)), 1.0)
    return Layer.METAL, s.thickness(0.3 + 1.5 * strength)


def _tube(s: Sketch, strength: float) -> tuple[Layer, Image]:
    """A breathing tube: two walls before the spine."""
    front = [s.at(f"c{n}_superior_anterior", 14 if n < 6 else 20) for n in range(3, 8)]
    path = np.array([s.at("posterior_nasal_spine", 8, -14), s.at("c2_inferior_anterior", 14, 8), *front])
    for side in (-4.5, 4.5):
        s.curve(path + [side * s.pixels_per_mm, 0], 0.9)
    return Layer.SPINE_CORTICAL, s.thickness(0.8 + 2 * strength)


_DRAWN: Mapping[Disturbance, Callable[[Sketch, float], tuple[Layer, Image]]] = {
    Disturbance.UPPER_FUSION: _upper_fusion,
    Disturbance.LOWER_FUSION: _lower_fusion,
    Disturbance.EAR_RODS: _ear_rods,
    Disturbance.COLLAR: _collar,
    Disturbance.HAIR: _hair,
    Disturbance.JEWELLERY: _jewellery,
    Disturbance.TUBE: _tube,
}


def lay_on_maps(scene: Scene, disturbances: Mapping[Disturbance, float], rng: np.random.Generator) -> LaidOn:
    """Draw what lies in the beam onto copies of the maps it touches."""
    maps = dict(scene.maps)
    metal = np.zeros_like(maps[Layer.METAL])
    for name, draw in _DRAWN.items():
        if name in disturbances:
            layer, thickness = draw(Sketch(scene, rng), disturbances[name])
            maps[layer] = maps[layer] + thickness
            if layer is Layer.METAL:
                metal = metal + thickness
    return LaidOn(maps=maps, covered=metal > _COVERING_MM)
