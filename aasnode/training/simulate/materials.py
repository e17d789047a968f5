"""The layers of a scene: what each thickness map holds, and how it weakens X-rays.

Knows neither bones nor films. Linear attenuation: mass attenuation coefficients of NIST / ICRU-44 times density.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Layer(StrEnum):
    """One thickness map each, in mm along the ray; kept apart so that training can recombine them."""

    C1_CORTICAL = "c1_cortical"  # both arches
    C1_CANCELLOUS = "c1_cancellous"
    C1_LATERAL_CORTICAL = "c1_lateral_cortical"  # lateral masses, transverse processes
    C1_LATERAL_CANCELLOUS = "c1_lateral_cancellous"
    C2_CORTICAL = "c2_cortical"  # dens and body
    C2_CANCELLOUS = "c2_cancellous"
    C2_LATERAL_CORTICAL = "c2_lateral_cortical"  # facets, laminae, processes
    C2_LATERAL_CANCELLOUS = "c2_lateral_cancellous"
    SPINE_CORTICAL = "spine_cortical"  # C3 to T1, hyoid, larynx
    SPINE_CANCELLOUS = "spine_cancellous"
    SKULL_CORTICAL = "skull_cortical"  # skull, face and mandible
    SKULL_DIPLOE = "skull_diploe"
    TOOTH = "tooth"
    METAL = "metal"
    SOFT = "soft"  # everything within the skin
    AIR = "air"  # cavities within the skin


LAYERS: tuple[Layer, ...] = tuple(Layer)

ThicknessMaps = Mapping[Layer, npt.NDArray[np.float32]]
"""Layer to float32 (rows, columns), mm along the ray."""

CORTICAL = frozenset(layer for layer in Layer if layer.value.endswith("cortical"))
CANCELLOUS = frozenset(layer for layer in Layer if layer.value.endswith("cancellous"))

_ENERGIES_KEV = (40.0, 50.0, 60.0)
_SOFT = (0.0285, 0.0240, 0.0217)  # ICRU-44 soft tissue, 1.06 g/cm3
_CORTICAL = (0.128, 0.0814, 0.0604)  # ICRU-44 cortical bone, 1.92 g/cm3
_TOOTH = (0.185, 0.117, 0.086)
_METAL = (3.0, 2.0, 1.4)
_CANCELLOUS_OF_CORTICAL = 0.46  # 0.1 to 0.25 g/cm3 of hydroxyapatite: .030 to .038 per mm at 50 keV
_DIPLOE_OF_CORTICAL = 0.565


def attenuation_per_mm(layer: Layer, energy_kev: float, osteoporosis: float = 0.0) -> float:
    """Linear attenuation of a layer at an effective energy of 40 to 60 keV; ``osteoporosis`` is 0 to 1."""

    def at(values: tuple[float, float, float]) -> float:
        return float(np.interp(energy_kev, _ENERGIES_KEV, values))

    if layer in CORTICAL:
        return at(_CORTICAL)
    if layer in CANCELLOUS:
        return at(_CORTICAL) * (_CANCELLOUS_OF_CORTICAL - 0.08 * osteoporosis)
    others = {
        Layer.SKULL_DIPLOE: at(_CORTICAL) * _DIPLOE_OF_CORTICAL,
        Layer.TOOTH: at(_TOOTH),
        Layer.METAL: at(_METAL),
        Layer.SOFT: at(_SOFT),
        Layer.AIR: -at(_SOFT),
    }
    return others[layer]
