"""One film in, one ``Analysis`` out: selection, pixels, spacing, detector, measurement. No database, no wire.

The node, ``aasnode analyse`` and ``aasnode evaluate`` all call it.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydicom import Dataset

from aasnode.anatomy import Facing, Landmarks, View
from aasnode.config import MeasurementSection, PixelsSection, SelectionSection
from aasnode.dicom.selection import ViewSource
from aasnode.geometry import PixelSpacing, Spacings, Unscaled
from aasnode.inference.detection import Detector
from aasnode.measurement import Measurement


class Status(StrEnum):
    """What became of a film."""

    MEASURED = "measured"  # at least one value in mm
    LOCATED = "located"  # a lateral cervical view with at least two points, but no mm
    ABSTAINED = "abstained"  # a lateral cervical view perhaps, not measurable
    REJECTED = "rejected"  # no such view
    FAILED = "failed"  # unreadable


@dataclass(frozen=True, kw_only=True)
class AnalysisSettings:
    """The sections of config.toml that the analysis of one film needs."""

    selection: SelectionSection
    pixels: PixelsSection
    measurement: MeasurementSection


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What the node knows of one film after steps 4 to 7. Fields that were not reached are None."""

    status: Status
    reason: str | None  # why not measured, or what is missing
    rule: str | None  # the selection rule that decided
    view: View
    view_source: ViewSource
    facing: Facing
    landmarks: Landmarks
    spacing: Spacings | Unscaled | None
    measurement: Measurement | None
    model: str | None
    rows: int | None
    columns: int | None


def analyse(dataset: Dataset, detector: Detector, settings: AnalysisSettings) -> Analysis:
    """Analyse one data set. What cannot be read is a result (FAILED), never an exception.

    TransientError passes: the same work may succeed later.
    """
    raise NotImplementedError


def analyse_file(path: Path, detector: Detector, settings: AnalysisSettings, spacing: PixelSpacing | None) -> Analysis:
    """Analyse a file: DICOM (which ignores ``spacing``), or PNG, JPEG, TIFF."""
    raise NotImplementedError


def analyse_picture(
    path: Path, detector: Detector, settings: AnalysisSettings, spacing: PixelSpacing | None
) -> Analysis:
    """Analyse a PNG, JPEG or TIFF; ``spacing`` as the user states it, None where unknown."""
    raise NotImplementedError


def as_json(analysis: Analysis, file: str) -> dict[str, object]:
    """The object that ``aasnode analyse --format json`` prints: always all keys, null when unknown."""
    raise NotImplementedError
