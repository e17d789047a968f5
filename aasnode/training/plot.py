"""The robustness plot of a model card: error and abstention by what disturbs a film, and how strongly."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aasnode.training.assess import Robustness

_INK, _MUTED, _GRID = "#1b1b1b", "#6b7280", "#e5e7eb"
_SHADES = {"weak": "#9ecae1", "middle": "#4292c6", "strong": "#08306b"}
_PANELS = {"error_mm": ("mean point error, mm", 1), "adi_abstained": ("ADI not measured, %", 100)}

Levels = Mapping[str, Mapping[str, float]]  # strength → column → value


def draw_robustness(rows: Sequence[Robustness], path: Path) -> None:
    """Rows of one or several sets of films, weighed by films, as a picture (PNG or SVG by the name)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    levels = _pooled(rows)
    names = sorted(
        (name for name in levels if name != "none" and _counts(levels[name])), key=lambda n: _worst(levels[n])
    )
    figure, axes = plt.subplots(1, 2, figsize=(9, 1.3 + 0.28 * len(names)), sharey=True, layout="constrained")
    for axis, (column, (title, factor)) in zip(axes, _PANELS.items(), strict=True):
        _draw_panel(axis, [levels[name] for name in names], levels.get("none", {}), column, factor)
        _plain(axis, title)
    axes[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    dots = [Line2D([], [], marker="o", linestyle="", color=tone, label=name) for name, tone in _SHADES.items()]
    line = Line2D([], [], color=_MUTED, linestyle=(0, (4, 3)), label="films without any")
    figure.legend(handles=[*dots, line], loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _pooled(rows: Sequence[Robustness]) -> dict[str, Levels]:
    """Disturbance → strength → its figures."""
    found: dict[str, dict[str, list[Robustness]]] = {}
    for row in rows:
        found.setdefault(row.disturbance, {}).setdefault(_strength(row), []).append(row)
    return {
        name: {strength: {column: _weighed(own, column) for column in _PANELS} for strength, own in levels.items()}
        for name, levels in found.items()
    }


def _strength(row: Robustness) -> str:
    """In words: thirds of what the simulator draws."""
    return list(_SHADES)[min(2, int(3 * row.weakest))]


def _weighed(rows: Sequence[Robustness], column: str) -> float:
    """Mean by films; nan where nothing was answered."""
    known = [(row.films, getattr(row, column)) for row in rows if math.isfinite(getattr(row, column))]
    films = sum(count for count, _ in known)
    return sum(count * value for count, value in known) / films if films else math.nan


def _counts(levels: Levels) -> bool:
    """Whether there was anything to measure, as there is nothing on operated necks."""
    return any(math.isfinite(value) for row in levels.values() for value in row.values())


def _worst(levels: Levels) -> float:
    return max((row["error_mm"] for row in levels.values() if math.isfinite(row["error_mm"])), default=0.0)


def _draw_panel(axis: Any, rows: Sequence[Levels], calm: Levels, column: str, factor: float) -> None:
    """A line of dots for each disturbance, and where films without any lie."""
    for y, levels in enumerate(rows):
        values = {strength: factor * level[column] for strength, level in levels.items()}
        known = [value for value in values.values() if math.isfinite(value)]
        if known:
            axis.plot([min(known), max(known)], [y, y], color=_GRID, linewidth=3, zorder=1)
        for strength, value in values.items():
            axis.scatter(value, y, s=34, color=_SHADES[strength], zorder=2, linewidths=0, clip_on=False)
    for level in calm.values():
        axis.axvline(factor * level[column], color=_MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=0)


def _plain(axis: Any, title: str) -> None:
    axis.set_title(title, loc="left", fontsize=10, color=_INK)
    axis.set_xlim(left=0)
    axis.grid(axis="x", color=_GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, labelsize=9, colors=_INK)
    for side in axis.spines.values():
        side.set_visible(False)
