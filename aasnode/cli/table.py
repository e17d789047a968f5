"""Plain tables: aligned columns on stdout, readable in a pipe as on a screen."""

import csv
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import IO

MISSING = "–"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], stream: IO[str] | None = None) -> None:
    """Print rows under headings, each column as wide as its widest cell; None is shown as a dash."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    for line in (headings, *cells):
        text = "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        print(text.rstrip(), file=stream or sys.stdout)


def print_csv(rows: Sequence[Mapping[str, object]], headings: Sequence[str]) -> None:
    """Print rows as CSV with a heading line; None is an empty cell."""
    writer = csv.DictWriter(sys.stdout, fieldnames=headings, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _text(value: object) -> str:
    if value is None:
        return MISSING
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Columns on a terminal: a wide East Asian character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
