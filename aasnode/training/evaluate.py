"""How good a model is: errors of points and lengths, calls, intervals, abstention, with intervals by patient.

Plain arrays in, numbers out: no network, no film, no file. Arrays over films have N rows; nan is "not answered". The
four points stand in the order of anatomy, in mm. Means and shares are nan where nothing is to be averaged.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from aasnode.config import MeasurementSection
from aasnode.measurement import Z_90

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """One length (ADI or SAC) on N films, in mm."""

    truth: Values  # (N,) nan where it cannot be measured
    measured: Values  # (N,) nan where the model abstained
    low: Values  # (N,) 90 % interval
    high: Values
    lost: Flags  # (N,) cannot be measured, and it is known why; a point that nobody marked is not lost

    def __getitem__(self, rows: npt.NDArray[np.intp] | Flags) -> "Lengths":
        """These films only."""
        return Lengths(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def measurable(self) -> Flags:
        """Films on which there is something to measure."""
        return np.isfinite(self.truth)

    @property
    def answered(self) -> Flags:
        """Measurable films that were measured."""
        return self.measurable & np.isfinite(self.measured)


def point_errors(points: Values, truth: Values) -> Values:
    """(N, 4, 2) twice → (N, 4) distances."""
    return np.asarray(np.linalg.norm(points - truth, axis=-1), np.float64)


def axial_errors(points: Values, truth: Values) -> Values:
    """(N, 4, 2) twice → (N, 4) errors along the true C1 axis, ventral positive: what ADI and SAC feel."""
    axis = truth[:, 0] - truth[:, 3]
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    return np.asarray(np.einsum("nki,ni->nk", points - truth, axis), np.float64)


class Share(float):
    """A share of a number of films, which its interval needs where all or none of them count."""

    films: int

    def __new__(cls, flags: Flags) -> "Share":
        """Of the films that ``flags`` are of; nan where there are none."""
        share = super().__new__(cls, np.mean(flags) if len(flags) else math.nan)
        share.films = len(flags)
        return share


def share_within(errors: Values, limit_mm: float) -> float:
    """Share of the answered films (N, 4) whose every answered point is within ``limit_mm``."""
    answered = np.isfinite(errors).any(1)
    worst = np.nanmax(np.where(np.isfinite(errors), errors, -np.inf)[answered], 1, initial=-np.inf)
    return Share(worst <= limit_mm)


def mean_absolute_error(lengths: Lengths) -> float:
    """Over the answered films."""
    return _mean(np.abs(_errors(lengths)))


def bias(lengths: Lengths) -> float:
    """Mean of measured less true."""
    return _mean(_errors(lengths))


def correlation(lengths: Lengths) -> float:
    """Pearson's r over the answered films; nan below three or where one side does not vary."""
    kept = lengths[lengths.answered]
    if len(kept.truth) < 3 or np.ptp(kept.truth) == 0 or np.ptp(kept.measured) == 0:
        return float("nan")
    return float(np.corrcoef(kept.truth, kept.measured)[0, 1])


def abstention(lengths: Lengths) -> float:
    """Share of the measurable films that were not measured."""
    return Share(~lengths.answered[lengths.measurable])


def rightly_withheld(lengths: Lengths) -> float:
    """Share of the films on which it cannot be measured that were not measured."""
    return Share(np.isnan(lengths.measured[lengths.lost]))


def coverage(lengths: Lengths) -> float:
    """Share of the answered films whose interval holds the truth."""
    kept = lengths[lengths.answered]
    return Share((kept.low <= kept.truth) & (kept.truth <= kept.high))


def median_width(lengths: Lengths) -> float:
    """Median width of the intervals of the answered films."""
    kept = lengths[lengths.answered]
    return float(np.median(kept.high - kept.low)) if len(kept.low) else float("nan")


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A length beyond which a film is abnormal, strictly."""

    mm: float
    above: bool  # ADI is abnormal above, SAC below

    def abnormal(self, values: Values) -> Flags:
        """Which values are beyond."""
        return np.asarray(values > self.mm if self.above else values < self.mm)


ADI_ABNORMAL = Threshold(mm=3.0, above=True)
SAC_ABNORMAL = Threshold(mm=13.0, above=False)


@dataclass(frozen=True, kw_only=True)
class GuardBands:
    """By how many standard errors a value must lie beyond a threshold, or clear of it; in between it is uncertain."""

    abnormal: float
    normal: float


AS_SHIPPED = GuardBands(abnormal=MeasurementSection().suspected_guard, normal=MeasurementSection().normal_guard)
BY_VALUE = GuardBands(abnormal=0.0, normal=0.0)
BY_INTERVAL = GuardBands(abnormal=Z_90, normal=Z_90)  # uncertain is what spans the threshold


def calls(lengths: Lengths, threshold: Threshold, guard: GuardBands) -> tuple[Flags, Flags]:
    """(called abnormal, called normal) for each film; what is uncertain, or was not measured, is neither.

    A borderline SAC is called normal here: it is not beyond the threshold.
    """
    towards_abnormal = (lengths.high - lengths.measured) / Z_90 * (1 if threshold.above else -1)  # one standard error
    known = np.isfinite(lengths.measured)
    is_abnormal = threshold.abnormal(lengths.measured - guard.abnormal * towards_abnormal)
    is_clear = ~threshold.abnormal(lengths.measured + guard.normal * towards_abnormal)
    return known & is_abnormal, known & is_clear


def sensitivity(lengths: Lengths, threshold: Threshold, guard: GuardBands = AS_SHIPPED) -> float:
    """Share of the answered abnormal films that are called so; uncertain is wrong."""
    return _share_called(lengths, threshold, guard, abnormal=True, truly=True)


def specificity(lengths: Lengths, threshold: Threshold, guard: GuardBands = AS_SHIPPED) -> float:
    """Share of the answered normal films that are called so; uncertain is wrong."""
    return _share_called(lengths, threshold, guard, abnormal=False, truly=False)


def overlooked(lengths: Lengths, threshold: Threshold, guard: GuardBands = AS_SHIPPED) -> float:
    """Share of the answered abnormal films that are called normal; uncertain is not."""
    return _share_called(lengths, threshold, guard, abnormal=False, truly=True)


def called_falsely(lengths: Lengths, threshold: Threshold, guard: GuardBands = AS_SHIPPED) -> float:
    """Share of the answered normal films that are called abnormal; uncertain is not."""
    return _share_called(lengths, threshold, guard, abnormal=True, truly=False)


def uncertain(lengths: Lengths, threshold: Threshold, guard: GuardBands = AS_SHIPPED) -> float:
    """Share of the answered films that are called neither abnormal nor normal."""
    abnormal, normal = calls(lengths[lengths.answered], threshold, guard)
    return Share(~abnormal & ~normal)


def _share_called(lengths: Lengths, threshold: Threshold, guard: GuardBands, *, abnormal: bool, truly: bool) -> float:
    """Share of the answered films that are truly abnormal, or truly normal, on which the one or the other is called."""
    kept = lengths[lengths.answered]
    called = calls(kept, threshold, guard)[0 if abnormal else 1]
    return Share(called[threshold.abnormal(kept.truth) == truly])


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(count: int, films: int) -> Estimate:
    """The share ``count`` of ``films``, at least one, with Wilson's interval, as if no two were of one patient."""
    interval = binomtest(count, films).proportion_ci(method="wilson")
    return Estimate(value=count / films, low=float(interval.low), high=float(interval.high))


def bootstrap(
    statistic: Callable[[npt.NDArray[np.intp]], float],
    patients: Words,
    seed: int,
    draws: int = 2000,
) -> Estimate:
    """The statistic of the rows it is given, with its interval by drawing whole patients with replacement.

    Films of one patient are not independent; intervals by film would be too narrow. nan draws are left out; what is nan
    itself, of one patient, or the same in every draw has no interval. A share of all or none, from which every draw is
    the same, has Wilson's interval.
    """
    value = statistic(np.arange(len(patients)))
    if math.isnan(value) or len(set(patients.tolist())) == 1:
        return Estimate(value=float(value), low=math.nan, high=math.nan)
    if isinstance(value, Share) and value in (0.0, 1.0):
        return wilson(round(value * value.films), value.films)
    _, patient_of = np.unique(patients, return_inverse=True)
    rows = [np.flatnonzero(patient_of == patient) for patient in range(patient_of.max() + 1)]
    rng = np.random.default_rng(seed)
    values = np.array(
        [statistic(np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])) for _ in range(draws)]
    )
    values = values[np.isfinite(values)]
    varies = len(values) > 0 and np.ptp(values) > 0
    low, high = np.percentile(values, (2.5, 97.5)) if varies else (np.nan, np.nan)
    return Estimate(value=float(value), low=float(low), high=float(high))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a film shows in a word, such as its facing, on N films; empty where nobody knows, or nothing was told."""

    truth: Words  # (N,)
    told: Words

    def __getitem__(self, rows: npt.NDArray[np.intp] | Flags) -> "Told":
        """These films only."""
        return Told(truth=self.truth[rows], told=self.told[rows])


def share_told(words: Told) -> float:
    """Share of the films whose truth is known on which something was told."""
    return Share((words.told != "")[words.truth != ""])


def share_right(words: Told) -> float:
    """Share of what was told that is true."""
    both = (words.told != "") & (words.truth != "")
    return Share((words.told == words.truth)[both])


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that was answered on N films."""

    points: Values  # (N, 4, 2) mm; nan where not answered
    truth: Values  # (N, 4, 2) mm
    adi: Lengths
    sac: Lengths
    facing: Told
    view: Told
    patients: Words  # (N,)

    def __getitem__(self, rows: npt.NDArray[np.intp]) -> "Results":
        """These films only, repeated where a row is repeated."""
        return Results(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def concatenated(several: Sequence[Results]) -> Results:
    """The films of all, one after the other."""
    return Results(**{field.name: _stacked([getattr(one, field.name) for one in several]) for field in fields(Results)})


def _stacked(parts: Sequence[Any]) -> Any:
    """Arrays, or dataclasses of arrays."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    return replace(first, **{one.name: _stacked([getattr(part, one.name) for part in parts]) for one in fields(first)})


Figure = Callable[[Results], float]
CallFigure = Callable[[Lengths, Threshold, GuardBands], float]

_CALL_FIGURES: Mapping[str, CallFigure] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "abnormal called normal": overlooked,
    "normal called abnormal": called_falsely,
    "uncertain": uncertain,
}
_GUARDS: Mapping[str, GuardBands] = {"": AS_SHIPPED, " by interval": BY_INTERVAL, " by value": BY_VALUE}


def summarise(results: Results, seed: int = 0, draws: int = 1000) -> dict[str, Estimate]:
    """Every figure of a model card by its name."""
    return {
        name: bootstrap(_of_rows(figure, results), results.patients, seed, draws) for name, figure in _figures().items()
    }


def _figures() -> dict[str, Figure]:
    found: dict[str, Figure] = {
        "point error mean": lambda r: _mean(point_errors(r.points, r.truth)),
        "point error p95": lambda r: _percentile(point_errors(r.points, r.truth), 95),
        "error along the axis mean": lambda r: _mean(np.abs(axial_errors(r.points, r.truth))),
        "films within 3 mm": lambda r: share_within(point_errors(r.points, r.truth), 3.0),
    }
    found |= {f"point {number} error mean": _of_point(number - 1) for number in range(1, 5)}
    found |= {
        "facing told": lambda r: share_told(r.facing),
        "facing right": lambda r: share_right(r.facing),
        "view told": lambda r: share_told(r.view),
        "view right": lambda r: share_right(r.view),
    }
    found |= {f"ADI {name}": _of_adi(figure) for name, figure in _length_figures(ADI_ABNORMAL).items()}
    found |= {f"SAC {name}": _of_sac(figure) for name, figure in _length_figures(SAC_ABNORMAL).items()}
    return found


def _length_figures(threshold: Threshold) -> dict[str, Callable[[Lengths], float]]:
    return {
        "MAE": mean_absolute_error,
        "bias": bias,
        "r": correlation,
        **{
            f"{name}{how}": _of_calls(figure, threshold, guard)
            for how, guard in _GUARDS.items()
            for name, figure in _CALL_FIGURES.items()
            if guard != BY_VALUE or figure is not uncertain  # nothing is
        },
        "coverage": coverage,
        "interval width median": median_width,
        "abstained": abstention,
        "rightly withheld": rightly_withheld,
    }


def _of_calls(figure: CallFigure, threshold: Threshold, guard: GuardBands) -> Callable[[Lengths], float]:
    return lambda lengths: figure(lengths, threshold, guard)


def _of_rows(figure: Figure, results: Results) -> Callable[[npt.NDArray[np.intp]], float]:
    return lambda rows: figure(results[rows])


def _of_point(column: int) -> Figure:
    return lambda r: _mean(point_errors(r.points, r.truth)[:, column])


def _of_adi(figure: Callable[[Lengths], float]) -> Figure:
    return lambda r: figure(r.adi)


def _of_sac(figure: Callable[[Lengths], float]) -> Figure:
    return lambda r: figure(r.sac)


def _errors(lengths: Lengths) -> Values:
    kept = lengths[lengths.answered]
    return kept.measured - kept.truth


def _mean(values: Values | Flags) -> float:
    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    return float(numbers.mean()) if len(numbers) else float("nan")


def _percentile(values: Values, percent: float) -> float:
    numbers = values[np.isfinite(values)]
    return float(np.percentile(numbers, percent)) if len(numbers) else float("nan")
