"""A card says all that decides an answer; one that contradicts itself is refused with every problem at once."""

import dataclasses
import math
from pathlib import Path

import pytest

from aasnode.anatomy import LANDMARKS
from aasnode.errors import ModelError
from aasnode.inference.card import Card, MaskRule, Role, read_card, write_card
from aasnode.inference.detection import Reason
from tests.inference.oracle import decision, model_card, stage_card


def card(**changes: object) -> Card:
    stages = (stage_card(Role.LOCATE), stage_card(Role.REFINE))
    return model_card(stages, errors={"ADI MAE": 0.31}, training={"recipe": 'two\nlines and a "quote" \\'}, **changes)


def test_a_card_read_back_is_the_card_written(tmp_path: Path) -> None:
    write_card(card(), tmp_path)
    assert read_card(tmp_path) == card()


def test_the_landmarks_must_be_those_of_anatomy_in_their_order(tmp_path: Path) -> None:
    write_card(card(landmarks=LANDMARKS[::-1]), tmp_path)
    with pytest.raises(ModelError, match="landmarks: must be c1_anterior_arch_posterior, dens_anterior"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"input_px": 200}, "input_px: must be a multiple of 32"),
        ({"diameter_px": 0.0}, "diameter_px: must be positive"),
        ({"weights": "../w.safetensors"}, "weights: must be a file beside the card"),
        ({"channels": LANDMARKS + LANDMARKS[:1]}, "channels: a name stands twice"),
        ({"channels": LANDMARKS[:3]}, "measures: no channel for c1_posterior_arch_anterior"),
        ({"measures": LANDMARKS[:3]}, "measures: must be all landmarks"),
        ({"focus": ()}, "focus: must name a landmark"),
        ({"views": 0}, "views 0"),
        ({"trust": 0.5}, "trust: must be at least 1"),
    ],
)
def test_a_stage_that_cannot_work_is_refused(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    stages = (stage_card(Role.LOCATE), dataclasses.replace(stage_card(Role.REFINE), **changes))  # type: ignore[arg-type]
    write_card(model_card(stages), tmp_path)
    with pytest.raises(ModelError, match=problem):
        read_card(tmp_path)


@pytest.mark.parametrize("roles", [(), (Role.REFINE,), (Role.REFINE, Role.LOCATE), (Role.LOCATE, Role.LOCATE)])
def test_stages_run_in_one_order_and_begin_with_locate(tmp_path: Path, roles: tuple[Role, ...]) -> None:
    write_card(model_card([stage_card(role, masks=("hardware", "cover")) for role in roles]), tmp_path)
    with pytest.raises(ModelError, match="stages"):
        read_card(tmp_path)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write_card(card(), tmp_path)
    text = (tmp_path / "card.toml").read_text()
    text = (
        text.replace('version = "1.0.0"', "version = 1")
        .replace("views = 5", 'views = "many"')
        .replace("spread", "sprad")
    )
    (tmp_path / "card.toml").write_text(text)
    with pytest.raises(ModelError) as error:
        read_card(tmp_path)
    for part in ("version: 1 is no str", "stages[0].views: 'many' is no int", "sprad: unknown key", "spread: missing"):
        assert part in str(error.value)


@pytest.mark.parametrize("value", [math.inf, math.nan, -0.1])
def test_intervals_without_an_end_are_no_calibration(value: float, tmp_path: Path) -> None:
    """Of an infinite doubt without a guard band nothing would be abnormal."""
    endless = dataclasses.replace(card().calibration, adi_quantile=value)
    write_card(dataclasses.replace(card(), calibration=endless), tmp_path)
    with pytest.raises(ModelError, match=r"calibration\.adi_quantile: must be a number from 0"):
        read_card(tmp_path)


def test_a_rule_for_a_mask_that_no_stage_has_is_refused(tmp_path: Path) -> None:
    write_card(model_card((stage_card(Role.LOCATE),)), tmp_path)
    with pytest.raises(ModelError, match=r"decision\.masks: stage locate does not have cover, hardware"):
        read_card(tmp_path)


@pytest.mark.parametrize("content", [None, b"name = ", b"\xff\xfe"])
def test_a_card_that_cannot_be_read_is_a_model_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "card.toml").write_bytes(content)
    with pytest.raises(ModelError, match=r"card\.toml: cannot be read"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"share": 0.0}, "share: must be above 0 and at most 1"),
        ({"share": 1.5}, "share: must be above 0 and at most 1"),
        ({"reach": 0.0}, "reach: must be positive"),
        ({"at_points": True, "lengths": ("sac",)}, "at_points: hides a point from every length"),
    ],
)
def test_a_rule_that_could_never_fire_or_always_would_is_refused(
    tmp_path: Path, changes: dict[str, object], problem: str
) -> None:
    fields: dict[str, object] = {"share": 0.1, "reason": Reason.OPERATED_NECK}
    rules = {"hardware": MaskRule(**(fields | changes))}  # type: ignore[arg-type]
    stages = [stage_card(role) for role in (Role.LOCATE, Role.REFINE)]
    write_card(model_card(stages, decision=decision(masks=rules)), tmp_path)
    with pytest.raises(ModelError, match=problem):
        read_card(tmp_path)


def test_a_rule_needs_its_mask_in_the_stage_that_looks_closely(tmp_path: Path) -> None:
    stages = [stage_card(Role.LOCATE, masks=("hardware", "cover")), stage_card(Role.REFINE, masks=("hardware",))]
    write_card(model_card(stages), tmp_path)
    with pytest.raises(ModelError, match=r"stage refine does not have cover"):
        read_card(tmp_path)
