"""What the dearest film costs the shipped model, in multiply-adds of single passes: no clock, so that it always holds.

``benchmarks/inference_cost.py`` measures the same in processor time.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from aasnode.assets import shipped_model
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.card import Card, Role, StageCard, read_card
from aasnode.inference.detector import FilmDetector
from aasnode.inference.hrnet import PoseHRNet, Variant
from tests.inference.oracle import NECK, Oracle

SPACING = PixelSpacing(row_mm=0.1, column_mm=0.1, rule=SpacingRule.GIVEN)
CENTRES_AND_CAUDAL = np.array([[0.6, 0.0], [-0.6, 0.0], [0.2, 0.78]])  # as NECK, of the shipped model's other channels


def multiply_adds(variant: Variant, maps: int, size: int) -> int:
    with torch.device("meta"):
        network, crop = PoseHRNet(variant, maps).eval(), torch.zeros(1, 1, size, size)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(crop)
    return counter.get_total_flops()


def passes(stage: StageCard) -> float:
    """Of a W18-small at 256 x 256, that one crop of the stage costs."""
    own = multiply_adds(Variant(stage.variant), stage.maps, stage.input_px)
    return own / multiply_adds(Variant.W18_SMALL, 4, 256)


def never_convinced_never_without_hope(card: Card) -> Card:
    return replace(
        card,
        search=replace(card.search, weak_confidence=2.0),
        decision=replace(card.decision, film_confidence=0.0),
    )


@pytest.mark.parametrize(("spacing", "bound"), [(SPACING, 16), (None, 24)])
def test_the_dearest_film_stays_within_its_passes(spacing: PixelSpacing | None, bound: float) -> None:
    card = never_convinced_never_without_hope(read_card(shipped_model()))
    neck = np.vstack([NECK[:4], CENTRES_AND_CAUDAL]) * 340.0 + [900.0, 1100.0]  # C1 of 34 mm
    unit = 1.0 if spacing is None else 0.1
    stages = [
        Oracle(card=stage, truth=neck[: len(stage.channels)] * unit, noise_px=8.0 if stage.role is Role.LOCATE else 0.0)
        for stage in card.stages
    ]
    FilmDetector(card, stages).detect(np.zeros((2500, 2048), np.float32), spacing)  # type: ignore[arg-type]

    locate, refine, joint = stages
    assert locate.crops == (8 if spacing else 20)
    glances = card.search.candidates + card.search.weak_candidates
    assert refine.crops == glances + (refine.card.passes - 1) + (refine.card.views - 1)
    assert joint.crops == joint.card.passes + joint.card.views - 1
    assert sum(stage.crops * passes(stage.card) for stage in stages) <= bound
