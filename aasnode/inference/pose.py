"""Where C1 lies on a film, how large it is and which way it points; and the crops that follow from it. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aasnode.anatomy import Landmark
from aasnode.inference.card import StageCard
from aasnode.inference.crop import Crop, Points
from aasnode.inference.stage import Reading, Stage

FRONT, BACK = Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR


@dataclass(frozen=True, kw_only=True)
class Pose:
    """C1 in the film's frame."""

    centre: tuple[float, float]
    diameter: float  # point 1 to point 4, film units
    angle: float  # of the ventral direction: radians from the film's x towards its y
    mirrored: bool  # seen with ventral to the right, caudal would be up

    def crop(self, card: StageCard, turn: float = 0.0, zoom: float = 1.0, shift: tuple[float, float] = (0, 0)) -> Crop:
        """The stage's crop: C1 axis level, ventral to the right, caudal down, C1 at the set size, then varied.

        ``turn`` in radians, ``shift`` in shares of the crop's side.
        """
        back = card.offset * self.diameter
        crop = Crop(
            centre=(self.centre[0] - back * math.cos(self.angle), self.centre[1] - back * math.sin(self.angle)),
            scale=self.diameter / card.diameter_px / zoom,
            turn=self.angle + (math.pi if self.mirrored else 0.0) + turn,
            mirrored=self.mirrored,
            size=card.input_px,
        )
        middle = np.full(2, (card.input_px - 1) / 2)
        x, y = crop.to_film(middle + np.array(shift) * card.input_px)
        return replace(crop, centre=(float(x), float(y)))


def pose_of(stage: Stage, reading: Reading, caudal: Sequence[str]) -> Pose:
    """The pose that a stage's points speak of; ``caudal`` names the channels that tell below from above.

    The diameter is held within the stage's trust, so that one misplaced point does not run away with the scale.
    """
    front, back = reading.points[stage.index(FRONT)], reading.points[stage.index(BACK)]
    ventral = front - back
    expected = stage.card.diameter_px * reading.crop.scale
    return Pose(
        centre=focus_of(stage, reading),
        diameter=min(max(float(np.hypot(*ventral)), expected / stage.card.trust), expected * stage.card.trust),
        angle=math.atan2(ventral[1], ventral[0]),
        mirrored=_is_mirrored(stage, reading, ventral, caudal),
    )


def focus_of(stage: Stage, reading: Reading) -> tuple[float, float]:
    """Mean of the points on which the stage's crops are centred."""
    x, y = reading.points[[stage.index(mark) for mark in stage.card.focus]].mean(0)
    return float(x), float(y)


def sureness(stage: Stage, confidences: Points) -> float:
    """Mean over the landmarks that the stage measures but the weakest: one hidden point makes no other view."""
    own = confidences[[stage.index(mark) for mark in stage.card.measures]]
    return float(np.sort(own)[1:].mean()) if len(own) > 1 else float(own.mean())


def _is_mirrored(stage: Stage, reading: Reading, ventral: Points, caudal: Sequence[str]) -> bool:
    known = [stage.index(name) for name in caudal if name in stage.card.channels]
    down = np.array([0.0, 1.0])  # films hang upright unless the points below C1 say otherwise
    if known:
        weights = reading.confidences[known] + 1e-6
        down = np.average(reading.points[known], axis=0, weights=weights) - focus_of(stage, reading)
    return bool(ventral[0] * down[1] - ventral[1] * down[0] < 0)
