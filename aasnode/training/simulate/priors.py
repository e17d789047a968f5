"""How long ADI and SAC are among the patients who are simulated.

Natural priors follow the clinicians' measurements of Okita et al. 2023 on uncorrected films: ADI median 1.61 (quartiles
1.00 and 2.92), SAC 19.81 (17.23 and 21.52). Filled priors give every length the same chance, for training and for
testing the tails. One latent normal number, the patient's *laxity*, decides the ADI; the view shifts it, so that the
same patient opens in flexion and closes in extension, and the mixture of views keeps the published quartiles.
Knows neither bones nor films.
"""

import math
from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from aasnode.anatomy import View

NOMINAL_MAGNIFICATION = 1.17
"""Of the mid-sagittal plane on the films behind the priors: SID 1.8 m, neck 26 cm from the detector."""


class Priors(StrEnum):
    """Where the joint's lengths come from."""

    NATURAL = "natural"  # distributed like the patients of Okita et al. 2023
    FILLED = "filled"  # tails filled: ADI 0 to 14 mm uniform, SAC 6 to 28 mm where a ring of C1 allows it


VIEW_SHARES: Mapping[View, float] = {View.NEUTRAL: 0.50, View.FLEXION: 0.28, View.EXTENSION: 0.22}

_VIEW_SHIFT: Mapping[View, float] = {View.NEUTRAL: 0.0, View.FLEXION: 1.1, View.EXTENSION: -1.4}
_SHIFT_DEVIATION = 0.878  # of _VIEW_SHIFT under VIEW_SHARES, whose mean is 0
_SHARE_OF_VIEW = 0.45  # correlation of a film's laxity with its view: flexion opens the median 1.6 to 2.6 mm

_ADI_SHARES = (0.0, 0.05, 0.25, 0.50, 0.75, 0.90, 0.97, 1.0)
_ADI_FILM_MM = (0.25, 0.60, 1.00, 1.61, 2.92, 5.2, 8.2, 13.0)
_adi_of_share = PchipInterpolator(_ADI_SHARES, _ADI_FILM_MM)

FILLED_ADI_FILM_MM = (0.0, 14.0)
FILLED_SAC_FILM_MM = (6.0, 28.0)
INNER_DIAMETER_MM = (22.0, 38.0)
"""Of C1, in the patient: what a ring may measure (28.2 to 29.9 ± 2.6 mm, and room for small and large people)."""


def adi_mm(laxity: float, view: View, priors: Priors) -> float:
    """ADI in the patient, of a joint of this laxity in this view."""
    shifted = math.sqrt(1 - _SHARE_OF_VIEW**2) * laxity + _SHARE_OF_VIEW * _VIEW_SHIFT[view] / _SHIFT_DEVIATION
    share = float(ndtr(shifted))
    low, high = FILLED_ADI_FILM_MM
    film_mm = float(_adi_of_share(share)) if priors is Priors.NATURAL else low + (high - low) * share
    return film_mm / NOMINAL_MAGNIFICATION


def room_mm(adi: float, dens_mm: float, priors: Priors, share: float) -> float:
    """What C1's ring leaves beside the dens, ADI + SAC, in the patient; constant over a patient's course.

    ``adi`` is the ADI of the patient's first film: filled priors spread the SAC of that film. ``share``, 0 to 1, is the
    patient's rank.
    """
    low, high = (limit - dens_mm for limit in INNER_DIAMETER_MM)
    if priors is Priors.NATURAL:
        deviation = ndtri(share)
        wide = _ROOM_BELOW_MM if deviation < 0 else _ROOM_ABOVE_MM
        return float(np.clip(_ROOM_MM + wide * deviation, low, high))
    shortest = max(FILLED_SAC_FILM_MM[0] / NOMINAL_MAGNIFICATION, low - adi)
    longest = max(shortest, min(FILLED_SAC_FILM_MM[1] / NOMINAL_MAGNIFICATION, high - adi))
    return adi + shortest + (longest - shortest) * share


_ROOM_MM, _ROOM_BELOW_MM, _ROOM_ABOVE_MM = 19.2, 3.0, 1.25  # mode and deviations: SAC on films as published


def draw_view(rng: np.random.Generator) -> View:
    """A view in its share."""
    return View(rng.choice([str(view) for view in VIEW_SHARES], p=list(VIEW_SHARES.values())))
