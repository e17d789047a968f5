"""A stage that knows where the points are: a perfect or a flawed network, while the rest of detection is real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aasnode.anatomy import LANDMARKS, Landmark
from aasnode.inference.card import Card, Decision, MaskRule, Posture, Role, Search, StageCard
from aasnode.inference.crop import Crop, Film, Floats, Points
from aasnode.inference.decide import Answer
from aasnode.inference.detection import Reason
from aasnode.inference.detector import FilmDetector
from aasnode.inference.stage import Reading
from aasnode.measurement import Calibration

CAUDAL = ("c2_inferior_anterior", "c2_inferior_posterior")
CHANNELS = (*LANDMARKS, *CAUDAL)
# C1 upright, ventral to the right, in C1 diameters from its centre: the four landmarks, then C2's lower endplate.
NECK = np.array([[0.5, 0.0], [0.44, 0.0], [0.14, 0.0], [-0.5, 0.0], [0.4, 0.75], [0.05, 0.8]])


def stage_card(role: Role, **changes: object) -> StageCard:
    fields: dict[str, object] = {
        "role": role,
        "variant": "w18_small",
        "weights": f"{role}.safetensors",
        "sha256": "0" * 64,
        "input_px": 128,
        "diameter_px": 24.0 if role is Role.LOCATE else 60.0,
        "trust": 3.0 if role is Role.LOCATE else 1.5,
        "channels": CHANNELS,
        "masks": () if role is Role.LOCATE else ("hardware", "cover"),
        "passes": 2,
        "views": 5,
    }
    return StageCard(**(fields | changes))  # type: ignore[arg-type]


def decision(**changes: object) -> Decision:
    fields: dict[str, object] = {
        "film_confidence": 0.5,
        "answer_confidence": 0.65,
        "point_confidence": (0.4, 0.4, 0.4, 0.4),
        "spread": 0.03,
        "offset": 0.15,
        "adi": (-0.05, 0.45),
        "dens": (0.15, 0.5),
        "sac": (0.1, 0.9),
        "diameter_mm": (18.0, 60.0),
        "masks": {
            "hardware": MaskRule(share=0.1, reason=Reason.OPERATED_NECK),
            "cover": MaskRule(share=0.3, reason=Reason.POINT_HIDDEN, reach=0.05, at_points=True),
        },
    }
    return Decision(**(fields | changes))  # type: ignore[arg-type]


def model_card(stages: Sequence[StageCard], **changes: object) -> Card:
    fields: dict[str, object] = {
        "name": "oracle",
        "version": "1.0.0",
        "landmarks": LANDMARKS,
        "stages": tuple(stages),
        "decision": decision(),
        "search": Search(fields=(1.0,), caudal=CAUDAL),
        "calibration": Calibration(
            adi_quantile=2.0, sac_quantile=2.0, adi_floor_mm=0.3, sac_floor_mm=0.4, source="simulated films"
        ),
        "postures": {
            "neutral": Posture(mean_deg=5, deviation_deg=8, share=0.5),
            "flexion": Posture(mean_deg=-30, deviation_deg=10, share=0.25),
            "extension": Posture(mean_deg=35, deviation_deg=10, share=0.25),
        },
    }
    return Card(**(fields | changes))  # type: ignore[arg-type]


@dataclass
class Oracle:
    """The truth in the film's frame, and how the imagined network falls short of it."""

    card: StageCard
    truth: Points  # (K, 2)
    confidences: Mapping[str, float] = field(default_factory=dict)  # 0.9 unless told
    noise_px: float = 0.0  # of the crop
    hardware: float = 0.0
    covered: tuple[float, float] | None = None  # the middle of something that hides the film
    cover_radius: float = 8.0
    upright_only: bool = False  # sees nothing when the neck is turned by more than 60 degrees in its crop
    crops: int = 0

    def index(self, name: str) -> int:
        return self.card.channels.index(name)

    def read(self, film: Film, crops: Sequence[Crop]) -> list[Reading]:
        return [self._read(crop) for crop in crops]

    def _read(self, crop: Crop) -> Reading:
        self.crops += 1
        rng = np.random.default_rng(self.crops)
        points = crop.to_crop(self.truth) + rng.normal(0, self.noise_px, self.truth.shape)
        seen = ((points >= 0) & (points < crop.size)).all(1)
        if self.upright_only:
            down = points[4:].mean(0) - points[:4].mean(0)
            seen &= down[1] > 0.5 * np.hypot(*down)
        own = np.array([self.confidences.get(str(name), 0.9) for name in self.card.channels])
        return Reading(
            crop=crop,
            points=crop.to_film(np.where(seen[:, None], points, rng.uniform(0, crop.size, points.shape))),
            confidences=np.where(seen, own, 0.15),
            covariances=np.repeat(crop.covariance_to_film(np.eye(2))[None], len(points), 0),
            masks={name: self._mask(name, crop) for name in self.card.masks},
        )

    def _mask(self, name: str, crop: Crop) -> Floats:
        quarter = crop.size // 4
        if name == "hardware":
            return np.full((quarter, quarter), self.hardware, np.float32)
        rows, columns = np.indices((quarter, quarter))
        at = crop.to_film(np.stack([columns, rows], -1) * 4 + 1.5)
        away = np.inf if self.covered is None else np.hypot(*np.moveaxis(at - np.array(self.covered), -1, 0))
        return np.full((quarter, quarter), away < self.cover_radius).astype(np.float32)


def place(centre: tuple[float, float], diameter: float, turn_deg: float = 0.0, *, mirrored: bool = False) -> Points:
    """The neck on a film: ``turn_deg`` from upright, clockwise as seen; mirrored: facing left."""
    angle = np.deg2rad(turn_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flip = np.array([-1.0, 1.0]) if mirrored else np.ones(2)
    return np.asarray((NECK * flip * diameter) @ rotation.T + np.array(centre), np.float64)


def detector(truth: Points, *, roles: Sequence[Role] = (Role.LOCATE, Role.REFINE), **flaws: object) -> FilmDetector:
    """A detector whose networks are oracles; the joint's measures the first three points at a finer scale."""
    joint = {
        "diameter_px": 160.0,
        "passes": 1,
        "focus": LANDMARKS[:2],
        "measures": LANDMARKS[:3],
    }
    cards = [stage_card(role, **(joint if role is Role.JOINT else {})) for role in roles]
    stages = [Oracle(card=card, truth=truth, **flaws) for card in cards]  # type: ignore[arg-type]
    rules = decision() if Role.REFINE in roles else decision(masks={})
    return FilmDetector(model_card(cards, decision=rules), stages)  # type: ignore[arg-type]


def answer(truth: Points, **changes: object) -> Answer:
    """An answer of perfect stages, with changes."""
    flat = detector(truth)
    found = flat.answer(Film(np.zeros((800, 600), np.float32), None))
    assert found is not None
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return Answer(**(fields | changes))


def landmark_rows(*marks: Landmark) -> list[int]:
    return [LANDMARKS.index(mark) for mark in marks]
