"""Intervals that keep their promise: split conformal prediction from films with known truth, into a model's card.

Vovk et al., *Algorithmic Learning in a Random World*; Lei et al., JASA 2018. The promise holds for films like those it
was made on: quantiles of simulated films say nothing certain of a hospital's, so the card names their source.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aasnode.errors import ConfigurationError
from aasnode.inference.card import Card, read_card, write_card
from aasnode.measurement import Calibration
from aasnode.training.evaluate import Values

COVERAGE = 0.90
INTERVALS = "intervals"  # of ``Card.training``: why there are none
LEAST_PATIENTS = 100  # below, the 90 % quantile itself is too uncertain to be shown
UNCALIBRATED = Calibration(
    adi_quantile=5.0, sac_quantile=5.0, adi_floor_mm=2.0, sac_floor_mm=2.5, source="none: intervals are only a guess"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Residuals:
    """Errors of one length in mm, what was measured, and the standard deviation that the model claimed for each."""

    errors_mm: Values  # (N,) measured less true
    lengths_mm: Values  # (N,)
    sigmas_mm: Values  # (N,) as ``measurement.length_sigma_mm`` gives it
    patients: npt.NDArray[np.str_]  # (N,)


def conformal_quantile(scores: Values, coverage: float = COVERAGE) -> float:
    """The ceil((n + 1) coverage)-th smallest score; infinite where n is too small for the coverage."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


def fit_quantile(residuals: Residuals, floor_mm: float, length_share: float, seed: int = 0) -> float:
    """The least q with which an ``IntervalRule`` covers 90 %; one film a patient, so that the scores are exchangeable.

    Raises ConfigurationError below ``LEAST_PATIENTS`` patients.
    """
    rows = _one_per_patient(residuals.patients, seed)
    if len(rows) < LEAST_PATIENTS:
        raise ConfigurationError([f"calibration: {len(rows)} patients answered; needed are {LEAST_PATIENTS}"])
    return conformal_quantile(scores(residuals, floor_mm, length_share)[rows])


def scores(residuals: Residuals, floor_mm: float, length_share: float) -> Values:
    """(N,) the least quantile with which an ``IntervalRule`` would cover each."""
    errors = np.abs(residuals.errors_mm)
    known = np.hypot(floor_mm, length_share * residuals.lengths_mm)
    spreads = np.maximum(np.hypot(residuals.sigmas_mm, known), 1e-6)
    return np.where(errors <= floor_mm, 0.0, errors / spreads)


def calibrate(
    adi: Residuals,
    sac: Residuals,
    source: str,
    *,
    floors_mm: tuple[float, float],
    length_share: float,
    seed: int = 0,
) -> Calibration:
    """Both quantiles. ``floors_mm``, of ADI and SAC, and ``length_share`` are not fitted."""
    return Calibration(
        adi_quantile=fit_quantile(adi, floors_mm[0], length_share, seed),
        sac_quantile=fit_quantile(sac, floors_mm[1], length_share, seed),
        adi_floor_mm=floors_mm[0],
        sac_floor_mm=floors_mm[1],
        length_share=length_share,
        source=source,
    )


def write_calibration(model_dir: Path, calibration: Calibration, version: str) -> Card:
    """Put the calibration into the model's card under a new version, without figures of the intervals before.

    Raises ModelError, or ConfigurationError where the version is the old one: results must tell which intervals they
    carry.
    """
    card = read_card(model_dir)
    if version == card.version:
        raise ConfigurationError([f"calibration: version {version} is taken by the card as it is; give a new one"])
    changed = dataclasses.replace(
        card,
        calibration=calibration,
        version=version,
        errors={name: value for name, value in card.errors.items() if not _hangs_on_intervals(name)},
        training={name: told for name, told in card.training.items() if name != INTERVALS},
    )
    write_card(changed, model_dir)
    return changed


def _hangs_on_intervals(figure: str) -> bool:
    return any(word in figure for word in ("coverage", "width", "sensitivity", "specificity", "uncertain"))


def _one_per_patient(patients: npt.NDArray[np.str_], seed: int) -> npt.NDArray[np.intp]:
    order = np.random.default_rng(seed).permutation(len(patients))
    _, first = np.unique(patients[order], return_index=True)
    return np.asarray(order[first], np.intp)
