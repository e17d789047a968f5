"""Data sets as a modality writes them, made in memory; unknown keywords are refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def film(pixels: np.ndarray | None = None, **elements: Any) -> Dataset:
    """A DX film; ``elements`` are set last, by keyword, and None takes an element away."""
    pixels = ramp() if pixels is None else pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, generate_uid())
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.PatientID = "P1"
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = dataset.BitsAllocated
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        if tag_for_keyword(keyword) is None:
            raise KeyError(keyword)
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)
    dataset.HighBit = elements.get("HighBit", dataset.BitsStored - 1)
    return dataset


def ramp(rows: int = 40, columns: int = 60, top: int = 4095) -> np.ndarray:
    """(rows, columns) uint16 from 0 to ``top``, different in both directions."""
    along = np.linspace(0, 1, columns)[None, :] * 0.7 + np.linspace(0, 1, rows)[:, None] * 0.3
    return np.rint(along * top).astype(np.uint16)


def written(dataset: Dataset, path: Path, syntax: str | None = None) -> Path:
    """Write a DICOM file; ``syntax`` encodes the data set in another transfer syntax without touching the pixels."""
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def read_back(dataset: Dataset, path: Path) -> Dataset:
    """The data set as it comes from a file."""
    return dcmread(written(dataset, path))
