"""Every transfer syntax whose pixels can be read, and what decodes each. The one table: negotiation and the conformance
statement are made from it. No decoder here is under the GPL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class PixelDecoder(StrEnum):
    """What turns encoded pixels into numbers."""

    NATIVE = "pydicom"  # nothing to decode
    RLE = "pydicom, RLE"
    JPEG = "imagecodecs (libjpeg-turbo)"  # 8 and 12 bit lossy, lossless up to 16 bit
    JPEG_LS = "pyjpegls (CharLS)"
    JPEG_2000 = "pylibjpeg-openjpeg (OpenJPEG)"  # High-Throughput JPEG 2000 included


@dataclass(frozen=True, kw_only=True)
class TransferSyntax:
    """One row: the UID and name of PS3.6, and the decoder."""

    uid: str
    name: str
    decoder: PixelDecoder

    @property
    def is_encapsulated(self) -> bool:
        """Whether the pixels come as fragments of an encoded stream."""
        return self.decoder is not PixelDecoder.NATIVE

    @property
    def is_lossy(self) -> bool:
        """Whether decoded values may differ from those that were encoded."""
        return self.uid.removeprefix("1.2.840.10008.1.2") in _LOSSY


_LOSSY = frozenset({".4.50", ".4.51", ".4.81", ".4.91", ".4.203"})


def _row(suffix: str, name: str, decoder: PixelDecoder) -> TransferSyntax:
    return TransferSyntax(uid=f"1.2.840.10008.1.2{suffix}", name=name, decoder=decoder)


TRANSFER_SYNTAXES: tuple[TransferSyntax, ...] = (
    _row(".1", "Explicit VR Little Endian", PixelDecoder.NATIVE),
    _row("", "Implicit VR Little Endian", PixelDecoder.NATIVE),
    _row(".2", "Explicit VR Big Endian", PixelDecoder.NATIVE),
    _row(".1.99", "Deflated Explicit VR Little Endian", PixelDecoder.NATIVE),
    _row(".5", "RLE Lossless", PixelDecoder.RLE),
    _row(".4.50", "JPEG Baseline (Process 1)", PixelDecoder.JPEG),
    _row(".4.51", "JPEG Extended (Process 2 and 4)", PixelDecoder.JPEG),
    _row(".4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", PixelDecoder.JPEG),
    _row(".4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, SV1)", PixelDecoder.JPEG),
    _row(".4.80", "JPEG-LS Lossless", PixelDecoder.JPEG_LS),
    _row(".4.81", "JPEG-LS Lossy (Near-Lossless)", PixelDecoder.JPEG_LS),
    _row(".4.90", "JPEG 2000 (Lossless Only)", PixelDecoder.JPEG_2000),
    _row(".4.91", "JPEG 2000", PixelDecoder.JPEG_2000),
    _row(".4.201", "High-Throughput JPEG 2000 (Lossless Only)", PixelDecoder.JPEG_2000),
    _row(".4.202", "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", PixelDecoder.JPEG_2000),
    _row(".4.203", "High-Throughput JPEG 2000", PixelDecoder.JPEG_2000),
)
"""In the order in which they are preferred: uncompressed first."""

BY_UID: Mapping[str, TransferSyntax] = MappingProxyType({row.uid: row for row in TRANSFER_SYNTAXES})
