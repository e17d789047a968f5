"""What is accepted and what is offered: the one table of SOP classes and transfer syntaxes.

The negotiation and the conformance page are both made from it, so they cannot disagree.
"""

from collections.abc import Iterable

from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    XRayRadiofluoroscopicImageStorage,
)
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from aasnode.dicom import transfer_syntaxes

FILM_SOP_CLASSES: tuple[UID, ...] = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    XRayRadiofluoroscopicImageStorage,
    SecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)
"""Taken as SCP and analysed, unless ``receiver.acknowledged_sop_classes`` names them."""

TRANSFER_SYNTAXES: tuple[UID, ...] = tuple(map(UID, transfer_syntaxes.BY_UID))
"""Taken as SCP for every class; the bytes are kept as they came."""

OBJECT_SOP_CLASSES: tuple[UID, ...] = (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    SecondaryCaptureImageStorage,
)
"""Offered as SCU. The structured report goes out in the first of its three classes that the peer accepts."""

OBJECT_TRANSFER_SYNTAXES: tuple[UID, ...] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
"""Offered as SCU, each in a context of its own, so that the peer's choice of one does not hide the other."""


def accepted_contexts(acknowledged_sop_classes: Iterable[str]) -> list[PresentationContext]:
    """What the SCP accepts: C-ECHO, films, and the classes that are acknowledged only."""
    classes = dict.fromkeys([*FILM_SOP_CLASSES, *map(UID, acknowledged_sop_classes)])
    storage = [build_context(sop_class_uid, list(TRANSFER_SYNTAXES)) for sop_class_uid in classes]
    return [build_context(Verification), *storage]


def offered_contexts(sop_class_uids: Iterable[str]) -> list[PresentationContext]:
    """What the SCU offers for objects of these classes."""
    return [
        build_context(sop_class_uid, [transfer_syntax_uid])
        for sop_class_uid in dict.fromkeys(sop_class_uids)
        for transfer_syntax_uid in OBJECT_TRANSFER_SYNTAXES
    ]
