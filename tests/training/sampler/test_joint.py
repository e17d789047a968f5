"""The four points are where the C1 axis crosses the sections' edges."""

from dataclasses import replace

import numpy as np
import pytest

from aasnode.training.sampler.joint import Contour, Sections, axis_points


def box(left: float, right: float, top: float, bottom: float) -> Contour:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], float)


SECTIONS = Sections(anterior_arch=box(20, 26, -5, 5), posterior_arch=box(-26, -20, -4, 4), core=box(6, 17, -12, 30))


def test_points_are_the_edges_on_a_level_axis() -> None:
    found = axis_points(SECTIONS)
    assert found is not None
    assert found.landmarks == pytest.approx(np.array([[20, 0], [17, 0], [6, 0], [-20, 0]]))
    assert found.anterior_centre == pytest.approx([23, 0])
    assert (found.adi, found.diameter) == pytest.approx((3, 40))


def test_points_turn_with_the_anatomy() -> None:
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    turned = Sections(**{name: contour @ turn.T + [3, -7] for name, contour in vars(SECTIONS).items()})
    found, level = axis_points(turned), axis_points(SECTIONS)
    assert found is not None
    assert level is not None
    assert found.landmarks == pytest.approx(level.landmarks @ turn.T + [3, -7])
    assert found.ventral == pytest.approx(turn[:, 0])


@pytest.mark.parametrize(
    "core", [box(6, 17, 2, 30), box(6, 21, -12, 30)], ids=["axis passes over the dens", "dens beyond the arch"]
)
def test_no_points_where_there_is_no_joint(core: Contour) -> None:
    assert axis_points(replace(SECTIONS, core=core)) is None
