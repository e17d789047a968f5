"""The picture of one film with its points and lines, and beside it the joint magnified, the values and their limits.

The film lies in the upper left corner and carries thin rings and lines only; every word stands beside or below it, so
that nothing hides anatomy. No name, birth date or ID of the patient is drawn: the object's header has them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.anatomy import COLOURS_RGB, Landmark
from aasnode.dicom.spacing import read_spacings
from aasnode.geometry import Point, Spacings
from aasnode.measurement import ADI_ENDS, SAC_ENDS
from aasnode.reports.drawing import (
    Colour,
    Picture,
    Ring,
    Style,
    draw_corners,
    draw_line,
    draw_rings,
    draw_text,
    text_width,
)
from aasnode.reports.findings import FilmFindings, StudyFindings
from aasnode.reports.panel import BACKGROUND, draw_panel

SHORTEST_SIDE_PX, LONGEST_SIDE_PX = 1100, 2560  # of the film's longer side as drawn; between them it stays as stored
LINE: Colour = (240, 244, 248)
FRAME: Colour = (150, 160, 172)
SCALE_BARS_MM = (100, 50, 20, 10)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """From pixels of the stored image to pixels of a drawn picture of it."""

    scale_x: float
    scale_y: float
    left: float = 0.0  # of the drawn picture, in stored pixels
    top: float = 0.0

    def of(self, point: Point) -> Point:
        """Where a point is drawn; in both frames 0, 0 is the centre of the first pixel."""
        return Point(
            x=(point.x + 0.5 - self.left) * self.scale_x - 0.5, y=(point.y + 0.5 - self.top) * self.scale_y - 0.5
        )


def draw_overlay(study: StudyFindings, film: FilmFindings) -> Picture:
    """(rows, columns, 3) RGB; ``film.pixels`` must be given. The study lends settings and, where known, its change.

    A film of 1100 to 2560 pixels with square pixels is drawn as stored; see ``film_placement`` for the others.
    """
    if film.pixels is None:
        raise ValueError(f"film {film.sop_instance_uid} has no pixels to draw; hand them over with the findings")
    placement = film_placement(film)
    picture = draw_film(film.pixels, placement)
    unit = max(picture.shape[0], round(picture.shape[1] * 0.8)) / 50
    joint = joint_region(film, placement)
    if joint is not None:
        draw_corners(picture, *joint, FRAME, max(1, round(unit / 18)))
    draw_marks(picture, film, placement, ring=unit * 0.22, thickness=max(1, round(unit / 20)))
    panel = draw_panel(study, film, unit, lambda width: _draw_joint(film, placement, joint, width))
    return _compose(picture, _scale_strip(film, placement, picture.shape[1], unit), panel)


def film_placement(film: FilmFindings) -> Placement:
    """Square pixels, never fewer than stored, then within the limits: small films grow by a whole factor."""
    rows, columns = film.shape
    aspect = _pixel_aspect(film)
    scale_x, scale_y = (1.0, aspect) if aspect >= 1 else (1 / aspect, 1.0)
    longest = max(rows * scale_y, columns * scale_x)
    factor = 1.0
    if longest > LONGEST_SIDE_PX:
        factor = LONGEST_SIDE_PX / longest
    elif longest < SHORTEST_SIDE_PX:
        factor = float(np.ceil(SHORTEST_SIDE_PX / longest))
    return Placement(scale_x=scale_x * factor, scale_y=scale_y * factor)


def _pixel_aspect(film: FilmFindings) -> float:
    """Distance between rows / distance between columns, as the points were looked for."""
    if film.spacing is not None:
        return film.spacing.row_mm / film.spacing.column_mm
    stated = read_spacings(film.header)
    return 1.0 if isinstance(stated, Spacings) else stated.aspect_ratio


def draw_film(pixels: npt.NDArray[np.float32], placement: Placement) -> Picture:
    """The film in grey, scaled, windowed from air to bone."""
    grey = to_grey(pixels, pixels)
    size = (round(pixels.shape[1] * placement.scale_x), round(pixels.shape[0] * placement.scale_y))
    if size != (pixels.shape[1], pixels.shape[0]):
        smaller = placement.scale_x * placement.scale_y < 1
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def to_grey(pixels: npt.NDArray[np.float32], reference: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """8 bit, from the 1st to the 99.7th percentile of ``reference``; outliers such as lead letters saturate."""
    sample = reference[np.isfinite(reference)]
    low, high = np.percentile(sample[:: max(1, sample.size // 200_000)], (1.0, 99.7)) if sample.size else (0.0, 1.0)
    scaled = (np.nan_to_num(pixels) - low) * (255.0 / max(float(high - low), 1e-6))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def draw_marks(picture: Picture, film: FilmFindings, placement: Placement, *, ring: float, thickness: int) -> None:
    """The lines from ring to ring, then the rings in the landmarks' colours; close rings shrink until they part."""
    places = {Landmark(name): placement.of(found.point) for name, found in film.landmarks.items() if found is not None}
    radii = {name: _ring_radius(name, places, ring) for name in places}
    for (first, second), is_located in ((ADI_ENDS, film.is_adi_located), (SAC_ENDS, film.is_sac_located)):
        if is_located and first in places and second in places:
            ends = _between(places[first], radii[first], places[second], radii[second])
            draw_line(picture, *ends, LINE, thickness)
    rings = [Ring(centre=place, radius=radii[name], colour=COLOURS_RGB[name]) for name, place in places.items()]
    draw_rings(picture, rings, max(2, thickness))


def _ring_radius(name: Landmark, places: Mapping[Landmark, Point], largest: float) -> float:
    """As large as the nearest other point allows, but never too small to be seen."""
    nearest = min((_distance(places[name], place) for other, place in places.items() if other is not name), default=0.0)
    return max(2.5, min(largest, 0.42 * nearest)) if nearest else largest


def _between(a: Point, radius_a: float, b: Point, radius_b: float) -> tuple[Point, Point]:
    """The part of the line from ``a`` to ``b`` that leaves the inside of both rings free; a point where they touch."""
    distance = _distance(a, b)
    start = min(radius_a, distance / 2) / distance if distance else 0.0
    end = 1 - min(radius_b, distance / 2) / distance if distance else 1.0

    def along(share: float) -> Point:
        return Point(x=a.x + share * (b.x - a.x), y=a.y + share * (b.y - a.y))

    return along(start), along(end)


def _distance(a: Point, b: Point) -> float:
    return math.hypot(b.x - a.x, b.y - a.y)


def joint_region(film: FilmFindings, placement: Placement) -> tuple[Point, Point] | None:
    """The part of the drawn film to magnify: around the points, three to two; None without points."""
    places = [placement.of(found.point) for found in film.landmarks.values() if found is not None]
    if not places:
        return None
    xs, ys = [place.x for place in places], [place.y for place in places]
    rows, columns = film.shape
    longest = max(rows * placement.scale_y, columns * placement.scale_x)
    half = max((max(xs) - min(xs)) * 0.75, (max(ys) - min(ys)) * 1.1, longest * 0.05)
    x, y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return Point(x=x - half, y=y - half * 2 / 3), Point(x=x + half, y=y + half * 2 / 3)


def _draw_joint(
    film: FilmFindings, placement: Placement, region: tuple[Point, Point] | None, width: int
) -> Picture | None:
    """The region magnified from the stored pixels, ``width`` wide, with its marks."""
    if region is None or film.pixels is None:
        return None
    top_left, bottom_right = region
    factor = width / (bottom_right.x - top_left.x)
    inner = Placement(
        scale_x=placement.scale_x * factor,
        scale_y=placement.scale_y * factor,
        left=(top_left.x + 0.5) / placement.scale_x,
        top=(top_left.y + 0.5) / placement.scale_y,
    )
    origin = inner.of(Point(x=0, y=0))
    matrix = np.array([[inner.scale_x, 0, origin.x], [0, inner.scale_y, origin.y]])
    size = (width, round(width * 2 / 3))
    raw = cv2.warpAffine(film.pixels, matrix, size, flags=cv2.INTER_CUBIC, borderValue=float(film.pixels.min()))
    grey = to_grey(raw.astype(np.float32), raw.astype(np.float32))
    picture: Picture = np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    draw_marks(picture, film, inner, ring=width * 0.018, thickness=max(1, round(width / 260)))
    return picture


def _scale_strip(film: FilmFindings, placement: Placement, width: int, unit: float) -> Picture:
    """Below the film: a bar of whole millimetres, or that there are none."""
    strip = np.full((round(unit * 2.6), width, 3), BACKGROUND, np.uint8)
    style = Style(size_px=round(unit * 0.8), colour=FRAME)
    x, y = round(unit), round(unit * 0.7)
    if film.spacing is None:
        draw_text(strip, "no scale: pixel spacing unknown", x, y, style)
        return strip
    px_per_mm = placement.scale_x / film.spacing.column_mm
    mm = next((mm for mm in SCALE_BARS_MM if mm * px_per_mm <= 0.4 * width), SCALE_BARS_MM[-1])
    _draw_bar(strip, x, round(x + mm * px_per_mm), unit)
    if x + mm * px_per_mm + unit + text_width(f"{mm} mm", style) < width:
        draw_text(strip, f"{mm} mm", round(x + mm * px_per_mm + unit * 0.7), y, style)
    return strip


def _draw_bar(strip: Picture, left: int, right: int, unit: float) -> None:
    """A horizontal bar with upright ends, in the middle of the strip."""
    thickness, middle, reach = max(1, round(unit / 12)), strip.shape[0] / 2, unit * 0.35
    draw_line(strip, Point(x=left, y=middle), Point(x=right, y=middle), LINE, thickness)
    for x in (left, right):
        draw_line(strip, Point(x=x, y=middle - reach), Point(x=x, y=middle + reach), LINE, thickness)


def _compose(film: Picture, strip: Picture, panel: Picture) -> Picture:
    """Film and strip at the left, the panel at the right, the rest background."""
    rows = max(film.shape[0] + strip.shape[0], panel.shape[0])
    whole = np.full((rows, film.shape[1] + panel.shape[1], 3), BACKGROUND, np.uint8)
    whole[: film.shape[0], : film.shape[1]] = film
    whole[film.shape[0] : film.shape[0] + strip.shape[0], : film.shape[1]] = strip
    whole[: panel.shape[0], film.shape[1] :] = panel
    return whole
