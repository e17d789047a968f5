"""The figures of a model card, against cases reckoned by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from aasnode.geometry import SpacingRule
from aasnode.measurement import Assessment, assess_film
from aasnode.training import evaluate
from aasnode.training.evaluate import (
    ADI_ABNORMAL,
    AS_SHIPPED,
    BY_INTERVAL,
    BY_VALUE,
    SAC_ABNORMAL,
    GuardBands,
    Lengths,
    Results,
    Share,
    Told,
    Values,
    bootstrap,
)
from tests.measurement.points import SHIPPED, length

NAN = math.nan


def lengths(truth: list[float], measured: list[float], half_width: float = 0.5) -> Lengths:
    at = np.array(measured)
    known = np.array(truth)
    return Lengths(truth=known, measured=at, low=at - half_width, high=at + half_width, lost=np.isnan(known))


def test_errors_of_lengths() -> None:
    case = lengths([1.0, 2.0, 4.0, 5.0, NAN], [1.5, 1.0, 4.25, NAN, 2.0])
    assert evaluate.mean_absolute_error(case) == pytest.approx((0.5 + 1.0 + 0.25) / 3)
    assert evaluate.bias(case) == pytest.approx((0.5 - 1.0 + 0.25) / 3)
    assert evaluate.abstention(case) == pytest.approx(1 / 4)
    assert evaluate.rightly_withheld(case) == 0
    assert evaluate.rightly_withheld(lengths([NAN, NAN, 1.0], [NAN, 2.0, NAN])) == 0.5


def test_correlation_is_pearsons() -> None:
    assert evaluate.correlation(lengths([1, 2, 3], [3, 5, 7])) == pytest.approx(1)
    assert evaluate.correlation(lengths([1, 2, 3], [1, 3, 2])) == pytest.approx(0.5)
    assert math.isnan(evaluate.correlation(lengths([1, 2], [1, 2])))
    assert math.isnan(evaluate.correlation(lengths([1, 2, 3], [2, 2, 2])))


def test_coverage_and_width_count_answered_films_only() -> None:
    case = lengths([1.0, 2.0, 3.0, 4.0], [1.4, 2.6, NAN, 4.5])
    assert evaluate.coverage(case) == pytest.approx(2 / 3)
    assert evaluate.median_width(case) == pytest.approx(1.0)


def test_what_is_uncertain_is_wrong_both_ways() -> None:
    # a standard error is 0.304 mm. Abnormal: at once, near, uncertain, missed; normal: sure, uncertain, false alarm
    adi = lengths([4.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0], [4.0, 3.1, 2.8, 2.0, 2.6, 2.8, 3.1])
    assert evaluate.sensitivity(adi, ADI_ABNORMAL) == pytest.approx(2 / 4)
    assert evaluate.specificity(adi, ADI_ABNORMAL) == pytest.approx(1 / 3)
    assert evaluate.uncertain(adi, ADI_ABNORMAL) == pytest.approx(2 / 7)
    assert evaluate.overlooked(adi, ADI_ABNORMAL) == pytest.approx(1 / 4)
    assert evaluate.called_falsely(adi, ADI_ABNORMAL) == pytest.approx(1 / 3)


def test_by_the_interval_all_that_spans_the_threshold_is_uncertain() -> None:
    # abnormal: sure, two uncertain, missed; normal: sure, uncertain, false alarm
    adi = lengths([4.0, 4.0, 4.0, 4.0, 2.0, 2.0, 2.0], [4.0, 3.2, 2.8, 2.0, 2.0, 2.8, 4.0])
    assert evaluate.sensitivity(adi, ADI_ABNORMAL, BY_INTERVAL) == pytest.approx(1 / 4)
    assert evaluate.specificity(adi, ADI_ABNORMAL, BY_INTERVAL) == pytest.approx(1 / 3)
    assert evaluate.overlooked(adi, ADI_ABNORMAL, BY_INTERVAL) == pytest.approx(1 / 4)
    assert evaluate.called_falsely(adi, ADI_ABNORMAL, BY_INTERVAL) == pytest.approx(1 / 3)


def test_by_the_value_nothing_is_uncertain() -> None:
    adi = lengths([4.0, 4.0, 4.0, 2.0, 2.0, 2.0], [4.0, 3.2, 2.0, 2.0, 2.8, 4.0])
    assert evaluate.sensitivity(adi, ADI_ABNORMAL, BY_VALUE) == pytest.approx(2 / 3)
    assert evaluate.specificity(adi, ADI_ABNORMAL, BY_VALUE) == pytest.approx(2 / 3)
    assert evaluate.uncertain(adi, ADI_ABNORMAL, BY_VALUE) == 0


def test_sac_is_abnormal_below() -> None:
    sac = lengths([10.0, 10.0, 10.0, 20.0, 20.0, 20.0], [10.0, 12.9, 13.2, 12.9, 13.2, 13.4])
    assert evaluate.sensitivity(sac, SAC_ABNORMAL) == pytest.approx(2 / 3)
    assert evaluate.specificity(sac, SAC_ABNORMAL) == pytest.approx(1 / 3)
    assert evaluate.overlooked(sac, SAC_ABNORMAL) == 0
    assert evaluate.called_falsely(sac, SAC_ABNORMAL) == pytest.approx(1 / 3)
    assert evaluate.sensitivity(sac, SAC_ABNORMAL, BY_INTERVAL) == pytest.approx(1 / 3)
    assert evaluate.specificity(sac, SAC_ABNORMAL, BY_VALUE) == pytest.approx(2 / 3)


@pytest.mark.parametrize("guard", [AS_SHIPPED, BY_VALUE, BY_INTERVAL])
def test_films_are_called_as_a_node_calls_them(guard: GuardBands) -> None:
    """One rule stands in two rooms: that of the measurement decides."""
    words = {
        Assessment.AAS_SUSPECTED: (True, False),
        Assessment.UNCERTAIN: (False, False),
        Assessment.NO_AAS_ON_THIS_VIEW: (False, True),
        Assessment.BORDERLINE: (False, True),
    }
    section = replace(SHIPPED, suspected_guard=guard.abnormal, normal_guard=guard.normal)
    for name, threshold, middle in (("adi", ADI_ABNORMAL, 3.0), ("sac", SAC_ABNORMAL, 13.0)):
        values = np.linspace(middle - 1.5, middle + 1.5, 61) + 0.001
        called = evaluate.calls(lengths(list(values), list(values)), threshold, guard)
        for mm, abnormal, normal in zip(values, *called, strict=True):
            found = assess_film(
                **{"adi": None, "sac": None, name: length(mm)},
                adi_reason=None, sac_reason=None, spacing_rule=SpacingRule.DETECTOR_PLANE, age_years=60.0,
                settings=section,
            )  # fmt: skip
            said = found.adi if name == "adi" else found.sac
            assert said is not None
            assert (abnormal, normal) == words[said.assessment], mm


def test_exactly_at_the_threshold_is_normal() -> None:
    at = lengths([3.0], [3.0], half_width=0.0)
    assert evaluate.specificity(at, ADI_ABNORMAL) == 1
    assert math.isnan(evaluate.sensitivity(at, ADI_ABNORMAL))


def upright(adi: float = 2.0, dens: float = 10.0, sac: float = 20.0) -> Values:
    x = np.cumsum([0.0, -adi, -dens, -sac]) + 50
    return np.stack([x, np.full(4, 30.0)], -1)


def test_point_errors_and_their_part_along_the_axis() -> None:
    truth = upright()[None]
    found = truth + np.array([[[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0], [NAN, NAN]]])
    assert evaluate.point_errors(found, truth)[0, :3] == pytest.approx([5, 2, 1])
    assert evaluate.axial_errors(found, truth)[0, :3] == pytest.approx([3, 0, -1])
    turned = np.stack([truth[..., 1], truth[..., 0]], -1)  # the same along y
    assert evaluate.axial_errors(turned + [[[1.0, 7.0]] * 4], turned)[0] == pytest.approx([7] * 4)


def test_a_film_is_within_the_limit_when_its_worst_point_is() -> None:
    errors = np.array([[0, 0, 0, 3.0], [0, 0, 0, 3.1], [1, NAN, NAN, 1], [NAN] * 4])
    assert evaluate.share_within(errors, 3.0) == pytest.approx(2 / 3)


def test_nothing_answered_is_nan_not_an_error() -> None:
    nothing = lengths([1.0, 2.0], [NAN, NAN])
    for figure in (evaluate.mean_absolute_error, evaluate.coverage, evaluate.median_width, evaluate.correlation):
        assert math.isnan(figure(nothing))
    assert math.isnan(evaluate.share_within(np.full((2, 4), NAN), 3.0))


def test_the_bootstrap_draws_patients_not_films() -> None:
    """Ten films of one patient tell no more than one: the interval by patient is the wider."""
    rng = np.random.default_rng(3)
    of_patient = rng.normal(size=40)
    values = np.repeat(of_patient, 10)
    by_patient = evaluate.bootstrap(
        lambda rows: float(values[rows].mean()), np.repeat(np.arange(40).astype(str), 10), 0
    )
    by_film = evaluate.bootstrap(lambda rows: float(values[rows].mean()), np.arange(400).astype(str), 0)
    expected = 1.96 * of_patient.std() / math.sqrt(40)
    assert by_patient.value == by_film.value == pytest.approx(values.mean())
    assert (by_patient.high - by_patient.low) / 2 == pytest.approx(expected, rel=0.15)
    assert by_film.high - by_film.low < 0.5 * (by_patient.high - by_patient.low)


def test_one_patient_tells_nothing_of_others() -> None:
    found = evaluate.bootstrap(lambda rows: Share(rows >= 0), np.array(["a", "a", "a"]), 1)
    assert found.value == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_the_bootstrap_is_reproducible_from_its_seed() -> None:
    patients = np.arange(30).astype(str)
    first, second = (evaluate.bootstrap(lambda rows: float(rows.mean()), patients, 7, draws=200) for _ in range(2))
    assert first == second


def test_what_is_nan_has_no_interval() -> None:
    # as a correlation of two films, of which a draw may repeat one
    found = evaluate.bootstrap(lambda rows: math.nan if rows[0] != rows[1] else 1.0, np.array(["a", "b"]), 1)
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_the_summary_names_every_figure_of_the_card() -> None:
    truth = np.stack([upright(adi) for adi in (1.0, 2.0, 3.5, 5.0)])
    adi = lengths([1.0, 2.0, 3.5, 5.0], [1.0, 2.0, 4.0, 5.0], 0.4)
    sac = lengths([20.0] * 4, [20.0, 21.0, 20.0, NAN])
    results = Results(
        points=truth + [0.3, 0.4],
        truth=truth,
        adi=adi,
        sac=sac,
        facing=Told(truth=np.array(["right"] * 4), told=np.array(["right", "left", "right", ""])),
        view=Told(truth=np.array(["flexion", "", "", "neutral"]), told=np.array(["", "flexion", "neutral", "neutral"])),
        patients=np.array(["a", "a", "b", "c"]),
    )
    summary = evaluate.summarise(results, draws=50)
    assert summary["point error mean"].value == pytest.approx(0.5)
    assert summary["error along the axis mean"].value == pytest.approx(0.3)
    assert summary["point 4 error mean"].value == pytest.approx(0.5)
    assert summary["ADI MAE"].value == pytest.approx(0.125)
    assert summary["ADI sensitivity"].value == summary["ADI specificity"].value == 1
    assert summary["SAC abstained"].value == 0.25
    missed = evaluate.summarise(replace(results, adi=lengths([4.0] * 4, [4.0, 2.0, 2.0, NAN], 0.4)), draws=20)
    assert missed["ADI abnormal called normal"].value == pytest.approx(2 / 3)
    false = evaluate.summarise(replace(results, adi=lengths([2.0] * 4, [4.0, 2.0, 2.0, NAN], 0.4)), draws=20)
    assert false["ADI normal called abnormal"].value == pytest.approx(1 / 3)
    assert (summary["facing told"].value, summary["facing right"].value) == (pytest.approx(3 / 4), pytest.approx(2 / 3))
    assert (summary["view told"].value, summary["view right"].value) == (0.5, 1.0)  # of the films whose view is known
    assert summary["films within 3 mm"].value == 1


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 0.096), (36, 0.904, 1.0)])
def test_none_or_all_of_a_few_films_is_not_told_as_certain(count: int, low: float, high: float) -> None:
    flags = np.arange(36) < count
    estimate = bootstrap(lambda rows: Share(flags[rows]), np.arange(36).astype(str), 0, 50)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-3)


def test_a_share_of_nothing_is_not_known() -> None:
    assert math.isnan(Share(np.zeros(0, bool)))
    assert math.isnan(bootstrap(lambda _: Share(np.zeros(0, bool)), np.array(["a"]), 0, 5).low)
