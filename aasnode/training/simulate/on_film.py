"""What happens to a film after the exposure: markers, letters, edges, faults of processing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS
from aasnode.training.simulate.disturbances import Disturbance
from aasnode.training.simulate.film import Image, band_noise
from aasnode.training.simulate.scene import Scene

REVERSED_LETTERS = 0.75
"""Strength from which a film with the face to the left is a mirror image, its letters reversed; below, a left side."""

_F = np.float32
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Disturbed:
    """A film of 0 to 1, what is covered on it, and what lies outside the exposed field; (rows, columns) each."""

    film: Image
    covered: Mask
    outside: Mask


def is_left_side(mirrored: float) -> bool:
    """Whether the face looks to the left because the left side was at the detector, by the strength of MIRRORED."""
    return 0 < mirrored < REVERSED_LETTERS


def lay_on_film(
    film: Image, covered: Mask, scene: Scene, disturbances: Mapping[Disturbance, float], rng: np.random.Generator
) -> Disturbed:
    """Apply the faults of processing, then edges, then letters."""
    for name, change in _CHANGES.items():
        if name in disturbances:
            film = np.asarray(np.clip(change(film, disturbances[name], rng), 0, 1), _F)
    outside = np.zeros(film.shape, bool)
    for name, edge in _EDGES.items():
        if name in disturbances:
            outside |= edge(scene, disturbances[name], rng)
    film = np.where(outside, _F(rng.choice([0.0, 0.0, 0.0, 0.04])), film)
    for name, letters in _LETTERS.items():
        if name in disturbances:
            drawn = letters(scene, disturbances[name], rng)
            if is_left_side(disturbances.get(Disturbance.MIRRORED, 0)):
                drawn = drawn[:, ::-1]  # mirrored with the film, they can be read again
            film, covered = np.maximum(film, drawn), covered | (drawn > 0.3)
    return Disturbed(film=film, covered=covered, outside=outside)


def _low_contrast(film: Image, strength: float, rng: np.random.Generator) -> Image:
    middle = rng.uniform(0.35, 0.75)
    return np.asarray(middle + (film - middle) * (0.75 - 0.45 * strength), _F)


def _local_contrast(film: Image, strength: float, rng: np.random.Generator) -> Image:
    clahe = cv2.createCLAHE(1 + 3 * strength, (int(rng.integers(3, 9)),) * 2)
    return np.asarray(clahe.apply(np.round(film * 65535).astype(np.uint16)), _F) / _F(65535)


def _lossy(film: Image, strength: float, _: np.random.Generator) -> Image:
    bytes_ = np.round(film * 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality(strength)])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), _F) / _F(255)


def jpeg_quality(strength: float) -> int:
    """Of a film that was a JPEG once."""
    return int(90 - 60 * strength)


def _coarse(film: Image, strength: float, _: np.random.Generator) -> Image:
    rows, columns = film.shape
    by = 1.5 + 1.5 * strength
    small = cv2.resize(film, (round(columns / by), round(rows / by)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), _F)


def _grid_lines(film: Image, strength: float, rng: np.random.Generator) -> Image:
    columns = np.arange(film.shape[1], dtype=_F)
    lines = np.sin(columns * _F(2 * np.pi / rng.uniform(3, 9)))
    return np.asarray(film + (0.01 + 0.03 * strength) * lines[None, :] * (0.5 + 0.5 * film), _F)


def _dark_corners(film: Image, strength: float, _: np.random.Generator) -> Image:
    rows, columns = film.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(_F)
    return np.asarray(film * (1 - (0.3 + 0.6 * strength) * np.clip((x**2 + y**2 - 0.8) / 1.2, 0, 1)), _F)


def _collimation(scene: Scene, strength: float, rng: np.random.Generator) -> Mask:
    """Black borders outside the joint, up to 40 mm wide."""
    widths_mm = np.abs(rng.normal(0, 6 + 16 * strength, 4))
    inside = _inside(scene)
    widths = [min(int(w / scene.window.pixel_mm), limit) for w, limit in zip(widths_mm, inside, strict=True)]
    return _border(scene, widths)


def _inside(scene: Scene) -> tuple[int, int, int, int]:
    """How wide top, bottom, left and right borders may grow before they touch the joint; at least 0."""
    points = np.array([(scene.landmarks[name].x, scene.landmarks[name].y) for name in LANDMARKS])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    spare = 12 / scene.window.pixel_mm
    limits = (top, scene.window.rows - bottom, left, scene.window.columns - right)
    top_, bottom_, left_, right_ = (max(0, int(limit - spare)) for limit in limits)
    return top_, bottom_, left_, right_


def _cut_off(scene: Scene, strength: float, rng: np.random.Generator) -> Mask:
    """One border that runs through the joint."""
    side = int(rng.integers(0, 4))
    widths = [0, 0, 0, 0]
    widths[side] = _inside(scene)[side] + int((10 + 24 * strength) / scene.window.pixel_mm)
    return _border(scene, widths)


def _border(scene: Scene, widths: list[int]) -> Mask:
    top, bottom, left, right = widths
    mask = np.ones((scene.window.rows, scene.window.columns), bool)
    mask[top : scene.window.rows - bottom, left : scene.window.columns - right] = False
    return mask


def _marker(scene: Scene, strength: float, rng: np.random.Generator) -> Image:
    """A lead letter; the stronger, the larger."""
    size = (0.7 + 0.9 * strength) * 9 / 22 / scene.window.pixel_mm
    return _letters(scene, str(rng.choice(["R", "L"])), size, rng, anywhere=True)


def _text(scene: Scene, strength: float, rng: np.random.Generator) -> Image:
    """Lines of plainly simulated text at a border."""
    words = ["SIMULATED", "LAT C-SPINE", "HWS SEITL.", "PORTABLE", "FLEX", "EXT", "1200 SPEED", "70 KV 12 MAS"]
    chosen = rng.choice(words, size=int(rng.integers(1, 4)), replace=False)
    size = (0.5 + 0.5 * strength) * 3.2 / 22 / scene.window.pixel_mm
    drawn = [_letters(scene, str(word), size, rng, anywhere=False) for word in chosen]
    return np.asarray(np.max(drawn, axis=0), _F)


def _letters(scene: Scene, word: str, size: float, rng: np.random.Generator, *, anywhere: bool) -> Image:
    rows, columns = scene.window.rows, scene.window.columns
    y = rng.uniform(0.1, 0.95) if anywhere else rng.choice([rng.uniform(0.03, 0.1), rng.uniform(0.92, 0.98)])
    canvas = np.zeros((rows, columns), np.uint8)
    place = (int(columns * rng.uniform(0.03, 0.9 if anywhere else 0.6)), int(rows * y))
    stroke = max(1, round(size * 2.0))
    cv2.putText(canvas, word, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, stroke, cv2.LINE_AA)
    wear = 1 + 0.03 * band_noise(rng, (rows, columns), 3.0)
    return np.asarray(np.clip(canvas.astype(_F) / 255 * wear * _F(rng.uniform(0.85, 1.0)), 0, 1), _F)


_CHANGES: Mapping[Disturbance, Callable[[Image, float, np.random.Generator], Image]] = {
    Disturbance.LOW_CONTRAST: _low_contrast,
    Disturbance.LOCAL_CONTRAST: _local_contrast,
    Disturbance.DARK_CORNERS: _dark_corners,
    Disturbance.GRID_LINES: _grid_lines,
    Disturbance.COARSE: _coarse,
    Disturbance.LOSSY: _lossy,
}
_EDGES: Mapping[Disturbance, Callable[[Scene, float, np.random.Generator], Mask]] = {
    Disturbance.COLLIMATION: _collimation,
    Disturbance.CUT_OFF: _cut_off,
}
_LETTERS: Mapping[Disturbance, Callable[[Scene, float, np.random.Generator], Image]] = {
    Disturbance.MARKER: _marker,
    Disturbance.TEXT: _text,
}
