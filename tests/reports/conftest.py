"""Films and studies to report on: DICOM headers that went through bytes, drawn anatomy, lengths from the points."""

import io
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from aasnode.anatomy import LANDMARKS, Facing, Landmark, LandmarkEstimate, View
from aasnode.config import MeasurementSection
from aasnode.dicom.identity import own_uid
from aasnode.geometry import PixelSpacing, Point, SpacingRule, distance_mm
from aasnode.measurement import (
    ADI_ENDS,
    SAC_ENDS,
    Assessment,
    Change,
    Length,
    Measurement,
    StudyAssessment,
    assess_film,
    criteria,
)
from aasnode.reports.findings import FilmFindings, ReportSettings, StudyFindings

FilmFactory = Callable[..., FilmFindings]
StudyFactory = Callable[..., StudyFindings]

STUDY_UID = "1.2.826.0.1.3680043.8.498.1"
SERIES_UID = f"{STUDY_UID}.1"
DETECTOR = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
# Fractions of width and height, face to the left.
ENDS = {
    Landmark.C1_ANTERIOR_ARCH_POSTERIOR: (0.38, 0.300),
    Landmark.DENS_ANTERIOR: (0.41, 0.302),
    Landmark.DENS_POSTERIOR: (0.47, 0.306),
    Landmark.C1_POSTERIOR_ARCH_ANTERIOR: (0.59, 0.314),
}


def read_back(dataset: Dataset, transfer_syntax: UID = ExplicitVRLittleEndian) -> Dataset:
    """As the node reads it from its inbox: untouched elements stay the bytes that they were."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = transfer_syntax
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(buffer.getvalue()))


def digital_radiograph(**elements: Any) -> Dataset:
    """A complete DX header; an element that is given as None is left out."""
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY", ""],
        "SOPClassUID": DigitalXRayImageStorageForPresentation,
        "StudyDate": "20261123",
        "StudyTime": "093000",
        "SeriesDate": "20261123",
        "AcquisitionDate": "20261123",
        "AcquisitionTime": "093112",
        "AccessionNumber": "A-4711",
        "Modality": "DX",
        "Manufacturer": "Drawn by tests",
        "ManufacturerModelName": "Pencil",
        "ReferringPhysicianName": "Weiß^Änne",
        "StudyDescription": "HWS seitlich, Funktionsaufnahmen",
        "SeriesDescription": "HWS lat",
        "PatientName": "Müller^Jürgen",
        "PatientID": "P-001",
        "IssuerOfPatientID": "HOSPITAL",
        "PatientBirthDate": "19600102",
        "PatientSex": "F",
        "PatientAge": "066Y",
        "BodyPartExamined": "CSPINE",
        "StudyInstanceUID": STUDY_UID,
        "SeriesInstanceUID": SERIES_UID,
        "StudyID": "77",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "PatientOrientation": ["A", "F"],
        "ImagerPixelSpacing": [0.15, 0.15],
        "Rows": 1200,
        "Columns": 1000,
    }
    dataset = Dataset()
    for keyword, value in (values | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def drawn_film(points: dict[Landmark, Point], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Soft tissue, the arches of C1, the dens and a column of bodies, at the points: enough to look at a layout."""
    canvas = np.full((rows, columns), 300.0, np.float32)
    unit = max(rows, columns) / 1000
    anterior, dens_front, dens_back, posterior = (points[landmark] for landmark in LANDMARKS)
    toward_back = 1 if posterior.x > anterior.x else -1

    def blob(x: float, y: float, half_width: float, half_height: float, value: float) -> None:
        layer = np.zeros_like(canvas)
        axes = (max(1, round(half_width)), max(1, round(half_height)))
        cv2.ellipse(layer, (round(x), round(y)), axes, 0, 0, 360, value, -1, cv2.LINE_AA)
        canvas[:] += layer

    blob(columns * 0.5, rows * 0.6, columns * 0.27, rows * 0.6, 500)
    blob(columns * 0.5, rows * 0.05, columns * 0.38, rows * 0.17, 500)
    blob(anterior.x - toward_back * 13 * unit, anterior.y, 13 * unit, 24 * unit, 800)
    dens = abs(dens_back.x - dens_front.x) / 2
    blob((dens_front.x + dens_back.x) / 2, dens_front.y + 25 * unit, dens, 70 * unit, 800)
    blob(posterior.x + toward_back * 26 * unit, posterior.y, 26 * unit, 20 * unit, 700)
    for level in range(1, 6):
        blob(dens_back.x - toward_back * dens * 0.8, dens_back.y + (65 + 88 * level) * unit, 50 * unit, 36 * unit, 700)
        blob(posterior.x + toward_back * 40 * unit, posterior.y + (50 + 88 * level) * unit, 55 * unit, 18 * unit, 450)
    noise = np.random.default_rng(7).standard_normal(canvas.shape, np.float32) * 18
    return cv2.GaussianBlur(canvas, (0, 0), 2.5 * unit) + noise


def length(ends: tuple[Landmark, Landmark], points: dict[Landmark, Point], spacing: PixelSpacing) -> Length:
    mm = distance_mm(points[ends[0]], points[ends[1]], spacing)
    return Length(
        mm=mm, low_mm=max(0.0, mm - 0.66), high_mm=mm + 0.66, sigma_mm=0.4, detector_plane_mm=None, corrected_mm=None
    )


@pytest.fixture
def make_film() -> FilmFactory:
    """A film as the reporter hands it over; the arguments change one thing at a time."""
    numbers = itertools.count(1)

    def make(
        *,
        view: View = View.NEUTRAL,
        spacing: PixelSpacing | None = DETECTOR,
        missing: tuple[Landmark, ...] = (),
        gap_px: float = 0.0,
        facing: Facing = Facing.LEFT,
        header: Dataset | None = None,
        transfer_syntax: UID = ExplicitVRLittleEndian,
        assessment: Assessment = Assessment.NO_AAS_ON_THIS_VIEW,
        draw: bool = True,
        **changes: Any,
    ) -> FilmFindings:
        source = digital_radiograph() if header is None else header
        number = next(numbers)
        if "SOPInstanceUID" not in source:
            source.SOPInstanceUID = f"{SERIES_UID}.{number}"
        rows, columns = int(source.Rows), int(source.Columns)
        points = {}
        for landmark, (across, down) in ENDS.items():
            moved = 0.0 if landmark is Landmark.C1_ANTERIOR_ARCH_POSTERIOR else gap_px
            x = across * columns + moved
            points[landmark] = Point(x=x if facing is Facing.LEFT else columns - 1 - x, y=down * rows)
        found = {landmark: None if landmark in missing else points[landmark] for landmark in LANDMARKS}
        adi = None if spacing is None or set(ADI_ENDS) & set(missing) else length(ADI_ENDS, points, spacing)
        sac = None if spacing is None or set(SAC_ENDS) & set(missing) else length(SAC_ENDS, points, spacing)
        why = "no pixel spacing in the header" if spacing is None else "point_hidden"
        assessed = assess_film(
            adi=adi,
            sac=sac,
            adi_reason=why,
            sac_reason=why,
            spacing_rule=spacing.rule if spacing else None,
            age_years=10.0 if assessment is Assessment.NOT_ASSESSED else 66.0,
            settings=MeasurementSection(),
        )
        measurement = Measurement(
            view=view,
            criteria=criteria(MeasurementSection()) if assessed.adi or assessed.sac else None,
            spacing_rule=spacing.rule if spacing else None,
            adi=adi,
            sac=sac,
            adi_reason=None if adi else why,
            sac_reason=None if sac else why,
            adi_ratio=0.14,
            sac_ratio=0.57,
            c1_inner_diameter_mm=None,
            assessment=assessment if adi or sac else Assessment.NOT_ASSESSED,
            assessment_reason="both lengths on the normal side" if adi and sac else "not both lengths known",
            interval_source="simulated films",
            adi_finding=assessed.adi,
            sac_finding=assessed.sac,
        )
        values: dict[str, Any] = {
            "header": read_back(source, transfer_syntax),
            "pixels": drawn_film(points, rows, columns) if draw else None,
            "view": view,
            "facing": facing,
            "landmarks": {
                landmark: point
                and LandmarkEstimate(point=point, covariance_px2=((4.0, 0.0), (0.0, 4.0)), confidence=0.9)
                for landmark, point in found.items()
            },
            "spacing": spacing,
            "measurement": measurement,
            "acquisition_date": "20261123",
            "model": "aas-cpu 1.0.0",
        }
        return FilmFindings(**(values | changes))

    return make


@pytest.fixture
def make_study() -> StudyFactory:
    """The films of a study and what they say together."""

    def make(*films: FilmFindings, settings: dict[str, Any] | None = None, **changes: Any) -> StudyFindings:
        by_view = {film.view: film for film in films}
        flexion, extension = by_view.get(View.FLEXION), by_view.get(View.EXTENSION)
        motion: dict[str, Change | None] = {"adi": None, "sac": None}
        if flexion and extension:
            for name in motion:
                bent, straight = getattr(flexion, name), getattr(extension, name)
                motion[name] = bent and straight and Change(mm=bent.mm - straight.mm, error_mm=1.2)
        values: dict[str, Any] = {
            "films": films,
            "assessment": StudyAssessment(
                assessment=Assessment.NO_AAS_ON_THIS_VIEW,
                reason="no film is abnormal",
                adi_flexion_minus_extension=motion["adi"],
                sac_flexion_minus_extension=motion["sac"],
                excludes_aas=False,
            ),
            "settings": ReportSettings(
                **{
                    "device_observer_uid": own_uid("device", "tests"),
                    "station_name": "AASNODE",
                }
                | (settings or {})
            ),
            "created_at": datetime(2026, 11, 23, 10, 30, tzinfo=UTC),
        }
        return StudyFindings(**(values | changes))

    return make


@pytest.fixture
def computed_radiograph() -> Dataset:
    """A CR header with little in it, as old readers send: no character set, no pixel spacing, no study ID."""
    return digital_radiograph(
        SOPClassUID=ComputedRadiographyImageStorage,
        Modality="CR",
        SpecificCharacterSet=None,
        PatientName="Old^Reader",
        ReferringPhysicianName=None,
        StudyDescription=None,
        StudyID=None,
        PatientAge=None,
        IssuerOfPatientID=None,
        ImagerPixelSpacing=None,
        PatientOrientation=None,
        BodyPartExamined=None,
        ManufacturerModelName=None,
    )
