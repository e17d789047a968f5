"""A data set as the bytes of a DICOM file (PS3.10): built once, stored, and sent as they are."""

import io

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from aasnode import __version__
from aasnode.dicom.identity import own_uid

IMPLEMENTATION_VERSION_NAME = f"AASNODE_{__version__}"[:16]


def file_meta(sop_class_uid: str, sop_instance_uid: str) -> FileMetaDataset:
    """File meta information of an object of ours: Explicit VR Little Endian."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(own_uid("implementation"))
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def write_part10(dataset: Dataset) -> bytes:
    """The file, preamble and meta information included; ``dataset.file_meta`` names the transfer syntax."""
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
