"""A file as a data set. Bounded: a deflated file that would fill the memory is refused. Trusts no byte of it."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from aasnode.config import PixelsSection
from aasnode.errors import UnreadableError, UnsupportedError

MEBIBYTE = 1024 * 1024

_MAGIC = slice(128, 132)
_BARE_STARTS = (b"\x02\x00", b"\x08\x00")  # a data set without preamble, little endian: group 0002 or 0008
_BROKEN = (
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom raises on bytes that are no data set."""


def is_dicom(start: bytes) -> bool:
    """Whether a file that begins with ``start`` (132 bytes) is a data set, with or without preamble."""
    return start[_MAGIC] == b"DICM" or start.startswith(_BARE_STARTS)


def read_start(path: Path) -> bytes:
    """The first 132 bytes of a file, or as many as it has; raises UnreadableError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC.stop)
    except OSError as error:
        raise UnreadableError(f"{path.name}: cannot be read ({error.strerror})") from error


def read_data_set(path: Path, limits: PixelsSection) -> Dataset:
    """Read a whole DICOM file; pixels are read and not decoded.

    Raises:
        UnreadableError: a file that cannot be read, or no data set.
        UnsupportedError: larger than ``limits`` allow, deflated or not.
    """
    most, start = limits.max_decompressed_mb * MEBIBYTE, read_start(path)
    try:
        if path.stat().st_size > most:
            raise UnsupportedError(
                f"{path.name}: larger than {limits.max_decompressed_mb} MB (pixels.max_decompressed_mb)"
            )
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # pydicom tells of every odd value; what matters is looked at by its readers
            dataset = _parse(path, start, most)
    except _BROKEN as error:
        raise UnreadableError(f"{path.name}: no readable DICOM file ({type(error).__name__})") from error
    if "SOPClassUID" not in dataset and "PixelData" not in dataset:
        raise UnreadableError(f"{path.name}: a DICOM file without an object in it")
    return dataset


def _parse(path: Path, start: bytes, most: int) -> Dataset:
    if not is_dicom(start):
        raise UnreadableError(f"{path.name}: no DICOM file (no DICM at byte 128)")
    if start[_MAGIC] != b"DICM":
        return dcmread(path, force=True)
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return dcmread(path)
    dataset = dcmread(
        BytesIO(_inflate(path, _MAGIC.stop + 12 + int(meta.FileMetaInformationGroupLength), most)), force=True
    )
    dataset.file_meta = meta
    return dataset


def _inflate(path: Path, offset: int, most: int) -> bytes:
    """The data set after ``offset``, decompressed (PS3.5 A.5), at most ``most`` bytes of it."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(path.read_bytes()[offset:], most)
    if inflater.unconsumed_tail:
        raise UnsupportedError(
            f"{path.name}: larger than {most // MEBIBYTE} MB when inflated (pixels.max_decompressed_mb)"
        )
    return inflated
