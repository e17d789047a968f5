"""The IOD modules that all our objects share (PS3.3 C.7): patient and study carried over, the rest our own.

The patient's and the study's elements are copied as they lie in the source's bytes, together with its character set, so
that a name in any script survives, also one that its own character set does not explain. What we add is ASCII.
"""

import contextlib
from copy import deepcopy
from datetime import datetime

from pydicom import Dataset
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import STR_VR

from aasnode import __version__
from aasnode.dicom.elements import BROKEN
from aasnode.dicom.file_meta import file_meta
from aasnode.dicom.identity import MANUFACTURER, parse_offset
from aasnode.reports import codes
from aasnode.reports.findings import FilmFindings, ReportSettings, StudyFindings

REQUIRED = (  # Type 2: present, if only empty
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID",
)  # fmt: skip
CARRIED_OVER = (
    "SpecificCharacterSet", "TimezoneOffsetFromUTC",
    # Patient (C.7.1.1)
    *REQUIRED[:4], "IssuerOfPatientID", "TypeOfPatientID", "IssuerOfPatientIDQualifiersSequence", "PatientBirthTime",
    "OtherPatientIDs", "OtherPatientIDsSequence", "OtherPatientNames", "EthnicGroup", "PatientComments",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    # General Study (C.7.2.1)
    *REQUIRED[4:], "StudyInstanceUID", "IssuerOfAccessionNumberSequence", "StudyDescription", "ProcedureCodeSequence",
    "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "ReferencedStudySequence",
    # Patient Study (C.7.2.2)
    "AdmittingDiagnosesDescription", "PatientAge", "PatientSize", "PatientWeight", "Occupation", "MedicalAlerts",
    "Allergies", "SmokingStatus", "PregnancyStatus", "AdditionalPatientHistory", "AdmissionID", "PatientState",
    "IssuerOfAdmissionIDSequence",
    # Clinical Trial Subject and Study (C.7.1.3, C.7.2.3)
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID",
    "ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)  # fmt: skip


def new_object(
    study: StudyFindings,
    film: FilmFindings,
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    series_instance_uid: str,
    modality: str,
    series_number: int,
    series_description: str,
    instance_number: int,
) -> Dataset:
    """A data set in the study of ``film`` with all that our objects share; its own module is for the caller."""
    dataset = Dataset()
    dataset.file_meta = file_meta(sop_class_uid, sop_instance_uid, ExplicitVRLittleEndian)
    carry_over(film.header, dataset)
    dataset.SOPClassUID = UID(sop_class_uid)
    dataset.SOPInstanceUID = UID(sop_instance_uid)
    dataset.SeriesInstanceUID = UID(series_instance_uid)
    dataset.Modality = modality
    dataset.SeriesNumber = series_number
    dataset.SeriesDescription = series_description
    dataset.InstanceNumber = instance_number
    _add_equipment(dataset, study.settings)
    _add_times(dataset, _in_zone_of(film, study.created_at))
    dataset.ContributingEquipmentSequence = Sequence([_acquisition_equipment(film.header)])
    return dataset


def carry_over(source: Dataset, target: Dataset) -> None:
    """Copy the identity of patient and study, and the character set that it is written in.

    An element that breaks the rules of its value representation is left out, for it cannot be written again.
    """
    for keyword in CARRIED_OVER:
        tag = Tag(keyword)
        if tag in source:
            with contextlib.suppress(*BROKEN):
                target[tag] = _as_it_lies(source, tag)
    for keyword in REQUIRED:
        if keyword not in target:
            setattr(target, keyword, "")
    # Tells pydicom that the copied bytes are already in this character set and byte order.
    target.set_original_encoding(False, True, convert_encodings(target.get("SpecificCharacterSet")))


def _as_it_lies(source: Dataset, tag: BaseTag) -> DataElement | RawDataElement:
    """Text keeps its bytes; sequences and numbers are read and copied: theirs depend on the transfer syntax."""
    element: DataElement | RawDataElement = source.get_item(tag)
    vr = dictionary_VR(tag)
    if isinstance(element, RawDataElement) and vr in STR_VR:
        return element._replace(VR=vr, value=element.value or b"", is_implicit_VR=False, is_little_endian=True)
    read = source[tag]
    if read.VR == "SQ":
        _read_whole(read.value)
    return deepcopy(read)


def _read_whole(items: Sequence) -> None:
    """Convert every element inside, however deep; raises what pydicom raises for a broken one."""
    for item in items:
        for _ in item.iterall():
            pass


def ascii_or_replaced(text: str) -> str:
    """``text`` where every character set has it; other characters become question marks."""
    return text.encode("ascii", "replace").decode("ascii")


def _add_equipment(dataset: Dataset, settings: ReportSettings) -> None:
    """General and Enhanced General Equipment (C.7.5.1): ours, not that of the film."""
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MANUFACTURER
    dataset.DeviceSerialNumber = settings.device_observer_uid
    dataset.SoftwareVersions = __version__
    dataset.StationName = settings.station_name
    if settings.institution_name:
        dataset.InstitutionName = ascii_or_replaced(settings.institution_name)


def _in_zone_of(film: FilmFindings, created_at: datetime) -> datetime:
    """Timezone Offset From UTC is carried over and holds for every time of an object, so ours follow it."""
    zone = parse_offset(film.text("TimezoneOffsetFromUTC").strip())
    return created_at.astimezone(zone) if zone else created_at


def _add_times(dataset: Dataset, created_at: datetime) -> None:
    """When the object was made, as date and time of its instance, series and content."""
    for prefix in ("InstanceCreation", "Series", "Content"):
        setattr(dataset, f"{prefix}Date", created_at.strftime("%Y%m%d"))
        setattr(dataset, f"{prefix}Time", created_at.strftime("%H%M%S"))


def _acquisition_equipment(header: Dataset) -> Dataset:
    """Item of the Contributing Equipment Sequence (C.12.1.1.5): what took the film."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = Sequence([codes.code_item(codes.ACQUISITION_EQUIPMENT)])
    item.Manufacturer = ""
    for keyword in ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "StationName"):
        if keyword in header:
            item[keyword] = deepcopy(header[keyword])
    return item
