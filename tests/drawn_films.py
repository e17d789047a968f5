"""A small real detector and the films that it reads: four bright marks where the landmarks are, on a dark film.

It is handed to the node as any detector is, loads in the analyser's own process, and finds the marks in the pixels that
the node decoded. A film with five marks makes it hang, one with six ends its process, as a broken decoder would. One
with three hangs the first time that any process looks at it, and is a film with four marks afterwards.
"""

import os
import signal
import threading
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from aasnode.anatomy import LANDMARKS, Facing, LandmarkEstimate, View
from aasnode.geometry import PixelSpacing, Point
from aasnode.inference.detection import Detection, Detector, Outcome, Reason
from aasnode.measurement import Calibration

SPACING_MM = 0.1
DENS_PX, SAC_PX = 110, 180
HANGS_ONCE, HANGS, CRASHES = 3, 5, 6
SEEN = "AASNODE_TESTS_SEEN"
"""Environment variable: the file that is made when a film hangs for the first time."""


class MarkDetector:
    """Finds bright marks; their order along the columns is ventral to dorsal."""

    model = "marks 1.0.0"
    calibration = Calibration(
        adi_quantile=1.645, sac_quantile=1.645, adi_floor_mm=0.3, sac_floor_mm=0.3, source="drawn marks"
    )

    def detect(
        self, pixels: npt.NDArray[np.float32], spacing: PixelSpacing | None, aspect_ratio: float = 1.0
    ) -> Detection:
        bright = (pixels > (pixels.min() + pixels.max()) / 2).astype(np.uint8)
        count, _, _, centres = cv2.connectedComponentsWithStats(bright)
        marks = sorted((float(x), float(y)) for x, y in centres[1:count]) if np.ptp(pixels) > 0 else []
        if len(marks) == HANGS_ONCE and (seen := os.environ.get(SEEN)):
            if not Path(seen).exists():
                Path(seen).touch()
                threading.Event().wait()
            marks.append((marks[-1][0] + SAC_PX, marks[-1][1]))
        if len(marks) == HANGS:
            threading.Event().wait()
        if len(marks) == CRASHES:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(marks) == len(LANDMARKS):
            return _detection(Outcome.FOUND, None, marks)
        outcome = Outcome.ABSTAINED if marks else Outcome.OTHER_VIEW
        return _detection(outcome, Reason.POINT_HIDDEN if marks else Reason.NO_LATERAL_CERVICAL_VIEW, [])


def _detection(outcome: Outcome, reason: Reason | None, marks: list[tuple[float, float]]) -> Detection:
    found = [
        LandmarkEstimate(point=Point(x=x, y=y), covariance_px2=((1.0, 0.0), (0.0, 1.0)), confidence=0.9)
        for x, y in marks
    ] or [None] * len(LANDMARKS)
    return Detection(
        outcome=outcome,
        landmarks=dict(zip(LANDMARKS, found, strict=True)),
        adi_reason=reason,
        sac_reason=reason,
        facing=Facing.LEFT if marks else Facing.UNKNOWN,
        facing_confidence=1.0,
        view=View.UNKNOWN,
        view_confidence=0.0,
        model=MarkDetector.model,
    )


def load() -> Detector:
    """What the node is handed as ``load_detector``."""
    return MarkDetector()


def uid(*parts: object) -> str:
    return str(generate_uid(entropy_srcs=[str(part) for part in parts]))


def marked_film(
    name: str = "flexion",
    *,
    study: str = "visit-1",
    view: View = View.FLEXION,
    marks: int = len(LANDMARKS),
    adi_px: int = 30,
    patient_id: str = "P-0001",
    acquired: datetime = datetime(2026, 3, 1, 9, 30),  # noqa: DTZ001  DICOM times have no zone
) -> Dataset:
    """A film whose marks say ADI = ``adi_px`` / 10 mm. ``name`` and ``study`` make its UIDs."""
    pixels = np.zeros((400, 600), np.uint16)
    xs = [100, 100 + adi_px, 100 + adi_px + DENS_PX, 100 + adi_px + DENS_PX + SAC_PX, 520, 560][:marks]
    for x in xs:
        pixels[198:203, x - 2 : x + 3] = 4000
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid("instance", study, name)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study", study), uid("series", study)
    dataset.PatientID, dataset.PatientName = patient_id, "Doe^Jane"
    dataset.PatientBirthDate, dataset.PatientSex = "19500101", "F"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = acquired.strftime("%Y%m%d")
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = acquired.strftime("%H%M%S")
    dataset.AccessionNumber, dataset.StudyID, dataset.ReferringPhysicianName = "A1", "1", ""
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CSPINE", "LL"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.SeriesDescription = f"Cervical spine lateral {view}" if view is not View.UNKNOWN else "Cervical spine"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Manufacturer = "Tests"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.ImagerPixelSpacing = [SPACING_MM, SPACING_MM]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = pixels.tobytes()
    return dataset
