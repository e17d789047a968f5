"""The study's structured report: TID 1500, one measurement group per length and film."""

from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from aasnode.reports.findings import StudyFindings

STRUCTURED_REPORT_SOP_CLASSES = (Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage)
"""In the order in which they are offered to a peer; the content is the same in each."""


def build_structured_report(study: StudyFindings, sop_class_uid: str = Comprehensive3DSRStorage) -> Dataset:
    """The report as a whole data set with file meta information, Explicit VR Little Endian, unverified."""
    raise NotImplementedError
