"""``config.toml`` as frozen dataclasses: every setting, its default, its bounds. Lists all problems at once.

The defaults are what is shipped: ``config.toml`` repeats them with comments, and a test keeps both equal, so a node
also runs with no file at all. This room knows no other; each room is handed the section it needs. The names below are
its door.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydicom.datadict import tag_for_keyword

from aasnode.config.reader import Bounds, Matches, read_section
from aasnode.config.sections import (
    AbnormalAbove,
    AbnormalBelow,
    AnalyserSection,
    Config,
    DeliverySection,
    Destination,
    Device,
    LogLevel,
    LogSection,
    MeasurementSection,
    ModelSection,
    NodeSection,
    PixelsSection,
    Plane,
    ReceiverSection,
    ReportSection,
    RetentionSection,
    ReturnAddress,
    SelectionRule,
    SelectionSection,
    Then,
    shipped_selection_rules,
)
from aasnode.errors import ConfigurationError

__all__ = [
    "AbnormalAbove",
    "AbnormalBelow",
    "AnalyserSection",
    "Bounds",
    "Config",
    "DeliverySection",
    "Destination",
    "Device",
    "LogLevel",
    "LogSection",
    "Matches",
    "MeasurementSection",
    "ModelSection",
    "NodeSection",
    "PixelsSection",
    "Plane",
    "ReceiverSection",
    "ReportSection",
    "RetentionSection",
    "ReturnAddress",
    "SelectionRule",
    "SelectionSection",
    "Then",
    "contradictions",
    "from_table",
    "load",
    "shipped_selection_rules",
]


_TOML_HINTS: Mapping[str, str] = {
    r"Cannot declare .* twice|Cannot overwrite": "that table or key stands there already; change it where it stands",
    r"Cannot mutate immutable namespace": "an empty list of that name (NAME = []) stands there already; remove it",
}
"""Words of the TOML parser, and what the user can do."""


def load(path: Path | None) -> Config:
    """Read ``path``; None gives the defaults as shipped. A relative path in the file begins at the file's folder.

    Raises:
        ConfigurationError: the file is missing, is no TOML, or has problems; all of them are listed.
    """
    if path is None:
        return Config()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{path}: cannot be read ({error}); check the path and its permissions"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{path}: is no valid TOML: {error}{_toml_hint(str(error))}"]) from error
    return _at_folder(from_table(table), path.absolute().parent)


def _toml_hint(message: str) -> str:
    """What to do about it, where the parser's words are a programmer's."""
    return next((f"; {hint}" for words, hint in _TOML_HINTS.items() if re.search(words, message)), "")


def _at_folder(config: Config, folder: Path) -> Config:
    """The same wherever a command is started. An absolute path stays as it is."""
    directory = config.model.directory
    return replace(
        config,
        node=replace(config.node, data_dir=folder / config.node.data_dir),
        model=replace(config.model, directory=None if directory is None else folder / directory),
    )


def from_table(table: Mapping[str, Any]) -> Config:
    """Build the configuration from a parsed TOML table.

    Raises:
        ConfigurationError: unknown keys, wrong types, values out of bounds, contradictions; all of them at once.
    """
    problems: list[str] = []
    config = read_section(Config, table, "", problems)
    if config is not None:
        problems += contradictions(config)
    if config is None or problems:
        raise ConfigurationError(problems)
    return config


def contradictions(config: Config) -> list[str]:
    """Problems that only show when settings are seen together."""
    problems = []
    try:
        ZoneInfo(config.node.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"node.time_zone: {config.node.time_zone!r} is no time zone; write e.g. 'Asia/Tokyo'")
    problems += _measurement_contradictions(config.measurement)
    problems += _twice("delivery.destinations", "name", (one.name for one in config.delivery.destinations))
    problems += _twice("delivery.return_table", "AE title", (one.ae_title for one in config.delivery.return_table))
    if config.report.settle_cap_seconds < config.report.settle_seconds:
        problems.append("report.settle_cap_seconds: must not be less than report.settle_seconds")
    if config.delivery.return_to_sender and not config.delivery.return_table:
        problems.append("delivery.return_to_sender: needs a [[delivery.return_table]] with the sender's port")
    return problems + _unknown_keywords(config.selection)


def _measurement_contradictions(section: MeasurementSection) -> list[str]:
    problems = []
    if section.magnification_low > section.magnification_high:
        problems.append("measurement.magnification_low: must not be more than measurement.magnification_high")
    if section.sac_borderline_mm < section.sac_threshold_mm:
        problems.append(
            "measurement.sac_borderline_mm: must not be less than measurement.sac_threshold_mm; "
            "the same value leaves no borderline"
        )
    return problems


def _twice(setting: str, key: str, values: Iterable[str]) -> list[str]:
    """The problems of a list of tables that are told apart by ``key``."""
    return [
        f"{setting}: the {key} {value!r} is used more than once; each must differ"
        for value, count in sorted(Counter(values).items())
        if count > 1
    ]


def _unknown_keywords(selection: SelectionSection) -> list[str]:
    rules = [(f"selection.{name}", rule) for name in ("site_rules", "rules") for rule in getattr(selection, name)]
    return [
        f"{where} ({rule.name}): {keyword!r} is no DICOM keyword; PS3.6 lists them, e.g. SeriesDescription"
        for where, rule in rules
        for keyword in (*rule.elements, *rule.unless_elements)
        if tag_for_keyword(keyword) is None
    ]
