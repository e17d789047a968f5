"""What was chosen for the shipped model: its networks, how long each learns, what is too uncertain to be answered, and
where to look. The rest of a recipe stands in ``train.Recipe``, what the samples are in ``sampler``.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aasnode.anatomy import LANDMARKS
from aasnode.inference.card import Decision, MaskRule, Role, Search, StageCard
from aasnode.inference.detection import Reason
from aasnode.inference.hrnet import Variant
from aasnode.training.sampler.compose import JointPriors
from aasnode.training.sampler.crops import ARCH_DEFECT, CAUDAL, COVER, CROPS, DENS_DEFECT, HARDWARE, LOCATE, stage_card
from aasnode.training.sampler.missing import MissingPriors
from aasnode.training.sampler.stream import StreamPriors
from aasnode.training.train import Preset

STAGES: Mapping[Preset, tuple[Role, ...]] = {Preset.DEFAULT: tuple(CROPS), Preset.PAPER: (Role.LOCATE,)}


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One leg of a network's training (``legs``)."""

    images: int  # samples
    rate: float | None = None  # the highest of its learning rate; None: as the preset says
    seed: int = 0  # added to the network's own: samples that the legs before have not seen


LEGS: Mapping[Role, tuple[Leg, ...]] = {
    Role.LOCATE: (Leg(images=51_000), Leg(images=40_000, rate=8e-4, seed=70), Leg(images=80_000, rate=8e-4, seed=80)),
    Role.REFINE: (Leg(images=91_000),),
    Role.JOINT: (Leg(images=96_000),),
}
"""How long each network learns; how the shipped ones came to theirs: docs/training.md, "The shipped model"."""

VARIANTS: Mapping[Role, Variant] = {Role.REFINE: Variant.W18_SMALL_V2, Role.JOINT: Variant.W18_SMALL_V2}
"""Where it is not the smallest: the closer looks gain most from a larger one (docs/training.md)."""

DECISIVE_WEIGHT: Mapping[Role, float] = {Role.REFINE: 0.5, Role.JOINT: 1.0}
"""Of the masks that tell conditions: at 1.0 they took refine's precision at the posterior arch (SAC 0.1 mm worse)."""

PRIORS: Mapping[Role, StreamPriors] = {
    Role.REFINE: StreamPriors(joint=JointPriors(missing=MissingPriors(arch_open=0.10))),
}
"""How widely a stage's samples vary, where it is not as ``sampler.stream.PRIORS`` says: refine alone sees the posterior
arch closely, and must learn when it is open."""

DECISION = Decision(
    film_confidence=0.45,
    answer_confidence=0.555,
    point_confidence=(0.25, 0.25, 0.25, 0.60),
    spread=0.035,
    offset=0.09,
    adi=(0.0, 0.50),
    dens=(0.12, 0.55),
    sac=(0.10, 0.90),
    diameter_mm=(20.0, 52.0),
    stage_disagreement=0.12,
    masks={
        HARDWARE: MaskRule(share=0.025, reason=Reason.OPERATED_NECK),
        DENS_DEFECT: MaskRule(share=0.10, reason=Reason.JOINT_DESTROYED),
        ARCH_DEFECT: MaskRule(share=0.0125, reason=Reason.POINT_HIDDEN, reach=0.75, lengths=("sac",)),
        COVER: MaskRule(share=0.25, reason=Reason.POINT_HIDDEN, reach=0.04, at_points=True),
    },
)
"""When to abstain. Bounds of lengths: what C1 and a dens can measure, magnified. To be chosen afresh for a model that
differs; the card says how."""
THRESHOLDS = "chosen on a development set of real films and other radiographs; nothing was trained or calibrated on it"

SEARCH = Search(caudal=CAUDAL, fields=(1.0, 0.6), weak_candidates=1, weak_confidence=0.68)
"""Where to look: on the film as a whole and on parts of it; at a second place, and turned, where the first one does not
convince."""


def stage_without_weights(preset: Preset, role: Role) -> StageCard:
    """The card of a network before it has learnt; that of the paper finds the four points on whole films, no more."""
    if preset is Preset.PAPER:
        card = stage_card(LOCATE, variant=Variant.W32, weights="", sha256="")
        return dataclasses.replace(card, channels=tuple(LANDMARKS), masks=())
    return stage_card(CROPS[role], variant=VARIANTS.get(role, Variant.W18_SMALL), weights="", sha256="")


def decision_of(stages: Sequence[StageCard]) -> Decision:
    """When a model of these stages abstains: by the rules whose masks they learn."""
    known = {mask for stage in stages for mask in stage.masks}
    rules = {name: rule for name, rule in DECISION.masks.items() if name in known}
    return dataclasses.replace(DECISION, masks=rules)
