"""What was measured on sets of films, for people and for scripts: JSON, and the tables of a model card."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aasnode.config import MeasurementSection
from aasnode.training.assess import Assessed, Robustness, Withheld, robustness, withheld
from aasnode.training.evaluate import Estimate, summarise, wilson

EVALUATION, PLOT = "evaluation.json", "robustness.png"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
ALL = "both priors"  # the name of the set of all simulated films
CONVENTIONS = """mm in the plane of the films' spacing. Abnormal: ADI > 3 mm, SAC < 13 mm. Calls, coverage and what is
uncertain are shares of the films that were answered; sensitivity and specificity count what is uncertain as wrong: by
the guard bands as shipped, by the whole interval, or by the value, by which every film is called."""
STRENGTHS = ("weak", "middle", "strong")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything that a detector's answers on one set of films tell."""

    films: int
    patients: int
    figures: Mapping[str, Estimate]
    robustness: Sequence[Robustness]
    withheld: Sequence[Withheld]


def evaluation_of(assessed: Assessed, seed: int) -> Evaluation:
    """Figures with 95 % intervals by patient, by disturbance and strength, and by reason to abstain."""
    return Evaluation(
        films=len(assessed.films),
        patients=len(set(assessed.results.patients.tolist())),
        figures=summarise(assessed.results, seed),
        robustness=robustness(assessed),
        withheld=withheld(assessed),
    )


def as_json(evaluations: Mapping[str, Evaluation]) -> str:
    """By the name of the set of films; what could not be computed is null."""
    return json.dumps(without_nan({name: asdict(one) for name, one in evaluations.items()}), indent=1) + "\n"


def without_nan(value: Any) -> Any:
    """With None for every nan, as deep as it goes: JSON knows none."""
    if isinstance(value, Mapping):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _rows_of(length: str, limit: str) -> tuple[tuple[str, str, str], ...]:
    """Errors of a length, and how films are called by it at its threshold."""
    return (
        (f"{length}: mean absolute error", f"{length} MAE", "mm"),
        (f"{length}: bias", f"{length} bias", "mm"),
        (f"{length}: r", f"{length} r", ""),
        (f"{limit}: sensitivity, “uncertain” is wrong", f"{length} sensitivity", ".%"),
        (f"{limit}: specificity, “uncertain” is wrong", f"{length} specificity", ".%"),
        (f"{limit}: uncertain", f"{length} uncertain", ".%"),
        (f"{limit}: abnormal films that are called normal", f"{length} abnormal called normal", ".%"),
        (f"{limit}: normal films that are called abnormal", f"{length} normal called abnormal", ".%"),
        (f"{limit}, uncertain where the interval spans it: sensitivity", f"{length} sensitivity by interval", ".%"),
        (f"{limit}, uncertain where the interval spans it: specificity", f"{length} specificity by interval", ".%"),
        (f"{limit} by the value alone: specificity", f"{length} specificity by value", ".%"),
        (
            f"{limit} by the value alone: abnormal films that are called normal",
            f"{length} abnormal called normal by value",
            ".%",
        ),
    )


_ROWS: tuple[tuple[str, str, str], ...] = (
    ("Point error: mean", "point error mean", "mm"),
    ("Point error: 95th percentile", "point error p95", "mm"),
    ("All points within 3 mm", "films within 3 mm", ".%"),
    ("Facing: right, where told", "facing right", "%"),
    (f"View: told, with a confidence of {MeasurementSection().view_confidence:g}", "view told", "%"),
    ("View: right, where told", "view right", "%"),
    *_rows_of("ADI", "ADI > 3 mm"),
    *_rows_of("SAC", "SAC < 13 mm"),
    ("90 % interval of ADI: coverage", "ADI coverage", ".%"),
    ("90 % interval of ADI: median width", "ADI interval width median", "mm"),
    ("90 % interval of SAC: coverage", "SAC coverage", ".%"),
    ("90 % interval of SAC: median width", "SAC interval width median", "mm"),
    ("Not measured though it could be: ADI", "ADI abstained", "%"),
    ("Not measured though it could be: SAC", "SAC abstained", "%"),
    ("Rightly not measured: ADI", "ADI rightly withheld", "%"),
    ("Rightly not measured: SAC", "SAC rightly withheld", "%"),
)


def tables(evaluations: Mapping[str, Evaluation]) -> str:
    """The tables of a model card in Markdown: figures by set of films; the others are of all simulated films."""
    simulated = simulated_of(evaluations)
    parts = (_figure_table(evaluations), _withheld_table(simulated), _robustness_table(simulated))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def simulated_of(evaluations: Mapping[str, Evaluation]) -> Evaluation:
    """That of all simulated films, which know what disturbs them; the only one where there is one."""
    return evaluations[ALL] if ALL in evaluations else next(iter(evaluations.values()))


def _figure_table(evaluations: Mapping[str, Evaluation]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{name}, {one.films} films" for name, one in evaluations.items()) + " |"
    yield "|---" * (len(evaluations) + 1) + "|"
    for title, figure, unit in _ROWS:
        yield f"| {title} | " + " | ".join(_told(one.figures[figure], unit) for one in evaluations.values()) + " |"


def _told(estimate: Estimate, unit: str) -> str:
    """A value with its 95 % interval, where it has one."""
    if math.isnan(estimate.value):
        return "–"
    scale, digits, sign = {".%": (100, 1, "%"), "%": (100, 0, "%")}.get(unit, (1, 2, unit))
    value, low, high = (f"{scale * number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    interval = "" if math.isnan(estimate.low) else f"({low}–{high})"
    told = (value, sign, interval) if scale == 100 else (value, interval, sign)
    return " ".join(filter(None, told))


def _withheld_table(evaluation: Evaluation) -> Iterator[str]:
    rows = evaluation.withheld
    yield "| Films that cannot be measured | ADI withheld | SAC withheld |"
    yield "|---|---|---|"
    for reason in sorted({row.reason for row in rows}):
        cells = [_share([row for row in rows if (row.reason, row.length) == (reason, name)]) for name in ("ADI", "SAC")]
        yield f"| {reason.replace('_', ' ')} | {cells[0]} | {cells[1]} |"


def _share(rows: Sequence[Withheld]) -> str:
    """So many of so many, with the 95 % interval (Wilson), as if no two films had the same bones."""
    films = sum(row.films for row in rows)
    if not films:
        return "–"
    right = round(sum(row.films * row.withheld for row in rows))
    interval = wilson(right, films)
    return f"{right} of {films} ({100 * interval.low:.0f}–{100 * interval.high:.0f} %)"


def _robustness_table(evaluation: Evaluation) -> Iterator[str]:
    yield "<details><summary>Error and abstention by disturbance and strength, as a table</summary>\n"
    yield "| Disturbance | strength | films | mean point error | ADI not measured | SAC not measured |"
    yield "|---|---|---|---|---|---|"
    for row in evaluation.robustness:
        shares = " | ".join(
            "–" if math.isnan(x) else f"{100 * x:.0f} %" for x in (row.adi_abstained, row.sac_abstained)
        )
        error = "–" if math.isnan(row.error_mm) else f"{row.error_mm:.2f} mm"
        yield f"| {row.disturbance.replace('_', ' ')} | {strength_of(row)} | {row.films} | {error} | {shares} |"
    yield "\nA dash stands where there is nothing to measure, as on operated necks.\n\n</details>"


def strength_of(row: Robustness) -> str:
    """In words: thirds of what the simulator draws; nothing for what is there or not."""
    return "" if row.strongest - row.weakest in (0, 1) else STRENGTHS[min(2, int(3 * row.weakest))]


def with_tables(page: str, evaluations: Mapping[str, Evaluation]) -> str:
    """The page with the tables and the plot between its markers; at its end where it has none."""
    picture = f"![Error and abstention by what disturbs the film, and how strongly]({PLOT})"
    block = f"{BEGIN}\n{tables(evaluations)}\n{picture}\n{END}"
    if BEGIN not in page or END not in page:
        return page.rstrip() + "\n\n" + block + "\n"
    before, rest = page.split(BEGIN, 1)
    return before + block + rest.split(END, 1)[1]
