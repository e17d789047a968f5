import re
from pathlib import Path

import pytest

from aasnode.geometry import SpacingRule
from aasnode.measurement import Length, assess_film
from tests.measurement.points import SHIPPED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measurements.md"
EXAMPLE = re.compile(r"^\| (–|[\d.]+ \[[\d., ]+\]) \| (–|[\d.]+ \[[\d., ]+\]) \| `(\w+)` \|$", re.MULTILINE)
EXAMPLES = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))


def written(cell: str) -> Length | None:
    if cell == "–":
        return None
    mm, low, high = (float(number) for number in re.findall(r"[\d.]+", cell))
    return Length(
        mm=mm, low_mm=low, high_mm=high, sigma_mm=(high - low) / 3.29, detector_plane_mm=mm, corrected_mm=None
    )


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) == 14


@pytest.mark.parametrize(("adi", "sac", "assessment"), EXAMPLES)
def test_examples_of_the_page_are_what_the_code_says(adi: str, sac: str, assessment: str) -> None:
    found = assess_film(
        adi=written(adi),
        sac=written(sac),
        adi_reason=None if written(adi) else "point_hidden",
        sac_reason=None if written(sac) else "point_hidden",
        spacing_rule=SpacingRule.DETECTOR_PLANE,
        age_years=60,
        settings=SHIPPED,
    )
    assert found.assessment == assessment


def test_every_spacing_rule_is_in_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [rule for rule in SpacingRule if f"| `{rule}` |" not in page] == []


def test_errors_of_the_examples_are_right() -> None:
    error = {mm: 1.96 * (2 * (half / 1.645) ** 2 + 0.04**2 * 2 * mm**2) ** 0.5 for mm, half in ((20, 1.0), (2, 0.5))}
    assert f"{error[20]:.1f}" == "2.8"
    assert f"{error[2]:.1f}" == "0.9"
