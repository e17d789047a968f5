"""What a report is made of: plain values that the reporter hands over, so that this room never asks the database.

``StudyFindings`` is a study at one moment: its films, what they say together, and how the site wants it shown. The same
findings give the same objects, byte for byte but for the time of creation, which is passed in as well.
"""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.tag import Tag
from pydicom.uid import UID

from aasnode.anatomy import Facing, Landmarks, View
from aasnode.geometry import PixelSpacing
from aasnode.measurement import Change, Length, Measurement, NotComparable, StudyAssessment, StudyFilm


@dataclass(frozen=True, kw_only=True)
class EarlierLength:
    """The same length on the patient's last comparable film, and the change since then."""

    acquisition_date: str  # as in its header: YYYYMMDD, or empty
    mm: float
    change: Change  # this film minus the earlier one


@dataclass(frozen=True, kw_only=True)
class FilmFindings:
    """What was found on one film.

    ``header`` is the source data set, read without pixels and otherwise untouched; its identity is carried over.
    ``pixels`` is (rows, columns), bright = dense, in the frame of the stored image; only the overlay needs it. It is
    None where the film's file is no longer kept, and ``header`` then holds no more than the report needs.
    """

    header: Dataset = field(repr=False, compare=False)
    pixels: npt.NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    frame: int = 1  # from 1, as in the standard
    acquisition_date: str  # verbatim, YYYYMMDD, as the course has it; empty when unknown
    acquisition_time: str = ""  # verbatim, HHMMSS.F, of the same source
    view: View
    is_view_stated: bool = True  # by the header; else it was told from the picture
    is_repeat: bool = False  # whether another film of this view is the one that is compared over time
    has_graver_repeat: bool = False  # whether a repeat of this view is reported beside it
    is_disputed: bool = False  # whether it came again as another person's
    facing: Facing
    landmarks: Landmarks
    spacing: PixelSpacing | None  # of the stored image; what ``measurement`` was computed with
    measurement: Measurement | None  # None when the film could not be measured at all
    reason: str | None = None  # why nothing was measured; else ``measurement`` has a reason per length
    model: str  # name and version
    adi_before: EarlierLength | NotComparable | None = None  # None: no earlier film of the patient
    sac_before: EarlierLength | NotComparable | None = None

    @property
    def sop_class_uid(self) -> UID:
        """SOP Class UID of the source image."""
        return UID(str(self.header.SOPClassUID))

    @property
    def sop_instance_uid(self) -> UID:
        """SOP Instance UID of the source image."""
        return UID(str(self.header.SOPInstanceUID))

    def text(self, keyword: str) -> str:
        """An element of the header as text, empty when missing; read aside, so that the header keeps its bytes."""
        tag = Tag(keyword)
        if tag not in self.header:
            return ""
        element: DataElement | RawDataElement = self.header.get_item(tag)
        if isinstance(element, RawDataElement):
            element = convert_raw_data_element(element, encoding=self.header.original_character_set, ds=self.header)
        return "" if element.value is None else str(element.value)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the stored image."""
        return int(self.header.Rows), int(self.header.Columns)

    @property
    def in_study(self) -> StudyFilm | None:
        """As ``measurement.assess_study`` takes it; None where nothing was measured."""
        if self.measurement is None:
            return None
        return StudyFilm(measurement=self.measurement, is_view_stated=self.is_view_stated, is_repeat=self.is_repeat)

    @property
    def adi(self) -> Length | None:
        """The ADI in mm, where it stands."""
        return self.measurement.adi if self.measurement else None

    @property
    def sac(self) -> Length | None:
        """The SAC in mm, where it stands."""
        return self.measurement.sac if self.measurement else None

    @property
    def is_adi_located(self) -> bool:
        """Whether the ADI stands: in mm, or on a film without mm that shows where it lies."""
        return self._is_located(self.adi, is_withheld=self.measurement is None or self.measurement.adi_withheld)

    @property
    def is_sac_located(self) -> bool:
        """Whether the SAC stands: in mm, or on a film without mm that shows where it lies."""
        return self._is_located(self.sac, is_withheld=self.measurement is None or self.measurement.sac_withheld)

    def _is_located(self, length: Length | None, *, is_withheld: bool) -> bool:
        return length is not None or (self.spacing is None and not is_withheld)


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

    device_observer_uid: str  # of this node, constant over its life
    station_name: str  # its AE title
    institution_name: str = ""
    structured_report_series_number: int = 9301
    overlay_series_number: int = 9302


@dataclass(frozen=True, kw_only=True)
class StudyFindings:
    """All that one study's report and overlays show. ``films`` are those with a result, in order of acquisition."""

    films: tuple[FilmFindings, ...]
    assessment: StudyAssessment
    version: int = 1  # of the study's report; viewers show the instance with the highest number
    predecessor: ObjectReference | None = None  # the version of the structured report that this one replaces
    settings: ReportSettings
    has_films_held_apart: bool = False  # earlier ones under the patient ID that may be another person's
    created_at: datetime  # aware; in the site's time zone

    def __post_init__(self) -> None:
        if not self.films:
            raise ValueError("a report needs at least one film with a result")
        if len({str(film.header.StudyInstanceUID) for film in self.films}) != 1:
            raise ValueError("the films of a report are of one study")
        if self.created_at.tzinfo is None:
            raise ValueError("created_at has no time zone")

    def place_in_view(self, film: FilmFindings) -> int:
        """Among the repeats of its view, or among the other films of it, from 0."""
        alike = [one for one in self.films if one.view is film.view and one.is_repeat is film.is_repeat]
        return [one.sop_instance_uid for one in alike].index(film.sop_instance_uid)

    @property
    def study_instance_uid(self) -> UID:
        """Study Instance UID of the source study; our objects join it."""
        return UID(str(self.films[0].header.StudyInstanceUID))
