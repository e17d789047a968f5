"""The same findings never make two objects, other findings never share one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aasnode.anatomy import Landmark, View
from aasnode.dicom.identity import is_own_uid
from aasnode.geometry import SpacingRule
from aasnode.reports import uids
from aasnode.reports.findings import FilmFindings, ObjectReference, StudyFindings
from aasnode.reports.structured_report import SOP_CLASSES
from aasnode.reports.uids import object_uid, overlay_uid, series_uid, structured_report_uid, tracking_uid

from .conftest import DETECTOR, FilmFactory, StudyFactory, digital_radiograph

CLASS = SOP_CLASSES[0]


def test_a_uid_is_valid_ours_and_the_same_in_every_process() -> None:
    uid = object_uid(CLASS, "1.2.3", ["a", "b"], "c")
    assert uid.is_valid
    assert is_own_uid(uid)
    assert len(uid) <= 64
    assert uid == object_uid(CLASS, "1.2.3", iter(["a", "b"]), "c")


def test_no_boundary_between_parts_is_lost() -> None:
    assert object_uid(CLASS, "1.2.3", ["ab", "c"], "d") != object_uid(CLASS, "1.2.3", ["a", "bc"], "d")
    assert object_uid(CLASS, "1.2.3", ["a"], "b") != object_uid(CLASS, "1.2.3", [], "ab")


def test_another_shape_of_the_same_findings_is_another_object(monkeypatch: pytest.MonkeyPatch) -> None:
    before = object_uid(CLASS, "1.2.3", ["a"], "b")
    monkeypatch.setattr(uids, "_SHAPE", "of tomorrow")
    assert object_uid(CLASS, "1.2.3", ["a"], "b") != before


def test_time_version_and_predecessor_leave_the_name_as_it_is(make_film: FilmFactory, make_study: StudyFactory) -> None:
    study = make_study(make_film(draw=False))
    before = ObjectReference(
        study_instance_uid="1.2", series_instance_uid="1.3", sop_class_uid=CLASS, sop_instance_uid="1.4"
    )
    later = replace(study, created_at=datetime(2027, 1, 1, tzinfo=UTC), predecessor=before, version=2)
    assert structured_report_uid(later, CLASS) == structured_report_uid(study, CLASS)
    assert overlay_uid(later, later.films[0]) == overlay_uid(study, study.films[0])


def other_value(film: FilmFindings) -> FilmFindings:
    assert film.measurement is not None
    assert film.measurement.adi is not None
    adi = replace(film.measurement.adi, mm=film.measurement.adi.mm + 0.01)
    return replace(film, measurement=replace(film.measurement, adi=adi))


def other_name(film: FilmFindings) -> FilmFindings:
    return replace(film, header=digital_radiograph(PatientName="New^Name", SOPInstanceUID=film.sop_instance_uid))


def other_point(film: FilmFindings) -> FilmFindings:
    return replace(film, landmarks=dict(film.landmarks) | {Landmark.DENS_ANTERIOR: None})


def other_thresholds(film: FilmFindings) -> FilmFindings:
    assert film.measurement is not None
    return replace(film, measurement=replace(film.measurement, criteria="ADI > 2 mm"))


@pytest.mark.parametrize(
    "change",
    [other_value, other_name, other_point, other_thresholds, lambda film: replace(film, model="aas-cpu 1.0.1")],
)
def test_what_is_shown_shapes_the_name(
    change: Callable[[FilmFindings], FilmFindings], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(draw=False)
    before, after = make_study(film), make_study(change(film))
    assert structured_report_uid(after, CLASS) != structured_report_uid(before, CLASS)
    assert overlay_uid(after, after.films[0]) != overlay_uid(before, film)


@pytest.mark.parametrize("setting", [{"station_name": "OTHER"}, {"institution_name": "Other"}])
def test_settings_that_shape_an_object_shape_its_name(
    setting: dict[str, Any], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(draw=False)
    assert structured_report_uid(make_study(film), CLASS) != structured_report_uid(
        make_study(film, settings=setting), CLASS
    )


def test_each_sop_class_has_its_own_name(make_film: FilmFactory, make_study: StudyFactory) -> None:
    study = make_study(make_film(draw=False))
    assert len({structured_report_uid(study, sop_class) for sop_class in SOP_CLASSES}) == len(SOP_CLASSES)


def test_a_further_film_renames_the_report_and_only_overlays_that_show_the_motion(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    neutral, flexion = make_film(draw=False), make_film(view=View.FLEXION, draw=False)
    first = make_study(neutral, flexion)
    second = make_study(neutral, flexion, make_film(view=View.EXTENSION, draw=False))
    assert structured_report_uid(second, CLASS) != structured_report_uid(first, CLASS)
    assert overlay_uid(second, neutral) == overlay_uid(first, neutral)
    assert overlay_uid(second, flexion) != overlay_uid(first, flexion)


def test_a_series_holds_all_versions_of_one_modality(make_film: FilmFactory, make_study: StudyFactory) -> None:
    first, second = make_study(make_film(draw=False)), make_study(make_film(draw=False), make_film(draw=False))
    assert series_uid(first, "SR") == series_uid(second, "SR") != series_uid(first, "SC")


def tracked(study: StudyFindings) -> list[str]:
    return [tracking_uid(study, film, length) for film in study.films for length in ("ADI", "SAC")]


def test_tracking_is_unique_in_a_report_also_for_repeats_of_a_view(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = make_study(*(make_film(view=view, draw=False) for view in (View.FLEXION, View.FLEXION, View.NEUTRAL)))
    assert len(set(tracked(study))) == 6


def test_tracking_is_the_same_in_the_patients_next_study_and_not_another_patients(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = make_study(make_film(draw=False))
    next_year = make_study(make_film(header=digital_radiograph(StudyInstanceUID="1.2.9"), draw=False))
    other = make_study(make_film(header=digital_radiograph(PatientID="P-002"), draw=False))
    assert tracked(study) == tracked(next_year)
    assert not set(tracked(study)) & set(tracked(other))


@pytest.mark.parametrize("element", [{"PatientBirthDate": "19700102"}, {"PatientSex": "M"}])
def test_two_people_under_one_id_are_not_tracked_as_one(
    element: dict[str, str], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    one, two = (make_study(make_film(header=digital_radiograph(**of), draw=False)) for of in ({}, element))
    assert not set(tracked(one)) & set(tracked(two))


@pytest.mark.parametrize(
    "change",
    [{"model": "aas-cpu 1.0.1"}, {"spacing": replace(DETECTOR, rule=SpacingRule.GEOMETRY)}, {"view": View.FLEXION}],
)
def test_what_the_course_refuses_to_compare_is_not_tracked_as_one(
    change: dict[str, Any], make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(draw=False)
    next_year = make_film(header=digital_radiograph(StudyInstanceUID="1.2.9"), draw=False)
    assert not set(tracked(make_study(film))) & set(tracked(make_study(replace(next_year, **change))))


def test_films_of_an_unknown_view_are_tracked_within_their_study_only(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    one, two = (
        make_study(make_film(view=View.UNKNOWN, header=digital_radiograph(StudyInstanceUID=uid), draw=False))
        for uid in ("1.2.3", "1.2.4")
    )
    assert not set(tracked(one)) & set(tracked(two))


def test_patients_without_an_id_are_not_tracked_as_one(make_film: FilmFactory, make_study: StudyFactory) -> None:
    one, two = (
        make_study(make_film(header=digital_radiograph(PatientID=" ", StudyInstanceUID=uid), draw=False))
        for uid in ("1.2.3", "1.2.4")
    )
    assert not set(tracked(one)) & set(tracked(two))
