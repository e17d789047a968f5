"""The picture: marks where the landmarks are, anatomy left free, words that say all and name nobody."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from aasnode.anatomy import COLOURS_RGB, LANDMARKS, Facing, Landmark, View
from aasnode.config import Plane
from aasnode.geometry import PixelSpacing, Point, SpacingRule
from aasnode.measurement import Assessment, Change, ComparedLength, LengthFinding, Measurement, NotComparable
from aasnode.reports import drawing, overlay, panel, wording
from aasnode.reports.drawing import Picture, Style, text_width
from aasnode.reports.findings import EarlierLength, FilmFindings, StudyFindings
from aasnode.reports.overlay import LINE, SCALE_BARS_MM, draw_overlay, film_placement

from .colours import centre_of_colour
from .conftest import FilmFactory, StudyFactory, digital_radiograph

FINE = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
SIZES = {
    "as stored": (1400, 1150, FINE),
    "tiny": (512, 420, PixelSpacing(row_mm=0.5, column_mm=0.5, rule=SpacingRule.DETECTOR_PLANE)),
    "huge": (3000, 2400, PixelSpacing(row_mm=0.1, column_mm=0.1, rule=SpacingRule.DETECTOR_PLANE)),
    "landscape": (1100, 1900, FINE),
    "flat pixels": (1400, 600, PixelSpacing(row_mm=0.1, column_mm=0.2, rule=SpacingRule.GEOMETRY)),
    "tall pixels": (700, 1200, PixelSpacing(row_mm=0.2, column_mm=0.1, rule=SpacingRule.GEOMETRY)),
    "without mm": (1400, 1150, None),
}


def film_of_size(make_film: FilmFactory, size: str, **changes: Any) -> FilmFindings:
    rows, columns, spacing = SIZES[size]
    return make_film(header=digital_radiograph(Rows=rows, Columns=columns), spacing=spacing, **changes)


def film_part(picture: Picture, film: FilmFindings) -> Picture:
    placement = film_placement(film)
    rows, columns = film.shape
    return picture[: round(rows * placement.scale_y), : round(columns * placement.scale_x)]


@pytest.mark.parametrize("facing", [Facing.LEFT, Facing.RIGHT])
@pytest.mark.parametrize("size", SIZES)
def test_each_coloured_mark_is_found_where_its_landmark_is(
    size: str, facing: Facing, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = film_of_size(make_film, size, facing=facing)
    picture = film_part(draw_overlay(make_study(film), film), film)
    placement = film_placement(film)
    for landmark in LANDMARKS:
        found = film.landmarks[landmark]
        assert found is not None
        expected = placement.of(found.point)
        drawn = centre_of_colour(picture, COLOURS_RGB[landmark])
        assert (drawn.x, drawn.y) == pytest.approx((expected.x, expected.y), abs=1.0)


@pytest.mark.parametrize("size", ["as stored", "landscape", "without mm"])
def test_a_film_of_usual_size_is_drawn_as_stored(size: str, make_film: FilmFactory) -> None:
    placement = film_placement(film_of_size(make_film, size, draw=False))
    assert (placement.scale_x, placement.scale_y) == (1.0, 1.0)
    assert placement.of(Point(x=3.25, y=7.5)) == Point(x=3.25, y=7.5)


@pytest.mark.parametrize("size", SIZES)
def test_pixels_become_square_and_the_film_stays_within_limits(size: str, make_film: FilmFactory) -> None:
    film = film_of_size(make_film, size, draw=False)
    placement = film_placement(film)
    if film.spacing is not None:
        assert placement.scale_y / film.spacing.row_mm == pytest.approx(placement.scale_x / film.spacing.column_mm)
    longest = max(film.shape[0] * placement.scale_y, film.shape[1] * placement.scale_x)
    assert 1100 <= longest <= 2560


@pytest.mark.parametrize(
    "elements",
    [
        {"ImagerPixelSpacing": None, "PixelAspectRatio": [2, 1]},
        # Viewers measure with no Imager Pixel Spacing here, but it has the shape that the points were looked for in.
        {"ImagerPixelSpacing": [0.2, 0.1], "SOPClassUID": SecondaryCaptureImageStorage},
    ],
)
def test_pixels_of_a_stated_shape_become_square_without_millimetres(
    elements: dict[str, object], make_film: FilmFactory
) -> None:
    header = digital_radiograph(Rows=700, Columns=1200, **elements)
    placement = film_placement(make_film(header=header, spacing=None, draw=False))
    assert placement.scale_y == 2 * placement.scale_x


@pytest.mark.parametrize(
    ("plain", "set_as"),
    [
        ("SAC <= 13 mm", "SAC ≤ 13 mm"),
        ("ADI >= 3 mm", "ADI ≥ 3 mm"),
        ("change -3.6 mm", "change −3.6 mm"),
        ("2026-11-23", "2026-11-23"),
        ("aas-cpu 1.0.0", "aas-cpu 1.0.0"),
    ],
)
def test_signs_are_set_as_in_print(plain: str, set_as: str) -> None:
    assert panel._typeset(plain) == set_as


def test_marks_hide_next_to_nothing_of_the_film(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = film_of_size(make_film, "as stored")
    bare = replace(film, landmarks=dict.fromkeys(LANDMARKS), measurement=None)
    marked, unmarked = (film_part(draw_overlay(make_study(each), each), each) for each in (film, bare))
    assert 0 < np.any(marked != unmarked, axis=2).mean() < 0.005


def test_the_cortex_inside_a_mark_stays_visible(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = film_of_size(make_film, "as stored")
    bare = replace(film, landmarks=dict.fromkeys(LANDMARKS), measurement=None)
    marked, unmarked = (film_part(draw_overlay(make_study(each), each), each) for each in (film, bare))
    for found in film.landmarks.values():
        assert found is not None
        x, y = round(found.point.x), round(found.point.y)
        assert np.array_equal(marked[y, x], unmarked[y, x])


@pytest.mark.parametrize("gap_mm", [0.3, 1.0, 3.0])
def test_the_two_ends_of_a_short_adi_stay_apart(
    gap_mm: float, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(header=digital_radiograph(Rows=2400, Columns=2000))
    ends = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
    first, second = (film.landmarks[end] for end in ends)
    assert first is not None
    assert second is not None
    moved = replace(second, point=Point(x=first.point.x + gap_mm / 0.15, y=first.point.y))
    film = replace(film, landmarks=dict(film.landmarks) | {ends[1]: moved})
    picture = film_part(draw_overlay(make_study(film), film), film)
    red, purple = (centre_of_colour(picture, COLOURS_RGB[end]) for end in ends)
    assert red.x < purple.x


def between(picture: npt.NDArray[np.uint8], film: FilmFindings, ends: tuple[Landmark, Landmark]) -> tuple[int, ...]:
    a, b = (film.landmarks[end] for end in ends)
    assert a is not None
    assert b is not None
    return tuple(picture[round((a.point.y + b.point.y) / 2), round((a.point.x + b.point.x) / 2)])


@pytest.mark.parametrize("size", ["as stored", "without mm"])
def test_a_length_that_is_withheld_is_not_drawn(size: str, make_film: FilmFactory, make_study: StudyFactory) -> None:
    sac_ends = (Landmark.DENS_POSTERIOR, Landmark.C1_POSTERIOR_ARCH_ANTERIOR)
    film = film_of_size(make_film, size)
    assert film.measurement is not None
    measured: Measurement = film.measurement
    kept_back = replace(measured, sac=None, sac_reason="low_confidence", sac_withheld=True)
    withheld = replace(film, measurement=kept_back)
    assert min(between(draw_overlay(make_study(film), film), film, sac_ends)) > 200
    assert max(between(draw_overlay(make_study(withheld), withheld), film, sac_ends)) < 150


@pytest.mark.parametrize("size", [size for size, (_, _, spacing) in SIZES.items() if spacing])
def test_the_scale_bar_is_as_long_as_it_says(size: str, make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = film_of_size(make_film, size)
    picture = draw_overlay(make_study(film), film)
    film_rows, film_columns = film_part(picture, film).shape[:2]
    strip = picture[film_rows:, : round(film_columns * 0.45)]
    bright = np.all(strip == np.array(LINE), axis=2)
    row = np.nonzero(bright[bright.sum(axis=1).argmax()])[0]
    assert film.spacing is not None
    mm = (row.max() - row.min()) * film.spacing.column_mm / film_placement(film).scale_x
    assert min(abs(mm - bar) for bar in SCALE_BARS_MM) < 0.02 * mm


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int, Style]]:
    """What is written into the picture, while it is written."""
    written: list[tuple[str, int, int, Style]] = []
    draw_text = drawing.draw_text

    def record(picture: Picture, text: str, x: int, y: int, style: Style) -> None:
        assert x + text_width(text, style) <= picture.shape[1], f"{text!r} runs out of the picture"
        assert y + style.line_height_px <= picture.shape[0], f"{text!r} runs out below"
        written.append((text, x, y, style))
        draw_text(picture, text, x, y, style)

    monkeypatch.setattr(panel, "draw_text", record)
    monkeypatch.setattr(overlay, "draw_text", record)
    return written


def words(drawn: list[tuple[str, int, int, Style]]) -> str:
    return " ".join(text for text, *_ in drawn)


def full_study(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    before = EarlierLength(acquisition_date="20251101", mm=2.0, change=Change(mm=2.5, error_mm=1.9))
    flexion = make_film(view=View.FLEXION, gap_px=10, adi_before=before, assessment=Assessment.AAS_SUSPECTED)
    return make_study(
        replace(flexion, sac_before=NotComparable(reason="other spacing rule")), make_film(view=View.EXTENSION)
    )


def test_the_picture_says_values_motion_comparison_basis_and_limits(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = full_study(make_film, make_study)
    draw_overlay(study, study.films[0])
    for said in (
        "flexion · 2026-11-23",
        "ADI 6.0 mm",
        "90 % interval 5.4 to 6.7 mm",
        "SAC 18.1 mm",
        "Atlantoaxial subluxation suspected",
        "ΔADI +1.5 mm, exceeds measurement error",
        "2.0 mm on 2025-11-01, change +2.5 mm",
        "SAC not compared: other spacing rule",
        "ADI > 3 mm, SAC ≤ 13 mm",
        "Imager Pixel Spacing (detector plane)",
        "aas-cpu 1.0.0",
        "simulated films",
        "AI result, not verified. Research use only, not for diagnosis.",
        "trained on simulated radiographs",
        "50 mm",
    ):
        assert said in words(drawn)


@pytest.mark.parametrize("size", ["as stored", "without mm"])
def test_the_picture_says_the_lengths_relative_to_c1(
    size: str, drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = film_of_size(make_film, size)
    draw_overlay(make_study(film), film)
    assert "ADI 14.0 %, SAC 57.0 % of the inner sagittal diameter of C1" in words(drawn)


def saying(film: FilmFindings, adi: ComparedLength, sac: ComparedLength) -> FilmFindings:
    """The film, with an abnormal ADI and a borderline SAC."""
    assert film.measurement is not None
    findings = {
        "adi_finding": LengthFinding(
            assessment=Assessment.AAS_SUSPECTED, limit="> 3 mm", compared=adi, threshold_mm=3.0
        ),
        "sac_finding": LengthFinding(assessment=Assessment.BORDERLINE, limit="<= 14 mm", compared=sac),
    }
    return replace(film, measurement=replace(film.measurement, **findings))


def compared(mm: float, *, is_as_measured: bool) -> ComparedLength:
    return ComparedLength(mm=mm, low_mm=mm - 0.5, high_mm=mm + 0.5, plane=Plane.DETECTOR, is_as_measured=is_as_measured)


def test_each_length_has_its_own_verdict_beside_the_limit_that_it_was_compared_with(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    adi, sac = compared(5.2, is_as_measured=True), compared(13.6, is_as_measured=True)
    film = saying(film_of_size(make_film, "as stored"), adi, sac)
    draw_overlay(make_study(film), film)
    said = words(drawn)
    assert (
        said.index("ADI 5.2 mm")
        < said.index("> 3 mm: abnormal")
        < said.index("SAC")
        < said.index("≤ 14 mm: borderline")
    )
    colours = {text: style.colour for text, _, _, style in drawn}
    assert colours["> 3 mm: abnormal"] == panel.ASSESSMENT_COLOURS[Assessment.AAS_SUSPECTED]
    assert colours["≤ 14 mm: borderline"] == panel.ASSESSMENT_COLOURS[Assessment.BORDERLINE]


def test_a_film_that_knows_one_plane_shows_one_value(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    adi, sac = compared(5.2, is_as_measured=True), compared(13.6, is_as_measured=True)
    film = saying(film_of_size(make_film, "as stored"), adi, sac)
    draw_overlay(make_study(film), film)
    assert words(drawn).count("5.2 mm") == 1
    assert "patient plane" not in words(drawn)


def test_a_value_compared_in_another_plane_than_the_viewers_stands_beside_its_verdict(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    adi, sac = compared(5.6, is_as_measured=False), compared(13.6, is_as_measured=False)
    film = saying(film_of_size(make_film, "as stored"), adi, sac)
    draw_overlay(make_study(film), film)
    assert "5.6 mm (5.1 to 6.1), detector plane > 3 mm: abnormal" in words(drawn)
    assert "13.6 mm (13.1 to 14.1), detector plane ≤ 14 mm: borderline" in words(drawn)
    smallest_allowed = 0.5 * max(style.size_px for text, *_, style in drawn if text.startswith("ADI"))
    assert all(style.size_px > smallest_allowed for text, *_, style in drawn if text.startswith("5.6 mm"))


def test_a_value_compared_as_a_range_says_so(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    ranged = replace(compared(5.6, is_as_measured=False), mm=None, note="only a magnification-corrected value")
    film = saying(film_of_size(make_film, "as stored"), ranged, ranged)
    draw_overlay(make_study(film), film)
    assert "5.1 to 6.1 mm, detector plane > 3 mm: abnormal only a magnification-corrected value" in words(drawn)


@pytest.mark.parametrize(
    ("view", "is_stated", "said"),
    [
        (View.NEUTRAL, True, "Excludes nothing: only a flexion film can"),
        (View.FLEXION, False, "Excludes nothing: the flexion is told from the picture alone"),
        (View.FLEXION, True, None),
    ],
)
def test_what_excludes_nothing_says_so_below_its_verdict(
    view: View,
    is_stated: bool,
    said: str | None,
    drawn: list[tuple[str, int, int, Style]],
    make_film: FilmFactory,
    make_study: StudyFactory,
) -> None:
    film = make_film(view=view, is_view_stated=is_stated)
    draw_overlay(make_study(film), film)
    assert "No atlantoaxial subluxation on this view" in words(drawn)
    assert (said in words(drawn)) if said else ("Excludes" not in words(drawn))
    assert ("told from the picture" in words(drawn)) is not is_stated


def test_a_finding_that_the_value_decides_says_that_its_interval_spans_the_threshold(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = saying(
        film_of_size(make_film, "as stored"), compared(3.04, is_as_measured=False), compared(20.0, is_as_measured=True)
    )
    draw_overlay(make_study(film), film)
    assert "3.04 mm (2.5 to 3.5), detector plane > 3 mm: abnormal interval spans 3 mm" in words(drawn)


def test_a_repeat_says_that_another_film_is_tracked_and_each_says_when_it_was_made(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(is_repeat=True)
    study = make_study(film)
    draw_overlay(study, film)
    assert wording.REPEAT in words(drawn)
    assert f"made {study.created_at:%Y-%m-%d %H:%M}" in words(drawn)


def test_a_length_that_was_not_compared_says_why_in_the_films_assessment(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = film_of_size(make_film, "as stored", assessment=Assessment.NOT_ASSESSED)
    assert film.measurement is not None
    film = replace(film, measurement=replace(film.measurement, assessment_reason="under 18 years"))
    draw_overlay(make_study(film), film)
    assert "under 18 years" in words(drawn)
    assert "abnormal" not in words(drawn)


def test_the_picture_names_no_patient(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = full_study(make_film, make_study)
    draw_overlay(study, study.films[0])
    assert not {"Müller", "Jürgen", "P-001", "A-4711", "1960"} & set(words(drawn).replace("^", " ").split())


def test_a_film_that_was_not_measured_says_why_twice(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(missing=tuple(Landmark), measurement=None, reason="operated_neck")
    draw_overlay(make_study(film), film)
    assert "ADI not measured operated neck" in words(drawn)
    assert "SAC not measured operated neck" in words(drawn)
    assert "Not assessed" in words(drawn)


def test_without_millimetres_there_is_no_scale_and_that_is_said(
    drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(spacing=None)
    draw_overlay(make_study(film), film)
    assert "no scale: pixel spacing unknown" in words(drawn)
    assert "ADI not measured no pixel spacing in the header" in words(drawn)


@pytest.mark.parametrize("size", SIZES)
def test_every_word_fits_and_is_large_enough_to_read(
    size: str, drawn: list[tuple[str, int, int, Style]], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = film_of_size(make_film, size)
    picture = draw_overlay(make_study(film), film)
    assert len(drawn) > 12
    smallest = min(style.size_px for *_, style in drawn)
    assert smallest >= 13
    assert smallest / picture.shape[0] > 0.011


def test_a_film_without_contrast_is_drawn_all_the_same(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = make_film()
    assert film.pixels is not None
    flat = replace(film, pixels=np.full_like(film.pixels, 7.0))
    broken = film.pixels.copy()
    broken[:50] = np.nan
    for pixels in (flat.pixels, broken):
        assert draw_overlay(make_study(film), replace(film, pixels=pixels)).dtype == np.uint8


def test_a_film_without_pixels_is_refused_with_its_uid(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = make_film(draw=False)
    with pytest.raises(ValueError, match=film.sop_instance_uid):
        draw_overlay(make_study(film), film)
