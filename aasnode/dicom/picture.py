"""A PNG, JPEG or TIFF as the pixels of a film: as it is stored, without the rotation that EXIF may ask for."""

from pathlib import Path

import cv2
import numpy as np

from aasnode.config import PixelsSection
from aasnode.dicom.codestream import is_white_zero_tiff, picture_size
from aasnode.dicom.file import MEBIBYTE
from aasnode.dicom.grey import Pixels, grey_of_colour, stretched
from aasnode.errors import UnreadableError, UnsupportedError


def read_picture(path: Path, limits: PixelsSection) -> Pixels:
    """(rows, columns) float32, 0 to 1, grey; bright is taken to be dense, as on a film.

    Raises:
        UnreadableError: no such file, or no PNG, JPEG or TIFF, or a broken one.
        UnsupportedError: larger than ``limits`` allow.
    """
    try:
        if path.stat().st_size > limits.max_decompressed_mb * MEBIBYTE:
            raise UnsupportedError(f"{path.name}: larger than {limits.max_decompressed_mb} MB")
        encoded = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path.name}: cannot be read ({error.strerror})") from error
    _check_size(path, encoded, limits)
    try:
        decoded = cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UnreadableError(f"{path.name}: a broken picture") from error
    if decoded is None or decoded.dtype not in (np.uint8, np.uint16):
        raise UnreadableError(f"{path.name}: a broken picture, or one that has not 8 or 16 bits")
    if decoded.dtype == np.uint16 and is_white_zero_tiff(encoded):  # OpenCV turns those of 8 bits only
        decoded = np.uint16(65535) - decoded
    return _grey(np.asarray(decoded))


def _check_size(path: Path, encoded: bytes, limits: PixelsSection) -> None:
    size = picture_size(encoded)
    if size is None:
        raise UnreadableError(f"{path.name}: neither DICOM nor PNG, JPEG or TIFF")
    if size.rows * size.columns > limits.max_megapixels * 1_000_000:
        raise UnsupportedError(
            f"{path.name}: {size.rows} x {size.columns} pixels are more than {limits.max_megapixels} million "
            "(pixels.max_megapixels)"
        )


def _grey(decoded: np.ndarray) -> Pixels:
    """OpenCV gives (rows, columns) or (rows, columns, BGR or BGRA)."""
    if decoded.ndim == 2:
        return stretched(decoded.astype(np.float32))
    return grey_of_colour(decoded[..., 2::-1])
