"""The pages form one book: every decision is in its list, every page is reachable, the changelog is kept as it says."""

import re
import tomllib
from pathlib import Path

from aasnode import __version__
from aasnode.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+\.md)")


def block_after(heading: str) -> list[str]:
    """Lines of the first code block behind a heading of the architecture."""
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    return page.partition(f"\n{heading}\n")[2].split("```\n")[1].splitlines()


def test_the_architecture_names_every_room_and_no_other() -> None:
    rooms = {path.name for path in (ROOT / "aasnode").iterdir() if (path / "__init__.py").exists()}
    modules = {path.name for path in (ROOT / "aasnode").glob("*.py")} - {"__init__.py"}
    named = re.findall(r"^[├└]── (\S+)", "\n".join(block_after("## Rooms")), re.MULTILINE)
    assert set(named) == modules | {f"{room}/" for room in rooms}


def modules_named() -> dict[str, set[str]]:
    """Room → the modules that stand in its entry, parted by dots; an entry goes on in lines without a branch."""
    entries: dict[str, str] = {}
    for line in block_after("## Rooms"):
        if match := re.match(r"[├└]── (\w+)/ +(.*)", line):
            room, entries[match[1]] = match[1], match[2]
        elif entries and "── " not in line:
            entries[room] += f" {line.lstrip('│ ')}"
        else:
            entries.setdefault(room := "", "")
    parts = {room: entry.split("·") for room, entry in entries.items()}
    return {room: {part.split()[0].strip(":;,") for part in named} for room, named in parts.items() if len(named) > 1}


def modules_of(room: Path) -> set[str]:
    """What a room is made of; commands are listed elsewhere."""
    commands = set(COMMANDS) if room.name == "cli" else set()
    parts = {path.parent.name for path in room.glob("*/__init__.py")} | {path.stem for path in room.glob("*.py")}
    return parts - commands - {"__init__"}


def test_the_architecture_names_every_module_of_every_room_and_no_other() -> None:
    rooms = {path.name: path for path in (ROOT / "aasnode").iterdir() if (path / "__init__.py").exists()}
    found = {name: modules for name, path in rooms.items() if (modules := modules_of(path))}
    assert modules_named() == found


def test_the_floors_on_the_page_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert block_after("## Floors") == contracts[0]["layers"]


def links(page: Path) -> set[Path]:
    return {(page.parent / target).resolve() for target in LINK.findall(page.read_text(encoding="utf-8"))}


def test_every_decision_is_listed_in_order() -> None:
    pages = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    listed = re.findall(r"\]\(([0-9]{4}-[a-z0-9-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text())
    assert listed == pages
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page not in seen and page.exists():
            seen.add(page)
            todo += links(page)
    assert {page.resolve() for page in DOCS.rglob("*.md")} - seen == set()


def test_the_changelog_speaks_of_this_version_or_of_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog or f"## [{__version__}]" in changelog
