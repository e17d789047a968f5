"""The items of an SR content tree (PS3.3 C.17.3), one function per value type.

Each takes how it relates to its parent first; the tree's shape is the business of the caller. Built here and not with a
library because viewers are stricter than the standard: they read a measurement's only child, whatever it is.
"""

from collections.abc import Iterable
from enum import StrEnum

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.valuerep import DSfloat

from aasnode.geometry import Point
from aasnode.reports.codes import code_item


class Relationship(StrEnum):
    """How an item relates to its parent (PS3.3 C.17.3.2.4)."""

    CONTAINS = "CONTAINS"
    HAS_ACQ_CONTEXT = "HAS ACQ CONTEXT"
    HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
    HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
    INFERRED_FROM = "INFERRED FROM"
    SELECTED_FROM = "SELECTED FROM"


def container(
    name: Code, children: Iterable[Dataset], relationship: Relationship | None = None, *, template: str | None = None
) -> Dataset:
    """A heading with items below it; the root has no relationship and names its template."""
    item = _item(relationship, "CONTAINER", name)
    item.ContinuityOfContent = "SEPARATE"
    if template is not None:
        identification = Dataset()
        identification.MappingResource = "DCMR"
        identification.TemplateIdentifier = template
        item.ContentTemplateSequence = Sequence([identification])
    return with_children(item, children)


def text(relationship: Relationship, name: Code, value: str, children: Iterable[Dataset] = ()) -> Dataset:
    """Free text."""
    item = _item(relationship, "TEXT", name)
    item.TextValue = value
    return with_children(item, children)


def coded(relationship: Relationship, name: Code, value: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """A coded value."""
    item = _item(relationship, "CODE", name)
    item.ConceptCodeSequence = Sequence([code_item(value)])
    return with_children(item, children)


def uid_reference(relationship: Relationship, name: Code, uid: str) -> Dataset:
    """A UID."""
    item = _item(relationship, "UIDREF", name)
    item.UID = uid
    return item


def number(
    relationship: Relationship, name: Code, value: float, unit: Code, children: Iterable[Dataset] = ()
) -> Dataset:
    """A number with its unit."""
    measured = Dataset()
    measured.NumericValue = value if isinstance(value, int) else DSfloat(value, auto_format=True)
    measured.MeasurementUnitsCodeSequence = Sequence([code_item(unit)])
    item = _item(relationship, "NUM", name)
    item.MeasuredValueSequence = Sequence([measured])
    return with_children(item, children)


def image(
    relationship: Relationship,
    name: Code | None,
    sop_class_uid: str,
    sop_instance_uid: str,
    *,
    frame: int | None = None,
    children: Iterable[Dataset] = (),
) -> Dataset:
    """A reference to an image; ``frame`` counts from 1 and is left out for an image without frames."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class_uid
    reference.ReferencedSOPInstanceUID = sop_instance_uid
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    item = _item(relationship, "IMAGE", name)
    item.ReferencedSOPSequence = Sequence([reference])
    return with_children(item, children)


def polyline(relationship: Relationship, points: Iterable[Point], source: Dataset) -> Dataset:
    """Points on the image ``source``.

    In an SR the origin is the outer corner of the first pixel (PS3.3 C.18.6.1.2), half a pixel from ours.
    """
    item = _item(relationship, "SCOORD", None)
    item.GraphicType = "POLYLINE"
    item.GraphicData = [value for point in points for value in (point.x + 0.5, point.y + 0.5)]
    return with_children(item, [source])


def with_children(item: Dataset, children: Iterable[Dataset]) -> Dataset:
    """``item`` with ``children`` appended to its content; without any the sequence is left out, as it must."""
    below = list(children)
    if below:
        item.ContentSequence = Sequence([*item.get("ContentSequence", []), *below])
    return item


def _item(relationship: Relationship | None, value_type: str, name: Code | None) -> Dataset:
    item = Dataset()
    if relationship is not None:
        item.RelationshipType = str(relationship)
    item.ValueType = value_type
    if name is not None:
        item.ConceptNameCodeSequence = Sequence([code_item(name)])
    return item
