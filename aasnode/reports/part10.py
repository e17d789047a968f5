"""A data set as the bytes of a DICOM file (PS3.10): built once, stored, and sent as they are."""

from pydicom import Dataset


def write_part10(dataset: Dataset) -> bytes:
    """The file, preamble and meta information included; ``dataset.file_meta`` names the transfer syntax."""
    raise NotImplementedError
