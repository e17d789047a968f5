"""Who the patient is and which study it is: carried over to the last byte."""

import io
from typing import Any

import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from aasnode.dicom.identity import is_own_object
from aasnode.reports.findings import FilmFindings
from aasnode.reports.modules import CARRIED_OVER, REQUIRED
from aasnode.reports.part10 import write_part10
from aasnode.reports.secondary_capture import build_secondary_capture
from aasnode.reports.structured_report import build_structured_report

from .conftest import FilmFactory, StudyFactory, digital_radiograph, read_back

SCRIPTS = {
    "Japanese, escapes": (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "頸椎側面"),
    "Japanese, half width": (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", "頸椎"),
    "Korean": (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "경추 측면"),
    "UTF-8": ("ISO_IR 192", "Wang^XiaoDong=王^小東", "颈椎侧位"),
    "Chinese": ("GB18030", "Wang^XiaoDong=王^小东", "颈椎侧位"),
    "Cyrillic": ("ISO_IR 144", "Люкceмбypг", "Шейный отдел"),
    "Latin": ("ISO_IR 100", "Buc^Jérôme", "Rachis cervical, profil, en flexion forcée"),
    "none": (None, "Adams^John", "C-spine"),
}
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
TEXTS = ("PatientName", "PatientID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName")


def raw_value(dataset: Dataset, keyword: str) -> bytes:
    element: DataElement | RawDataElement = dataset.get_item(Tag(keyword))
    assert isinstance(element, RawDataElement), f"{keyword} was decoded before it was compared"
    return element.value or b""


def sent(film: FilmFindings, make_study: StudyFactory) -> list[Dataset]:
    """Both objects as a receiver reads them."""
    study = make_study(film)
    built = (build_structured_report(study), build_secondary_capture(study, film))
    return [pydicom.dcmread(io.BytesIO(write_part10(dataset))) for dataset in built]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_in_any_script_arrives_as_it_was_sent(
    script: str, syntax: UID, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    character_set, name, description = SCRIPTS[script]
    header = digital_radiograph(
        SpecificCharacterSet=character_set,
        PatientName=name,
        StudyDescription=description,
        ReferringPhysicianName=name,
        Manufacturer="Drawn",
        Rows=60,
        Columns=50,
    )
    film = make_film(header=header, transfer_syntax=syntax)
    for dataset in sent(film, make_study):
        for keyword in TEXTS:
            assert raw_value(dataset, keyword) == raw_value(film.header, keyword)
        assert dataset.get("SpecificCharacterSet") == film.header.get("SpecificCharacterSet")
        assert str(dataset.PatientName) == name
        assert dataset.StudyDescription == description


@pytest.mark.parametrize("name", ["王^小东".encode("gb18030"), "Müller^Jürgen".encode("latin-1")])
def test_bytes_that_no_character_set_explains_survive(
    name: bytes, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    """Old devices write their own code page and say nothing; the PACS knows what to make of it, and so it must stay."""
    header = digital_radiograph(SpecificCharacterSet=None, PatientName="x" * (len(name) + len(name) % 2))
    header.ReferringPhysicianName, header.StudyDescription = "Doctor", "C-spine"
    header.SOPInstanceUID = "1.2.3.4"
    buffer = io.BytesIO()
    read_back(header).save_as(buffer, enforce_file_format=True)
    raw = buffer.getvalue().replace(b"x" * (len(name) + len(name) % 2), name + b" " * (len(name) % 2))
    film = make_film(header=header)
    film.header.clear()
    film.header.update(pydicom.dcmread(io.BytesIO(raw)))
    for dataset in sent(film, make_study):
        assert raw_value(dataset, "PatientName").rstrip() == name


def test_a_bare_header_gives_a_complete_object(
    computed_radiograph: Dataset, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(header=computed_radiograph, spacing=None)
    for dataset in sent(film, make_study):
        assert all(keyword in dataset for keyword in REQUIRED)
        assert dataset.StudyInstanceUID == film.header.StudyInstanceUID


def test_a_broken_element_is_left_out_and_the_rest_is_carried_over(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    """A number with one byte too few or too many: nobody can write it again, and a study is not lost for it."""
    film = make_film()
    nested = Dataset()
    for target in (film.header, nested):
        target[Tag("PregnancyStatus")] = RawDataElement(Tag("PregnancyStatus"), "US", 1, b"\1", 0, False, True)
    film.header.ProcedureCodeSequence = [nested]
    for dataset in sent(film, make_study):
        assert "PregnancyStatus" not in dataset
        assert "ProcedureCodeSequence" not in dataset
        assert dataset.PatientID == film.header.PatientID


def test_sequences_of_the_study_are_copied_whole(make_film: FilmFactory, make_study: StudyFactory) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "Flexion forcée"
    other = Dataset()
    other.PatientID, other.IssuerOfPatientID = "Q-9", "OTHER"
    header = digital_radiograph(ProcedureCodeSequence=[code], OtherPatientIDsSequence=[other])
    film = make_film(header=header, transfer_syntax=ImplicitVRLittleEndian)
    for dataset in sent(film, make_study):
        assert dataset.ProcedureCodeSequence[0].CodeMeaning == "Flexion forcée"
        assert dataset.OtherPatientIDsSequence[0].PatientID == "Q-9"


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_a_number_keeps_its_value_whatever_the_byte_order(
    syntax: UID, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(header=digital_radiograph(PregnancyStatus=4), transfer_syntax=syntax)
    for dataset in sent(film, make_study):
        assert dataset.PregnancyStatus == 4


def test_nothing_of_the_films_own_series_or_pixels_is_carried_over(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(header=digital_radiograph(ProtocolName="HWS", DetectorID="D-1"))
    for dataset in sent(film, make_study):
        assert not {"ProtocolName", "DetectorID", "ImagerPixelSpacing"} & set(dataset.dir())
        assert dataset.SeriesInstanceUID != film.header.SeriesInstanceUID
        assert dataset.ContributingEquipmentSequence[0].Manufacturer == film.header.Manufacturer


def test_our_objects_know_themselves_by_uid_and_by_equipment(make_film: FilmFactory, make_study: StudyFactory) -> None:
    for dataset in sent(make_film(), make_study):
        assert is_own_object(dataset)
        dataset.SOPInstanceUID = "1.2.3"  # as a PACS that renames on import would leave it
        assert is_own_object(dataset)


def test_the_same_findings_give_the_same_bytes(make_film: FilmFactory, make_study: StudyFactory) -> None:
    study = make_study(make_film())
    for build in (build_structured_report, lambda given: build_secondary_capture(given, given.films[0])):
        assert write_part10(build(study)) == write_part10(build(study))


@pytest.mark.parametrize(
    ("offset", "date", "time"),
    [("+0900", "20261123", "193000"), ("-1130", "20261122", "230000"), (None, "20261123", "103000")],
)
def test_our_times_hold_in_the_offset_that_is_carried_over(
    offset: str | None, date: str, time: str, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(header=digital_radiograph(TimezoneOffsetFromUTC=offset))
    for dataset in sent(film, make_study):
        assert (dataset.ContentDate, dataset.ContentTime) == (date, time)
        assert dataset.get("TimezoneOffsetFromUTC") == offset


def test_an_institution_that_the_films_character_set_lacks_is_replaced_not_mixed(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = make_study(make_film(draw=False), settings={"institution_name": "病院 Nord"})
    dataset = pydicom.dcmread(io.BytesIO(write_part10(build_structured_report(study))))
    assert dataset.InstitutionName == "?? Nord"


@pytest.mark.parametrize("keyword", CARRIED_OVER)
def test_what_is_carried_over_is_named_as_the_standard_names_it(keyword: str) -> None:
    assert Tag(keyword)


def test_findings_never_show_a_patient_in_their_representation(make_film: FilmFactory) -> None:
    film: Any = make_film(draw=False)
    assert "Müller" not in repr(film)
    assert "P-001" not in repr(film)
