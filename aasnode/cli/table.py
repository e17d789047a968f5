"""Tables, JSON and CSV on stdout: aligned columns for people, values for scripts, cells for spreadsheets.

A terminal may know ASCII alone. What people read is then written as well as it can be; what scripts read is whole in
every case: JSON is ASCII, CSV is UTF-8, whatever the encoding of stdout.
"""

import codecs
import csv
import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from zoneinfo import ZoneInfo

from aasnode.config import Config

MISSING = "–"
_IN_ASCII = "aasnode.in_ascii"
_SIGNS = {"–": "-", "±": "~", "…": "~", "≤": "<", "≥": ">"}


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings, each column as wide as its widest cell; None is shown as a dash."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    for line in (headings, *cells):
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def site_time(instant: datetime, config: Config) -> str:
    """An instant in the time zone of the site, with its offset: ``2026-03-01 09:30:00+09:00``."""
    return instant.astimezone(ZoneInfo(config.node.time_zone)).isoformat(sep=" ", timespec="seconds")


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print one value; nan is an error, since JSON knows none."""
    print(json.dumps(value, indent=indent, allow_nan=False), flush=indent is None)


def print_csv(rows: Sequence[Mapping[str, object]], headings: Sequence[str]) -> None:
    """Print rows as CSV with a heading line; None is an empty cell."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors=_IN_ASCII)
    writer = csv.DictWriter(sys.stdout, fieldnames=headings, lineterminator="\n")
    writer.writeheader()
    writer.writerows({heading: _cell(row.get(heading)) for heading in headings} for row in rows)


def print_whatever_the_encoding() -> None:
    """Let stdout write in its encoding what it has no letters for, rather than end a run."""
    codecs.register_error(_IN_ASCII, _in_ascii)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors=_IN_ASCII)


def _in_ascii(error: UnicodeError) -> tuple[str | bytes, int]:
    """Our own signs as ASCII has them, one column each; else the escape of the character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = _SIGNS.get(error.object[error.start])
    return (sign, error.start + 1) if sign else codecs.backslashreplace_errors(error)


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
