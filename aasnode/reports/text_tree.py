"""The content tree of a study in which nothing was measured: a plain radiology report (TID 2000) that says why.

A measurement report without a measurement is valid, but takes down viewers that open it (OHIF 3.12 reads the first of
its measurements). This one is shown by them as text.
"""

from collections.abc import Iterator

from pydicom import Dataset

from aasnode.reports import codes
from aasnode.reports.content_items import Relationship, container, image, text
from aasnode.reports.content_tree import observation_context, qualitative_evaluations
from aasnode.reports.findings import StudyFindings


def build_text_tree(study: StudyFindings) -> Dataset:
    """The tree from its root, with what ``qualitative_evaluations`` says as findings on the films."""
    findings = container(codes.FINDINGS, _findings(study), Relationship.CONTAINS)
    return container(codes.RADIOLOGY_REPORT, [*observation_context(study), findings], template="2000")


def _findings(study: StudyFindings) -> Iterator[Dataset]:
    """Each as text under its heading; the first names the films, so that they are evidence of the report."""
    films = [image(Relationship.INFERRED_FROM, None, f.sop_class_uid, f.sop_instance_uid) for f in study.films]
    for item in qualitative_evaluations(study):
        if item.ValueType != "TEXT":
            continue  # a code is told in words by a comment
        heading = item.ConceptNameCodeSequence[0].CodeMeaning
        said = item.TextValue if heading == codes.COMMENT.meaning else f"{heading}: {item.TextValue}"
        yield text(Relationship.CONTAINS, codes.FINDING, said, films)
        films = []
