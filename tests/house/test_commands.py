"""Every command is documented, and every command line in the documentation is one that the program understands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from aasnode.analysis import as_json, failed
from aasnode.cli.main import COMMANDS, command_parser
from aasnode.inference.detection import Reason
from aasnode.measurement.film import POINT_MISSING

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shell_lines() -> Iterator[tuple[str, str]]:
    """What stands behind a prompt in the console blocks of all pages."""
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in map(str.strip, block.replace("\\\n", " ").splitlines()):
                if line.startswith(("$ ", "# ")):
                    yield str(page.relative_to(ROOT)), line[2:].split("#")[0].strip()


def commands_of(program: str) -> list[tuple[str, list[str]]]:
    """Arguments behind every call of a program, pipes and && cut off."""
    found = []
    for page, line in shell_lines():
        for part in re.split(r"\||&&|;", line):
            words = shlex.split(part.strip())
            if words and Path(words[0]).name == program:
                found.append((page, words[1:]))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"`aasnode {name}" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "arguments"), commands_of("aasnode"), ids=str)
def test_every_documented_command_line_is_understood(page: str, arguments: list[str]) -> None:
    if arguments == ["--help"]:
        return
    command_parser(arguments[0]).parse_args(arguments)  # argparse exits on what it does not know


@pytest.mark.parametrize(
    "line", re.findall(r"^Exec\w+=(.*)", (ROOT / "systemd" / "aasnode.service").read_text(), re.MULTILINE)
)
def test_the_service_unit_calls_commands_that_are_understood(line: str) -> None:
    program, command, *arguments = shlex.split(line)
    assert program.endswith("/bin/aasnode")
    command_parser(command).parse_args([command, *arguments])


@pytest.mark.parametrize(("page", "arguments"), commands_of("make"), ids=str)
def test_every_documented_make_target_exists(page: str, arguments: list[str]) -> None:
    assert {word for word in arguments if "=" not in word} <= MAKE_TARGETS


def test_the_page_lists_every_key_that_analyse_prints() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("### What `aasnode analyse")[2]
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", page.partition("\n## ")[0], re.MULTILINE))
    assert re.findall(r"`(\w+)`", first_cells) == list(as_json(failed("no film"), "film.dcm"))


def test_the_page_explains_every_reason_for_which_a_length_is_withheld() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("### Reasons")[2]
    explained = re.findall(r"^\| `(\w+)` \|", page.partition("\n##")[0], re.MULTILINE)
    assert explained == [*Reason, POINT_MISSING]
