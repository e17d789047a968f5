"""The same pixels in every transfer syntax, by real encoders."""

from collections.abc import Callable, Mapping
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import UID, RLELossless

from tests.dicom.films import film

PREFIX = "1.2.840.10008.1.2"


def _rle(pixels: np.ndarray) -> bytes:
    return _by_pydicom(pixels, RLELossless, "pydicom")


def _jpeg_ls(pixels: np.ndarray) -> bytes:
    return imagecodecs.jpegls_encode(pixels)


def _near_lossless(pixels: np.ndarray) -> bytes:
    return imagecodecs.jpegls_encode(pixels, level=2)


def _by_pydicom(pixels: np.ndarray, syntax: str, plugin: str) -> bytes:
    return get_encoder(UID(syntax)).encode(film(pixels), index=0, encoding_plugin=plugin)


ENCODERS: Mapping[str, Callable[[np.ndarray], bytes]] = {
    ".5": _rle,
    ".4.50": lambda pixels: imagecodecs.jpeg8_encode((pixels // 16).astype(np.uint8), level=98),
    ".4.51": lambda pixels: imagecodecs.jpeg8_encode(pixels, level=98, bitspersample=12),
    ".4.57": lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=4, bitspersample=16),
    ".4.70": lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=16),
    ".4.80": _jpeg_ls,
    ".4.81": _near_lossless,
    ".4.90": lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True),
    ".4.91": lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=False, level=70),
    ".4.201": lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
    ".4.202": lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
    ".4.203": lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=False, level=0.001),
}
LOSSLESS = frozenset({"", ".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80", ".4.90", ".4.201", ".4.202"})


def in_syntax(dataset: Dataset, suffix: str, path: Path) -> Dataset:
    """``dataset`` (uint16, 12 bits, native little endian) written in a transfer syntax and read from that file."""
    dataset.file_meta.TransferSyntaxUID = UID(PREFIX + suffix)
    pixels = np.frombuffer(dataset.PixelData, dtype="<u2").reshape(dataset.Rows, dataset.Columns)
    if suffix == ".2":
        dataset.PixelData = pixels.astype(">u2").tobytes()
    elif suffix in ENCODERS:
        if suffix == ".4.50":
            dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = encapsulate([ENCODERS[suffix](pixels)])
        dataset["PixelData"].VR = "OB"
    dcmwrite(path, dataset, enforce_file_format=True, little_endian=suffix != ".2", implicit_vr=suffix == "")
    return dcmread(path)
