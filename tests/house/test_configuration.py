"""Every setting stands in config.toml with its value as shipped, and on the page that people read."""

import dataclasses
import re
import runpy
import tomllib
import typing
from pathlib import Path

import pytest

from aasnode import config
from aasnode.config import Config

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "scripts" / "write_docs.py"))["PAGES"]
SECTIONS = {field.name: field.type for field in dataclasses.fields(Config)}


def keys(section: str) -> list[str]:
    return [field.name for field in dataclasses.fields(typing.get_type_hints(Config)[section])]


def test_the_shipped_file_holds_the_values_as_shipped() -> None:
    assert config.from_table(tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))) == Config()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_stands_in_the_shipped_file(section: str) -> None:
    shipped = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    assert sorted(shipped[section]) == sorted(keys(section))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented(section: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    table = page.partition(f"## `[{section}]`")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    documented = re.findall(r"`(\w+)`", " ".join(first_cells))
    assert sorted(documented) == sorted(keys(section))


@pytest.mark.parametrize("path", PAGES)
def test_generated_pages_are_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run `make docs`"
