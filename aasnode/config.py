"""``config.toml`` as frozen dataclasses: every setting, its default, its bounds. Lists all problems at once.

The defaults below are what is shipped: ``config.toml`` repeats them with comments, and a test keeps both equal, so a
node also runs with no file at all. This module knows no other room; each room is handed the section it needs.
"""

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydicom.datadict import tag_for_keyword

from aasnode.assets import shipped
from aasnode.errors import ConfigurationError


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


Port = Annotated[int, Bounds(low=1, high=65535)]
Positive = Annotated[int, Bounds(low=1)]
Seconds = Annotated[float, Bounds(low=0.01)]
Megabytes = Annotated[int, Bounds(low=1)]
AETitle = Annotated[str, Matches(pattern=r"[!-\[\]-~][ -\[\]-~]{0,15}", meaning="1 to 16 characters without backslash")]
UID = Annotated[str, Matches(pattern=r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+", meaning="a DICOM UID")]
Name = Annotated[str, Matches(pattern=r"[A-Za-z0-9_.-]{1,64}", meaning="letters, digits, _ . -")]
TimeZone = Annotated[str, Matches(pattern=r"\S+", meaning="a name of the IANA time zone database")]

SectionT = TypeVar("SectionT")


class Device(StrEnum):
    """Where the network runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class LogLevel(StrEnum):
    """The least severe event that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class NodeSection:
    """Who and where this node is."""

    ae_title: AETitle = "AASNODE"
    host: str = "0.0.0.0"  # noqa: S104  a PACS node is there to be reached
    port: Port = 11112
    time_zone: TimeZone = "UTC"
    data_dir: Path = Path("aasnode-data")


@dataclass(frozen=True, kw_only=True)
class ReceiverSection:
    """Who may send, what is taken, and how much."""

    check_called_ae_title: bool = True
    allowed_calling_ae_titles: tuple[AETitle, ...] = ()
    max_associations: Positive = 32
    max_pdu_bytes: Annotated[int, Bounds(low=4096, high=1048576)] = 131072
    max_data_set_mb: Megabytes = 256
    network_timeout_seconds: Seconds = 60.0
    disk_reserve_mb: Annotated[int, Bounds(low=0)] = 1024
    acknowledged_sop_classes: tuple[UID, ...] = (
        "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
        "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
        "1.2.840.10008.5.1.4.1.1.88.59",  # Key Object Selection Document
        "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
        "1.2.840.10008.5.1.4.1.1.11.2",  # Color Softcopy Presentation State
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
    )


@dataclass(frozen=True, kw_only=True)
class AnalyserSection:
    """How one film's job is bounded in time, memory and attempts."""

    deadline_seconds: Seconds = 120.0
    lease_seconds: Seconds = 30.0
    attempts: Positive = 3
    retry_delay_seconds: Seconds = 5.0


@dataclass(frozen=True, kw_only=True)
class PixelsSection:
    """How large a film may be; looked at before anything is decoded."""

    max_megapixels: Positive = 100
    max_decompressed_mb: Megabytes = 512


class Then(StrEnum):
    """What follows when a selection rule applies."""

    REJECT = "reject"
    NEUTRAL = "neutral"
    FLEXION = "flexion"
    EXTENSION = "extension"


@dataclass(frozen=True, kw_only=True)
class SelectionRule:
    """One rule on the tags of an instance; how words are compared is told in aasnode/dicom/selection.py."""

    name: Annotated[str, Bounds(low=1)]
    elements: Annotated[tuple[str, ...], Bounds(low=1)]  # DICOM keywords
    words: Annotated[tuple[str, ...], Bounds(low=1)]  # any of these makes the rule apply
    unless: tuple[str, ...] = ()  # any of these in ``unless_elements`` keeps it from applying
    unless_elements: tuple[str, ...] = ()  # as ``elements`` when empty
    then: Then


def shipped_selection_rules() -> tuple[SelectionRule, ...]:
    """The rules of the shipped ``config.toml``: words in ten languages stand there once, not here again."""
    table = tomllib.loads(shipped("config.toml").read_text(encoding="utf-8"))
    return from_table({"selection": table["selection"]}).selection.rules


@dataclass(frozen=True, kw_only=True)
class SelectionSection:
    """Which instances go to the detector, and what their tags say of the view."""

    site_rules: tuple[SelectionRule, ...] = ()  # tried before ``rules``
    rules: tuple[SelectionRule, ...] = field(default_factory=shipped_selection_rules)


class Plane(StrEnum):
    """The plane in which lengths are compared with the thresholds."""

    DETECTOR = "detector"
    CORRECTED = "corrected"


class AbnormalAbove(StrEnum):
    """How a length is compared with a threshold above which it is abnormal."""

    GREATER = ">"
    GREATER_OR_EQUAL = ">="


class AbnormalBelow(StrEnum):
    """How a length is compared with a threshold below which it is abnormal."""

    LESS = "<"
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, kw_only=True)
class MeasurementSection:
    """Thresholds of ADI and SAC, and what is known of magnification (docs/measurements.md has the sources)."""

    adi_threshold_mm: Annotated[float, Bounds(low=0)] = 3.0
    adi_operator: AbnormalAbove = AbnormalAbove.GREATER
    sac_threshold_mm: Annotated[float, Bounds(low=0)] = 13.0
    sac_operator: AbnormalBelow = AbnormalBelow.LESS_OR_EQUAL
    sac_borderline_mm: Annotated[float, Bounds(low=0)] = 14.0
    threshold_plane: Plane = Plane.DETECTOR
    magnification_low: Annotated[float, Bounds(low=1)] = 1.0
    magnification_high: Annotated[float, Bounds(low=1)] = 1.3
    magnification_sd: Annotated[float, Bounds(low=0, high=1)] = 0.04
    minimum_age_years: Annotated[float, Bounds(low=0)] = 18.0
    view_confidence: Annotated[float, Bounds(low=0, high=1)] = 0.9


@dataclass(frozen=True, kw_only=True)
class ModelSection:
    """Which weights, on which device."""

    directory: Path | None = None
    device: Device = Device.AUTO


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """When a study's report is built, and how its series are numbered."""

    settle_seconds: Annotated[float, Bounds(low=0)] = 10.0
    settle_cap_seconds: Annotated[float, Bounds(low=0)] = 120.0
    institution_name: Annotated[str, Bounds(low=0, high=64)] = ""
    structured_report_series_number: Positive = 9301
    overlay_series_number: Positive = 9302


@dataclass(frozen=True, kw_only=True)
class Destination:
    """One DICOM peer that takes our objects."""

    name: Name
    ae_title: AETitle
    host: str
    port: Port


@dataclass(frozen=True, kw_only=True)
class ReturnAddress:
    """Where the objects go when they are returned to the sender of the films."""

    ae_title: AETitle
    host: str
    port: Port


@dataclass(frozen=True, kw_only=True)
class DeliverySection:
    """Where the objects go, and how long that is tried."""

    shadow: bool = False
    return_to_sender: bool = False
    timeout_seconds: Seconds = 30.0
    attempts: Positive = 96
    retry_delay_seconds: Seconds = 15.0
    retry_delay_cap_seconds: Seconds = 3600.0
    destinations: tuple[Destination, ...] = ()
    return_table: tuple[ReturnAddress, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RetentionSection:
    """How long files stay. Numbers stay for ever."""

    film_days: Annotated[float, Bounds(low=0)] = 30.0
    object_days: Annotated[float, Bounds(low=0)] = 90.0
    janitor_seconds: Seconds = 60.0


@dataclass(frozen=True, kw_only=True)
class LogSection:
    """What is written to stderr."""

    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole of ``config.toml``."""

    node: NodeSection = field(default_factory=NodeSection)
    receiver: ReceiverSection = field(default_factory=ReceiverSection)
    analyser: AnalyserSection = field(default_factory=AnalyserSection)
    selection: SelectionSection = field(default_factory=SelectionSection)
    pixels: PixelsSection = field(default_factory=PixelsSection)
    measurement: MeasurementSection = field(default_factory=MeasurementSection)
    model: ModelSection = field(default_factory=ModelSection)
    report: ReportSection = field(default_factory=ReportSection)
    delivery: DeliverySection = field(default_factory=DeliverySection)
    retention: RetentionSection = field(default_factory=RetentionSection)
    log: LogSection = field(default_factory=LogSection)


def load(path: Path | None) -> Config:
    """Read ``path``; None gives the defaults as shipped.

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
        raise ConfigurationError([f"{path}: is no valid TOML: {error}"]) from error
    return from_table(table)


def from_table(table: Mapping[str, Any]) -> Config:
    """Build the configuration from a parsed TOML table.

    Raises:
        ConfigurationError: unknown keys, wrong types, values out of bounds, contradictions; all of them at once.
    """
    problems: list[str] = []
    config = _read_section(Config, table, "", problems)
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
    names = [destination.name for destination in config.delivery.destinations]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [
        f"delivery.destinations: the name {name!r} is used more than once; names must differ" for name in twice
    ]
    if config.report.settle_cap_seconds < config.report.settle_seconds:
        problems.append("report.settle_cap_seconds: must not be less than report.settle_seconds")
    if config.delivery.return_to_sender and not config.delivery.return_table:
        problems.append("delivery.return_to_sender: needs a [[delivery.return_table]] with the sender's port")
    return problems


def _unknown_keywords(selection: SelectionSection) -> list[str]:
    rules = [(f"selection.{name}", rule) for name in ("site_rules", "rules") for rule in getattr(selection, name)]
    return [
        f"{where} ({rule.name}): {keyword!r} is no DICOM keyword; PS3.6 lists them, e.g. SeriesDescription"
        for where, rule in rules
        for keyword in (*rule.elements, *rule.unless_elements)
        if tag_for_keyword(keyword) is None
    ]


def _read_section(section: type[SectionT], table: Mapping[str, Any], path: str, problems: list[str]) -> SectionT | None:
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
            return _read_section(hint, value, f"{path}.", problems)
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
