"""The words for people."""

import pytest

from aasnode.anatomy import Landmark, View
from aasnode.config import MeasurementSection, Plane
from aasnode.geometry import SpacingRule
from aasnode.measurement import (
    FINDINGS,
    PLANES,
    Assessment,
    Change,
    ComparedLength,
    Length,
    LengthFinding,
    NotComparable,
    criteria,
)
from aasnode.reports import wording
from aasnode.reports.findings import EarlierLength
from tests.reports.conftest import FilmFactory, StudyFactory


def test_every_rule_and_every_assessment_has_words() -> None:
    assert set(wording.SPACING_RULES) == set(SpacingRule)
    assert set(wording.ASSESSMENTS) == set(FINDINGS) == set(Assessment)
    assert set(PLANES) == set(Plane)


def test_a_length_has_unit_and_interval() -> None:
    length = Length(mm=5.76, low_mm=5.1, high_mm=6.42, sigma_mm=0.4, detector_plane_mm=None, corrected_mm=None)
    assert wording.describe_length(length) == "5.8 mm (5.1 to 6.4)"


def test_ratios_are_percent_and_silent_where_unknown() -> None:
    assert wording.describe_ratios(0.1074, 0.5) == "ADI 10.7 %, SAC 50.0 %"
    assert wording.describe_ratios(0.0, None) == "ADI 0.0 %"
    assert wording.describe_ratios(None, None) is None


@pytest.mark.parametrize(
    ("value", "note", "words"),
    [
        (4.9, "compared there: 4.9 mm", "4.9 mm (4.4 to 5.5), detector plane, > 3 mm: abnormal"),
        (None, "a range", "4.4 to 5.5 mm, detector plane, > 3 mm: abnormal (a range)"),
    ],
)
def test_a_verdict_says_what_was_compared_with_what_and_what_came_of_it(
    value: float | None, note: str, words: str
) -> None:
    compared = ComparedLength(mm=value, low_mm=4.4, high_mm=5.5, plane=Plane.DETECTOR, is_as_measured=False, note=note)
    finding = LengthFinding(assessment=Assessment.AAS_SUSPECTED, limit="> 3 mm", compared=compared)
    assert wording.describe_verdict(finding) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (
            EarlierLength(acquisition_date="20251101", mm=2.0, change=Change(mm=2.4, error_mm=1.9)),
            "2.0 mm on 2025-11-01, change +2.4 mm, exceeds measurement error (1.9 mm)",
        ),
        (
            EarlierLength(acquisition_date="", mm=2.0, change=Change(mm=-0.4, error_mm=1.9)),
            "2.0 mm on unknown date, change -0.4 mm, within measurement error (1.9 mm)",
        ),
        (NotComparable(reason="other model"), "not compared: other model"),
    ],
)
def test_a_comparison_says_the_change_and_whether_it_means_anything(
    before: EarlierLength | NotComparable, words: str
) -> None:
    assert wording.describe_before("ADI", before) == words


def test_a_study_speaks_of_several_views_only_where_several_say_it(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    neutral, flexion = make_film(draw=False), make_film(view=View.FLEXION, draw=False)
    hidden = make_film(view=View.FLEXION, missing=tuple(Landmark), measurement=None, reason="point_hidden", draw=False)
    assert "on this view." in wording.describe_study(make_study(neutral, hidden))
    assert "on these views." in wording.describe_study(make_study(neutral, flexion))


def test_a_smaller_adi_is_not_told_as_an_improvement() -> None:
    fell = EarlierLength(acquisition_date="20240501", mm=6.0, change=Change(mm=-3.1, error_mm=1.9))
    assert wording.describe_before("ADI", fell).endswith("a smaller ADI may mean that the dens has moved up")
    assert "dens" not in wording.describe_before("SAC", fell)


def test_what_goes_into_dicom_text_is_ascii_in_every_character_set() -> None:
    said = [wording.LIMITS_OF_USE, criteria(MeasurementSection())]
    said += [*wording.VIEWS.values(), *wording.ASSESSMENTS.values(), *wording.SPACING_RULES.values()]
    assert all(text.isascii() for text in said)
