"""The overlay as an object: in the film's study, aside of the films, derived from its film."""

import io

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from aasnode.anatomy import View
from aasnode.reports.overlay import draw_overlay
from aasnode.reports.part10 import write_part10
from aasnode.reports.secondary_capture import build_secondary_capture, instance_number
from aasnode.reports.structured_report import build_structured_report

from .conftest import FilmFactory, StudyFactory, digital_radiograph


@pytest.fixture
def capture(make_film: FilmFactory, make_study: StudyFactory) -> Dataset:
    film = make_film()
    return pydicom.dcmread(io.BytesIO(write_part10(build_secondary_capture(make_study(film), film))))


def test_the_pixels_are_the_overlays(make_film: FilmFactory, make_study: StudyFactory) -> None:
    for columns in (1000, 1001):  # an odd number of bytes is padded
        film = make_film(header=digital_radiograph(Rows=1201, Columns=columns))
        study = make_study(film)
        capture = pydicom.dcmread(io.BytesIO(write_part10(build_secondary_capture(study, film))))
        assert len(capture.PixelData) % 2 == 0
        assert np.array_equal(capture.pixel_array, draw_overlay(study, film))


def test_it_is_an_uncompressed_derived_picture_with_its_words_burned_in(capture: Dataset) -> None:
    assert capture.SOPClassUID == SecondaryCaptureImageStorage
    assert capture.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert list(capture.ImageType) == ["DERIVED", "SECONDARY"]
    assert capture.BurnedInAnnotation == "YES"
    assert capture.PhotometricInterpretation == "RGB"
    assert capture.BodyPartExamined == "CSPINE"


def test_it_cannot_be_taken_for_a_film(capture: Dataset) -> None:
    """Hanging protocols choose by modality, series number and description; a viewer measures by pixel spacing."""
    assert capture.Modality == "OT"
    assert capture.SeriesNumber == 9302
    assert "unverified" in capture.SeriesDescription
    assert "PixelSpacing" not in capture


def test_it_references_its_film(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = make_film()
    (source,) = build_secondary_capture(make_study(film), film).SourceImageSequence
    assert source.ReferencedSOPInstanceUID == film.sop_instance_uid
    assert source.ReferencedSOPClassUID == film.sop_class_uid


def test_the_overlays_of_a_study_share_a_series_and_differ_in_number(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    films = [
        make_film(view=view, header=digital_radiograph(Rows=60, Columns=50))
        for view in (View.FLEXION, View.FLEXION, *View)
    ]
    study = make_study(*films, settings={"overlay_series_number": 77, "structured_report_series_number": 76})
    captures = [build_secondary_capture(study, film) for film in films]
    assert len({capture.InstanceNumber for capture in captures}) == 6
    assert len({capture.SOPInstanceUID for capture in captures}) == 6
    assert {capture.SeriesNumber for capture in captures} == {77}
    (series,) = {capture.SeriesInstanceUID for capture in captures}
    report = build_structured_report(study)
    assert report.SeriesInstanceUID != series
    assert report.SeriesNumber == 76


def test_the_number_of_an_overlay_is_its_films_whatever_else_arrives(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    earlier, film = (
        make_film(acquisition_time=clock, header=digital_radiograph(Rows=60, Columns=50))
        for clock in ("093000", "093112.5")
    )
    alone = build_secondary_capture(make_study(film), film)
    both = [build_secondary_capture(make_study(earlier, film), one) for one in (earlier, film)]
    assert both[1].InstanceNumber == alone.InstanceNumber
    assert both[1].SOPInstanceUID == alone.SOPInstanceUID
    assert both[0].InstanceNumber < both[1].InstanceNumber


def test_overlays_are_numbered_in_the_order_in_which_their_films_were_taken(make_film: FilmFactory) -> None:
    clocks = ["000000", "0830", "09:31:12", "093113.25+0100", "235959.999999", "", "noon"]
    films = [make_film(acquisition_time=clock, draw=False) for clock in clocks]
    numbers = [instance_number(film, UID(f"1.2.{place}")) for place, film in enumerate(films)]
    assert numbers[:5] == sorted(numbers[:5])
    assert max(numbers[:5]) < min(numbers[5:])
    assert all(1 <= number < 2**31 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert instance_number(films[0], UID("1.2.3")) != instance_number(films[0], UID("1.2.4")), "a later overlay of it"
