"""The pixels of a film as numbers: float32 (rows, columns), bright = dense. Knows no spacing and no anatomy.

Here a frame is decoded, after a look at its size; what its values mean is for ``grey``.
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from aasnode.config import PixelsSection
from aasnode.dicom import transfer_syntaxes
from aasnode.dicom.codestream import PictureSize, has_end_of_image, picture_size, rle_exceeds
from aasnode.dicom.elements import integer, text, value
from aasnode.dicom.file import MEBIBYTE
from aasnode.dicom.grey import Pixels, grey_of_colour, grey_of_monochrome, grey_of_palette
from aasnode.dicom.transfer_syntaxes import PixelDecoder, TransferSyntax
from aasnode.errors import UnreadableError, UnsupportedError

_PLUGINS = {
    PixelDecoder.NATIVE: "",
    PixelDecoder.RLE: "pydicom",
    PixelDecoder.JPEG: "imagecodecs",
    PixelDecoder.JPEG_LS: "pyjpegls",
    PixelDecoder.JPEG_2000: "pylibjpeg",
}
_MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
_BITS_ALLOCATED = (8, 16)
_RLE_PADDING = 128  # bytes: one run, by which some encoders overshoot
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom and the decoders raise on pixels that are broken, or not as the header says."""


def read_pixels(dataset: Dataset, limits: PixelsSection) -> Pixels:
    """Decode the first frame of ``dataset`` and bring it to bright = dense, 0 to 1.

    Raises:
        UnreadableError: pixels that are missing, broken, or not as the header says.
        UnsupportedError: a kind of pixels, or a size, that is not handled.
    """
    syntax = _checked_transfer_syntax(dataset, limits)
    with _broken_pixels_told(dataset, syntax):
        return _grey(dataset, _decode(dataset, syntax), syntax)


def read_stored_pixels(dataset: Dataset, limits: PixelsSection) -> npt.NDArray[np.integer]:
    """Decode the first frame of ``dataset`` and leave its values as they are stored: what a change of header keeps.

    Raises as ``read_pixels``.
    """
    syntax = _checked_transfer_syntax(dataset, limits)
    with _broken_pixels_told(dataset, syntax):
        return _decode(dataset, syntax)


def _checked_transfer_syntax(dataset: Dataset, limits: PixelsSection) -> TransferSyntax:
    syntax = _transfer_syntax(dataset)
    _check_kind(dataset)
    _check_size(dataset, limits)
    return syntax


@contextmanager
def _broken_pixels_told(dataset: Dataset, syntax: TransferSyntax) -> Iterator[None]:
    """What a decoder raises becomes an UnreadableError that says what to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of excess bytes and the like; what matters raises
        try:
            yield
        except _BROKEN as error:
            raise UnreadableError(
                f"instance {text(dataset, 'SOPInstanceUID')}: pixels cannot be decoded from {syntax.name} "
                f"({type(error).__name__}); have the sender send it again, or uncompressed"
            ) from error


def _transfer_syntax(dataset: Dataset) -> TransferSyntax:
    meta = getattr(dataset, "file_meta", None)
    uid = text(meta, "TransferSyntaxUID") if meta else ""
    if not uid:  # a bare data set: as it was found to be encoded
        implicit, little = dataset.original_encoding
        uid = UID("1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")
    if uid not in transfer_syntaxes.BY_UID:
        raise UnsupportedError(f"transfer syntax {uid} is not handled; docs/conformance.md lists those that are")
    return transfer_syntaxes.BY_UID[uid]


def _check_kind(dataset: Dataset) -> None:
    if value(dataset, "PixelData") is None:
        raise UnreadableError(f"instance {text(dataset, 'SOPInstanceUID')}: no Pixel Data")
    photometric, samples = text(dataset, "PhotometricInterpretation"), integer(dataset, "SamplesPerPixel") or 1
    is_colour = samples == 3 and (photometric == "RGB" or photometric.startswith("YBR"))
    is_grey = samples == 1 and photometric in (*_MONOCHROME, "PALETTE COLOR")
    if not is_colour and not is_grey:
        raise UnsupportedError(f"Photometric Interpretation {photometric[:16]!r} with {samples} samples is not handled")
    if (bits := integer(dataset, "BitsAllocated")) not in _BITS_ALLOCATED:
        raise UnsupportedError(f"Bits Allocated {bits} is not handled; 8 and 16 are")


def _check_size(dataset: Dataset, limits: PixelsSection) -> None:
    """Refuse what would be too large when decoded, by the header alone."""
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    frames = max(integer(dataset, "NumberOfFrames") or 1, 1)
    if rows < 1 or columns < 1:
        raise UnreadableError(f"instance {text(dataset, 'SOPInstanceUID')}: no Rows or Columns")
    if rows * columns > limits.max_megapixels * 1_000_000:
        raise UnsupportedError(
            f"{rows} x {columns} pixels are more than {limits.max_megapixels} million (pixels.max_megapixels)"
        )
    samples, bits = integer(dataset, "SamplesPerPixel") or 1, integer(dataset, "BitsAllocated") or 16
    if rows * columns * frames * samples * bits / 8 > limits.max_decompressed_mb * MEBIBYTE:
        raise UnsupportedError(
            f"{frames} frames of {rows} x {columns} pixels are more than {limits.max_decompressed_mb} MB "
            "(pixels.max_decompressed_mb)"
        )


def _decode(dataset: Dataset, syntax: TransferSyntax) -> npt.NDArray[np.integer]:
    """The first frame as (rows, columns) or (rows, columns, 3), colour as RGB."""
    if syntax.is_encapsulated:
        frames = max(integer(dataset, "NumberOfFrames") or 1, 1)
        encoded = get_frame(dataset.PixelData, 0, number_of_frames=frames)
        check = _check_runs if syntax.decoder is PixelDecoder.RLE else _check_codestream
        check(dataset, syntax, encoded)
    # Unused high bits are dealt with in ``grey``, where High Bit is looked at too.
    options: dict[str, Any] = {"decoding_plugin": _PLUGINS[syntax.decoder]}
    if syntax.decoder not in (PixelDecoder.JPEG_2000, PixelDecoder.JPEG_LS):
        options["correct_unused_bits"] = False
    array, _ = _decoder(syntax).as_array(dataset, index=0, **options)
    return array


def _check_runs(dataset: Dataset, syntax: TransferSyntax, encoded: bytes) -> None:
    """Refuse RLE segments that are longer than the picture: the decoder would expand them all before it compares."""
    if rle_exceeds(encoded, dataset.Rows * dataset.Columns + _RLE_PADDING):
        raise UnreadableError(
            f"instance {text(dataset, 'SOPInstanceUID')}: pixels in {syntax.name} expand to more than "
            f"{dataset.Rows} x {dataset.Columns}"
        )


def _check_codestream(dataset: Dataset, syntax: TransferSyntax, encoded: bytes) -> None:
    """Refuse a stream whose own size is not that of the header: a decoder would allocate what the stream says."""
    expected = PictureSize(rows=dataset.Rows, columns=dataset.Columns, samples=integer(dataset, "SamplesPerPixel") or 1)
    if (announced := picture_size(encoded)) != expected:
        raise UnreadableError(
            f"instance {text(dataset, 'SOPInstanceUID')}: the encoded picture announces {announced}, "
            f"the header {expected}"
        )
    if syntax.decoder is PixelDecoder.JPEG_LS and not has_end_of_image(encoded):  # CharLS would search on for seconds
        raise UnreadableError(f"instance {text(dataset, 'SOPInstanceUID')}: the encoded picture ends early")


@cache
def _decoder(syntax: TransferSyntax) -> Decoder:
    decoder = get_decoder(UID(syntax.uid))
    if syntax.decoder is PixelDecoder.JPEG:
        decoder.add_plugin("imagecodecs", ("aasnode.dicom.jpeg_plugin", "decode_frame"))
    return decoder


def _grey(dataset: Dataset, decoded: npt.NDArray[np.integer], syntax: TransferSyntax) -> Pixels:
    if decoded.ndim == 3:
        return grey_of_colour(decoded)
    if text(dataset, "PhotometricInterpretation") in _MONOCHROME:
        return grey_of_monochrome(dataset, decoded, syntax)
    return grey_of_palette(dataset, decoded)
