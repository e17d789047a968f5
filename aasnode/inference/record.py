"""Frozen dataclasses as TOML tables, both ways. Every problem is found at once; unknown keys are problems."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

Table = dict[str, Any]
T = TypeVar("T")


class RecordError(Exception):
    """A table does not fit its dataclass; carries all problems."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def read_record(kind: type[T], table: Table) -> T:
    """Build the dataclass ``kind`` from a parsed TOML table. Raises RecordError with every problem."""
    problems: list[str] = []
    record = _value(kind, table, "", problems)
    if problems:
        raise RecordError(problems)
    return typing.cast(T, record)


def write_record(record: Any) -> str:
    """The TOML text of a dataclass instance; None is left out."""
    return "\n".join(_lines(_plain(record), "")) + "\n"


def _record(kind: Any, table: Table, where: str, problems: list[str]) -> Any:
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    problems += [f"{_at(where, name)}: unknown key" for name in table if name not in fields]
    needed = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [f"{_at(where, name)}: missing" for name in needed if name not in table]
    problems += missing
    found = {name: _value(hints[name], table[name], _at(where, name), problems) for name in fields if name in table}
    if missing or any(value is None for value in found.values()):
        return None
    return kind(**found)


def _value(kind: Any, value: Any, where: str, problems: list[str]) -> Any:
    """The value as ``kind``; None, and a problem noted, where it does not fit."""
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return _record(kind, value, where, problems)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _value(next(a for a in arguments if a is not type(None)), value, where, problems)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f"{where}[{i}]", problems) for i, item in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {key: _value(arguments[1], item, _at(where, key), problems) for key, item in value.items()}
    return _scalar(kind, value, where, problems)


def _scalar(kind: Any, value: Any, where: str, problems: list[str]) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(value, str):
        if value in [member.value for member in kind]:
            return kind(value)
        problems.append(f"{where}: {value!r} is none of {', '.join(str(member.value) for member in kind)}")
        return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    problems.append(f"{where}: {value!r} is no {getattr(kind, '__name__', kind)}")
    return None


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(v) for f in dataclasses.fields(value) if (v := getattr(value, f.name)) is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _lines(table: Table, where: str) -> list[str]:
    """Scalars first, then the tables below, as TOML wants them."""
    own = [f"{_key(key)} = {_text(value)}" for key, value in table.items() if not _is_table(value)]
    for key, value in table.items():
        path = f"{where}.{_key(key)}" if where else _key(key)
        if isinstance(value, dict):
            own += ["", f"[{path}]", *_lines(value, path)]
        elif _is_table(value):
            for item in value:
                own += ["", f"[[{path}]]", *_lines(item, path)]
    return own


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isalnum() and bare.isascii() else _text(key)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        if "\n" not in plain:
            return f'"{plain}"'
        return '"""\n' + plain + '"""'
    return repr(value)
