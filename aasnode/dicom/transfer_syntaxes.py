"""Every transfer syntax whose pixels can be read, and what decodes each. The one table: negotiation and the conformance
statement are made from it. No decoder here is under the GPL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pydicom.uid import UID


class PixelDecoder(StrEnum):
    """What turns encoded pixels into numbers."""

    NATIVE = "pydicom"  # nothing to decode
    RLE = "pydicom, RLE"
    JPEG = "imagecodecs (libjpeg-turbo)"  # 8 and 12 bit lossy, lossless up to 16 bit
    JPEG_LS = "pyjpegls (CharLS)"
    JPEG_2000 = "pylibjpeg-openjpeg (OpenJPEG)"  # High-Throughput JPEG 2000 included


@dataclass(frozen=True, kw_only=True)
class TransferSyntax:
    """One row: the UID and the decoder."""

    uid: str
    decoder: PixelDecoder

    @property
    def name(self) -> str:
        """As in PS3.6."""
        return UID(self.uid).name

    @property
    def is_encapsulated(self) -> bool:
        """Whether the pixels come as fragments of an encoded stream."""
        return self.decoder is not PixelDecoder.NATIVE

    @property
    def is_lossy(self) -> bool:
        """Whether decoded values may differ from those that were encoded."""
        return self.uid.removeprefix("1.2.840.10008.1.2") in _LOSSY


_LOSSY = frozenset({".4.50", ".4.51", ".4.81", ".4.91", ".4.203"})


def _row(suffix: str, decoder: PixelDecoder) -> TransferSyntax:
    return TransferSyntax(uid=f"1.2.840.10008.1.2{suffix}", decoder=decoder)


TRANSFER_SYNTAXES: tuple[TransferSyntax, ...] = (
    _row(".1", PixelDecoder.NATIVE),  # Explicit VR Little Endian
    _row("", PixelDecoder.NATIVE),  # Implicit VR Little Endian
    _row(".2", PixelDecoder.NATIVE),  # Explicit VR Big Endian
    _row(".1.99", PixelDecoder.NATIVE),  # Deflated Explicit VR Little Endian
    _row(".5", PixelDecoder.RLE),
    _row(".4.50", PixelDecoder.JPEG),  # Baseline
    _row(".4.51", PixelDecoder.JPEG),  # Extended, 8 and 12 bit
    _row(".4.57", PixelDecoder.JPEG),  # Lossless
    _row(".4.70", PixelDecoder.JPEG),  # Lossless, first-order prediction
    _row(".4.80", PixelDecoder.JPEG_LS),  # Lossless
    _row(".4.81", PixelDecoder.JPEG_LS),  # Near-lossless
    _row(".4.90", PixelDecoder.JPEG_2000),  # Lossless only
    _row(".4.91", PixelDecoder.JPEG_2000),
    _row(".4.201", PixelDecoder.JPEG_2000),  # High-Throughput, lossless only
    _row(".4.202", PixelDecoder.JPEG_2000),  # High-Throughput, lossless only, RPCL
    _row(".4.203", PixelDecoder.JPEG_2000),  # High-Throughput
)
"""In the order in which they are preferred: uncompressed first."""

BY_UID: Mapping[str, TransferSyntax] = MappingProxyType({row.uid: row for row in TRANSFER_SYNTAXES})
