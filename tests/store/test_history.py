"""Promises about results and a patient's course."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from aasnode.anatomy import View
from aasnode.errors import UnsupportedError
from aasnode.store import history, results
from aasnode.store.results import Person
from aasnode.store.store import Store
from tests.store.arrivals import film, keep

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_result_comes_back_as_it_was_kept(store: Store) -> None:
    found = film("1.2.3")
    with store.writing() as connection:
        keep(connection, found)
        [stored] = results.of_study(connection, "1.2.9")
    assert stored.film == found


def test_a_course_is_in_the_order_of_acquisition_not_of_arrival(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.2", study="1.2.8", acquired_at=NOON))
        keep(connection, film("1.2.1", study="1.2.7", acquired_at=NOON - timedelta(days=365)))
        [course] = history.of_patient(connection, "P1")
    assert [stored.film.identity.sop_instance_uid for stored in course.results] == ["1.2.1", "1.2.2"]
    assert [entry.key for entry in course.entries()] == ["1.2.1", "1.2.2"]


def test_a_course_is_one_select(store: Store) -> None:
    with store.writing() as connection:
        for number in range(5):
            keep(connection, film(f"1.2.{number}", study=f"1.3.{number}"))
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with store.reading() as connection:
        history.of_patient(connection, "P1")
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1


def test_blank_patient_ids_are_never_pooled(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.3", patient_id=""))
        for blank in ("", "  "):
            with pytest.raises(UnsupportedError):
                history.of_patient(connection, blank)


def test_the_same_id_with_another_birth_date_sex_or_issuer_is_held_apart(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1", study="1.3.1"))
        keep(connection, film("1.2.2", study="1.3.2", birth_date=date(1980, 1, 1)))
        keep(connection, film("1.2.3", study="1.3.3", sex="M"))
        keep(connection, film("1.2.4", study="1.3.4", issuer="CLINIC"))
        keep(connection, film("1.2.5", study="1.3.5"))
        assert sorted(len(course.results) for course in history.of_patient(connection, "P1")) == [1, 1, 1, 2]
        [course] = history.of_patient(connection, "P1", "CLINIC")
        assert course.person.issuer_of_patient_id == "CLINIC"
        assert len(history.of_patient(connection, "P1", "")) == 3


def test_two_renderings_of_one_exposure_are_one_measurement(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1", exposure_key="e"))
        keep(connection, film("1.2.2", exposure_key="e"))
        [course] = history.of_patient(connection, "P1")
    assert len(course.results) == 1


def test_of_repeats_of_a_view_one_is_primary(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1"))
        keep(connection, film("1.2.2", acquired_at=NOON + timedelta(minutes=5)))
        keep(connection, film("1.2.3", view=View.NEUTRAL))
        [course] = history.of_patient(connection, "P1")
    primary = [stored.film.view for stored in course.results if stored.is_primary]
    assert sorted(primary) == [View.FLEXION, View.NEUTRAL]


@pytest.mark.parametrize("exposure_key", ["e", None])
def test_films_of_two_people_in_one_study_are_neither_one_exposure_nor_repeats(
    store: Store, exposure_key: str | None
) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1", patient_id="WRONG", exposure_key=exposure_key))
        keep(connection, film("1.2.2", patient_id="RIGHT", exposure_key=exposure_key))
        for patient_id in ("WRONG", "RIGHT"):
            [course] = history.of_patient(connection, patient_id)
            assert [stored.is_primary for stored in course.results] == [True]


def test_what_a_film_leaves_blank_is_what_the_others_of_its_study_state(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1", sex="", view=View.NEUTRAL))
        keep(connection, film("1.2.2", birth_date=None))
        keep(connection, film("1.2.3"))
        [course] = history.of_patient(connection, "P1")
        assert course.person == Person(patient_id="P1", issuer_of_patient_id="", birth_date=date(1950, 1, 1), sex="F")
        assert [stored.is_primary for stored in course.results] == [True, False, True]  # 1.2.3 repeats 1.2.2
        keep(connection, film("1.2.4", sex="", study="1.3.1"))  # of another study: held apart
        assert len(history.of_patient(connection, "P1")) == 2


def test_what_a_film_leaves_blank_is_nobodys_where_the_others_do_not_agree(store: Store) -> None:
    with store.writing() as connection:
        for number, sex in enumerate(("F", "M", "")):
            keep(connection, film(f"1.2.{number}", sex=sex))
        assert len(history.of_patient(connection, "P1")) == 3


def test_a_film_of_something_else_is_in_no_course(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1", status="rejected"))
        assert history.of_patient(connection, "P1") == ()
