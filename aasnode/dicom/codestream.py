"""Size of an encoded picture, read from its own headers, so that a bomb is refused before it is decoded."""

import struct
from dataclasses import dataclass
from itertools import pairwise

_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})  # SOF of JPEG, and of JPEG-LS
_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_2000_START = b"\xff\x4f\xff\x51"  # SOC, SIZ
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TIFF_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_PHOTOMETRIC = 256, 257, 262
_TIFF_SHORT, _TIFF_LONG = 3, 4
_RLE_SEGMENTS = 15
_RLE_NOTHING = 128  # a header byte that stands for no bytes; below it they follow, above it one is repeated


@dataclass(frozen=True, kw_only=True)
class PictureSize:
    """What a stream announces of its picture."""

    rows: int
    columns: int
    samples: int | None = None  # per pixel; None where it was not looked at


def picture_size(encoded: bytes) -> PictureSize | None:
    """What a JPEG, JPEG-LS, JPEG 2000, PNG or TIFF stream announces; None when it announces nothing."""
    try:
        if encoded.startswith(b"\xff\xd8"):
            return _jpeg_size(encoded)
        if encoded.startswith(_PNG_START):
            columns, rows = struct.unpack_from(">II", encoded, 16)
            return PictureSize(rows=rows, columns=columns)
        if encoded[:4] in _TIFF_BYTE_ORDERS:
            return _tiff_size(encoded)
        if (start := encoded.find(_JPEG_2000_START, 0, 4096)) >= 0:
            return _jpeg_2000_size(encoded, start)
    except struct.error:  # it ends within its own header
        return None
    return None


def has_end_of_image(encoded: bytes) -> bool:
    """Whether a JPEG or JPEG-LS stream reaches its EOI marker; padding may follow."""
    return b"\xff\xd9" in encoded[-64:]


def rle_exceeds(encoded: bytes, limit: int) -> bool:
    """Whether a segment of an RLE frame expands to more than ``limit`` bytes; nothing is expanded to tell (PS3.5 G.3).

    Raises struct.error where the frame ends within its header.
    """
    count, *offsets = struct.unpack_from(f"<{_RLE_SEGMENTS + 1}L", encoded)
    starts = [*offsets[: min(count, _RLE_SEGMENTS)], len(encoded)]
    return any(_rle_segment_exceeds(encoded[start:end], limit) for start, end in pairwise(starts))


def _rle_segment_exceeds(segment: bytes, limit: int) -> bool:
    at = expanded = 0
    while at < len(segment) and expanded <= limit:
        header = segment[at]
        if header < _RLE_NOTHING:
            expanded += min(header + 1, len(segment) - at - 1)
            at += header + 2
        elif header > _RLE_NOTHING:
            expanded += 257 - header
            at += 2
        else:
            at += 1
    return expanded > limit


def is_white_zero_tiff(encoded: bytes) -> bool:
    """Whether a TIFF that ``picture_size`` could read stores white as 0 (Photometric Interpretation WhiteIsZero)."""
    return encoded[:4] in _TIFF_BYTE_ORDERS and _tiff_entries(encoded).get(_TIFF_PHOTOMETRIC) == 0


def _jpeg_size(encoded: bytes) -> PictureSize | None:
    """Walks the marker segments to the start of frame (ITU-T T.81 B.2.2, T.87 C.2.2)."""
    at = 2
    while True:
        fill, marker = struct.unpack_from(">BB", encoded, at)
        if fill != 0xFF:
            return None
        if marker == 0xFF or marker in _STANDALONE_MARKERS:  # fill byte, or a marker without a length
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", encoded, at + 2)
        if marker in _FRAME_MARKERS:
            rows, columns, samples = struct.unpack_from(">HHB", encoded, at + 5)
            return PictureSize(rows=rows, columns=columns, samples=samples)
        at += 2 + max(length, 2)


def _jpeg_2000_size(encoded: bytes, start: int) -> PictureSize:
    """The image area of the SIZ segment (ITU-T T.800 A.5.1)."""
    right, bottom, left, top = struct.unpack_from(">IIII", encoded, start + 8)
    (samples,) = struct.unpack_from(">H", encoded, start + 40)
    return PictureSize(rows=bottom - top, columns=right - left, samples=samples)


def _tiff_size(encoded: bytes) -> PictureSize | None:
    entries = _tiff_entries(encoded)
    if _TIFF_LENGTH not in entries or _TIFF_WIDTH not in entries:
        return None
    return PictureSize(rows=entries[_TIFF_LENGTH], columns=entries[_TIFF_WIDTH])


def _tiff_entries(encoded: bytes) -> dict[int, int]:
    """Single numbers of the first directory, by tag (TIFF 6.0, section 2)."""
    order = _TIFF_BYTE_ORDERS[encoded[:4]]
    (directory,) = struct.unpack_from(f"{order}I", encoded, 4)
    (count,) = struct.unpack_from(f"{order}H", encoded, directory)
    entries: dict[int, int] = {}
    for number in range(count):
        tag, kind = struct.unpack_from(f"{order}HH", encoded, directory + 2 + 12 * number)
        if kind in (_TIFF_SHORT, _TIFF_LONG):
            form = f"{order}H" if kind == _TIFF_SHORT else f"{order}I"
            (entries[tag],) = struct.unpack_from(form, encoded, directory + 10 + 12 * number)
    return entries
