"""Split conformal intervals cover what they promise, on films like those they were made on."""

import math
from pathlib import Path

import numpy as np
import pytest

from aasnode.errors import ConfigurationError
from aasnode.inference.card import Role, read_card, write_card
from aasnode.measurement import IntervalRule
from aasnode.training.calibrate import Residuals, calibrate, conformal_quantile, fit_quantile, write_calibration
from tests.inference.oracle import model_card, stage_card


def test_the_quantile_is_the_ceiling_rank() -> None:
    assert conformal_quantile(np.arange(1.0, 10.0), 0.9) == 9.0  # ceil(10 * 0.9) = 9th of 9
    assert conformal_quantile(np.arange(1.0, 20.0), 0.9) == 18.0  # ceil(20 * 0.9) = 18th of 19
    assert math.isinf(conformal_quantile(np.arange(1.0, 9.0), 0.9))  # 9th of 8


def residuals(count: int, seed: int, films: int = 1) -> Residuals:
    """Errors with heavy tails whose size the claimed sigma follows, wrongly scaled."""
    rng = np.random.default_rng(seed)
    sigmas = rng.uniform(0.2, 1.0, count)
    errors = 1.7 * sigmas * rng.standard_t(4, count)
    repeated = np.repeat(np.arange(count), films)
    return Residuals(
        errors_mm=errors[repeated],
        lengths_mm=rng.uniform(1, 12, count)[repeated],
        sigmas_mm=sigmas[repeated],
        patients=repeated.astype(str),
    )


@pytest.mark.parametrize(("floor_mm", "length_share"), [(0.0, 0.0), (0.4, 0.0), (0.4, 0.1)])
def test_intervals_cover_nine_of_ten_new_films(floor_mm: float, length_share: float) -> None:
    covered = []
    for seed in range(40):
        quantile = fit_quantile(residuals(300, seed), floor_mm, length_share)
        rule = IntervalRule(quantile=quantile, floor_mm=floor_mm, length_share=length_share)
        new = residuals(300, 1000 + seed)
        half = [rule.half_width_mm(*pair) for pair in zip(new.sigmas_mm, new.lengths_mm, strict=True)]
        covered.append(np.mean(np.abs(new.errors_mm) <= half))
    assert np.mean(covered) == pytest.approx(0.90, abs=0.012)


def test_ten_films_of_a_patient_count_as_one() -> None:
    once, tenfold = residuals(150, 1), residuals(150, 1, films=10)
    assert fit_quantile(tenfold, 0.3, 0.0) == fit_quantile(once, 0.3, 0.0)


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="99 patients answered; needed are 100"):
        fit_quantile(residuals(99, 0, films=5), 0.3, 0.0)


def test_a_calibration_makes_a_new_version_of_the_card(tmp_path: Path) -> None:
    old = model_card((stage_card(Role.LOCATE, masks=("hardware", "cover")),))
    write_card(old, tmp_path)
    fitted = calibrate(
        residuals(200, 0), residuals(200, 1), "films of this hospital", floors_mm=(0.3, 0.4), length_share=0.05
    )
    with pytest.raises(ConfigurationError, match=r"version 1\.0\.0 is taken"):
        write_calibration(tmp_path, fitted, "1.0.0")
    assert write_calibration(tmp_path, fitted, "1.0.1") == read_card(tmp_path)
    assert read_card(tmp_path).calibration == fitted
    assert read_card(tmp_path).model == "oracle 1.0.1"


def test_figures_of_other_intervals_do_not_survive_a_calibration(tmp_path: Path) -> None:
    errors = {"natural: ADI MAE": 0.3, "natural: ADI coverage": 0.9, "natural: SAC sensitivity": 1.0}
    training = {"seed": "1", "intervals": "none from simulated films"}
    write_card(
        model_card((stage_card(Role.LOCATE, masks=("hardware", "cover")),), errors=errors, training=training), tmp_path
    )
    adi, sac = residuals(200, 0), residuals(200, 1)
    fitted = calibrate(adi, sac, "films of this hospital", floors_mm=(0.3, 0.4), length_share=0.05)
    changed = write_calibration(tmp_path, fitted, "1.0.1")
    assert changed.errors == {"natural: ADI MAE": 0.3}
    assert changed.training == {"seed": "1"}
