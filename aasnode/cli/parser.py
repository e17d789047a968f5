"""The command line's grammar: argparse, with its errors in plain words, and the types of values that they speak of.

argparse has one place for all that is wrong, ``error``, and hands it a finished sentence in Python's terms: here it is
put into the user's.
"""

import argparse
import difflib
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NoReturn, TypeVar

EnumT = TypeVar("EnumT", bound=StrEnum)


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what is wrong, what would be right, and where help is; its commands inherit that."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As argparse; what a command does not know is that command's error, not the whole program's."""
        parsed, strange = super().parse_known_args(args, namespace)
        if strange:
            self.error(self._why_strange(strange[0]))
        return parsed, strange

    def _why_strange(self, word: str) -> str:
        """An option that is not known, or a word for which there is no place."""
        if word.startswith("-"):
            options = [option for action in self._actions for option in action.option_strings]
            return f"there is no {word}{_suggestion(word, options)}"
        match [action for action in self._actions if not action.option_strings]:
            case [argparse.Action(nargs="+", metavar=name)]:
                return f"{word!r} stands apart: name every {name} in one place, before the options or behind them"
            case [argparse.Action(metavar=name)]:
                return f"takes one {name}: {word!r} is too many"
        return f"{word!r} is too many"

    def error(self, message: str) -> NoReturn:
        """Print the usage and one sentence; exit 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"\n{self.prog}: {in_plain_words(message)}\n{self.prog} --help tells more.\n")


def in_plain_words(message: str) -> str:
    """argparse's sentence in the user's terms; one that is not known here stays as it is."""
    for pattern, say in _SENTENCES.items():
        if (found := re.fullmatch(pattern, message, re.DOTALL)) is not None:
            return say(found)
    return message


def whole_number(*, at_least: int) -> Callable[[str], int]:
    """A type of argument: an integer from a lowest value on."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = at_least - 1
        if value < at_least:
            raise argparse.ArgumentTypeError(f"must be a whole number, {at_least} or more, is {text!r}")
        return value

    return read


def number(*, low: float, high: float) -> Callable[[str], float]:
    """A type of argument: a finite number within bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a number from {low:g} to {high:g}, is {text!r}")
        return value

    return read


def one_of(kind: type[EnumT], allowed: Iterable[EnumT] | None = None) -> Callable[[str], EnumT]:
    """A type of argument: a member of ``kind``, or of those of it that are allowed here."""
    members = list(kind if allowed is None else allowed)

    def read(text: str) -> EnumT:
        if text not in members:
            raise argparse.ArgumentTypeError(unknown(text, [str(member) for member in members]))
        return kind(text)

    return read


def unknown(text: str, known: list[str]) -> str:
    """What is not there, and what is: the nearest, or all."""
    return f"there is no {text!r}" + (_suggestion(text, known) or f"; there are {', '.join(known)}")


def _suggestion(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _unquoted(choices: str) -> list[str]:
    return [choice.strip(" '") for choice in choices.split(",")]


def _last(name: str) -> str:
    """Of ``-f/--format`` the long name."""
    return name.rpartition("/")[2]


def _one_comes_first(found: re.Match[str]) -> str:
    """A command of commands: what stands in the place of its ``list|show|retry`` may be an option's value."""
    commands = found[1].split("|")
    if near := _suggestion(found[2], commands):
        return f"there is no {found[2]!r}{near}"
    return f"{', '.join(commands[:-1])} or {commands[-1]} comes first, before any option; {found[2]!r} is none of them"


def _told_by_type(found: re.Match[str]) -> str:
    joint = ":" if found[2].startswith("there is") else ""
    return f"{_last(found[1])}{joint} {found[2]}"


_SENTENCES: Mapping[str, Callable[[re.Match[str]], str]] = {
    r"argument (COMMAND): invalid choice: '(.*?)' \(choose from (.*)\)": lambda found: unknown(
        found[2], _unquoted(found[3])
    ).replace("there is no", "there is no command"),
    r"argument ([^-\s][^\s|]*(?:\|[^\s|]+)+): invalid choice: '(.*?)' \(choose from .*\)": _one_comes_first,
    r"argument (.+?): invalid choice: '(.*?)' \(choose from (.*)\)": lambda found: (
        f"{_last(found[1])}: {unknown(found[2], _unquoted(found[3]))}"
    ),
    r"argument (.+?): ((?:must be|there is) .*)": _told_by_type,
    r"the following arguments are required: (.*)": lambda found: (
        f"{found[1]} {'are' if ',' in found[1] else 'is'} missing"
    ),
    r"one of the arguments (.*) is required": lambda found: f"one of {found[1].replace(' ', ', ')} is missing",
    r"argument (.+?): not allowed with argument (.+)": lambda found: (
        f"{_last(found[1])} cannot go together with {_last(found[2])}"
    ),
    r"argument (.+?): expected .*": lambda found: f"{_last(found[1])} needs a value",
    r"argument (.+?): ignored explicit argument .*": lambda found: f"{_last(found[1])} takes no value",
    r"ambiguous option: (\S+) could match (.*)": lambda found: f"{found[1]} may be {found[2]}: write it whole",
}
"""What argparse says, and how we say it."""
