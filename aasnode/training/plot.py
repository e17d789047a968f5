"""The robustness plot of a model card: error and abstention by what disturbs a film, and how strongly."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aasnode.training.assess import CALM, Robustness
from aasnode.training.report import STRENGTHS, strength_of

_INK, _MUTED, _GRID = "#1b1b1b", "#6b7280", "#e5e7eb"
_SHADES = dict(zip(STRENGTHS, ("#9ecae1", "#4292c6", "#08306b"), strict=True)) | {"": "#1b1b1b"}
_LIFTS = dict(zip(STRENGTHS, (0.16, 0.0, -0.16), strict=True))
_PANELS = {  # column: title, factor, least extent of the axis
    "error_mm": ("mean point error, mm", 1, 1),
    "adi_abstained": ("ADI not measured, %", 100, 10),
    "sac_abstained": ("SAC not measured, %", 100, 10),
}


def draw_robustness(rows: Sequence[Robustness], path: Path) -> None:
    """The rows as a picture (PNG or SVG by the name)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    by_name: dict[str, list[Robustness]] = {}
    for row in rows:
        by_name.setdefault(row.disturbance, []).append(row)
    calm = by_name.pop(CALM, [])
    names = sorted((name for name in by_name if _counts(by_name[name])), key=lambda name: _worst(by_name[name]))
    figure, axes = plt.subplots(1, 3, figsize=(11, 1.3 + 0.28 * len(names)), sharey=True)
    figure.set_layout_engine("constrained", wspace=0.05)  # last and first numbers of two axes do not touch
    for axis, (column, (title, factor, extent)) in zip(axes, _PANELS.items(), strict=True):
        _draw_panel(axis, [by_name[name] for name in names], calm, column, factor)
        _plain(axis, title, extent)
    axes[0].set_yticks(range(len(names)), [_label(name, by_name[name]) for name in names])
    dots = [
        Line2D([], [], marker="o", linestyle="", color=tone, label=name or "there or not")
        for name, tone in _SHADES.items()
    ]
    line = Line2D([], [], color=_MUTED, linestyle=(0, (4, 3)), label="films without any")
    figure.legend(handles=[*dots, line], loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _label(name: str, rows: Sequence[Robustness]) -> str:
    return f"{name.replace('_', ' ')} ({sum(row.films for row in rows)})"


def _counts(rows: Sequence[Robustness]) -> bool:
    """Whether there was anything to measure, as there is nothing on operated necks."""
    return any(math.isfinite(getattr(row, column)) for row in rows for column in _PANELS)


def _worst(rows: Sequence[Robustness]) -> float:
    return max((row.error_mm for row in rows if math.isfinite(row.error_mm)), default=0.0)


def _draw_panel(
    axis: Any, lines: Sequence[Sequence[Robustness]], calm: Sequence[Robustness], column: str, factor: float
) -> None:
    """A line of dots for each disturbance, and where films without any lie."""
    for y, rows in enumerate(lines):
        values = [(strength_of(row), factor * getattr(row, column)) for row in rows]
        known = [value for _, value in values if math.isfinite(value)]
        if known:
            axis.plot([min(known), max(known)], [y, y], color=_GRID, linewidth=3, zorder=1)
        for strength, value in values:
            lifted = y + _LIFTS.get(strength, 0.0)  # equal values do not hide each other
            axis.scatter(value, lifted, s=34, color=_SHADES[strength], zorder=2, linewidths=0, clip_on=False)
    for row in calm:
        axis.axvline(factor * getattr(row, column), color=_MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=0)


def _plain(axis: Any, title: str, extent: float) -> None:
    axis.set_title(title, loc="left", fontsize=10, color=_INK)
    axis.set_xlim(0, max(extent, axis.get_xlim()[1]))
    axis.grid(axis="x", color=_GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, labelsize=9, colors=_INK)
    for side in axis.spines.values():
        side.set_visible(False)
