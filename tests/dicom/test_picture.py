import struct
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest

from aasnode.config import PixelsSection
from aasnode.dicom.picture import read_picture
from aasnode.errors import UnreadableError, UnsupportedError
from tests.dicom.films import ramp

LIMITS = PixelsSection()


@pytest.mark.parametrize("name", ["film.png", "film.tif"])
@pytest.mark.parametrize("top", [255, 65535])
def test_lossless_pictures_are_read_exactly(name: str, top: int, tmp_path: Path) -> None:
    stored = ramp(top=top).astype(np.uint8 if top == 255 else np.uint16)
    cv2.imwrite(str(tmp_path / name), stored)
    pixels = read_picture(tmp_path / name, LIMITS)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, stored / top, atol=1e-6)


def test_jpeg_is_read_and_its_exif_orientation_is_not_followed(tmp_path: Path) -> None:
    stored = ramp(top=255).astype(np.uint8)
    encoded = imagecodecs.jpeg8_encode(stored, level=98)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # rotate by 90 degrees
    path = tmp_path / "film.jpg"
    path.write_bytes(encoded[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + encoded[2:])
    pixels = read_picture(path, LIMITS)
    assert pixels.shape == stored.shape
    np.testing.assert_allclose(pixels, stored / 255, atol=0.02)


def test_colour_and_transparent_pictures_become_grey(tmp_path: Path) -> None:
    stored = ramp(top=255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "rgb.png"), cv2.merge([stored] * 3))
    cv2.imwrite(str(tmp_path / "rgba.png"), cv2.merge([*[stored] * 3, np.full_like(stored, 9)]))
    for name in ("rgb.png", "rgba.png"):
        np.testing.assert_allclose(read_picture(tmp_path / name, LIMITS), stored / 255, atol=1e-5)


def test_twelve_bits_in_a_word_of_sixteen_use_the_whole_range(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "film.png"), ramp(top=4095))
    assert read_picture(tmp_path / "film.png", LIMITS).max() == 1


def tiff(stored: np.ndarray, photometric: int) -> bytes:
    """A plain TIFF: little endian, one strip, no compression."""
    size, (rows, columns) = stored.dtype.itemsize, stored.shape
    data = stored.astype(f"<u{size}").tobytes()
    tags = [(256, columns), (257, rows), (258, 8 * size), (259, 1), (262, photometric), (273, 8), (277, 1), (278, rows)]
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (279, len(data))]]
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_tiff_that_stores_white_as_zero_is_turned(top: int, white_is_zero: bool, tmp_path: Path) -> None:
    stored = ramp(top=top).astype(np.uint8 if top == 255 else np.uint16)
    (tmp_path / "film.tif").write_bytes(tiff(top - stored, 0) if white_is_zero else tiff(stored, 1))
    np.testing.assert_allclose(read_picture(tmp_path / "film.tif", LIMITS), stored / top, atol=1e-6)


def test_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 50000, 50000, 16, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(UnsupportedError, match="50000"):
        read_picture(tmp_path / "bomb.png", LIMITS)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"II*\0\xff\xff\xff\xff", b"\xff\xd8\xff\xc0", b"\xff\xd8" + bytes(50)]
)
def test_what_is_no_picture_is_a_named_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UnreadableError, match="x: "):
        read_picture(tmp_path / "x", LIMITS)


def test_missing_file_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"none\.png"):
        read_picture(tmp_path / "none.png", LIMITS)


def test_cut_png_is_a_named_error_or_a_picture(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "film.png"), ramp())
    content = (tmp_path / "film.png").read_bytes()
    for length in range(0, len(content), 97):
        (tmp_path / "cut.png").write_bytes(content[:length])
        try:
            assert read_picture(tmp_path / "cut.png", LIMITS).shape == (40, 60)
        except UnreadableError:
            continue
