"""Write the generated pages: docs/configuration.md from config.toml and its dataclasses, docs/conformance.md from code.

`make docs` runs it; tests/house fails when a page is not what this writes.
"""

import dataclasses
import math
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from aasnode.config import Bounds, Config, Matches

ROOT = Path(__file__).parent.parent

Groups = list[tuple[list[str], list[str]]]
"""Keys that stand together, and the lines of the comment above them."""

_INTRODUCTION = """# Configuration

The node reads one file, [config.toml](../config.toml). It holds every setting with its value as shipped; a node also
runs with no file at all. Copy it, keep what you change, delete the rest.

The file is `--config FILE`, else what `AASNODE_CONFIG` names, else `/etc/aasnode/config.toml`, else the values as
shipped. Unknown keys are errors, and all problems are listed at once:

```console
$ aasnode doctor --only config --config config.toml
```

An empty text `""` means "not set". A relative path begins at the folder of the file, for every command.
Changes hold after a restart of the node.

<!-- The tables below are written by `make docs` from config.toml and aasnode/config/sections.py. -->
"""

_HEADINGS = "| key | as shipped | may be | meaning |\n|---|---|---|---|\n"


def configuration_page() -> str:
    """The page: one table per section, keys that share a comment in one row."""
    hints = typing.get_type_hints(Config, include_extras=True)
    parts = [_INTRODUCTION]
    for name, comments in _sections((ROOT / "config.toml").read_text(encoding="utf-8")):
        section = hints[name]
        parts.append(f"\n## `[{name}]`\n\n{section.__doc__.strip()}\n\n{_HEADINGS}")
        parts += [_row(section, keys, _prose(comment)) for keys, comment in comments]
        parts += [f"\n```toml\n{example}\n```\n" for _, comment in comments if (example := _example(comment))]
    return "".join(parts)


def _sections(text: str) -> Iterator[tuple[str, Groups]]:
    """Each section with its groups of keys and the comment above each group."""
    for block in re.split(r"^(?=\[\w+\]$)", text, flags=re.MULTILINE)[1:]:
        header, _, body = block.partition("\n")
        yield header.strip("[]"), list(_groups(body))


def _groups(body: str) -> Iterator[tuple[list[str], list[str]]]:
    """Keys that follow a comment without another one between share it; a list of tables is one key."""
    keys: list[str] = []
    comment: list[str] = []
    settings, _, tables = body.partition("\n[[")
    for line in settings.splitlines():
        if line.startswith("#"):
            if keys:
                yield keys, comment
                keys, comment = [], []
            comment.append(line[1:].removeprefix(" "))
        elif match := re.match(r"(\w+) =", line):
            keys.append(match[1])
    if keys:
        yield keys, comment
    if tables:
        yield [tables.partition("]]")[0].rpartition(".")[2]], comment


def _prose(comment: list[str]) -> str:
    return " ".join(line for line in comment if not line.startswith("  ")).rstrip(":")


def _example(comment: list[str]) -> str:
    """Lines of a comment that stand indented."""
    return "\n".join(line.strip() for line in comment if line.startswith("  "))


def _row(section: Any, keys: list[str], meaning: str) -> str:
    hints = typing.get_type_hints(section, include_extras=True)
    shipped = section()
    cells = (
        "<br>".join(f"`{key}`" for key in keys),
        "<br>".join(_shown(getattr(shipped, key)) for key in keys),
        "<br>".join(dict.fromkeys(_kind(hints[key]) for key in keys)),
        meaning.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |\n"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} entries" if value else "`[]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return '`""`' if value is None or value == "" else f"`{value}`"


def _kind(hint: Any) -> str:
    """What a value may be, for people."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated and arguments[0] is str and isinstance(arguments[1], Bounds):
        most = arguments[1].high
        return f"text, up to {most:.0f} characters" if math.isfinite(most) else "text"
    if origin is Annotated:
        return " ".join([_kind(arguments[0]), *(_rule(rule) for rule in arguments[1:])])
    if origin is tuple:
        return f"list: {_kind(arguments[0])}"
    if dataclasses.is_dataclass(hint):
        return "tables"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return " or ".join(f"`{choice}`" for choice in hint)
    names = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`", Path: "path"}
    return names.get(hint, "path")  # the one union is "path or nothing"


def _rule(rule: Bounds | Matches) -> str:
    if isinstance(rule, Matches):
        return f"({rule.meaning})"
    low, high = (f"{bound:.6f}".rstrip("0").rstrip(".") for bound in (rule.low, rule.high))
    return f"from {low}" if high == "inf" else f"from {low} to {high}"


def conformance_page() -> str:
    """What `aasnode conformance` prints."""
    command = [sys.executable, "-m", "aasnode", "conformance"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


PAGES = {"docs/configuration.md": configuration_page, "docs/conformance.md": conformance_page}


def main() -> None:
    """Write every generated page."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
