"""The patient: what is the same on every film of a course, and how fast the joint changes.

Shares of disease follow Yurube 2012 and Kauppi 1996 where they count it; the rest is an estimate. Knows no films.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aasnode.anatomy import View
from aasnode.training.simulate.priors import Priors, adi_mm, room_mm


class Sex(StrEnum):
    """As DICOM writes it."""

    FEMALE = "F"
    MALE = "M"


class Variant(StrEnum):
    """A rare anatomy; most people have none."""

    NONE = "none"
    OPEN_POSTERIOR_ARCH = "open_posterior_arch"
    MISSING_POSTERIOR_ARCH = "missing_posterior_arch"
    OS_ODONTOIDEUM = "os_odontoideum"
    DESTROYED_DENS = "destroyed_dens"
    FUSED_C2_C3 = "fused_c2_c3"


VARIANT_SHARES: Mapping[Variant, float] = {
    Variant.OPEN_POSTERIOR_ARCH: 0.04,  # Currarino 1994
    Variant.MISSING_POSTERIOR_ARCH: 0.01,
    Variant.OS_ODONTOIDEUM: 0.015,
    Variant.DESTROYED_DENS: 0.02,
    Variant.FUSED_C2_C3: 0.02,
}
"""Among simulated patients; the rarest more often than in life, so that a network meets them."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Lengths in mm in the patient, angles in degrees, changes per year."""

    number: int
    sex: Sex
    age_years: int  # at the first visit
    size: float  # share of mean size
    stretch: tuple[float, float, float]  # further share along x, y, z
    osteoporosis: float  # 0 to 1
    degeneration: float  # 0 to 1
    variant: Variant
    eroded: bool  # dens, by rheumatoid arthritis
    draws: tuple[float, float, float, float]  # 0 to 1: which C1, C2, subaxial spine and skull of the bank
    priors: Priors
    laxity: float  # standard normal: rank among all patients
    laxity_per_year: float
    room_share: float  # 0 to 1: rank of the room beside the dens
    settling_mm: float  # vertical subluxation
    settling_mm_per_year: float
    dens_level: float  # where C1 stands along the dens, 0 its base
    slips_mm: tuple[float, ...]  # C2/3 to C7/T1
    slip_mm_per_year: float  # of the level that slips
    disc_mm: tuple[float, ...]
    lordosis_degrees: tuple[float, ...]
    neck_width: float  # share
    first_view: View

    def adi_mm(self, years: float, view: View) -> float:
        """ADI that many years after the first visit."""
        return adi_mm(self.laxity + self.laxity_per_year * years, view, self.priors)

    def inner_diameter_mm(self, dens_mm: float) -> float:
        """Inner sagittal diameter of this patient's C1 round a dens of that depth; it never changes."""
        return dens_mm + room_mm(self.adi_mm(0, self.first_view), dens_mm, self.priors, self.room_share)


_DISC_MM = (5.2, 5.3, 5.4, 5.2, 5.4, 4.8)
_LORDOSIS_DEGREES = (2.2, 2.0, 2.4, 2.6, 2.4, 1.0)
_AAS_LAXITY = 0.72  # above this a neutral ADI exceeds 3 mm on a film


def draw_patient(
    number: int,
    rng: np.random.Generator,
    priors: Priors = Priors.NATURAL,
    *,
    first_view: View = View.NEUTRAL,
    variants: bool = True,
) -> Patient:
    """A patient with rheumatoid arthritis or under suspicion of it (78 % women, 64 ± 13 years)."""
    female = rng.random() < 0.78
    age = int(np.clip(rng.normal(64, 13), 19, 90))
    laxity = float(rng.standard_normal())
    settling, per_year, laxity_per_year = _draw_progress(laxity, rng)
    slips, slip_per_year = _draw_slips(laxity, rng)
    osteoporosis = float(np.clip((age - 45) / 45 + rng.normal(0, 0.25), 0, 1))
    worn = float(np.clip((age - 40) / 40 + rng.normal(0, 0.3), 0, 1))
    return Patient(
        number=number,
        sex=Sex.FEMALE if female else Sex.MALE,
        age_years=age,
        size=(0.95 if female else 1.04) * rng.normal(1, 0.035),
        stretch=(rng.normal(1, 0.03), rng.normal(1, 0.03), rng.normal(1, 0.04)),
        osteoporosis=osteoporosis,
        degeneration=worn,
        variant=_draw_variant(rng) if variants else Variant.NONE,
        eroded=bool(rng.random() < 0.45),
        draws=(rng.random(), rng.random(), rng.random(), rng.random()),
        priors=priors,
        laxity=laxity,
        laxity_per_year=laxity_per_year,
        room_share=rng.random(),
        settling_mm=settling,
        settling_mm_per_year=per_year,
        dens_level=float(np.clip(rng.normal(0.60, 0.06), 0.4, 0.75)),
        slips_mm=slips,
        slip_mm_per_year=slip_per_year,
        disc_mm=tuple(max(1.2, rng.normal(m, 0.6) - rng.exponential(1.2) * worn) for m in _DISC_MM),
        lordosis_degrees=tuple(np.array(_LORDOSIS_DEGREES) * rng.normal(1, 0.8) + rng.normal(0, 1.2, 6)),
        neck_width=rng.normal(1, 0.08),
        first_view=first_view,
    )


def _draw_variant(rng: np.random.Generator) -> Variant:
    names = [Variant.NONE, *VARIANT_SHARES]
    shares = [1 - sum(VARIANT_SHARES.values()), *VARIANT_SHARES.values()]
    return names[int(rng.choice(len(names), p=shares))]


def _draw_progress(laxity: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Vertical subluxation in mm and per year, and the laxity's change per year.

    32 % get AAS in six years (Yurube 2012). A fifth of the joints that settle close again: pseudostabilised.
    """
    settles = laxity > _AAS_LAXITY and rng.random() < 0.35
    settling = float(np.clip(rng.normal(2, 1.5), 0, 5)) if settles else 0.0
    per_year = float(rng.uniform(0.1, 0.7)) if settles else 0.0
    if settles and rng.random() < 0.2:
        return settling, 0.8, -float(rng.uniform(0.05, 0.25))
    return settling, per_year, float(abs(rng.normal(0.06, 0.09)))


def _draw_slips(laxity: float, rng: np.random.Generator) -> tuple[tuple[float, ...], float]:
    """Steps of the posterior walls, C2/3 to C7/T1, and how fast the one that slips grows."""
    slips = rng.normal(0, 0.4, 6)
    if rng.random() > (0.16 if laxity > _AAS_LAXITY else 0.05):
        return tuple(slips), 0.0
    slips[rng.integers(1, 5)] += rng.choice([1, 1, -1]) * rng.uniform(1.5, 4.0)
    return tuple(slips), float(rng.uniform(0.1, 0.5))
