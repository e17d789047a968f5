"""The overlay of one film as a secondary capture (PS3.3 A.8.1) in the film's study."""

import hashlib
import re

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, SecondaryCaptureImageStorage

from aasnode.reports import codes, wording
from aasnode.reports.drawing import Picture
from aasnode.reports.findings import FilmFindings, StudyFindings
from aasnode.reports.modules import new_object
from aasnode.reports.overlay import draw_overlay
from aasnode.reports.uids import overlay_uid, series_uid

_AFTER_EVERY_CLOCK = 240000 * 1000


def build_secondary_capture(study: StudyFindings, film: FilmFindings) -> Dataset:
    """The overlay as a whole data set with file meta information; ``film`` is one of ``study.films``, with pixels."""
    own_uid = overlay_uid(study, film)
    dataset = new_object(
        study,
        film,
        sop_class_uid=SecondaryCaptureImageStorage,
        sop_instance_uid=own_uid,
        series_instance_uid=series_uid(study, "SC"),
        modality="OT",  # of the picture, so that worklists and hanging protocols for radiographs pass it over
        series_number=study.settings.overlay_series_number,
        series_description="AI C1-C2 overlay (unverified)",
        instance_number=instance_number(film, own_uid),
    )
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""  # the picture holds more than the film
    dataset.BodyPartExamined = "CSPINE"
    dataset.ImageComments = wording.LIMITS_OF_USE
    _add_derivation(dataset, film)
    _add_pixels(dataset, draw_overlay(study, film))
    return dataset


def instance_number(film: FilmFindings, overlay: UID) -> int:
    """Of the film's overlay, from 1 to the largest IS: the clock of its film, and three digits of its own UID.

    Viewers sort a series by it, so overlays stand in the order in which their films were taken, and two of one film
    differ. It knows the film alone, as a stored overlay keeps its number: a place among the films of the study is
    another one once an earlier film arrives, and the film's own number is 1 wherever each exposure is a series of its
    own. Films without a time stand last.
    """
    by_uid = int(hashlib.sha256(overlay.encode()).hexdigest(), 16)
    clock = re.match(r"\d{4,6}", film.acquisition_time.replace(":", ""))
    if clock is None:
        return _AFTER_EVERY_CLOCK + by_uid % (2**31 - _AFTER_EVERY_CLOCK)
    return int(clock[0].ljust(6, "0")) * 1000 + by_uid % 1000 + 1


def _add_derivation(dataset: Dataset, film: FilmFindings) -> None:
    """What the picture was made from (PS3.3 C.7.6.1.1.4, C.12.4)."""
    dataset.DerivationDescription = f"Landmarks and lengths of {film.model} drawn on a copy of the film"
    source = Dataset()
    source.ReferencedSOPClassUID = film.sop_class_uid
    source.ReferencedSOPInstanceUID = film.sop_instance_uid
    if int(film.header.get("NumberOfFrames") or 1) > 1:
        source.ReferencedFrameNumber = film.frame
    source.PurposeOfReferenceCodeSequence = Sequence([codes.code_item(codes.SOURCE_IMAGE)])
    dataset.SourceImageSequence = Sequence([source])


def _add_pixels(dataset: Dataset, picture: Picture) -> None:
    """8 bit RGB; the annotation is part of the picture (Image Pixel, C.7.6.3)."""
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = picture.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.BurnedInAnnotation = "YES"
    dataset.LossyImageCompression = "00"
    data = picture.tobytes()
    dataset.add_new("PixelData", "OB", data + b"\0" * (len(data) % 2))
