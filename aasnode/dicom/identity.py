"""Who and what a data set is: the patient, the study, the instance, when it was exposed, and whether we made it.

Reads elements only, never pixels. Free text is kept as it came; nothing here may reach a log line.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydicom import Dataset

MANUFACTURER = "aasnode"
"""Manufacturer (0008,0070) and Manufacturer's Model Name (0008,1090) of every object that we make."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """When the film was exposed: verbatim as in the header, and as an instant where that is possible."""

    date_verbatim: str  # as in the header; empty when missing
    time_verbatim: str
    element: str | None  # keyword of the element that gave the date, e.g. "AcquisitionDateTime"
    instant: datetime | None  # aware, in the site's zone or with the header's own offset


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who and what a data set is. Missing text is empty, missing values are None."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    birth_date: date | None
    sex: str  # M, F, O or empty
    age_years: float | None  # at acquisition
    acquisition: Acquisition
    accession_number: str
    specific_character_set: tuple[str, ...]


def identify(dataset: Dataset, zone: ZoneInfo) -> Identity:
    """Read who and what ``dataset`` is; ``zone`` is the site's time zone, for dates without an offset.

    Raises UnreadableError when an UID that everything hangs on (class, instance, study, series) is missing.
    """
    raise NotImplementedError


def own_uid(*parts: str) -> str:
    """The UID of an object of ours: the same ``parts`` give the same UID, ours are known by their root."""
    raise NotImplementedError


def is_own_object(dataset: Dataset) -> bool:
    """Whether we made ``dataset``: by the root of its UID, or by its equipment."""
    raise NotImplementedError
