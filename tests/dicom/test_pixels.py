import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from aasnode.config import PixelsSection
from aasnode.dicom.file import read_data_set
from aasnode.dicom.pixels import read_pixels
from aasnode.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from aasnode.errors import UnreadableError, UnsupportedError
from tests.dicom.encoders import ENCODERS, LOSSLESS, PREFIX, in_syntax
from tests.dicom.films import film, ramp, written

LIMITS = PixelsSection()
SUFFIXES = [row.uid.removeprefix(PREFIX) for row in TRANSFER_SYNTAXES]


def lut(entries: np.ndarray, first: int, bits: int = 16) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_transfer_syntax_of_the_table_gives_the_pixels_that_were_encoded(suffix: str, tmp_path: Path) -> None:
    stored = ramp()
    dataset = in_syntax(film(stored, BitsStored=12), suffix, tmp_path / "film.dcm")
    pixels = read_pixels(read_data_set(tmp_path / "film.dcm", LIMITS), LIMITS)
    assert dataset.file_meta.TransferSyntaxUID == PREFIX + suffix
    tolerance = 1e-6 if suffix in LOSSLESS else 2 / 255 if suffix == ".4.50" else 0.025
    np.testing.assert_allclose(pixels, stored / 4095, atol=tolerance)


def test_every_encapsulated_transfer_syntax_has_an_encoder_in_this_test() -> None:
    assert {row.uid.removeprefix(PREFIX) for row in TRANSFER_SYNTAXES if row.is_encapsulated} == set(ENCODERS)


def test_pixels_are_float32_rows_by_columns() -> None:
    pixels = read_pixels(film(ramp(rows=7, columns=11)), LIMITS)
    assert pixels.dtype == np.float32
    assert pixels.shape == (7, 11)


def test_monochrome1_is_shown_the_other_way_round() -> None:
    stored = ramp()
    negative = film(4095 - stored, BitsStored=12, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_allclose(read_pixels(negative, LIMITS), stored / 4095, atol=1e-6)


def test_inverse_presentation_lut_shape_and_monochrome1_invert_once() -> None:
    stored = ramp()
    elements = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    np.testing.assert_allclose(read_pixels(film(4095 - stored, **elements), LIMITS), stored / 4095, atol=1e-6)


@pytest.mark.parametrize("bits", range(8, 17))
@pytest.mark.parametrize("kind", ["u", "i"])
def test_each_depth_from_8_to_16_bits_is_read_signed_and_unsigned(bits: int, kind: str) -> None:
    low = -(1 << (bits - 1)) if kind == "i" else 0
    stored = (ramp(top=(1 << bits) - 1).astype(np.int32) + low).astype(f"{kind}2")
    mask = np.uint16((1 << bits) - 1)
    dataset = film((stored.view(np.uint16) & mask).view(f"{kind}2"), BitsStored=bits)
    expected = (stored.astype(float) - low) / ((1 << bits) - 1)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), expected, atol=1e-5)


def test_overlay_bits_above_the_stored_ones_are_no_grey() -> None:
    stored = ramp()
    overlay = (np.indices(stored.shape).sum(axis=0) % 2).astype(np.uint16) << 12
    np.testing.assert_allclose(read_pixels(film(stored | overlay, BitsStored=12), LIMITS), stored / 4095, atol=1e-6)


def test_values_that_stand_at_the_top_of_their_word_are_taken_from_there() -> None:
    stored = ramp()
    dataset = film((stored << 4) | 0xA, BitsStored=12, HighBit=15)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), stored / 4095, atol=1e-6)


def test_linear_window_is_that_of_the_standard() -> None:
    stored = ramp()
    pixels = read_pixels(film(stored, WindowCenter=2048, WindowWidth=1024), LIMITS)
    expected = np.clip((stored - 2047.5) / 1023 + 0.5, 0, 1)  # PS3.3 C.11.2.1.2.1
    np.testing.assert_allclose(pixels, expected, atol=1e-5)


def test_of_several_windows_the_first_is_taken() -> None:
    one = read_pixels(film(WindowCenter=2048, WindowWidth=1024), LIMITS)
    two = read_pixels(film(WindowCenter=[2048, 300], WindowWidth=[1024, 20]), LIMITS)
    np.testing.assert_array_equal(one, two)


def test_sigmoid_and_exact_windows_are_those_of_the_standard() -> None:
    stored = ramp().astype(float)
    sigmoid = read_pixels(film(WindowCenter=2000, WindowWidth=800, VOILUTFunction="SIGMOID"), LIMITS)
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-4 * (stored - 2000) / 800)), atol=1e-5)
    exact = read_pixels(film(WindowCenter=2000, WindowWidth=800, VOILUTFunction="LINEAR_EXACT"), LIMITS)
    np.testing.assert_allclose(exact, np.clip((stored - 2000) / 800 + 0.5, 0, 1), atol=1e-5)


def test_window_that_would_leave_nothing_to_see_is_ignored() -> None:
    stored = ramp()
    np.testing.assert_allclose(read_pixels(film(WindowCenter=60000, WindowWidth=10), LIMITS), stored / 4095, atol=1e-6)
    np.testing.assert_allclose(read_pixels(film(WindowCenter=2000, WindowWidth=0), LIMITS), stored / 4095, atol=1e-6)


def test_rescale_comes_before_the_window() -> None:
    stored = ramp()
    dataset = film(stored, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=2001)
    expected = np.clip((stored * 2.0 - 1000 - 2999.5) / 2000 + 0.5, 0, 1)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), expected, atol=1e-5)


def test_voi_lut_goes_before_the_window() -> None:
    stored = ramp()
    table = np.rint(65535 * np.linspace(0, 1, 4096) ** 2).astype(np.uint16)
    dataset = film(stored, VOILUTSequence=[lut(table, first=0)], WindowCenter=10, WindowWidth=10)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), table[stored] / 65535, atol=1e-6)


def test_modality_lut_is_applied_from_its_first_value_on() -> None:
    stored = ramp()
    table = np.arange(1000, 3000, dtype=np.uint16)
    dataset = film(stored, ModalityLUTSequence=[lut(table, first=500)])
    shown = table[np.clip(stored.astype(int) - 500, 0, 1999)].astype(float)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), (shown - 1000) / 1999, atol=1e-6)


def test_raw_values_that_grow_with_the_dose_are_turned_into_density() -> None:
    density = ramp() / 4095
    raw = np.rint(60000 * np.exp(-4 * density)).astype(np.uint16)
    dataset = film(
        raw, PresentationIntentType="FOR PROCESSING", PixelIntensityRelationship="LIN", PixelIntensityRelationshipSign=1
    )
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), density, atol=1e-3)


def test_sign_of_raw_values_goes_before_their_photometric_interpretation() -> None:
    stored = ramp()
    raw = {"PresentationIntentType": "FOR PROCESSING", "PhotometricInterpretation": "MONOCHROME1"}
    dataset = film(stored, **raw, PixelIntensityRelationship="LOG", PixelIntensityRelationshipSign=-1)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), stored / 4095, atol=1e-6)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_dark_and_does_not_squeeze_the_grey(photometric: str) -> None:
    stored = 1000 + ramp(top=1000)
    stored[:, :5] = 65535
    stored[:, -5:] = 65000
    padding = {"PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 65000}
    pixels = read_pixels(film(stored, PhotometricInterpretation=photometric, **padding), LIMITS)
    assert pixels[:, :5].max() == pixels[:, -5:].max() == 0
    assert np.ptp(pixels[:, 5:-5]) > 0.99


def test_padding_value_of_the_wrong_sign_is_still_found() -> None:
    stored = ramp(top=1000).astype(np.int16)
    stored[:, :5] = -2000
    dataset = film(stored)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    pixels = read_pixels(dataset, LIMITS)
    assert pixels[:, :5].max() == 0
    assert pixels[0, 5] == pytest.approx(0, abs=0.01)


def test_colour_becomes_luminance() -> None:
    colours = np.zeros((4, 4, 3), dtype=np.uint8)
    colours[:2] = (255, 255, 255)
    colours[3] = (0, 255, 0)
    pixels = read_pixels(film(colours), LIMITS)
    assert pixels[0, 0] == 1
    assert pixels[2, 0] == 0
    assert pixels[3, 0] == pytest.approx(0.587, abs=1e-3)


def test_colour_jpeg_is_decoded_by_its_photometric_interpretation(tmp_path: Path) -> None:
    import imagecodecs

    colours = np.zeros((32, 32, 3), dtype=np.uint8)
    colours[:, 16:] = (200, 40, 40)
    dataset = film(colours, PhotometricInterpretation="YBR_FULL_422")
    dataset.PixelData = encapsulate([imagecodecs.jpeg8_encode(colours, level=98)])
    pixels = read_pixels(read_data_set(written(dataset, tmp_path / "a.dcm", PREFIX + ".4.50"), LIMITS), LIMITS)
    assert pixels[10, 3] == pytest.approx(0, abs=0.05)
    assert pixels[10, 28] == pytest.approx(1, abs=0.05)


def test_palette_colours_become_grey() -> None:
    stored = np.tile(np.arange(4, dtype=np.uint8), (4, 1))
    dataset = film(stored, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [4, 0, 16])
        table = np.array([0, 20000, 40000, 60000], dtype="<u2")
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", table.tobytes())
    np.testing.assert_allclose(read_pixels(dataset, LIMITS)[0], [0, 1 / 3, 2 / 3, 1], atol=1e-4)


def test_of_several_frames_the_first_is_read() -> None:
    first = ramp()
    dataset = film(first, NumberOfFrames=2)
    dataset.PixelData = first.tobytes() + np.zeros_like(first).tobytes()
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), first / 4095, atol=1e-6)


def test_of_several_encoded_frames_the_first_is_read_also_from_fragments() -> None:
    first = ramp()
    encoded = [ENCODERS[".4.80"](first), ENCODERS[".4.80"](np.zeros_like(first))]
    dataset = film(first, NumberOfFrames=2, BitsStored=12)
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.PixelData = encapsulate(encoded, fragments_per_frame=3)
    np.testing.assert_allclose(read_pixels(dataset, LIMITS), first / 4095, atol=1e-6)


def test_film_of_one_grey_is_read_as_dark() -> None:
    assert read_pixels(film(np.full((4, 4), 77, dtype=np.uint16)), LIMITS).max() == 0


def test_size_is_refused_before_anything_is_decoded() -> None:
    dataset = film(Rows=30000, Columns=30000)  # with pixels of 40 x 60
    with pytest.raises(UnsupportedError, match="30000 x 30000"):
        read_pixels(dataset, LIMITS)
    with pytest.raises(UnsupportedError, match="200000 frames"):
        read_pixels(film(NumberOfFrames=200000), LIMITS)


def test_stream_larger_than_its_header_is_refused_before_it_is_decoded() -> None:
    stored = ramp()
    encoded = bytearray(ENCODERS[".4.90"](stored))
    siz = encoded.index(b"\xff\x51")
    encoded[siz + 6 : siz + 14] = struct.pack(">II", 60000, 60000)
    dataset = film(stored, BitsStored=12)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([bytes(encoded)])
    with pytest.raises(UnreadableError, match="60000"):
        read_pixels(dataset, LIMITS)


def run_length_encoded(dataset: Dataset, *segments: bytes) -> Dataset:
    """``dataset`` with these segments as its only frame (PS3.5 G.5)."""
    starts = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    header = struct.pack("<16L", len(segments), *starts, *[0] * (15 - len(segments)))
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulate([header + b"".join(segments)])
    return dataset


@pytest.mark.parametrize("place", [0, 1])
def test_runs_that_expand_beyond_the_picture_are_refused_before_they_are_expanded(place: int) -> None:
    """4 MB of runs would become 264 MB before the decoder compares lengths."""
    segments = [b"\x81\x00" * 32, b"\x81\x00" * 32]  # twice 32 runs of 128 are 64 x 64 pixels of 16 bits
    segments[place] = b"\x81\x00" * (2 << 20)
    dataset = run_length_encoded(film(ramp(rows=64, columns=64)), *segments)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError, match="expand to more than 64 x 64"):
            read_pixels(dataset, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_runs_of_exactly_the_picture_and_a_pad_byte_are_read() -> None:
    zeros, padded = b"\x81\x00" * 32, b"\x80" + b"\x81\x07" * 31 + b"\x7f" + b"\x07" * 128 + b"\0"
    pixels = read_pixels(run_length_encoded(film(ramp(rows=64, columns=64)), zeros, padded), LIMITS)
    assert pixels.shape == (64, 64)


@pytest.mark.parametrize("suffix", [row.uid.removeprefix(PREFIX) for row in TRANSFER_SYNTAXES if row.is_encapsulated])
def test_cut_or_scrambled_pixels_are_a_named_error_or_pixels(suffix: str) -> None:
    random = np.random.default_rng(7)
    encoded = ENCODERS[suffix](ramp())
    for damage in range(30):
        broken = bytearray(encoded if damage % 2 else encoded[: len(encoded) * damage // 30])
        for at in random.integers(0, max(len(broken), 1), 3 * (damage % 2)):
            broken[at] = random.integers(0, 256)
        dataset = film(ramp(), BitsStored=12, **({"BitsAllocated": 8} if suffix == ".4.50" else {}))
        dataset.BitsStored = min(dataset.BitsStored, dataset.BitsAllocated)
        dataset.file_meta.TransferSyntaxUID = PREFIX + suffix
        dataset.PixelData = encapsulate([bytes(broken) or b"\0\0"])
        try:
            pixels = read_pixels(dataset, LIMITS)
        except (UnreadableError, UnsupportedError):
            continue
        assert np.isfinite(pixels).all()


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ({"PixelData": None}, UnreadableError),
        ({"Rows": 4000}, UnreadableError),
        ({"PhotometricInterpretation": "CMYK"}, UnsupportedError),
        ({"BitsAllocated": 32}, UnsupportedError),
        ({"BitsAllocated": 1}, UnsupportedError),
    ],
)
def test_pixels_that_cannot_be_read_say_why(elements: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"Pixel Data|decoded|Photometric|Bits Allocated"):
        read_pixels(film(**elements), LIMITS)


def test_unknown_transfer_syntax_is_named() -> None:
    dataset = film()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    with pytest.raises(UnsupportedError, match=r"4\.100"):
        read_pixels(dataset, LIMITS)


def test_deflated_bomb_is_refused_while_it_inflates(tmp_path: Path) -> None:
    path = written(film(), tmp_path / "bomb.dcm", PREFIX + ".1.99")
    meta_ends = path.read_bytes().index(b"1.2.840.10008.1.2.1.99")
    assert meta_ends > 0
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    header = path.read_bytes()[: 132 + 12 + read_data_set(path, LIMITS).file_meta.FileMetaInformationGroupLength]
    bomb = header + b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(20)) + squeezer.flush()
    path.write_bytes(bomb)
    assert path.stat().st_size < 100_000
    with pytest.raises(UnsupportedError, match="inflated"):
        read_data_set(path, PixelsSection(max_decompressed_mb=10))


@pytest.mark.parametrize("content", [b"", b"no film", bytes(200), b"\x08\x00" + bytes(300)])
def test_what_is_no_data_set_is_a_named_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(content)
    with pytest.raises((UnreadableError, UnsupportedError)):
        read_pixels(read_data_set(tmp_path / "x.dcm", LIMITS), LIMITS)
