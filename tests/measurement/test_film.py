import math
from dataclasses import replace

import numpy as np
import pytest

from aasnode.anatomy import Landmark, LandmarkEstimate, View
from aasnode.geometry import PixelSpacing, Point, SpacingRule, Spacings, Unscaled
from aasnode.measurement import Assessment, IntervalRule, StudyFilm, length_sigma_mm
from tests.measurement.points import CALIBRATION, estimate, in_plane, measured, on_axis, without


def test_adi_and_sac_are_distances_of_their_points() -> None:
    film = measured(2.5, 18.0)
    assert film.adi is not None
    assert film.sac is not None
    assert film.adi.mm == pytest.approx(2.5)
    assert film.sac.mm == pytest.approx(18.0)
    assert film.c1_inner_diameter_mm == pytest.approx(30.5)
    assert film.adi_ratio == pytest.approx(2.5 / 30.5)
    assert film.sac_ratio == pytest.approx(18.0 / 30.5)
    assert film.interval_source == "simulated films"


def test_rows_and_columns_are_scaled_separately() -> None:
    landmarks = {**on_axis(2, 18), Landmark.DENS_ANTERIOR: estimate(130, 240)}
    landmarks[Landmark.C1_ANTERIOR_ARCH_POSTERIOR] = estimate(100, 200)
    film = measured(0, 0, landmarks=landmarks, spacing=in_plane(row_mm=0.1, column_mm=0.2))
    assert film.adi is not None
    assert film.adi.mm == pytest.approx(math.hypot(30 * 0.2, 40 * 0.1))


def test_sigma_is_that_of_the_points_along_the_line() -> None:
    """Against a million draws, with pixels that are not square and ellipses that are not round."""
    a = LandmarkEstimate(point=Point(x=0, y=0), covariance_px2=((4.0, 1.5), (1.5, 1.0)), confidence=1)
    b = LandmarkEstimate(point=Point(x=300, y=200), covariance_px2=((1.0, -0.4), (-0.4, 9.0)), confidence=1)
    spacing = PixelSpacing(row_mm=0.1, column_mm=0.2, rule=SpacingRule.GIVEN)
    random = np.random.default_rng(1)
    draws = [random.multivariate_normal([e.point.x, e.point.y], e.covariance_px2, 1_000_000) for e in (a, b)]
    lengths = np.hypot(*((draws[1] - draws[0]) * [0.2, 0.1]).T)
    assert length_sigma_mm(a, b, spacing) == pytest.approx(lengths.std(), rel=0.005)


def test_points_that_coincide_still_have_a_sigma() -> None:
    spacing = in_plane().primary
    assert length_sigma_mm(estimate(1, 1, 2.0), estimate(1, 1, 2.0), spacing) == pytest.approx(0.15 * math.sqrt(8))


def test_interval_is_the_quantile_of_doubt_and_floor_together() -> None:
    wide = measured(4, 18, landmarks=on_axis(4, 18, sigma_px=2.0)).adi
    assert wide is not None
    half_width = CALIBRATION.adi_quantile * math.hypot(math.sqrt(2) * 2.0 * 0.15, CALIBRATION.adi_floor_mm)
    assert wide.high_mm - wide.mm == pytest.approx(half_width)
    assert wide.mm - wide.low_mm == pytest.approx(half_width)
    assert wide.sigma_mm == pytest.approx(half_width / 1.645, rel=1e-3)


def test_a_quantile_below_one_does_not_take_an_interval_below_the_floor() -> None:
    wide, narrow = (IntervalRule(quantile=quantile, floor_mm=0.3, length_share=0.0) for quantile in (2.0, 0.5))
    assert wide.half_width_mm(0.0, 5.0) == pytest.approx(0.6)
    assert wide.half_width_mm(0.4, 5.0) == pytest.approx(1.0)
    assert narrow.half_width_mm(0.1, 5.0) == 0.3


def test_each_length_has_its_own_rule_and_both_the_share_of_their_length() -> None:
    calibration = replace(CALIBRATION, sac_quantile=3.0, sac_floor_mm=0.5, length_share=0.1)
    film = measured(4, 18, calibration=calibration)
    for length, quantile, floor_mm in ((film.adi, 2.0, 0.1), (film.sac, 3.0, 0.5)):
        assert length is not None
        assert length.high_mm - length.mm == pytest.approx(quantile * math.hypot(floor_mm, 0.1 * length.mm), abs=0.02)


def test_a_longer_length_has_a_wider_interval_where_the_rule_says_so() -> None:
    rule = IntervalRule(quantile=2.0, floor_mm=0.3, length_share=0.1)
    assert rule.half_width_mm(0.0, 4.0) == pytest.approx(2 * 0.5)
    assert rule.half_width_mm(0.0, 0.0) == pytest.approx(2 * 0.3)


def test_interval_never_goes_below_zero() -> None:
    adi = measured(0.5, 18, landmarks=on_axis(0.5, 18, sigma_px=5)).adi
    assert adi is not None
    assert adi.low_mm == 0


def test_both_planes_are_kept() -> None:
    corrected = PixelSpacing(row_mm=0.12, column_mm=0.12, rule=SpacingRule.IMAGER_MAGNIFIED)
    plane = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    film = measured(3, 18, spacing=Spacings(primary=corrected, detector_plane=plane, corrected=corrected))
    assert film.adi is not None
    assert film.adi.mm == film.adi.corrected_mm == pytest.approx(2.4)
    assert film.adi.detector_plane_mm == pytest.approx(3.0)
    assert film.spacing_rule is SpacingRule.IMAGER_MAGNIFIED


def test_what_each_length_says_is_kept_beside_it() -> None:
    film = measured(4, 18)
    assert film.adi_finding is not None
    assert film.sac_finding is not None
    assert (film.adi_finding.limit, film.sac_finding.limit) == ("> 3 mm", "> 14 mm")


@pytest.mark.parametrize("missing", [Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR])
def test_sac_stands_without_the_points_of_the_adi(missing: Landmark) -> None:
    film = measured(2, 18, landmarks=without(on_axis(2, 18), missing))
    assert film.adi is None
    assert film.adi_reason == "point_missing"
    assert film.sac is not None
    assert film.sac_reason is None
    assert film.c1_inner_diameter_mm is film.adi_ratio is film.sac_ratio is None


def test_length_that_is_withheld_is_not_measured_although_its_points_are_there() -> None:
    film = measured(2, 18, sac_reason="low_confidence")
    assert film.sac is None
    assert film.sac_reason == "low_confidence"
    assert film.adi is not None
    assert (film.adi_withheld, film.sac_withheld) == (False, True)


def test_length_is_known_as_withheld_on_a_film_without_millimetres_too() -> None:
    film = measured(2, 18, spacing=Unscaled(reason="no pixel spacing in the header"), adi_reason="operated_neck")
    assert (film.adi_withheld, film.sac_withheld) == (True, False)
    assert film.adi_ratio is None


def test_without_millimetres_the_ratios_stand() -> None:
    film = measured(2, 18, spacing=Unscaled(reason="no pixel spacing in the header"))
    assert film.adi is film.sac is film.c1_inner_diameter_mm is film.spacing_rule is None
    assert film.adi_reason == "no pixel spacing in the header"
    assert film.adi_ratio == pytest.approx(2 / 30)
    assert film.assessment is Assessment.NOT_ASSESSED


def test_only_a_flexion_film_may_say_absent() -> None:
    def of_view(view: View, *, is_stated: bool = True) -> StudyFilm:
        return StudyFilm(measurement=measured(1, 20, view=view), is_view_stated=is_stated, is_repeat=False)

    assert of_view(View.FLEXION).excludes_aas
    for view in (View.NEUTRAL, View.EXTENSION, View.UNKNOWN):
        film = of_view(view)
        assert film.assessment is Assessment.NO_AAS_ON_THIS_VIEW
        assert not film.excludes_aas
    assert not of_view(View.FLEXION, is_stated=False).excludes_aas
