"""Who and what a data set is: the patient, the study, the instance, when it was exposed, and whether we made it.

Reads elements only, never pixels. Free text is kept as it came; nothing here may reach a log line.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from pydicom import Dataset

from aasnode.dicom.elements import text, texts
from aasnode.errors import UnreadableError

MANUFACTURER = "aasnode"
"""Manufacturer (0008,0070) and Manufacturer's Model Name (0008,1090) of every object that we make."""

UID_ROOT = "2.25.591147305854908"
"""How the UID of every object of ours begins, without registration: docs/decisions/0014-our-uids-carry-our-mark.md."""

PERSON = ("PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
"""Keywords of what tells people apart; a name does not, for it is written in many ways."""

_UUID_PREFIX = int.from_bytes(hashlib.sha256(b"aasnode").digest()[:6])  # 48 bits: field custom_a of RFC 9562 5.8
_DAYS_PER_YEAR = 365.2425
_OLDEST_YEARS = 125
_FIRST_YEAR, _LAST_YEAR = 1895, 2200  # from the first X-ray film; 0001-01-01 is a placeholder, and no time zone has it
_AGE_UNITS_YEARS = {"D": 1 / _DAYS_PER_YEAR, "W": 7 / _DAYS_PER_YEAR, "M": 1 / 12, "Y": 1.0}


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """When the film was exposed: verbatim as in the header, and as an instant where that is possible."""

    date_verbatim: str  # as in the header; empty when missing
    time_verbatim: str
    element: str | None  # keyword of the element that gave the date, e.g. "AcquisitionDateTime"
    instant: datetime | None  # aware, with the header's own offset, else in the site's zone


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
    acquisition: Acquisition
    accession_number: str
    specific_character_set: tuple[str, ...]


def identify(dataset: Dataset, zone: ZoneInfo) -> Identity:
    """Read who and what ``dataset`` is; ``zone`` is the site's time zone, for dates without an offset.

    Raises:
        UnreadableError: an UID that everything hangs on (class, instance, study, series) is missing.
    """
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not text(dataset, keyword):
            raise UnreadableError(
                f"{keyword} is missing (instance {text(dataset, 'SOPInstanceUID') or 'unknown'}); "
                "have the sender send the instance again"
            )
    acquisition = read_acquisition(dataset, zone)
    birth_date = parse_date(text(dataset, "PatientBirthDate"))
    return Identity(
        sop_class_uid=text(dataset, "SOPClassUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        patient_id=text(dataset, "PatientID"),
        issuer_of_patient_id=text(dataset, "IssuerOfPatientID"),
        birth_date=birth_date,
        sex=sex if (sex := text(dataset, "PatientSex").upper()) in ("M", "F", "O") else "",
        acquisition=acquisition,
        accession_number=text(dataset, "AccessionNumber"),
        specific_character_set=texts(dataset, "SpecificCharacterSet"),
    )


def read_acquisition(dataset: Dataset, zone: tzinfo) -> Acquisition:
    """When the film was exposed: the first of AcquisitionDateTime, Acquisition-, Content-, Series-, StudyDate that is
    a date. A date without a time begins at midnight.
    """
    local = parse_offset(text(dataset, "TimezoneOffsetFromUTC")) or zone
    verbatim = text(dataset, "AcquisitionDateTime")
    if instant := parse_date_time(verbatim, local):
        return Acquisition(
            date_verbatim=verbatim[:8], time_verbatim=verbatim[8:], element="AcquisitionDateTime", instant=instant
        )
    for name in ("Acquisition", "Content", "Series", "Study"):
        day, clock = text(dataset, f"{name}Date"), text(dataset, f"{name}Time")
        if parsed := parse_date(day):
            instant = datetime.combine(parsed, parse_time(clock) or time(), tzinfo=local)
            return Acquisition(date_verbatim=day, time_verbatim=clock, element=f"{name}Date", instant=instant)
    return Acquisition(date_verbatim="", time_verbatim="", element=None, instant=None)


def read_age_years(dataset: Dataset, zone: tzinfo = UTC) -> float | None:
    """Age at acquisition: from the birth date where that is plausible, else Patient's Age; None when unknown."""
    born = parse_date(text(dataset, "PatientBirthDate"))
    exposed = read_acquisition(dataset, zone).instant
    if born and exposed:
        years = _years_between(born, exposed.date())
        if 0 <= years <= _OLDEST_YEARS:
            return years
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", text(dataset, "PatientAge").upper())
    return int(stated[1]) * _AGE_UNITS_YEARS[stated[2]] if stated else None


def _years_between(born: date, day: date) -> float:
    """Whole years at the last birthday and the part of the year since; exact on the birthday itself."""
    whole = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    try:
        birthday = born.replace(year=born.year + whole)
    except ValueError:  # born on 29 February
        birthday = date(born.year + whole, 3, 1)
    return whole + (day - birthday).days / 366


def own_uid(*parts: str) -> str:
    """The UID of an object of ours: the same ``parts`` give the same UID.

    A UUID of version 8 (RFC 9562) under 2.25 (PS3.5 B.2): 48 fixed bits that name us, 74 bits of SHA-256 of ``parts``.
    """
    digest = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest())
    high, low = digest >> 244, digest & ((1 << 62) - 1)
    return f"2.25.{_UUID_PREFIX << 80 | 8 << 76 | high << 64 | 2 << 62 | low}"


def is_own_uid(uid: str) -> bool:
    """Whether ``own_uid`` made this UID."""
    number = re.fullmatch(r"2\.25\.(\d{1,39})", uid)
    return number is not None and int(number[1]) >> 76 == _UUID_PREFIX << 4 | 8


def is_own_object(dataset: Dataset) -> bool:
    """Whether we made ``dataset``: by the root of its UID, or by its equipment."""
    equipment = (text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName"))
    return is_own_uid(text(dataset, "SOPInstanceUID")) or any(name.casefold() == MANUFACTURER for name in equipment)


def parse_date(verbatim: str) -> date | None:
    """A DA value, the old form with full stops included; None when it is no date of a year from 1895 to 2200."""
    found = re.fullmatch(r"(\d{4})\.?(\d\d)\.?(\d\d)", verbatim)
    if not found or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def parse_time(verbatim: str) -> time | None:
    """A TM value, shortened or with colons; None when it is no time."""
    found = re.fullmatch(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?", verbatim)
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    try:
        return time(hour, minute, min(second, 59), int((found[4] or "0").ljust(6, "0")))  # 60 is a leap second
    except ValueError:
        return None


def parse_offset(verbatim: str) -> timezone | None:
    """An offset from UTC such as +0900; None when it is none."""
    found = re.fullmatch(r"([+-])(\d\d)(\d\d)", verbatim)
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def parse_date_time(verbatim: str, local: tzinfo) -> datetime | None:
    """A DT value with at least a whole date; its own offset goes before ``local``; None when it is none."""
    found = re.fullmatch(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?", verbatim)
    day = parse_date(found[1]) if found else None
    if not found or not day:
        return None
    clock = parse_time(found[2]) if found[2] else time()
    return datetime.combine(day, clock, tzinfo=parse_offset(found[3] or "") or local) if clock else None
