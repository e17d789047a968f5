"""``aasnode history`` on a real store."""

import csv
import io
import json
from datetime import UTC, date, datetime

import pytest

from aasnode.anatomy import View
from aasnode.store.store import Store
from tests.cli.conftest import Command
from tests.store.arrivals import film, keep

LAST_YEAR, TODAY = datetime(2025, 3, 1, 12, 0, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def two_visits(store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", study="1.2.30", acquired_at=LAST_YEAR, adi_mm=2.0))
        keep(connection, film("1.2.32", study="1.2.30", acquired_at=LAST_YEAR, view=View.NEUTRAL, adi_mm=1.5))
        keep(connection, film("1.2.41", study="1.2.40", acquired_at=TODAY, adi_mm=6.5))


def as_json(aasnode: Command, *arguments: str) -> list[dict[str, object]]:
    status, out, _ = aasnode("history", "--patient-id", "P1", "--format", "json", *arguments)
    assert status == 0
    return json.loads(out)["courses"]


@pytest.mark.usefixtures("two_visits")
def test_the_change_is_taken_against_the_film_of_the_same_view(aasnode: Command) -> None:
    (course,) = as_json(aasnode)
    last = course["films"][-1]
    assert last["adi_since_previous_mm"] == pytest.approx(4.5)
    assert last["adi_since_previous_against"] == "1.2.31"
    assert last["adi_since_previous_exceeds_error"] is True
    assert last["sac_mm"] is None
    assert last["sac_since_previous_not_comparable"] == "not measured on this film"


@pytest.mark.usefixtures("two_visits")
def test_films_come_in_the_order_of_acquisition_with_verbatim_and_local_times(aasnode: Command) -> None:
    (course,) = as_json(aasnode)
    assert [one["acquired_at"][:4] for one in course["films"]] == ["2025", "2025", "2026"]
    assert course["films"][0]["acquired_at"] == "2025-03-01T21:00:00+09:00"
    assert course["films"][0]["acquisition_time"] == "120000.50"


@pytest.mark.usefixtures("two_visits")
def test_the_table_shows_each_view_and_marks_a_change_that_exceeds_its_error(aasnode: Command) -> None:
    _, out, _ = aasnode("history", "--patient-id", "P1")
    assert out.index("\nneutral\n") < out.index("\nflexion\n")
    assert "+4.5 ±" in out
    assert " !" in out
    assert "] not measured on this film" in out


@pytest.mark.usefixtures("two_visits")
def test_csv_holds_the_same_rows_as_json(aasnode: Command) -> None:
    (course,) = as_json(aasnode)
    _, out, _ = aasnode("history", "--patient-id", "P1", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["sop_instance_uid"] for row in rows] == [one["sop_instance_uid"] for one in course["films"]]
    assert set(rows[0]) == set(course["films"][0]) | set(course["person"])
    assert float(rows[-1]["adi_mm"]) == 6.5


def test_another_birth_date_under_the_same_id_is_held_apart_and_shown(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", study="1.2.30", acquired_at=LAST_YEAR))
        keep(connection, film("1.2.41", study="1.2.40", acquired_at=TODAY, birth_date=date(1980, 5, 5)))
    assert len(as_json(aasnode)) == 2
    _, out, _ = aasnode("history", "--patient-id", "P1")
    assert out.count("held apart") == 2


def test_the_issuer_narrows_the_question(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", study="1.2.30", issuer="HOSPITAL A"))
        keep(connection, film("1.2.41", study="1.2.40", issuer="HOSPITAL B"))
    assert len(as_json(aasnode)) == 2
    (course,) = as_json(aasnode, "--issuer", "HOSPITAL B")
    assert course["person"]["issuer_of_patient_id"] == "HOSPITAL B"


def test_a_formula_from_the_wire_is_no_formula_in_the_spreadsheet(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", patient_id="=HYPERLINK(1)"))
    _, out, _ = aasnode("history", "--patient-id", "=HYPERLINK(1)", "--format", "csv")
    assert "'=HYPERLINK(1)" in out


def test_a_blank_patient_id_is_nobodys(aasnode: Command) -> None:
    status, out, err = aasnode("history", "--patient-id", " ")
    assert (status, out) == (1, "")
    assert "blank patient ID" in err


def test_an_unknown_patient_is_said_and_prints_no_data(aasnode: Command) -> None:
    status, out, err = aasnode("history", "--patient-id", "NOBODY")
    assert (status, out) == (0, "")
    assert "No film" in err
