"""``config.toml`` as frozen dataclasses: every setting, its default, its bounds. Lists all problems at once.

The defaults are what is shipped: ``config.toml`` repeats them with comments, and a test keeps both equal, so a node
also runs with no file at all. This room knows no other; each room is handed the section it needs. The names below are
its door.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydicom.datadict import tag_for_keyword

from aasnode.config.reader import Bounds, Matches, Reading, read_section
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
    reading = Reading(sound=_as_shipped())
    config = read_section(Config, table, "", reading)
    problems = reading.problems + _contradictions(reading.sound)
    if config is None or problems:
        raise ConfigurationError(problems)
    return config


def _as_shipped() -> dict[str, Any]:
    """Every setting by its full name, with its value as shipped."""
    config = Config()
    sections = {section.name: getattr(config, section.name) for section in fields(config)}
    return {
        f"{name}.{setting.name}": getattr(section, setting.name)
        for name, section in sections.items()
        for setting in fields(section)
    }


def _contradictions(sound: Mapping[str, Any]) -> list[str]:
    """Problems that only show when settings are seen together, or in the light of a database of names.

    ``sound`` has the settings by their full names, without those that are wrong by themselves: these hide no other.
    """
    problems = [*_no_time_zone(sound), *_limits_that_cross(sound)]
    problems += _twice(sound, "delivery.destinations", "name", "name")
    problems += _twice(sound, "delivery.return_table", "ae_title", "AE title")
    if sound.get("delivery.return_to_sender") and sound.get("delivery.return_table") == ():
        problems.append("delivery.return_to_sender: needs a [[delivery.return_table]] with the sender's port")
    return [*problems, *_unknown_keywords(sound)]


def _no_time_zone(sound: Mapping[str, Any]) -> Iterator[str]:
    name = sound.get("node.time_zone", "UTC")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as "Asia"
        yield f"node.time_zone: {name!r} is no time zone; write e.g. 'Asia/Tokyo'"


def _limits_that_cross(sound: Mapping[str, Any]) -> Iterator[str]:
    if _is_less(sound, "measurement.magnification_high", "measurement.magnification_low"):
        yield "measurement.magnification_low: must not be more than measurement.magnification_high"
    if _is_less(sound, "measurement.sac_borderline_mm", "measurement.sac_threshold_mm"):
        yield (
            "measurement.sac_borderline_mm: must not be less than measurement.sac_threshold_mm; "
            "the same value leaves no borderline"
        )
    if _is_less(sound, "report.settle_cap_seconds", "report.settle_seconds"):
        yield "report.settle_cap_seconds: must not be less than report.settle_seconds"


def _is_less(sound: Mapping[str, Any], setting: str, other: str) -> bool:
    """Whether one number is less than another, where both are sound."""
    return setting in sound and other in sound and sound[setting] < sound[other]


def _twice(sound: Mapping[str, Any], setting: str, key: str, word: str) -> list[str]:
    """The problems of a list of tables that are told apart by ``key``."""
    names = Counter(value for _, value in _matching(sound, rf"{re.escape(setting)}\[\d+\]\.{key}"))
    return [
        f"{setting}: the {word} {name!r} is used more than once; each must differ"
        for name, count in sorted(names.items())
        if count > 1
    ]


def _unknown_keywords(sound: Mapping[str, Any]) -> Iterator[str]:
    for setting, keyword in _matching(sound, r"selection\.(site_)?rules\[\d+\]\.(unless_)?elements\[\d+\]"):
        if tag_for_keyword(keyword) is None:
            name = sound.get(f"{setting.rpartition('.')[0]}.name")
            where = f"{setting} ({name})" if name else setting
            yield f"{where}: {keyword!r} is no DICOM keyword; PS3.6 lists them, e.g. SeriesDescription"


def _matching(sound: Mapping[str, Any], pattern: str) -> Iterator[tuple[str, Any]]:
    """The sound settings of many tables."""
    return ((setting, value) for setting, value in sound.items() if re.fullmatch(pattern, setting))
