"""The codes that our reports use: the standard's where it has one, our own private scheme where it has none.

No scheme that we found (DCM, SNOMED CT, LOINC, RadLex) codes the anterior or the posterior atlantodental interval as a
measured length; those, and what we say of them, are in 99AASNODE, declared in every object that uses it (PS3.3 C.12.1).
Each standard code is checked against the tables of PS3.16 in tests/reports/test_codes.py.
"""

from collections.abc import Mapping

from pydicom import Dataset
from pydicom.sr.coding import Code

from aasnode.anatomy import View
from aasnode.dicom.identity import MANUFACTURER, own_uid
from aasnode.measurement import Assessment

SCHEME = "99AASNODE"

# Document (TID 1500, TID 1204, TID 1002, TID 1004)
IMAGING_MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
ENGLISH = Code("en-US", "RFC5646", "English (United States)")
OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
DEVICE = Code("121007", "DCM", "Device")
DEVICE_OBSERVER_UID = Code("121012", "DCM", "Device Observer UID")
DEVICE_OBSERVER_NAME = Code("121013", "DCM", "Device Observer Name")
DEVICE_OBSERVER_MANUFACTURER = Code("121014", "DCM", "Device Observer Manufacturer")
DEVICE_OBSERVER_MODEL_NAME = Code("121015", "DCM", "Device Observer Model Name")
DEVICE_OBSERVER_SERIAL_NUMBER = Code("121016", "DCM", "Device Observer Serial Number")
PROCEDURE_REPORTED = Code("121058", "DCM", "Procedure reported")
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")

# The report of a study in which nothing was measured (TID 2000, TID 2002)
RADIOLOGY_REPORT = Code("11528-7", "LN", "Radiology Report")
FINDINGS = Code("59776-5", "LN", "Findings")

# Images (TID 1600 to 1603)
IMAGE_LIBRARY = Code("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
SOURCE = Code("260753009", "SCT", "Source")
MODALITY = Code("121139", "DCM", "Modality")
IMAGE_VIEW = Code("111031", "DCM", "Image View")
IMAGE_VIEW_MODIFIER = Code("111032", "DCM", "Image View Modifier")
LATERAL = Code("399067008", "SCT", "lateral")
PIXEL_DATA_ROWS = Code("110910", "DCM", "Pixel Data Rows")
PIXEL_DATA_COLUMNS = Code("110911", "DCM", "Pixel Data Columns")
HORIZONTAL_PIXEL_SPACING = Code("111026", "DCM", "Horizontal Pixel Spacing")
VERTICAL_PIXEL_SPACING = Code("111066", "DCM", "Vertical Pixel Spacing")
MODALITIES: Mapping[str, Code] = {
    "CR": Code("CR", "DCM", "Computed Radiography"),
    "DX": Code("DX", "DCM", "Digital Radiography"),
    "RF": Code("RF", "DCM", "Radiofluoroscopy"),
    "XA": Code("XA", "DCM", "X-Ray Angiography"),
    "RG": Code("RG", "DCM", "Radiographic imaging"),
}
OTHER = Code("OT", "DCM", "Other Modality")
POSITIONS: Mapping[View, Code] = {  # CID 92 Joint Position during Acquisition
    View.NEUTRAL: Code("109136", "DCM", "Neutral musculoskeletal position"),
    View.FLEXION: Code("9964006", "SCT", "Flexion"),
    View.EXTENSION: Code("24154002", "SCT", "Extension"),
}

# Measurements (TID 1501, TID 300, TID 4019, TID 4108)
IMAGING_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Code("112039", "DCM", "Tracking Identifier")
TRACKING_UNIQUE_IDENTIFIER = Code("112040", "DCM", "Tracking Unique Identifier")
FINDING = Code("121071", "DCM", "Finding")
FINDING_SITE = Code("363698007", "SCT", "Finding Site")
ATLANTOAXIAL_JOINT = Code("62555009", "SCT", "Atlantal-axial joint")
ALGORITHM_NAME = Code("111001", "DCM", "Algorithm Name")
ALGORITHM_VERSION = Code("111003", "DCM", "Algorithm Version")
ALGORITHM_PARAMETERS = Code("111002", "DCM", "Algorithm Parameters")
ALGORITHM_FAMILY = Code("111000", "DCM", "Algorithm Family")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
COMMENT = Code("121106", "DCM", "Comment")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
MILLIMETRE = Code("mm", "UCUM", "mm")
PIXELS = Code("{pixels}", "UCUM", "Pixels")

# Images derived from images (CID 7202), and the equipment that made them (CID 7005)
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")
ACQUISITION_EQUIPMENT = Code("109101", "DCM", "Acquisition Equipment")
CERVICAL_SPINE = Code("122494005", "SCT", "Cervical spine")

# Our own
ADI = Code("ADI", SCHEME, "Anterior atlantodental interval")
SAC = Code("PADI", SCHEME, "Posterior atlantodental interval")
ASSESSMENT = Code("AAS", SCHEME, "Atlantoaxial subluxation")
INTERVAL = Code("INTERVAL-90", SCHEME, "90 % interval")
OTHER_PLANE = Code("OTHER-PLANE", SCHEME, "Same length in the other plane")
LENGTH_FINDING = Code("LENGTH-FINDING", SCHEME, "Compared with the threshold")
RELATIVE_TO_C1 = Code("RELATIVE-TO-C1", SCHEME, "Relative to the inner sagittal diameter of C1")
NOT_MEASURED = Code("NOT-MEASURED", SCHEME, "Not measured")
CHANGE_ON_MOTION = Code("MOTION", SCHEME, "Flexion minus extension")
COMPARISON = Code("COMPARISON", SCHEME, "Comparison with the earlier film")
THRESHOLDS = Code("THRESHOLDS", SCHEME, "Thresholds")
LIMITS_OF_USE = Code("LIMITS-OF-USE", SCHEME, "Limits of use")
ASSESSMENTS: Mapping[Assessment, Code] = {
    Assessment.AAS_SUSPECTED: Code("SUSPECTED", SCHEME, "Suspected"),
    Assessment.BORDERLINE: Code("BORDERLINE", SCHEME, "Borderline"),
    Assessment.NO_AAS_ON_THIS_VIEW: Code("NOT-ON-VIEW", SCHEME, "Not seen on this view"),
    Assessment.UNCERTAIN: Code("UNCERTAIN", SCHEME, "Uncertain"),
    Assessment.NOT_ASSESSED: Code("NOT-ASSESSED", SCHEME, "Not assessed"),
}


def code_item(code: Code) -> Dataset:
    """The code as an item of a code sequence (PS3.3 table 8.8-1)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def scheme_identification() -> Dataset:
    """Item of the Coding Scheme Identification Sequence that declares our private scheme (PS3.3 C.12.1.1.2)."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeUID = own_uid("coding scheme", SCHEME)
    item.CodingSchemeName = "aasnode private codes"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item
