"""Promises about statuses."""

import pytest

from aasnode.network.status import Verdict, describe, judge


@pytest.mark.parametrize("status", [0x0000, 0x0111, 0xB000, 0xB006, 0xB007, 0xB0FF])
def test_stored_or_already_there_is_delivered(status: int) -> None:
    assert judge(status) is Verdict.DELIVERED


@pytest.mark.parametrize("status", [0xA700, 0xA701, 0xA7FF])
def test_out_of_resources_is_tried_again(status: int) -> None:
    assert judge(status) is Verdict.RETRY


@pytest.mark.parametrize("status", [0x0110, 0x0117, 0x0122, 0x0124, 0x0210, 0xA900, 0xA800, 0xB100, 0xC000, 0xFE00, 1])
def test_anything_else_is_a_refusal(status: int) -> None:
    assert judge(status) is Verdict.REFUSED


def test_a_status_is_told_by_number_and_words() -> None:
    assert describe(0xA700) == "0xA700 out of resources"
    assert describe(0xC123) == "0xC123 cannot understand"
    assert describe(0x1234) == "0x1234 unknown status"
