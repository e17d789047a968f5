"""The coloured marks of an overlay, found again in its picture."""

import numpy as np

from aasnode.geometry import Point
from aasnode.reports.drawing import Picture


def centre_of_colour(picture: Picture, colour: tuple[int, int, int]) -> Point:
    """Middle of the extent of the pixels of nearly this colour."""
    apart = np.abs(picture.astype(int) - np.array(colour)).max(axis=2)
    ys, xs = np.nonzero(apart < 40)
    assert xs.size > 5, "the colour is not in the picture"
    return Point(x=(xs.min() + xs.max()) / 2, y=(ys.min() + ys.max()) / 2)
