"""What stored values mean: through modality and VOI transformations to float32, bright = dense, 0 to 1.

The order is that of PS3.4 N.2: stored values, modality, values of interest, presentation. Pixels that pad the picture
end at 0. Values that cannot be used (a window of no width, a table without entries) count as absent.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from aasnode.dicom.elements import integer, items, number, numbers, text, value
from aasnode.dicom.transfer_syntaxes import TransferSyntax

Pixels = npt.NDArray[np.float32]
"""(rows, columns), bright = dense, 0 to 1; finite everywhere."""

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in PS3.3 C.7.6.3.1.2


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A lookup table (PS3.3 C.11.1.1): values below ``first`` take the first entry, values above the last one."""

    first: int
    bits: int
    entries: npt.NDArray[np.float32]

    def of(self, values: Pixels) -> Pixels:
        indices = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        found: Pixels = self.entries[indices]
        return found


def grey_of_colour(stored: npt.NDArray[np.integer]) -> Pixels:
    """Luminance of (rows, columns, 3) RGB."""
    return stretched(np.asarray(stored, dtype=np.float32) @ np.asarray(_LUMINANCE, dtype=np.float32))


def grey_of_palette(dataset: Dataset, stored: npt.NDArray[np.integer]) -> Pixels:
    """Luminance of the colours that a palette gives to (rows, columns) stored values."""
    return grey_of_colour(apply_color_lut(stored, dataset)[..., :3])


def grey_of_monochrome(dataset: Dataset, decoded: npt.NDArray[np.integer], syntax: TransferSyntax) -> Pixels:
    """(rows, columns) as decoded from ``syntax``, of MONOCHROME1 or MONOCHROME2."""
    stored = stored_values(dataset, decoded, syntax)
    is_padding = _padding(dataset, stored)
    grey = _of_interest(dataset, _modality(dataset, stored.astype(np.float32)), ~is_padding)
    if _is_inverted(dataset):
        grey = 1 - grey
    grey[is_padding] = 0
    return grey


def stored_values(
    dataset: Dataset, decoded: npt.NDArray[np.integer], syntax: TransferSyntax
) -> npt.NDArray[np.integer]:
    """The bits between High Bit and Bits Stored alone, with their sign: others may hold overlays (PS3.5 8.1.1).

    Encoded samples come right-aligned, whatever High Bit says; lossy ones may overshoot and are clipped.
    """
    size = decoded.dtype.itemsize
    allocated, signed = size * 8, integer(dataset, "PixelRepresentation") == 1
    bits, high = integer(dataset, "BitsStored") or allocated, integer(dataset, "HighBit")
    if not 1 <= bits <= allocated:
        bits = allocated
    words = decoded.astype(decoded.dtype.newbyteorder("="), copy=False)
    if syntax.is_lossy:
        least = -(1 << (bits - 1)) if signed else 0
        return np.clip(words, least, least + (1 << bits) - 1)
    top = bits - 1 if high is None or syntax.is_encapsulated or not bits - 1 <= high < allocated else high
    raised = np.left_shift(words.view(f"u{size}"), allocated - 1 - top)
    return np.asarray(np.right_shift(raised.view(f"{'i' if signed else 'u'}{size}"), allocated - bits))


def _padding(dataset: Dataset, stored: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where the picture is padded (PS3.3 C.7.5.1.1.2)."""
    first, last = integer(dataset, "PixelPaddingValue"), integer(dataset, "PixelPaddingRangeLimit")
    if first is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    ends = sorted(_with_sign_of(stored, end) for end in (first, first if last is None else last))
    is_padding = (stored >= ends[0]) & (stored <= ends[1])
    return np.zeros_like(is_padding) if is_padding.all() else is_padding


def _with_sign_of(stored: npt.NDArray[np.integer], number: int) -> int:
    """US and SS are written for one another in practice: 63536 in a signed picture means -2000."""
    bits = stored.dtype.itemsize * 8
    if stored.dtype.kind == "i" and number >= 1 << (bits - 1):
        return number - (1 << bits)
    return number + (1 << bits) if stored.dtype.kind == "u" and number < 0 else number


def _modality(dataset: Dataset, values: Pixels) -> Pixels:
    """Modality LUT or rescale (PS3.3 C.11.1)."""
    if table := _table(dataset, "ModalityLUTSequence"):
        return table.of(values)
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope in (None, 0.0, 1.0) and not intercept:
        return values
    return values * np.float32(slope or 1.0) + np.float32(intercept or 0.0)


def _of_interest(dataset: Dataset, values: Pixels, is_picture: npt.NDArray[np.bool_]) -> Pixels:
    """VOI LUT, else the first window, else all values: 0 to 1 (PS3.3 C.11.2). Raw values need none of these."""
    if _is_linear_raw(dataset):
        values = np.log(np.maximum(values, values.max() * np.float32(1e-4) + np.float32(1e-6)))
    elif table := _table(dataset, "VOILUTSequence"):
        return _unless_flat(table.of(values) / np.float32(2**table.bits - 1), values, is_picture)
    elif (windowed := _windowed(dataset, values)) is not None:
        return _unless_flat(windowed, values, is_picture)
    return stretched(values, is_picture)


def _windowed(dataset: Dataset, values: Pixels) -> Pixels | None:
    """The first window by its function (PS3.3 C.11.2.1.2 and .3); None without a usable one."""
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    function = text(dataset, "VOILUTFunction") or "LINEAR"
    if not centres or not widths or widths[0] <= (1 if function == "LINEAR" else 0):
        return None
    centre, width = centres[0], widths[0]
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - centre) / width, -80, 80)
        return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float32)
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    return np.asarray(np.clip((values - centre) / width + 0.5, 0, 1), dtype=np.float32)


def _unless_flat(shown: Pixels, values: Pixels, is_picture: npt.NDArray[np.bool_]) -> Pixels:
    """A table or window that leaves nothing to see is a mistake of the header: then all values are shown."""
    return stretched(values, is_picture) if np.ptp(shown[is_picture]) == 0 else np.clip(shown, 0, 1)


def stretched(values: Pixels, is_picture: npt.NDArray[np.bool_] | None = None) -> Pixels:
    """From the least to the greatest value: 0 to 1."""
    seen = values if is_picture is None else values[is_picture]
    low, high = float(seen.min()), float(seen.max())
    if high <= low:
        return np.zeros(values.shape, dtype=np.float32)
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), dtype=np.float32)


def _is_inverted(dataset: Dataset) -> bool:
    """Whether bright stands for thin tissue. Raw values say so physically, others by how they are shown."""
    sign = integer(dataset, "PixelIntensityRelationshipSign")
    if text(dataset, "PresentationIntentType") == "FOR PROCESSING" and sign in (1, -1):
        return sign == 1  # greater values: more X-rays reached the detector (PS3.3 C.8.11.3.1.2)
    is_monochrome1 = text(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    return is_monochrome1 or text(dataset, "PresentationLUTShape") == "INVERSE"


def _is_linear_raw(dataset: Dataset) -> bool:
    """Raw values proportional to the dose: films show its logarithm."""
    return (
        text(dataset, "PresentationIntentType") == "FOR PROCESSING"
        and text(dataset, "PixelIntensityRelationship") == "LIN"
        and integer(dataset, "PixelIntensityRelationshipSign") == 1
    )


def _table(dataset: Dataset, keyword: str) -> _Table | None:
    """The first table of a sequence; None when it is missing or cannot be used."""
    for item in items(dataset, keyword)[:1]:
        described, data = numbers(item, "LUTDescriptor"), value(item, "LUTData")
        if len(described) != 3 or data is None:
            return None
        count, first, bits = (int(part) for part in described)
        entries = _entries(data, count or 65536, bits, is_big_endian=_is_big_endian(dataset))
        if integer(dataset, "PixelRepresentation") == 1 and first >= 32768:
            first -= 65536  # read as US where SS was meant
        return _Table(first=first, bits=bits, entries=entries) if 8 <= bits <= 16 and entries.size else None
    return None


def _entries(data: object, count: int, bits: int, *, is_big_endian: bool) -> npt.NDArray[np.float32]:
    """The entries of LUT Data, which comes as bytes (OW) or as numbers (US)."""
    if isinstance(data, bytes):
        one_byte = bits <= 8 and len(data) <= count + 1
        kind = "u1" if one_byte else ">u2" if is_big_endian else "<u2"
        return np.frombuffer(data[: len(data) // 2 * 2], dtype=kind)[:count].astype(np.float32)
    return np.asarray(data, dtype=np.float32).reshape(-1)[:count]


def _is_big_endian(dataset: Dataset) -> bool:
    return dataset.original_encoding[1] is False
