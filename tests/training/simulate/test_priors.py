"""The joint's lengths among the patients."""

from collections.abc import Callable

import numpy as np
import pytest

from aasnode.anatomy import View
from aasnode.training.simulate.articulation import Anatomy, articulate
from aasnode.training.simulate.patient import Patient, draw_patient
from aasnode.training.simulate.posture import draw_posture, draw_stand
from aasnode.training.simulate.priors import INNER_DIAMETER_MM, Priors, draw_view

MakeAnatomy = Callable[..., Anatomy]


def on_film(make_anatomy: MakeAnatomy, priors: Priors, films: int) -> tuple[np.ndarray, np.ndarray]:
    """ADI and SAC in the detector's plane, from landmarks, of so many films."""
    adi, sac = [], []
    for seed in range(films):
        rng = np.random.default_rng(seed + 10**6)
        view = draw_view(rng)
        neck = articulate(make_anatomy(seed, priors, view, shells=False), draw_posture(view, rng), 0.0)
        magnification = draw_stand(rng).magnification
        adi.append(neck.adi_mm * magnification)
        sac.append(neck.sac_mm * magnification)
    return np.array(adi), np.array(sac)


def test_natural_priors_have_the_published_medians_and_quartiles(make_anatomy: MakeAnatomy) -> None:
    """Okita et al. 2023: ADI 1.61 (1.00 to 2.92), SAC 19.81 (17.23 to 21.52)."""
    adi, sac = on_film(make_anatomy, Priors.NATURAL, 5000)

    for measured, (first, median, third) in ((adi, (1.00, 1.61, 2.92)), (sac, (17.23, 19.81, 21.52))):
        q1, q2, q3 = np.percentile(measured, (25, 50, 75))
        assert q2 == pytest.approx(median, abs=0.1)
        assert q1 == pytest.approx(first, abs=0.4)
        assert q3 == pytest.approx(third, abs=0.4)


def test_filled_priors_leave_no_length_out(make_anatomy: MakeAnatomy) -> None:
    adi, sac = on_film(make_anatomy, Priors.FILLED, 1200)

    share_of_adi, _ = np.histogram(adi, bins=[0, 2, 4, 6, 8, 10, 12, 14])
    share_of_sac, _ = np.histogram(sac, bins=[6, 10, 14, 18, 22, 28])
    assert share_of_adi.min() > 0.09 * len(adi)
    assert share_of_sac.min() > 0.05 * len(sac)


def test_the_ring_of_c1_stays_within_what_rings_measure(make_anatomy: MakeAnatomy) -> None:
    diameters = [make_anatomy(seed, Priors.FILLED, shells=False).atlas.inner_diameter_mm for seed in range(200)]

    assert min(diameters) > INNER_DIAMETER_MM[0] - 0.1
    assert max(diameters) < INNER_DIAMETER_MM[1] + 0.1


def patients(number: int) -> list[Patient]:
    return [draw_patient(n, np.random.default_rng(n)) for n in range(number)]


def test_joints_loosen_over_the_years_except_those_that_settle() -> None:
    opened = [p.adi_mm(6, View.NEUTRAL) - p.adi_mm(0, View.NEUTRAL) for p in patients(400)]
    settling = [p for p in patients(400) if p.laxity_per_year < 0]

    assert np.mean(np.array(opened) > 0) > 0.9
    assert settling
    assert all(p.settling_mm_per_year > 0 for p in settling)
