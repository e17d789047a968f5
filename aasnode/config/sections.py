"""Every setting with its default and its bounds, one frozen dataclass for each section of ``config.toml``."""

import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from aasnode.assets import shipped
from aasnode.config.reader import Bounds, Matches, Reading, read_section
from aasnode.errors import ConfigurationError

Port = Annotated[int, Bounds(low=1, high=65535)]
Positive = Annotated[int, Bounds(low=1)]
Seconds = Annotated[float, Bounds(low=0.01, high=2_592_000)]  # 30 days
Wait = Annotated[float, Bounds(low=0, high=2_592_000)]  # seconds
Days = Annotated[float, Bounds(low=0, high=36_500)]  # a hundred years: for ever
Megabytes = Annotated[int, Bounds(low=1)]
AETitle = Annotated[str, Matches(pattern=r"[!-\[\]-~][ -\[\]-~]{0,15}", meaning="1 to 16 characters without backslash")]
UID = Annotated[str, Matches(pattern=r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+", meaning="a DICOM UID")]
Name = Annotated[str, Matches(pattern=r"[A-Za-z0-9_.-]{1,64}", meaning="letters, digits, _ . -")]
TimeZone = Annotated[str, Matches(pattern=r"\S+", meaning="a name of the IANA time zone database")]


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
    host: Annotated[str, Bounds(low=1)] = "0.0.0.0"  # noqa: S104  a PACS node is there to be reached
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
    SELECT = "select"  # no later rule rejects
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
    reading = Reading()
    section = read_section(SelectionSection, table["selection"], "selection.", reading)
    if section is None:
        raise ConfigurationError(reading.problems)
    return section.rules


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

    adi_threshold_mm: Annotated[float, Bounds(low=1, high=10)] = 3.0
    adi_operator: AbnormalAbove = AbnormalAbove.GREATER
    sac_threshold_mm: Annotated[float, Bounds(low=5, high=25)] = 13.0
    sac_operator: AbnormalBelow = AbnormalBelow.LESS_OR_EQUAL
    sac_borderline_mm: Annotated[float, Bounds(low=5, high=25)] = 14.0
    suspected_guard: Annotated[float, Bounds(low=0, high=5)] = 0.0
    normal_guard: Annotated[float, Bounds(low=0, high=5)] = 1.0
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

    settle_seconds: Wait = 10.0
    settle_cap_seconds: Wait = 120.0
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

    film_days: Days = 30.0
    object_days: Days = 90.0
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
