"""Plain tables and CSV on stdout: aligned columns for people, cells that a spreadsheet takes for text and numbers."""

import csv
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

MISSING = "–"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings, each column as wide as its widest cell; None is shown as a dash."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    for line in (headings, *cells):
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def print_csv(rows: Sequence[Mapping[str, object]], headings: Sequence[str]) -> None:
    """Print rows as CSV with a heading line; None is an empty cell."""
    writer = csv.DictWriter(sys.stdout, fieldnames=headings, lineterminator="\n")
    writer.writeheader()
    writer.writerows({heading: _cell(row.get(heading)) for heading in headings} for row in rows)


def _cell(value: object) -> object:
    """Text from the wire that begins like a formula is quoted, or a spreadsheet would run it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _text(value: object) -> str:
    if value is None:
        return MISSING
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Columns on a terminal: a wide East Asian character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
