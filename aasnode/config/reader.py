"""From a TOML table to a frozen dataclass: types and bounds are those that the dataclass states. Knows no setting.

Problems are collected, not raised, so that all of them can be told at once.
"""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
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


def read_section(section: type[SectionT], table: Mapping[str, Any], path: str, problems: list[str]) -> SectionT | None:
    """One dataclass from one table; None after adding to ``problems``."""
    fields = {entry.name: entry for entry in dataclasses.fields(section)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(section, include_extras=True)
    before = len(problems)
    known_here = ", ".join(sorted(fields))
    problems += [f"{path}{key}: unknown setting; known here: {known_here}" for key in table if key not in fields]
    for name, entry in fields.items():
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and name not in table:
            problems.append(f"{path}{name}: is missing")
    known = {key: _read_value(hints[key], table[key], path + key, problems) for key in table if key in fields}
    return section(**known) if len(problems) == before else None


def _read_value(hint: Any, value: Any, path: str, problems: list[str]) -> Any:
    """One value of the type that the dataclass states, checked against its bounds."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        read = _read_value(arguments[0], value, path, problems)
        problems += [problem for rule in arguments[1:] if (problem := _broken(rule, read, path))]
        return read
    if origin is types.UnionType:  # only "X | None": an empty text is None
        return None if value == "" else _read_value(arguments[0], value, path, problems)
    if origin is tuple:
        return _read_list(arguments[0], value, path, problems)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, Mapping):
            return read_section(hint, value, f"{path}.", problems)
        problems.append(f"{path}: must be a table, is {value!r}")
        return None
    return _read_scalar(hint, value, path, problems)


def _read_list(hint: Any, value: Any, path: str, problems: list[str]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        problems.append(f"{path}: must be a list, is {value!r}")
        return ()
    return tuple(_read_value(hint, item, f"{path}[{index}]", problems) for index, item in enumerate(value))


def _read_scalar(hint: Any, value: Any, path: str, problems: list[str]) -> Any:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if value in list(hint):
            return hint(value)
        problems.append(f"{path}: must be one of {', '.join(hint)}, is {value!r}")
        return None
    expected = str if hint is Path else hint
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        problems.append(f"{path}: must be of type {expected.__name__}, is {value!r}")
        return None
    return Path(value) if hint is Path else value


def _broken(rule: Bounds | Matches, value: Any, path: str) -> str | None:
    """What is wrong with a value of the right type; None when nothing is."""
    if value is None:
        return None
    if isinstance(rule, Matches):
        return None if re.fullmatch(rule.pattern, value) else f"{path}: must be {rule.meaning}, is {value!r}"
    size = len(value) if isinstance(value, str | tuple) else value
    return None if rule.low <= size <= rule.high else f"{path}: must be from {rule.low} to {rule.high}, is {value!r}"
