"""The landmarks have one order: in anatomy, in every shipped card, in what the network learns from."""

from aasnode.anatomy import COLOURS_RGB, LANDMARKS
from aasnode.assets import models_folder, shipped_model
from aasnode.inference.card import Role, read_card
from aasnode.training.simulate.truth import SCENE_LANDMARKS

MODELS = sorted(path.parent for path in models_folder().glob("*/card.toml"))


def test_a_model_is_shipped() -> None:
    assert shipped_model() in MODELS


def test_every_stage_of_a_shipped_model_lists_the_landmarks_in_their_order() -> None:
    for stage in [stage for model in MODELS for stage in read_card(model).stages]:
        listed = [name for name in stage.channels if name in LANDMARKS]
        expected = list(LANDMARKS) if stage.role is not Role.JOINT else [m for m in LANDMARKS if m in stage.channels]
        assert listed == expected


def test_the_simulator_puts_the_four_landmarks_first_and_in_order() -> None:
    assert SCENE_LANDMARKS[:4] == tuple(LANDMARKS)


def test_every_landmark_has_a_colour_in_the_same_order() -> None:
    assert tuple(COLOURS_RGB) == LANDMARKS
