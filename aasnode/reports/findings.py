"""What a report is made of: plain values that the reporter hands over, so that this room never asks the database.

``StudyFindings`` is a study at one moment: its films, what they say together, and how the site wants it shown. The same
findings give the same objects, byte for byte but for the time of creation, which is passed in as well.
"""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.uid import UID

from aasnode.anatomy import Facing, Landmark, Landmarks, View
from aasnode.geometry import PixelSpacing
from aasnode.measurement import Assessment, Length, Measurement

ADI_ENDS = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
SAC_ENDS = (Landmark.DENS_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One earlier film of the patient, and the change since then; the changes are None where not comparable."""

    study_date: str  # as in its header: YYYYMMDD, or empty
    sop_instance_uid: str
    adi_mm: float | None
    sac_mm: float | None
    adi_change_mm: float | None  # this film minus the earlier one
    sac_change_mm: float | None
    adi_exceeds_error: bool | None  # whether the change is larger than the error of measurement
    sac_exceeds_error: bool | None
    not_comparable_because: str | None  # other view, spacing rule or model


@dataclass(frozen=True, kw_only=True)
class FilmFindings:
    """What was found on one film.

    ``header`` is the source data set, read without pixels and otherwise untouched; its identity is carried over.
    ``pixels`` is (rows, columns), bright = dense, in the frame of the stored image; only the overlay needs it.
    """

    header: Dataset = field(repr=False, compare=False)
    pixels: npt.NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    frame: int = 1  # from 1, as in the standard
    view: View
    facing: Facing
    landmarks: Landmarks
    spacing: PixelSpacing | None  # of the stored image; what ``measurement`` was computed with
    measurement: Measurement | None  # None when the film could not be measured at all
    reason: str | None = None  # why nothing was measured in mm: abstained, no spacing
    adi_reason: str | None = None  # why there is no ADI in mm, where that differs from ``reason``
    sac_reason: str | None = None
    model: str  # name and version
    model_digest: str = ""  # of the weights, for the report's algorithm parameters
    calibration: str = "simulated films"  # what the 90 % intervals were calibrated on
    previous: Comparison | None = None  # the patient's last earlier film of this view

    @property
    def sop_class_uid(self) -> UID:
        """SOP Class UID of the source image."""
        return UID(str(self.header.SOPClassUID))

    @property
    def sop_instance_uid(self) -> UID:
        """SOP Instance UID of the source image."""
        return UID(str(self.header.SOPInstanceUID))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the stored image."""
        return int(self.header.Rows), int(self.header.Columns)

    @property
    def adi(self) -> Length | None:
        """The ADI in mm, where it stands."""
        return self.measurement.adi if self.measurement else None

    @property
    def sac(self) -> Length | None:
        """The SAC in mm, where it stands."""
        return self.measurement.sac if self.measurement else None


@dataclass(frozen=True, kw_only=True)
class ObjectReference:
    """One stored object: what a later version names as its predecessor."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """How the site wants its reports; everything here shapes the objects and so their UIDs."""

    thresholds: str  # one line as shown, e.g. "ADI > 3 mm; SAC <= 13 mm, borderline to 14 mm; detector plane"
    device_observer_uid: str  # of this node, constant over its life
    station_name: str = "AASNODE"  # at most 16 characters
    institution_name: str = ""
    structured_report_series_number: int = 9301
    overlay_series_number: int = 9302


@dataclass(frozen=True, kw_only=True)
class StudyFindings:
    """All that one study's report and overlays show. ``films`` are those with a result, in order of acquisition."""

    films: tuple[FilmFindings, ...]
    assessment: Assessment
    assessment_reason: str
    delta_adi_mm: float | None = None  # flexion minus extension
    delta_sac_mm: float | None = None
    predecessor: ObjectReference | None = None  # the version of the structured report that this one replaces
    settings: ReportSettings
    created_at: datetime  # aware; in the site's time zone

    def __post_init__(self) -> None:
        if not self.films:
            raise ValueError("a report needs at least one film with a result")
        if len({str(film.header.StudyInstanceUID) for film in self.films}) != 1:
            raise ValueError("the films of a report are of one study")
        if self.created_at.tzinfo is None:
            raise ValueError("created_at has no time zone")

    @property
    def study_instance_uid(self) -> UID:
        """Study Instance UID of the source study; our objects join it."""
        return UID(str(self.films[0].header.StudyInstanceUID))
