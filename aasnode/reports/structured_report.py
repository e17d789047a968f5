"""The study's structured report: the document (PS3.3 A.35) around the content tree of ``content_tree``."""

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage

from aasnode.reports import codes
from aasnode.reports.content_tree import build_content_tree
from aasnode.reports.findings import StudyFindings
from aasnode.reports.modules import new_object
from aasnode.reports.text_tree import build_text_tree
from aasnode.reports.uids import series_uid, structured_report_uid

SOP_CLASSES = (Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage)
"""In the order in which they are offered to a peer; the content is the same in each."""


def build_structured_report(study: StudyFindings, sop_class_uid: str = Comprehensive3DSRStorage) -> Dataset:
    """The report as a whole data set with file meta information, Explicit VR Little Endian, unverified.

    ``sop_class_uid`` is one of ``SOP_CLASSES``; each has a SOP Instance UID of its own.
    """
    dataset = new_object(
        study,
        study.films[0],
        sop_class_uid=sop_class_uid,
        sop_instance_uid=structured_report_uid(study, sop_class_uid),
        series_instance_uid=series_uid(study, "SR"),
        modality="SR",
        series_number=study.settings.structured_report_series_number,
        series_description="AI C1-C2 measurements (unverified)",
        instance_number=study.version,
    )
    _add_document_state(dataset, study)
    measured = any(film.adi or film.sac for film in study.films)
    dataset.update(build_content_tree(study) if measured else build_text_tree(study))
    dataset.CodingSchemeIdentificationSequence = Sequence([codes.scheme_identification()])
    return dataset


def _add_document_state(dataset: Dataset, study: StudyFindings) -> None:
    """SR Document General (PS3.3 C.17.2): complete, verified by nobody, with its evidence and its predecessor."""
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.PreliminaryFlag = "PRELIMINARY"
    dataset.PerformedProcedureCodeSequence = Sequence()
    dataset.ReferencedPerformedProcedureStepSequence = Sequence()
    dataset.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(study)])
    if (before := study.predecessor) is not None:
        instance = _sop_reference(before.sop_class_uid, before.sop_instance_uid)
        series = _series_reference(before.series_instance_uid, [instance])
        dataset.PredecessorDocumentsSequence = Sequence([_study_reference(before.study_instance_uid, [series])])


def _evidence(study: StudyFindings) -> Dataset:
    """The films, by series (PS3.3 table C.17-3b)."""
    of_series: dict[str, list[Dataset]] = {}
    for film in study.films:
        instance = _sop_reference(film.sop_class_uid, film.sop_instance_uid)
        of_series.setdefault(str(film.header.SeriesInstanceUID), []).append(instance)
    series = [_series_reference(uid, instances) for uid, instances in of_series.items()]
    return _study_reference(study.study_instance_uid, series)


def _sop_reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def _series_reference(series_instance_uid: str, instances: Iterable[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = series_instance_uid
    item.ReferencedSOPSequence = Sequence(instances)
    return item


def _study_reference(study_instance_uid: str, series: Iterable[Dataset]) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study_instance_uid
    item.ReferencedSeriesSequence = Sequence(series)
    return item
