"""The decision table of docs/measurements.md, row by row."""

import numpy as np
import pytest

from aasnode.config import AbnormalAbove, AbnormalBelow, MeasurementSection, Plane
from aasnode.geometry import SpacingRule
from aasnode.measurement import Assessment, ComparedLength, FilmAssessment, Length, assess_film, criteria
from tests.measurement.points import SHIPPED, length, settings

SUSPECTED, BORDERLINE = Assessment.AAS_SUSPECTED, Assessment.BORDERLINE
NONE, UNCERTAIN, NOT_ASSESSED = Assessment.NO_AAS_ON_THIS_VIEW, Assessment.UNCERTAIN, Assessment.NOT_ASSESSED


def assessed(
    adi: Length | None,
    sac: Length | None,
    *,
    rule: SpacingRule | None = SpacingRule.DETECTOR_PLANE,
    age_years: float | None = 60.0,
    section: MeasurementSection = SHIPPED,
) -> tuple[Assessment, str]:
    found = film(adi, sac, rule=rule, age_years=age_years, section=section)
    return found.assessment, found.reason


def film(
    adi: Length | None,
    sac: Length | None,
    *,
    rule: SpacingRule | None = SpacingRule.DETECTOR_PLANE,
    age_years: float | None = 60.0,
    section: MeasurementSection = SHIPPED,
) -> FilmAssessment:
    return assess_film(
        adi=adi,
        sac=sac,
        adi_reason=None if adi else "point_hidden",
        sac_reason=None if sac else "point_hidden",
        spacing_rule=rule,
        age_years=age_years,
        settings=section,
    )


@pytest.mark.parametrize(
    ("adi_mm", "sac_mm", "expected"),
    [
        (1.5, 20.0, NONE),
        (3.6, 20.0, SUSPECTED),
        (2.69, 20.0, NONE),  # a standard error is 0.304 mm
        (2.70, 20.0, UNCERTAIN),
        (3.0, 20.0, UNCERTAIN),  # which is not beyond 3 mm
        (3.01, 20.0, SUSPECTED),
        (1.5, 12.5, SUSPECTED),
        (1.5, 13.0, SUSPECTED),
        (1.5, 13.01, UNCERTAIN),
        (1.5, 13.30, UNCERTAIN),
        (1.5, 13.31, BORDERLINE),
        (1.5, 14.0, BORDERLINE),
        (1.5, 14.1, NONE),
        (2.8, 13.5, UNCERTAIN),  # uncertain goes before borderline
        (3.2, 13.5, SUSPECTED),
        (2.8, 13.0, SUSPECTED),
        (3.2, 12.0, SUSPECTED),
        (None, 20.0, NOT_ASSESSED),  # a normal SAC does not exclude a subluxation
        (None, 12.0, SUSPECTED),
        (None, 13.6, BORDERLINE),
        (None, 13.1, UNCERTAIN),
        (1.5, None, NONE),
        (3.6, None, SUSPECTED),
        (None, None, NOT_ASSESSED),
    ],
)
def test_decision_table(adi_mm: float | None, sac_mm: float | None, expected: Assessment) -> None:
    adi = length(adi_mm) if adi_mm is not None else None
    sac = length(sac_mm) if sac_mm is not None else None
    assert assessed(adi, sac)[0] is expected


def test_wide_interval_over_the_borderline_zone_is_uncertain() -> None:
    assert assessed(length(1.0), length(14.5, half_width_mm=2.5))[0] is UNCERTAIN


@pytest.mark.parametrize(
    ("adi_mm", "sac_mm", "expected"),
    [
        (2.49, 20.0, NONE),
        (2.51, 20.0, UNCERTAIN),  # the interval ends beyond the threshold
        (3.49, 20.0, UNCERTAIN),  # the interval begins before it
        (3.51, 20.0, SUSPECTED),
        (1.5, 12.49, SUSPECTED),
        (1.5, 12.51, UNCERTAIN),
        (1.5, 13.49, UNCERTAIN),
        (1.5, 13.51, BORDERLINE),
    ],
)
def test_guard_bands_of_the_whole_interval_make_all_that_spans_the_threshold_uncertain(
    adi_mm: float, sac_mm: float, expected: Assessment
) -> None:
    section = settings(suspected_guard=1.645, normal_guard=1.645)
    assert assessed(length(adi_mm), length(sac_mm), section=section)[0] is expected


def test_without_guard_bands_the_value_decides() -> None:
    section = settings(suspected_guard=0.0, normal_guard=0.0)
    said = [assessed(length(mm), None, section=section)[0] for mm in (2.9, 3.0, 3.1)]
    assert said == [NONE, NONE, SUSPECTED]


@pytest.mark.parametrize(
    ("adi_operator", "sac_operator", "expected"),
    [
        (AbnormalAbove.GREATER, AbnormalBelow.LESS_OR_EQUAL, (UNCERTAIN, SUSPECTED)),
        (AbnormalAbove.GREATER_OR_EQUAL, AbnormalBelow.LESS, (SUSPECTED, UNCERTAIN)),
    ],
)
def test_operators_of_the_configuration_decide_at_the_threshold(
    adi_operator: AbnormalAbove, sac_operator: AbnormalBelow, expected: tuple[Assessment, Assessment]
) -> None:
    section = settings(adi_operator=adi_operator, sac_operator=sac_operator)
    assert assessed(length(3.0), None, section=section)[0] is expected[0]
    assert assessed(None, length(13.0), section=section)[0] is expected[1]


def test_thresholds_of_the_configuration_are_used() -> None:
    women = settings(adi_threshold_mm=2.5)
    assert assessed(length(3.1), length(20), section=women)[0] is SUSPECTED


def test_under_18_years_nothing_is_assessed() -> None:
    assert assessed(length(6), length(10), age_years=17.9) == (
        NOT_ASSESSED,
        "under 18 years: thresholds are those of adults",
    )
    assert assessed(length(6), length(10), age_years=18.0)[0] is SUSPECTED


def test_unknown_age_is_taken_as_adult_and_said() -> None:
    assessment, reason = assessed(length(6), length(20), age_years=None)
    assert assessment is SUSPECTED
    assert "age unknown" in reason


def test_each_length_is_told_with_the_side_of_the_limit_on_which_it_lies() -> None:
    said = assessed(length(1.9), length(13.5, half_width_mm=0.4))[1]
    assert said == "ADI 1.9 mm [1.4, 2.4], <= 3 mm: normal; SAC 13.5 mm [13.1, 13.9], <= 14 mm: borderline"


def test_missing_lengths_are_named_with_their_reason() -> None:
    assert "ADI not measured (point hidden)" in assessed(None, length(20))[1]


def test_detector_plane_value_is_compared_where_it_is_known() -> None:
    """2.8 mm corrected are 3.5 mm on the film: beyond the threshold of films."""
    adi = length(2.8, half_width_mm=0.2, corrected_mm=2.8, detector_plane_mm=3.5)
    assessment, reason = assessed(adi, length(20), rule=SpacingRule.IMAGER_MAGNIFIED)
    assert assessment is SUSPECTED
    assert "compared in the detector plane: 3.50 mm" in reason


@pytest.mark.parametrize(
    ("adi_mm", "sac_mm", "expected"),
    [
        (3.3, 20.0, SUSPECTED),  # larger still on the film
        (3.0, 20.0, UNCERTAIN),  # on the film from 3.0 mm
        (2.5, 20.0, UNCERTAIN),  # on the film up to 3.25 mm, and more within error
        (2.2, 20.0, UNCERTAIN),  # on the film up to 2.86 mm, and 3.02 within error
        (2.1, 20.0, NONE),
        (1.5, 12.5, UNCERTAIN),  # on the film up to 16.5 mm
        (1.5, 9.0, SUSPECTED),
        (1.5, 13.5, NONE),  # on the film from 13.3 mm: no borderline value is known
    ],
)
def test_corrected_value_alone_is_compared_over_the_range_of_magnification(
    adi_mm: float, sac_mm: float, expected: Assessment
) -> None:
    adi, sac = (length(mm, half_width_mm=0.2, corrected_mm=mm) for mm in (adi_mm, sac_mm))
    assessment, reason = assessed(adi, sac, rule=SpacingRule.FIDUCIAL)
    assert assessment is expected
    assert "known in the patient plane only; compared in the detector plane" in reason


def test_thresholds_of_the_corrected_plane_are_compared_there() -> None:
    section = settings(threshold_plane=Plane.CORRECTED)
    both = length(3.5, half_width_mm=0.2, detector_plane_mm=3.5, corrected_mm=2.7)
    assert assessed(both, None, section=section)[0] is NONE
    film_only = length(3.5, half_width_mm=0.2)
    assessment, reason = assessed(film_only, None, section=section)
    assert assessment is UNCERTAIN
    assert "known in the detector plane only; compared in the patient plane" in reason


@pytest.mark.parametrize("rule", [SpacingRule.PIXEL_SPACING_UNKNOWN, SpacingRule.GIVEN])
def test_plane_that_is_not_stated_is_said(rule: SpacingRule) -> None:
    unstated = Length(mm=4, low_mm=3.8, high_mm=4.2, sigma_mm=0.1, detector_plane_mm=None, corrected_mm=None)
    assessment, reason = assessed(unstated, None, rule=rule)
    assert assessment is SUSPECTED
    assert "plane of the pixel spacing not stated" in reason


def test_larger_sac_with_the_same_interval_is_never_graver() -> None:
    order = [SUSPECTED, UNCERTAIN, BORDERLINE, NONE]
    found = [assessed(length(1.0), length(mm / 100, half_width_mm=1.5))[0] for mm in range(1100, 1700, 5)]
    assert [order.index(one) for one in found] == sorted(order.index(one) for one in found)


def test_plane_that_is_not_stated_is_not_taken_for_the_detector_plane() -> None:
    section = settings(threshold_plane=Plane.CORRECTED)
    unstated = Length(mm=3.5, low_mm=3.3, high_mm=3.7, sigma_mm=0.1, detector_plane_mm=None, corrected_mm=None)
    assessment, reason = assessed(unstated, None, rule=SpacingRule.PIXEL_SPACING_UNKNOWN, section=section)
    assert assessment is SUSPECTED
    assert "plane of the pixel spacing not stated" in reason


def as_measured(mm: float) -> ComparedLength:
    plain = length(mm)
    return ComparedLength(mm=mm, low_mm=plain.low_mm, high_mm=plain.high_mm, plane=Plane.DETECTOR, is_as_measured=True)


@pytest.mark.parametrize(
    ("adi_mm", "sac_mm", "adi", "sac"),
    [
        (1.5, 20.0, (NONE, "<= 3 mm"), (NONE, "> 14 mm")),
        (2.9, 13.8, (UNCERTAIN, "not clear of 3 mm"), (BORDERLINE, "<= 14 mm")),
        (3.2, 13.2, (SUSPECTED, "> 3 mm"), (UNCERTAIN, "not clear of 13 mm")),
        (3.6, 12.0, (SUSPECTED, "> 3 mm"), (SUSPECTED, "<= 13 mm")),
    ],
)
def test_each_length_says_on_which_side_of_which_limit_it_lies(
    adi_mm: float, sac_mm: float, adi: tuple[Assessment, str], sac: tuple[Assessment, str]
) -> None:
    found = film(length(adi_mm), length(sac_mm))
    assert found.adi is not None
    assert found.sac is not None
    assert (found.adi.assessment, found.adi.limit) == adi
    assert (found.sac.assessment, found.sac.limit) == sac
    assert found.adi.compared == as_measured(adi_mm)


def test_a_length_that_is_known_in_both_planes_says_which_value_was_compared() -> None:
    adi = length(2.8, half_width_mm=0.2, corrected_mm=2.8, detector_plane_mm=3.5)
    found = film(adi, None, rule=SpacingRule.IMAGER_MAGNIFIED).adi
    assert found is not None
    assert (found.assessment, found.limit) == (SUSPECTED, "> 3 mm")
    assert (found.compared.mm, found.compared.low_mm, found.compared.high_mm) == pytest.approx((3.5, 3.25, 3.75))
    assert (found.compared.plane, found.compared.is_as_measured) == (Plane.DETECTOR, False)


def test_a_length_that_is_known_in_the_other_plane_alone_was_compared_as_a_range() -> None:
    sac = length(13.5, half_width_mm=0.2, corrected_mm=13.5)
    found = film(None, sac, rule=SpacingRule.FIDUCIAL).sac
    assert found is not None
    compared = found.compared
    assert (compared.mm, compared.low_mm, compared.high_mm) == (None, pytest.approx(13.3), pytest.approx(13.7 * 1.3))
    assert (found.limit, compared.is_as_measured) == ("> 13 mm", False)


def test_a_length_whose_plane_is_not_stated_was_compared_in_no_stated_plane() -> None:
    unstated = Length(mm=4, low_mm=3.8, high_mm=4.2, sigma_mm=0.1, detector_plane_mm=None, corrected_mm=None)
    found = film(unstated, None, rule=SpacingRule.PIXEL_SPACING_UNKNOWN).adi
    assert found is not None
    assert (found.compared.plane, found.compared.is_as_measured) == (None, True)


def test_under_18_years_no_length_says_anything() -> None:
    found = film(length(6), length(10), age_years=17.0)
    assert (found.adi, found.sac) == (None, None)


def test_the_criteria_name_operators_values_plane_and_guard_bands() -> None:
    assert criteria(SHIPPED) == (
        "ADI > 3 mm, SAC <= 13 mm (borderline to 14 mm), in the detector plane; else uncertain within 1 standard error"
    )
    site = settings(
        adi_threshold_mm=2.5,
        sac_operator=AbnormalBelow.LESS,
        threshold_plane=Plane.CORRECTED,
        suspected_guard=1.645,
        normal_guard=0.0,
    )
    assert criteria(site) == (
        "ADI > 2.5 mm, SAC < 13 mm (borderline to 14 mm), in the patient plane; "
        "abnormal if beyond by 1.645 standard errors; else uncertain"
    )


@pytest.mark.parametrize(
    ("suspected_guard", "normal_guard", "adi_mm", "sac_mm", "expected"),
    [
        # corrected values, their standard error 0.122 mm; on the film 1.0 to 1.3 times as long
        (0.0, 1.0, 3.01, 20.0, SUSPECTED),
        (1.0, 1.0, 3.12, 20.0, UNCERTAIN),  # less its error 2.998
        (1.0, 1.0, 3.13, 20.0, SUSPECTED),
        (0.0, 2.0, 2.1, 20.0, UNCERTAIN),  # 1.3 times 2.343 is more than 3
        (0.0, 0.0, 2.3, 20.0, NONE),
        (0.0, 0.0, 2.4, 20.0, UNCERTAIN),  # a range of magnification is doubt enough
        (0.0, 1.0, 1.5, 10.0, SUSPECTED),  # 1.3 times 10 is 13
        (1.0, 1.0, 1.5, 9.9, UNCERTAIN),  # 1.3 times 10.022 is more
        (0.0, 1.0, 1.5, 13.1, UNCERTAIN),
        (0.0, 1.0, 1.5, 13.2, NONE),
    ],
)
def test_guard_bands_go_with_the_range_of_magnification(
    suspected_guard: float, normal_guard: float, adi_mm: float, sac_mm: float, expected: Assessment
) -> None:
    adi, sac = (length(mm, half_width_mm=0.2, corrected_mm=mm) for mm in (adi_mm, sac_mm))
    section = settings(suspected_guard=suspected_guard, normal_guard=normal_guard)
    assert assessed(adi, sac, rule=SpacingRule.FIDUCIAL, section=section)[0] is expected


def test_the_value_that_is_compared_is_the_headers() -> None:
    """2.5 mm in the patient's plane are told to be 3 mm on the film, which is not more than 3."""
    for corrected in np.linspace(2.3, 2.9, 50):
        adi = length(corrected, half_width_mm=0.2, corrected_mm=corrected, detector_plane_mm=3.0)
        assert assessed(adi, None, rule=SpacingRule.IMAGER_MAGNIFIED)[0] is UNCERTAIN


def test_what_the_value_decides_says_that_its_interval_spans_the_threshold() -> None:
    said = assessed(length(3.2), length(14.5, half_width_mm=2.0))[1]
    assert said == (
        "ADI 3.2 mm [2.7, 3.7], > 3 mm: abnormal (interval spans 3 mm); "
        "SAC 14.5 mm [12.5, 16.5], > 14 mm: normal (interval spans 13 mm)"
    )
    assert "spans" not in assessed(length(2.9), length(20))[1]  # which is uncertain


def test_a_value_that_one_decimal_would_put_onto_the_threshold_has_two() -> None:
    said = assessed(length(3.04), length(13.04))[1]
    assert "ADI 3.04 mm [2.5, 3.5], > 3 mm: abnormal" in said
    assert "SAC 13.04 mm [12.5, 13.5], not clear of 13 mm: uncertain" in said
    assert "SAC 14.04 mm [13.5, 14.5], > 14 mm: normal" in assessed(length(1.5), length(14.04))[1]
