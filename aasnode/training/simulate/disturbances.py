"""What else a real film may show: metal, cloth, letters, edges, and how it is stored.

Each disturbance has a share of all disturbed films and a strength of 0 to 1 that is kept in the truth. ``in_beam`` lays
things on the thickness maps, ``on_film`` on the processed film; ``exposure`` turns and mirrors what is stored.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np


class Disturbance(StrEnum):
    """Its value is its name in the truth and in the robustness table."""

    # in the beam
    UPPER_FUSION = "upper_fusion"  # rods and screws at C1 and C2: an operated neck is not measured
    LOWER_FUSION = "lower_fusion"  # plate or rods below C3
    EAR_RODS = "ear_rods"
    COLLAR = "collar"
    HAIR = "hair"
    JEWELLERY = "jewellery"
    TUBE = "tube"  # in the airway
    # on the film
    MARKER = "marker"  # R or L
    TEXT = "text"  # burned in
    COLLIMATION = "collimation"
    CUT_OFF = "cut_off"  # collimated into the joint
    DARK_CORNERS = "dark_corners"
    GRID_LINES = "grid_lines"
    LOW_CONTRAST = "low_contrast"
    LOCAL_CONTRAST = "local_contrast"  # equalised piece by piece
    LOSSY = "lossy"  # JPEG once upon a time
    COARSE = "coarse"  # sampled down and up again
    # framing and storage
    CEPHALOGRAM = "cephalogram"
    MIRRORED = "mirrored"  # the face to the left
    TURNED = "turned"  # by quarter turns: strength × 4
    MONOCHROME1 = "monochrome1"


SHARES: Mapping[Disturbance, float] = {
    Disturbance.UPPER_FUSION: 0.04,
    Disturbance.LOWER_FUSION: 0.07,
    Disturbance.EAR_RODS: 0.03,
    Disturbance.COLLAR: 0.05,
    Disturbance.HAIR: 0.08,
    Disturbance.JEWELLERY: 0.07,
    Disturbance.TUBE: 0.03,
    Disturbance.MARKER: 0.70,
    Disturbance.TEXT: 0.12,
    Disturbance.COLLIMATION: 0.45,
    Disturbance.CUT_OFF: 0.03,
    Disturbance.DARK_CORNERS: 0.05,
    Disturbance.GRID_LINES: 0.04,
    Disturbance.LOW_CONTRAST: 0.08,
    Disturbance.LOCAL_CONTRAST: 0.06,
    Disturbance.LOSSY: 0.08,
    Disturbance.COARSE: 0.06,
    Disturbance.CEPHALOGRAM: 0.06,
    Disturbance.MIRRORED: 0.40,
    Disturbance.TURNED: 0.05,
    Disturbance.MONOCHROME1: 0.12,
}
"""Share of disturbed films that show it; the shares are the simulator's, not those of a clinic."""


HARDWARE = (Disturbance.UPPER_FUSION, Disturbance.LOWER_FUSION)
"""What stays in a patient once it is there."""


def draw_hardware(rng: np.random.Generator) -> dict[Disturbance, float]:
    """What a surgeon has put into this patient, with strengths."""
    return _drawn(HARDWARE, rng)


def draw_disturbances(rng: np.random.Generator) -> dict[Disturbance, float]:
    """What else this film shows, with strengths. A cephalogram has ear rods."""
    found = _drawn([name for name in SHARES if name not in HARDWARE], rng)
    if Disturbance.TURNED in found:
        found[Disturbance.TURNED] = float(rng.choice([0.25, 0.5, 0.75]))
    if Disturbance.CEPHALOGRAM in found:
        found.setdefault(Disturbance.EAR_RODS, float(rng.random()))
    return found


def _drawn(names: Sequence[Disturbance], rng: np.random.Generator) -> dict[Disturbance, float]:
    """Each by its share, with a strength."""
    chances, strengths = rng.random(len(names)), rng.random(len(names))
    drawn = zip(names, chances, strengths, strict=True)
    return {name: float(strength) for name, chance, strength in drawn if chance < SHARES[name]}
