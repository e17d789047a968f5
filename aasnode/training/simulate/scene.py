"""One exposure: thickness maps, one a layer, and where the landmarks lie in them."""

from collections.abc import Mapping
from dataclasses import dataclass

from aasnode.geometry import Point
from aasnode.training.simulate.materials import ThicknessMaps


@dataclass(frozen=True, kw_only=True)
class Window:
    """The part of the detector's plane that is drawn, and its pixels.

    ``on_joint`` centres it on the middle of the four points (a training crop); else it is framed like a film.
    """

    rows: int
    columns: int
    pixel_mm: float
    on_joint: bool = False


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Thickness maps of one exposure and the landmarks in pixels of these maps; the face points to greater x."""

    window: Window
    maps: ThicknessMaps
    landmarks: Mapping[str, Point]  # all of SCENE_LANDMARKS
    absent: frozenset[str]  # landmarks that this anatomy does not have
    magnification: float
    adi_mm: float
    sac_mm: float
    c1_inner_diameter_mm: float
