"""Promises of the configuration."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from aasnode import config
from aasnode.errors import ConfigurationError

SHIPPED = Path(__file__).parent.parent / "config.toml"


def test_the_shipped_file_equals_the_defaults() -> None:
    assert config.from_table(tomllib.loads(SHIPPED.read_text(encoding="utf-8"))) == config.Config()


def test_a_relative_path_in_the_file_begins_at_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "config.toml").write_text('[node]\ndata_dir = "data"\n[model]\ndirectory = "mine"\n')
    monkeypatch.chdir(tmp_path)
    for named in (Path("site/config.toml"), tmp_path / "site" / "config.toml"):
        read = config.load(named)
        assert read.node.data_dir == tmp_path / "site" / "data"
        assert read.model.directory == tmp_path / "site" / "mine"


def test_an_absolute_path_in_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[node]\ndata_dir = "/var/lib/aasnode"\n')
    read = config.load(path)
    assert read.node.data_dir == Path("/var/lib/aasnode")
    assert read.model.directory is None


def test_the_shipped_file_names_every_setting() -> None:
    table = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    for section in dataclasses.fields(config.Config):
        settings = {entry.name for entry in dataclasses.fields(getattr(config.Config(), section.name))}
        assert set(table[section.name]) == settings


def test_no_file_is_the_node_as_shipped() -> None:
    assert config.load(None) == config.Config()


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        """
        colour = "red"
        [node]
        ae_title = "A TITLE THAT IS FAR TOO LONG"
        port = 99999
        time_zone = 7
        [receiver]
        alowed_calling_ae_titles = []
        max_associations = true
        [model]
        device = "tpu"
        [[delivery.destinations]]
        name = "pacs"
        """
    )
    with pytest.raises(ConfigurationError) as caught:
        config.load(path)
    text = "\n".join(caught.value.problems)
    for key in (
        "colour: unknown",
        "node.ae_title",
        "node.port",
        "node.time_zone",
        "receiver.alowed_calling_ae_titles: unknown",
        "receiver.max_associations",
        "model.device",
        "delivery.destinations[0].ae_title: is missing",
        "delivery.destinations[0].host: is missing",
        "delivery.destinations[0].port: is missing",
    ):
        assert key in text


def problems_of(table: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        config.from_table(table)
    return [problem.partition(":")[0] for problem in caught.value.problems]


PEER: dict[str, Any] = {"ae_title": "PACS", "host": "192.0.2.1", "port": 104}
RULE: dict[str, Any] = {"name": "site", "elements": ["SeriesDescripton"], "words": ["hand"], "then": "reject"}


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        ({"node": {"time_zone": "Tokyo", "port": 0}}, ["node.port", "node.time_zone"]),
        ({"node": {"time_zone": "Tokyo"}, "colour": "red"}, ["colour", "node.time_zone"]),
        ({"node": {"time_zone": "Asia"}, "log": {"level": "all"}}, ["log.level", "node.time_zone"]),
        (
            {"measurement": {"magnification_low": 1.4, "minimum_age_years": -1}},
            ["measurement.minimum_age_years", "measurement.magnification_low"],
        ),
        (
            {"report": {"settle_seconds": 200.0, "overlay_series_number": 0}},
            ["report.overlay_series_number", "report.settle_cap_seconds"],
        ),
        ({"delivery": {"return_to_sender": True, "attempts": 0}}, ["delivery.attempts", "delivery.return_to_sender"]),
        (
            {"delivery": {"destinations": [{**PEER, "name": "pacs"}, {**PEER, "name": "pacs", "port": 0}]}},
            ["delivery.destinations[1].port", "delivery.destinations"],
        ),
        (
            {"delivery": {"return_table": [PEER, {"ae_title": "PACS", "host": "192.0.2.1"}]}},
            ["delivery.return_table[1].port", "delivery.return_table"],
        ),
        (
            {"selection": {"site_rules": [{**RULE, "then": "keep"}]}},
            ["selection.site_rules[0].then", "selection.site_rules[0].elements[0] (site)"],
        ),
        (
            {"selection": {"site_rules": [{**RULE, "elements": ["SeriesDescription", 3, "Nope"]}]}},
            ["selection.site_rules[0].elements[1]", "selection.site_rules[0].elements[2] (site)"],
        ),
        (
            {"selection": {"rules": [{**RULE, "name": ""}]}},
            ["selection.rules[0].name", "selection.rules[0].elements[0]"],
        ),
    ],
)
def test_a_value_that_is_wrong_hides_no_problem_of_others(table: dict[str, Any], settings: list[str]) -> None:
    assert problems_of(table) == settings


@pytest.mark.parametrize(
    ("table", "setting"),
    [
        ({"measurement": {"magnification_low": 1.4, "magnification_high": "much"}}, "measurement.magnification_high"),
        (
            {"delivery": {"return_to_sender": True, "return_table": [{**PEER, "port": 0}]}},
            "delivery.return_table[0].port",
        ),
    ],
)
def test_a_value_that_is_wrong_is_compared_with_no_other(table: dict[str, Any], setting: str) -> None:
    assert problems_of(table) == [setting]


@pytest.mark.parametrize(
    ("section", "setting", "value", "allowed"),
    [
        ("retention", "film_days", 999999, "from 0 to 36500"),
        ("retention", "object_days", float("inf"), "from 0 to 36500"),
        ("analyser", "deadline_seconds", float("inf"), "from 0.01 to 2592000"),
        ("measurement", "minimum_age_years", float("inf"), "at least 0, and finite"),
        ("report", "settle_seconds", float("nan"), "from 0 to 2592000"),
        ("measurement", "adi_threshold_mm", 30.0, "from 1 to 10"),
        ("measurement", "sac_threshold_mm", 1.3, "from 5 to 25"),
    ],
)
def test_a_number_that_makes_no_sense_is_a_problem(
    section: str, setting: str, value: float, allowed: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[{section}]\n{setting} = {value}\n")
    with pytest.raises(ConfigurationError, match=f"{section}.{setting}: must be {allowed}, is {value}"):
        config.load(path)


def test_a_host_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[node]\nhost = ""\n')
    with pytest.raises(ConfigurationError, match=r"^node\.host: must not be empty$"):
        config.load(path)


def test_settings_that_contradict_each_other_are_problems() -> None:
    destination = {"name": "pacs", "ae_title": "PACS", "host": "192.0.2.1", "port": 104}
    table = {
        "node": {"time_zone": "Mars/Olympus"},
        "report": {"settle_seconds": 10.0, "settle_cap_seconds": 5},
        "delivery": {"return_to_sender": True, "destinations": [destination, destination]},
    }
    with pytest.raises(ConfigurationError) as caught:
        config.from_table(table)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"measurement": {"magnification_low": 1.4}}, "measurement.magnification_low: must not be more than"),
        ({"measurement": {"sac_threshold_mm": 15.0}}, "measurement.sac_borderline_mm: must not be less than"),
        (
            {"delivery": {"return_table": [{"ae_title": "PACS", "host": host, "port": 104} for host in ("a", "b")]}},
            "delivery.return_table: the AE title 'PACS' is used more than once",
        ),
        (
            {"delivery": {"destinations": [{"name": "pacs", "ae_title": t, "host": "a", "port": 104} for t in "AB"]}},
            "delivery.destinations: the name 'pacs' is used more than once",
        ),
    ],
)
def test_limits_that_cross_and_names_that_are_taken_are_problems(table: dict[str, Any], problem: str) -> None:
    """Crossed limits would widen an interval to nothing, and an uncertain film would be told as normal."""
    with pytest.raises(ConfigurationError) as caught:
        config.from_table(table)
    (found,) = caught.value.problems
    assert found.startswith(problem)


def test_no_borderline_is_a_borderline_equal_to_the_threshold() -> None:
    section = config.from_table({"measurement": {"sac_borderline_mm": 13.0}}).measurement
    assert section.sac_borderline_mm == section.sac_threshold_mm


@pytest.mark.parametrize("setting", ["elements", "unless_elements"])
def test_a_misspelt_element_is_told_with_the_name_of_its_rule(setting: str) -> None:
    rule = {**RULE, "elements": ["SeriesDescription"], setting: ["SeriesDescription", "SeriesDescripton"]}
    with pytest.raises(ConfigurationError) as caught:
        config.from_table({"selection": {"site_rules": [{**rule, "name": "bone-room"}]}})
    (problem,) = caught.value.problems
    where = f"selection.site_rules[0].{setting}[1] (bone-room)"
    assert problem.startswith(f"{where}: 'SeriesDescripton' is no DICOM keyword")


def test_destinations_are_read_in_order() -> None:
    names = ["second", "first"]
    tables = [{"name": name, "ae_title": "PACS", "host": "192.0.2.1", "port": 104} for name in names]
    read = config.from_table({"delivery": {"destinations": tables}})
    assert [destination.name for destination in read.delivery.destinations] == names


def test_an_empty_text_means_not_set() -> None:
    assert config.from_table({"model": {"directory": ""}}).model.directory is None
    assert config.from_table({"model": {"directory": "w"}}).model.directory == Path("w")


@pytest.mark.parametrize("text", ["[node", "\xff"])
def test_a_file_that_is_no_toml_is_one_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        config.load(path)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[node]\n[node]\n", "stands there already; change it where it stands"),
        ("[node]\nport = 1\nport = 2\n", "stands there already; change it where it stands"),
        ("[delivery]\ndestinations = []\n[[delivery.destinations]]\n", "an empty list .* stands there .*; remove"),
    ],
)
def test_what_stands_twice_in_the_file_is_told_in_plain_words(tmp_path: Path, text: str, hint: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=hint):
        config.load(path)
