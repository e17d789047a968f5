"""A decoder for pydicom: JPEG of 8 and 12 bits, lossy and lossless, by libjpeg-turbo through imagecodecs.

The plugins that come with pydicom read no 12-bit JPEG, unless one takes a library under the GPL. The names below are
those that ``Decoder.add_plugin`` asks for.
"""

from collections.abc import Mapping

import imagecodecs
from pydicom import uid
from pydicom.pixels.decoders.base import DecodeRunner

DECODER_DEPENDENCIES: Mapping[str, tuple[str, ...]] = {
    uid.JPEGBaseline8Bit: ("numpy", "imagecodecs"),
    uid.JPEGExtended12Bit: ("numpy", "imagecodecs"),
    uid.JPEGLossless: ("numpy", "imagecodecs"),
    uid.JPEGLosslessSV1: ("numpy", "imagecodecs"),
}


def is_available(transfer_syntax_uid: str) -> bool:
    """Whether this module decodes the transfer syntax."""
    return transfer_syntax_uid in DECODER_DEPENDENCIES


def decode_frame(encoded: bytes, runner: DecodeRunner) -> bytes:
    """One frame as bytes, colour by pixel; tells ``runner`` what they are."""
    if runner.samples_per_pixel == 1:
        decoded = imagecodecs.jpeg8_decode(encoded)
    else:
        stored = "YCBCR" if "YBR" in runner.photometric_interpretation else "RGB"
        decoded = imagecodecs.jpeg8_decode(encoded, colorspace=stored, outcolorspace="RGB")
        runner.set_option("photometric_interpretation", "RGB")
        runner.set_option("planar_configuration", 0)
    runner.set_option("bits_allocated", decoded.dtype.itemsize * 8)
    return bytes(decoded.tobytes())
