from datetime import UTC, datetime
from typing import Any

import pytest

from aasnode.anatomy import View
from aasnode.geometry import SpacingRule
from aasnode.measurement import Compared, CourseEntry, NotComparable, changes
from tests.measurement.points import SHIPPED, length, settings


def entry(year: int, adi_mm: float | None = 2.0, sac_mm: float | None = 20.0, **fields: Any) -> CourseEntry:
    given = {
        "key": str(year), "acquired_at": datetime(year, 5, 1, tzinfo=UTC), "view": View.FLEXION,
        "spacing_rule": SpacingRule.DETECTOR_PLANE, "model": "aas 1.0.0",
        "adi": None if adi_mm is None else length(adi_mm), "sac": None if sac_mm is None else length(sac_mm),
    }  # fmt: skip
    return CourseEntry(**(given | fields))


def compared(comparison: Compared | NotComparable) -> Compared:
    assert isinstance(comparison, Compared), comparison
    return comparison


def why_not(comparison: Compared | NotComparable) -> str:
    assert isinstance(comparison, NotComparable), comparison
    return comparison.reason


def test_changes_are_against_the_previous_and_the_first_film() -> None:
    last = changes([entry(2020, 2.0), entry(2022, 3.0), entry(2024, 6.0)], SHIPPED)[2]
    assert last.key == "2024"
    assert compared(last.adi_since_previous).against == "2022"
    assert compared(last.adi_since_previous).change.mm == pytest.approx(3.0)
    assert compared(last.adi_since_first).against == "2020"
    assert compared(last.adi_since_first).change.mm == pytest.approx(4.0)


def test_a_film_that_may_be_another_persons_is_compared_with_nothing() -> None:
    _, disputed, last = changes([entry(2020, 2.0), entry(2022, 9.0, is_disputed=True), entry(2024, 3.0)], SHIPPED)
    assert why_not(disputed.adi_since_previous) == "the film came again as another person's"
    assert compared(last.adi_since_previous).against == "2020"
    *_, alone = changes([entry(2022, 9.0, is_disputed=True), entry(2024, 3.0)], SHIPPED)
    assert why_not(alone.adi_since_previous) == "the earlier film of this view came again as another person's"
    *_, other = changes([entry(2022, is_disputed=True), entry(2023, view=View.EXTENSION), entry(2024)], SHIPPED)
    assert why_not(other.adi_since_previous) == "the earlier film of this view came again as another person's"
    *_, first = changes([entry(2022, is_disputed=True, view=View.EXTENSION), entry(2024)], SHIPPED)
    assert why_not(first.adi_since_previous) == "first film in this view (flexion)"


def test_order_is_told_by_the_acquisition_alone() -> None:
    newest, oldest = changes([entry(2024, 6.0), entry(2020, 2.0)], SHIPPED)
    assert compared(newest.adi_since_previous).change.mm == pytest.approx(4.0)
    assert why_not(oldest.adi_since_previous) == "no earlier film with this measurement"


def test_error_of_a_change_is_that_of_both_films_and_of_magnification() -> None:
    last = changes([entry(2020, sac_mm=20.0), entry(2022, sac_mm=18.0)], settings(magnification_sd=0.04))[1]
    change = compared(last.sac_since_previous).change
    sigma = 0.5 / 1.645
    assert change.error_mm == pytest.approx(1.96 * (2 * sigma**2 + 0.04**2 * (20.0**2 + 18.0**2)) ** 0.5)
    assert not change.exceeds_error


def test_change_beyond_error_is_told_apart_from_one_within() -> None:
    small, large = changes([entry(2020, 2.0), entry(2021, 2.5), entry(2022, 5.0)], SHIPPED)[1:]
    assert not compared(small.adi_since_previous).change.exceeds_error
    assert compared(large.adi_since_previous).change.exceeds_error


def test_films_between_that_are_unlike_are_passed_over() -> None:
    films = [
        entry(2020, 2.0),
        entry(2021, 9.0, view=View.NEUTRAL),
        entry(2022, 9.0, model="aas 2.0.0"),
        entry(2023, 3.0),
    ]
    assert compared(changes(films, SHIPPED)[3].adi_since_previous).against == "2020"


@pytest.mark.parametrize(
    ("earlier", "reason"),
    [
        ({"view": View.NEUTRAL}, "first film in this view (flexion)"),
        ({"spacing_rule": SpacingRule.GEOMETRY}, "other spacing rule: detector_plane, earlier geometry"),
        ({"model": "aas 0.9.0"}, "other model: aas 1.0.0, earlier aas 0.9.0"),
    ],
)
def test_what_is_not_alike_is_not_compared_and_says_why(earlier: dict[str, Any], reason: str) -> None:
    last = changes([entry(2020, **earlier), entry(2022)], SHIPPED)[1]
    for comparison in (last.adi_since_previous, last.adi_since_first, last.sac_since_previous, last.sac_since_first):
        assert why_not(comparison) == reason


def test_unknown_view_and_unknown_date_are_compared_with_nothing() -> None:
    films = [entry(2020), entry(2021, view=View.UNKNOWN), entry(2022, acquired_at=None)]
    assert why_not(changes(films, SHIPPED)[1].adi_since_previous) == "view unknown"
    assert why_not(changes(films, SHIPPED)[2].adi_since_previous) == "date of acquisition unknown"


def test_each_length_is_compared_by_itself() -> None:
    last = changes([entry(2020, adi_mm=None), entry(2021), entry(2022, adi_mm=None)], SHIPPED)[2]
    assert why_not(last.adi_since_previous) == "not measured on this film"
    assert compared(last.sac_since_previous).against == "2021"
    middle = changes([entry(2020, adi_mm=None), entry(2021)], SHIPPED)[1]
    assert why_not(middle.adi_since_previous) == "no earlier film with this measurement"


def test_one_instant_is_not_earlier_than_itself() -> None:
    twins = [entry(2020, key="a"), entry(2020, 5.0, key="b")]
    assert {why_not(change.adi_since_previous) for change in changes(twins, SHIPPED)} == {
        "no earlier film with this measurement"
    }


def test_no_films_have_no_changes() -> None:
    assert changes([], SHIPPED) == ()
