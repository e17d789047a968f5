"""A data set as the bytes of a DICOM file (PS3.10): built once, stored, and sent as they are."""

import io

from pydicom import Dataset, dcmwrite


def write_part10(dataset: Dataset) -> bytes:
    """The file, preamble and meta information included; ``dataset.file_meta`` names the transfer syntax."""
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
