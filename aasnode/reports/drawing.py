"""Strokes and letters on an RGB picture: what the overlay is drawn with. Knows no anatomy and no DICOM."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from aasnode.geometry import Point

Colour = tuple[int, int, int]
Picture = npt.NDArray[np.uint8]

BLACK: Colour = (0, 0, 0)
_SUBPIXEL_BITS = 6  # OpenCV draws in fixed point


class Weight(IntEnum):
    """Stroke weight of the letters."""

    REGULAR = 400
    BOLD = 700


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a text looks."""

    size_px: int
    colour: Colour
    weight: Weight = Weight.REGULAR

    @property
    def line_height_px(self) -> int:
        """Distance of two base lines."""
        return round(self.size_px * 1.42)


@cache
def _font(weight: Weight) -> Any:
    """The fonts that OpenCV carries, so that the picture is the same on every machine."""
    return cv2.FontFace("uni" if weight is Weight.REGULAR else "sans")


def text_width(text: str, style: Style) -> int:
    """Width in pixels of one line."""
    _, _, width, _ = cv2.getTextSize((1, 1), text, (0, 0), _font(style.weight), style.size_px, int(style.weight))
    return int(width)


def draw_text(picture: Picture, text: str, x: int, y: int, style: Style) -> None:
    """One line, whose line box begins at ``x``, ``y``."""
    base = y + round(style.line_height_px * 0.78)
    cv2.putText(picture, text, (x, base), style.colour, _font(style.weight), style.size_px, int(style.weight))


def wrap(text: str, width: int, style: Style) -> list[str]:
    """Break at spaces into lines of at most ``width`` pixels; a longer word stands alone."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, style) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def draw_line(picture: Picture, a: Point, b: Point, colour: Colour, thickness: int) -> None:
    """A straight line with a thin dark edge, so that it shows on bone and on air."""
    for stroke, width in ((BLACK, thickness + 2), (colour, thickness)):
        cv2.line(picture, _fixed(a), _fixed(b), stroke, width, cv2.LINE_AA, _SUBPIXEL_BITS)


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A mark whose inside stays visible."""

    centre: Point
    radius: float
    colour: Colour


def draw_rings(picture: Picture, rings: Iterable[Ring], thickness: int) -> None:
    """All dark edges first, so that no ring's edge hides its neighbour."""
    together = list(rings)
    for edge in (True, False):
        for ring in together:
            colour, width = (BLACK, thickness + 2) if edge else (ring.colour, thickness)
            radius = round(ring.radius * 2**_SUBPIXEL_BITS)
            cv2.circle(picture, _fixed(ring.centre), radius, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_corners(picture: Picture, top_left: Point, bottom_right: Point, colour: Colour, thickness: int) -> None:
    """The four corners of a rectangle only: a frame that hides next to nothing."""
    arm = 0.12 * min(bottom_right.x - top_left.x, bottom_right.y - top_left.y)
    for x, toward_x in ((top_left.x, 1), (bottom_right.x, -1)):
        for y, toward_y in ((top_left.y, 1), (bottom_right.y, -1)):
            draw_line(picture, Point(x=x, y=y), Point(x=x + toward_x * arm, y=y), colour, thickness)
            draw_line(picture, Point(x=x, y=y), Point(x=x, y=y + toward_y * arm), colour, thickness)


def fill(picture: Picture, x: int, y: int, width: int, height: int, colour: Colour) -> None:
    """A filled rectangle, clipped to the picture."""
    picture[max(0, y) : y + height, max(0, x) : x + width] = colour


def _fixed(point: Point) -> tuple[int, int]:
    return round(point.x * 2**_SUBPIXEL_BITS), round(point.y * 2**_SUBPIXEL_BITS)
