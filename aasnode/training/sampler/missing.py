"""Parts that are not there: a posterior arch that is open or gone, a dens that is destroyed or apart.

Such bones lie in the library beside the whole ones; their contours are those of the part that they lack, which is where
its points would be. The points teach empty heatmaps, the part's section a mask of the defect: so the closer looks learn
to say what a neck lacks.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Missing(StrEnum):
    """What is missing; the value is the bone's kind in the library (``sampler.projected.KINDS``)."""

    ARCH_OPEN = "c1_open"
    ARCH_GONE = "c1_missing"
    DENS_DESTROYED = "c2_destroyed"
    DENS_APART = "c2_os_odontoideum"


@dataclass(frozen=True, kw_only=True)
class MissingPriors:
    """Shares of the compositions: far more than of patients, for what is rare is learnt last."""

    arch_open: float = 0.06
    arch_gone: float = 0.02
    dens_destroyed: float = 0.05
    dens_apart: float = 0.03


PRIORS = MissingPriors()

_OF_ARCH = ("c1_posterior_arch_anterior", "c1_posterior_arch_centre")
_OF_DENS = ("dens_anterior", "dens_posterior")


def draw_missing(rng: np.random.Generator, priors: MissingPriors = PRIORS) -> Missing | None:
    """Mostly nothing is missing."""
    chance = rng.random()
    for missing in Missing:
        share: float = getattr(priors, missing.name.lower())
        if chance < share:
            return missing
        chance -= share
    return None


def absent_points(missing: Missing | None) -> tuple[str, ...]:
    """Names of the points that are then not there. An ossicle that is apart has its edges."""
    if missing is None or missing is Missing.DENS_APART:
        return ()
    return _OF_DENS if missing is Missing.DENS_DESTROYED else _OF_ARCH


def defective(missing: Missing) -> tuple[str, str]:
    """The mask of the section that has no outline of its own then, and that of the defect."""
    if missing in (Missing.ARCH_OPEN, Missing.ARCH_GONE):
        return "c1_posterior_arch", "posterior_arch_defect"
    return "c2_body_and_dens", "dens_defect"


def bone_kinds(missing: Missing | None) -> tuple[str, str]:
    """The kinds of C1 and of C2 in the library."""
    if missing is None:
        return "c1", "c2"
    return (missing.value, "c2") if missing.startswith("c1") else ("c1", missing.value)
