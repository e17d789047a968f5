"""Any C1 on any C2 in any surroundings, with an exact ADI."""

import numpy as np
import pytest

from aasnode.training.sampler.compose import (
    HELD_OUT,
    TRAINING,
    Composition,
    Split,
    _pick,
    draw_adi_mm,
    draw_composition,
    join,
)
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.surroundings import Reach


def joined(library: Library, adi_mm: float, number: int) -> Composition:
    """The first composition of these bones that fits together; chance depends on the number alone."""
    c1, c2 = (library.bones(name)[number % 4] for name in ("c1", "c2"))
    around = library.surroundings(Reach.NEIGHBOURHOOD)[number % 2]
    for attempt in range(20):
        found = join(c1, c2, around, adi_mm, np.random.default_rng([number, attempt]))
        if found is not None:
            return found
    raise AssertionError(f"composition {number} never fits together")


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("adi_mm", [0.4, 3.0, 11.0])
def test_the_adi_is_the_one_that_was_asked_for(library: Library, adi_mm: float, number: int) -> None:
    assert joined(library, adi_mm, number).axis.adi == pytest.approx(adi_mm, abs=1e-6)


@pytest.mark.parametrize("number", range(6))
def test_another_adi_moves_c1_along_its_axis_and_nothing_else(library: Library, number: int) -> None:
    near, far = joined(library, 2.0, number), joined(library, 7.0, number)
    assert np.array_equal(near.sections.core, far.sections.core)
    assert near.axis.landmarks[1:3] == pytest.approx(far.axis.landmarks[1:3])
    moved = far.axis.landmarks[[0, 3]] - near.axis.landmarks[[0, 3]]
    assert moved == pytest.approx(np.tile(5.0 * near.axis.ventral, (2, 1)))
    assert far.sections.anterior_arch == pytest.approx(near.sections.anterior_arch + 5.0 * near.axis.ventral)


def test_the_joint_lies_where_the_patient_of_the_surroundings_had_it(library: Library) -> None:
    for number in range(6):
        composition = joined(library, 1.5, number)
        frame = composition.surroundings.frame
        assert composition.axis.ventral[0] > 0  # the face is to the right, as in the surroundings
        assert np.linalg.norm(composition.axis.landmarks[1:3].mean(0) - frame.dens_end) < 25


@pytest.mark.parametrize("count", [24, 240, 300, 400])
def test_bones_of_training_never_show_in_validation(count: int) -> None:
    rng, shelf = np.random.default_rng(0), range(count)
    seen = {_pick(shelf, TRAINING, rng) for _ in range(5000)}
    held = {_pick(shelf, HELD_OUT, rng) for _ in range(5000)}
    assert not seen & held
    assert seen | held == set(shelf)


def test_large_adi_is_nearly_as_frequent_as_small() -> None:
    rng = np.random.default_rng(1)
    drawn = np.array([draw_adi_mm(rng) for _ in range(4000)])
    assert 0.35 < np.mean(drawn > 3) < 0.5
    assert np.mean(drawn > 8) > 0.1
    assert drawn.min() >= 0.25


def test_size_of_dens_does_not_tell_the_size_of_c1(library: Library) -> None:
    rng = np.random.default_rng(2)
    found = [draw_composition(library, Reach.NEIGHBOURHOOD, Split(), rng).axis.landmarks for _ in range(150)]
    dens = [np.linalg.norm(points[1] - points[2]) for points in found]
    diameter = [np.linalg.norm(points[0] - points[3]) for points in found]
    assert abs(np.corrcoef(dens, diameter)[0, 1]) < 0.4
