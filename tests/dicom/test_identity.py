from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydicom import Dataset
from pydicom.uid import UID, generate_uid

from aasnode.dicom.identity import (
    UID_ROOT,
    identify,
    is_own_object,
    is_own_uid,
    own_uid,
    read_acquisition,
    read_age_years,
)
from aasnode.errors import UnreadableError
from tests.dicom.films import film

TOKYO = ZoneInfo("Asia/Tokyo")


def test_identity_is_read_as_it_stands() -> None:
    dataset = film(
        PatientID=" P 7 ", IssuerOfPatientID="HOSPITAL", PatientBirthDate="19500317", PatientSex="F",
        AcquisitionDate="20260301", AcquisitionTime="101530.5", AccessionNumber="A1",
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
    )  # fmt: skip
    identity = identify(dataset, TOKYO)
    assert identity.patient_id == "P 7"
    assert identity.issuer_of_patient_id == "HOSPITAL"
    assert identity.birth_date == date(1950, 3, 17)
    assert identity.sex == "F"
    assert identity.accession_number == "A1"
    assert identity.specific_character_set == ("", "ISO 2022 IR 87")
    assert identity.acquisition.time_verbatim == "101530.5"
    assert identity.acquisition.instant == datetime(2026, 3, 1, 10, 15, 30, 500000, tzinfo=TOKYO)


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_missing_uid_is_named_and_the_patient_is_not(keyword: str) -> None:
    dataset = film(PatientID="SECRET", PatientName="DOE^JANE", **{keyword: None})
    with pytest.raises(UnreadableError, match=keyword) as error:
        identify(dataset, TOKYO)
    assert "SECRET" not in str(error.value)
    assert "DOE" not in str(error.value)


@pytest.mark.parametrize(
    ("elements", "element", "instant"),
    [
        ({"AcquisitionDateTime": "20260301101530.25+0100"}, "AcquisitionDateTime", "2026-03-01T10:15:30.250000+01:00"),
        ({"AcquisitionDateTime": "2026030110"}, "AcquisitionDateTime", "2026-03-01T10:00:00+09:00"),
        ({"AcquisitionDateTime": "2026", "StudyDate": "20250101"}, "StudyDate", "2025-01-01T00:00:00+09:00"),
        ({"AcquisitionDate": "20260301", "AcquisitionTime": "1015"}, "AcquisitionDate", "2026-03-01T10:15:00+09:00"),
        ({"AcquisitionDate": "", "ContentDate": "20260302"}, "ContentDate", "2026-03-02T00:00:00+09:00"),
        ({"SeriesDate": "2026.03.01", "SeriesTime": "10:15:30"}, "SeriesDate", "2026-03-01T10:15:30+09:00"),
        (
            {"StudyDate": "20260301", "StudyTime": "101530", "TimezoneOffsetFromUTC": "-0530"},
            "StudyDate",
            "2026-03-01T10:15:30-05:30",
        ),
        ({"StudyDate": "20260230"}, None, None),
        ({}, None, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_acquisition_is_the_first_element_that_is_a_date(
    elements: dict[str, str], element: str | None, instant: str | None
) -> None:
    acquisition = read_acquisition(film(**elements), TOKYO)
    assert acquisition.element == element
    assert acquisition.instant == (datetime.fromisoformat(instant) if instant else None)


def test_instant_has_the_zone_of_the_site_in_summer_and_winter() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    summer = read_acquisition(film(StudyDate="20260701", StudyTime="12"), berlin).instant
    winter = read_acquisition(film(StudyDate="20260101", StudyTime="12"), berlin).instant
    assert summer is not None
    assert winter is not None
    assert summer.utcoffset() == timedelta(hours=2)
    assert winter.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("birth_date", "stated", "years"),
    [
        ("20080301", "", 18.0),  # the birthday itself
        ("20080302", "", 17.9945),
        ("19600229", "", 66.0),
        ("20270101", "045Y", 45.0),  # born after the film: the stated age
        ("18000101", "", None),
        ("", "006M", 0.5),
        ("", "17Y", 17.0),
        ("", "Y045", None),
        ("", "", None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_age_at_acquisition(birth_date: str, stated: str, years: float | None) -> None:
    dataset = film(AcquisitionDate="20260301", PatientBirthDate=birth_date, PatientAge=stated)
    assert read_age_years(dataset) == (None if years is None else pytest.approx(years, abs=0.001))


def test_own_uids_are_valid_stable_and_recognised() -> None:
    uid = own_uid("object", "1.2", "3.4")
    assert uid == own_uid("object", "1.2", "3.4") != own_uid("object", "1.2", "3.5")
    assert own_uid("ab", "c") != own_uid("a", "bc")
    assert UID(uid).is_valid
    assert len(uid) <= 64
    assert uid.startswith(UID_ROOT)
    assert is_own_uid(uid)


def test_foreign_uids_are_not_taken_for_ours() -> None:
    foreign = [generate_uid(prefix=None) for _ in range(1000)] + ["2.25.1", "1.2.840.10008.1.1", "", UID_ROOT]
    assert not any(is_own_uid(uid) for uid in foreign)


def test_objects_of_ours_are_known_by_uid_and_by_equipment() -> None:
    assert is_own_object(film(SOPInstanceUID=own_uid("x")))
    assert is_own_object(film(Manufacturer="AASNODE"))
    assert is_own_object(film(ManufacturerModelName="aasnode"))
    assert not is_own_object(film(Manufacturer="FUJIFILM", ManufacturerModelName="DR"))
    assert not is_own_object(Dataset())


def test_instants_compare_across_zones() -> None:
    tokyo = read_acquisition(film(StudyDate="20260301", StudyTime="090000"), TOKYO).instant
    assert tokyo == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("placeholder", ["00010101", "18941231", "22010101", "99991231"])
def test_date_that_no_film_has_is_no_date_and_the_next_element_decides(placeholder: str) -> None:
    dataset = film(AcquisitionDateTime=f"{placeholder}000000", AcquisitionDate=placeholder, ContentDate="20260301")
    acquisition = read_acquisition(dataset, TOKYO)
    assert acquisition.element == "ContentDate"
    assert read_acquisition(film(AcquisitionDate=placeholder), TOKYO).instant is None
