"""The file meta information (PS3.10 7.1) of files that we write, and what we call ourselves there and on the wire."""

from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from aasnode import __version__
from aasnode.dicom.identity import own_uid

IMPLEMENTATION_CLASS_UID = UID(own_uid("implementation"))
"""PS3.7 D.3.3.2: the same for every node that runs this software."""

IMPLEMENTATION_VERSION_NAME = f"AASNODE_{__version__}"[:16]
"""PS3.7 D.3.3.2, at most 16 characters."""


def file_meta(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> FileMetaDataset:
    """What a file begins with: which instance it holds, in which transfer syntax, and that we wrote it."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
