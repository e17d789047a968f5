"""From a TOML table to a frozen dataclass: types and bounds are those that the dataclass states. Knows no setting.

Problems are collected, not raised, so that all of them can be told at once.
"""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

SectionT = TypeVar("SectionT")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Closed range of a number, or of the length of a text or list."""

    low: float
    high: float = float("inf")


@dataclass(frozen=True, kw_only=True)
class Matches:
    """A pattern that the whole text must match, and its description for people."""

    pattern: str
    meaning: str


@dataclass(kw_only=True)
class Reading:
    """What reading has found so far; it is filled as it goes on."""

    problems: list[str] = field(default_factory=list)
    sound: dict[str, Any] = field(default_factory=dict)  # values that are right by themselves, by their setting's name


def read_section(section: type[SectionT], table: Mapping[str, Any], path: str, reading: Reading) -> SectionT | None:
    """One dataclass from one table; None after adding to the problems of ``reading``."""
    fields = {entry.name: entry for entry in dataclasses.fields(section)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(section, include_extras=True)
    before, known_here = len(reading.problems), ", ".join(sorted(fields))
    for name, entry in fields.items():
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and name not in table:
            reading.problems.append(f"{path}{name}: is missing")
    known = {}
    for key, value in table.items():
        if key in fields:
            known[key] = _read_setting(hints[key], value, path + key, reading)
        else:
            reading.problems.append(f"{path}{key}: unknown setting; known here: {known_here}")
    return section(**known) if len(reading.problems) == before else None


def _read_setting(hint: Any, value: Any, path: str, reading: Reading) -> Any:
    """The value of a setting or an item of one; it takes the place of the one as shipped where it has no problem."""
    before = len(reading.problems)
    reading.sound.pop(path, None)
    read = _read_value(hint, value, path, reading)
    if len(reading.problems) == before:
        reading.sound[path] = read
    return read


def _read_value(hint: Any, value: Any, path: str, reading: Reading) -> Any:
    """One value of the type that the dataclass states, checked against its bounds."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        read = _read_value(arguments[0], value, path, reading)
        reading.problems.extend(problem for rule in arguments[1:] if (problem := _broken(rule, read, path)))
        return read
    if origin is types.UnionType:  # only "X | None": an empty text is None
        return None if value == "" else _read_value(arguments[0], value, path, reading)
    if origin is tuple:
        return _read_list(arguments[0], value, path, reading)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return read_section(hint, value, f"{path}.", reading)
        reading.problems.append(f"{path}: must be a table, is {value!r}")
        return None
    return _read_scalar(hint, value, path, reading)


def _read_list(hint: Any, value: Any, path: str, reading: Reading) -> tuple[Any, ...]:
    if not isinstance(value, list):
        reading.problems.append(f"{path}: must be a list, is {value!r}")
        return ()
    return tuple(_read_setting(hint, item, f"{path}[{index}]", reading) for index, item in enumerate(value))


def _read_scalar(hint: Any, value: Any, path: str, reading: Reading) -> Any:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if value in list(hint):
            return hint(value)
        reading.problems.append(f"{path}: must be one of {', '.join(hint)}, is {value!r}")
        return None
    expected = str if hint is Path else hint
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        reading.problems.append(f"{path}: must be of type {expected.__name__}, is {value!r}")
        return None
    return Path(value) if hint is Path else value


def _broken(rule: Bounds | Matches, value: Any, path: str) -> str | None:
    """What is wrong with a value of the right type; None when nothing is."""
    if value is None:
        return None
    if isinstance(rule, Matches):
        return None if re.fullmatch(rule.pattern, value) else f"{path}: must be {rule.meaning}, is {value!r}"
    size = len(value) if isinstance(value, str | tuple) else value
    if rule.low <= size <= rule.high and math.isfinite(size):
        return None
    if value in ("", ()):
        return f"{path}: must not be empty"
    allowed = f"from {rule.low} to {rule.high}" if math.isfinite(rule.high) else f"at least {rule.low}, and finite"
    of_what = " long" if isinstance(value, str) else ""
    return f"{path}: must be {allowed}{of_what}, is {value!r}"
