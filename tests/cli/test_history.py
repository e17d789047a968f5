"""``aasnode history`` on a real store."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from aasnode.anatomy import View
from aasnode.cli.course import columns
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings
from aasnode.store import jobs
from aasnode.store.schema import JobKind, results
from aasnode.store.store import Store
from tests.cli.conftest import Command
from tests.measurement.points import measured, on_axis
from tests.store.arrivals import NOON, arrive, film, keep

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
    assert out.endswith("Research use only, not for diagnosis. 90 % intervals: calibrated on simulated films.\n")


@pytest.mark.usefixtures("two_visits")
def test_csv_holds_the_same_rows_as_json(aasnode: Command) -> None:
    (course,) = as_json(aasnode)
    _, out, _ = aasnode("history", "--patient-id", "P1", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["sop_instance_uid"] for row in rows] == [one["sop_instance_uid"] for one in course["films"]]
    assert set(rows[0]) == set(course["films"][0]) | set(course["person"])
    assert float(rows[-1]["adi_mm"]) == 6.5


def test_a_film_that_was_assessed_by_other_thresholds_says_by_which(
    aasnode: Command, store: Store, config_file: Path
) -> None:
    keep_measured(store, 2.0, 20.0)
    _, before, _ = aasnode("history", "--patient-id", "P1")
    assert "Thresholds: ADI > 3 mm, SAC <= 13 mm (borderline to 14 mm)" in before
    assert "assessed by" not in before
    with config_file.open("a") as file:
        file.write("[measurement]\nadi_threshold_mm = 2.5\n")
    _, after, _ = aasnode("history", "--patient-id", "P1")
    assert "Thresholds: ADI > 2.5 mm" in after
    assert re.search(r"no_aas_on_this_view \[(\d)\]", after)
    assert "] assessed by ADI > 3 mm, SAC <= 13 mm" in after


def test_csv_without_films_has_the_same_headings(aasnode: Command) -> None:
    """A script that reads it finds its columns, and no row."""
    status, out, _ = aasnode("history", "--patient-id", "NOBODY", "--format", "csv")
    (headings,) = csv.reader(io.StringIO(out))
    assert status == 0
    assert {"patient_id", "adi_mm", "adi_since_first_not_comparable"} <= set(headings)


def test_the_page_of_measurements_tells_every_column_and_no_other() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page[page.index("### As a table") :].splitlines() if line.startswith("| ")]
    told, prefixes = [], [""]
    for row in rows:
        names = re.findall(r"`([a-z0-9_]+)`", row)
        if row.strip().startswith("for each"):
            prefixes = names
        elif row.strip().startswith("of the film"):
            prefixes = [""]
        else:
            told += [f"{prefix}{name}" for prefix in prefixes for name in names]
    assert sorted(told) == sorted(columns())


def keep_measured(store: Store, adi_mm: float, sac_mm: float) -> None:
    """A film of 1.25-fold magnification, measured in the patient's plane and compared in the detector's."""
    plane = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    patient = PixelSpacing(row_mm=0.12, column_mm=0.12, rule=SpacingRule.IMAGER_MAGNIFIED)
    found = measured(
        0,
        0,
        landmarks=on_axis(adi_mm, sac_mm, scale_mm=0.12),
        spacing=Spacings(primary=patient, detector_plane=plane, corrected=patient),
    )
    with store.writing() as connection:
        keep(connection, replace(film("1.2.31"), measurement=found))


def test_the_table_says_which_value_was_compared_with_which_limit_and_what_came_of_it(
    aasnode: Command, store: Store
) -> None:
    keep_measured(store, 2.8, 10.9)
    _, out, _ = aasnode("history", "--patient-id", "P1")
    (row,) = [line for line in out.splitlines() if "abnormal" in line]
    assert re.search(r"3\.5 \(3\.2 – 3\.8\) +> 3 mm: abnormal", row)
    assert re.search(r"13\.6 \(13\.4 – 13\.9\) +<= 14 mm: borderline +detector +aas_suspected", row)


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"age_years": 5.0}, "under 18 years: thresholds are those of adults"),
        ({"age_years": None}, "age unknown, taken as adult"),
    ],
)
def test_the_table_says_why_nothing_is_assessed_and_what_is_taken_for_granted(
    aasnode: Command, store: Store, given: dict[str, float | None], note: str
) -> None:
    with store.writing() as connection:
        keep(connection, replace(film("1.2.31"), measurement=measured(2, 18, **given)))
    assert f"[{2}] {note}" in aasnode("history", "--patient-id", "P1")[1]


def test_an_adi_that_became_smaller_is_not_shown_as_an_improvement(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        for year, adi_mm in ((2024, 8.0), (2025, 2.0)):
            acquired = datetime(year, 3, 1, tzinfo=UTC)
            keep(connection, film(f"1.2.{year}", study=f"1.3.{year}", acquired_at=acquired, adi_mm=adi_mm))
    _, out, _ = aasnode("history", "--patient-id", "P1")
    assert re.search(r"-6\.0 ±\S+ ! \[\d\]", out)
    assert "] a smaller ADI may mean that the dens has moved up" in out


def test_the_table_shows_each_length_relative_to_c1(aasnode: Command, store: Store) -> None:
    keep_measured(store, 2.8, 10.9)  # before and behind a dens of 10 mm: C1 is 23.7 mm wide inside
    _, out, _ = aasnode("history", "--patient-id", "P1")
    heading, row = out.splitlines()[3:5]
    for ratio in ("11.8", "46.0"):
        assert heading[row.index(ratio) :].startswith("% C1")
    assert "inner sagittal diameter of C1" in out


def test_a_script_gets_the_compared_value_its_plane_and_the_finding_of_each_length(
    aasnode: Command, store: Store
) -> None:
    keep_measured(store, 2.8, 10.9)
    ((one,),) = [course["films"] for course in as_json(aasnode)]
    assert one["adi_mm"] == pytest.approx(2.8)
    assert one["adi_compared_mm"] == pytest.approx(3.5)
    assert one["adi_compared_plane"] == "detector"
    assert (one["adi_limit"], one["adi_finding"]) == ("> 3 mm", "aas_suspected")
    assert (one["sac_limit"], one["sac_finding"]) == ("<= 14 mm", "borderline")


def test_a_result_of_a_version_that_kept_no_findings_is_shown_all_the_same(aasnode: Command, store: Store) -> None:
    keep_measured(store, 2.8, 10.9)
    with store.writing() as connection:
        details = connection.execute(select(results.c.details)).scalar_one()
        for name in ("adi_finding", "sac_finding", "assumption"):
            del details["measurement"][name]
        connection.execute(update(results).values(details=details))
    ((one,),) = [course["films"] for course in as_json(aasnode)]
    assert (one["adi_mm"], one["adi_finding"]) == (pytest.approx(2.8), None)
    assert "aas_suspected" in aasnode("history", "--patient-id", "P1")[1]


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


@pytest.mark.parametrize("shown_as", ["json", "csv", "table"])
def test_a_terminal_that_knows_ascii_alone_ends_no_run_and_spoils_no_data(
    shown_as: str, config_file: Path, store: Store
) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", issuer="Krankenhaus Süd 病院", acquired_at=LAST_YEAR))
        keep(connection, film("1.2.41", study="1.2.40", issuer="Krankenhaus Süd 病院", acquired_at=TODAY))
    command = [sys.executable, "-m", "aasnode", "history", "--patient-id", "P1", "--config", str(config_file)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run([*command, "--format", shown_as], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    if shown_as == "json":
        (course,) = json.loads(done.stdout.decode("ascii"))["courses"]
        assert course["person"]["issuer_of_patient_id"] == "Krankenhaus Süd 病院"
    elif shown_as == "csv":
        rows = list(csv.DictReader(io.StringIO(done.stdout.decode("utf-8"))))
        assert {row["issuer_of_patient_id"] for row in rows} == {"Krankenhaus Süd 病院"}
    else:
        assert re.search(r" 2\.5 \(2\.0 - 3\.0\) +\S+ +\+0\.0 ~", done.stdout.decode("ascii"))


def test_a_formula_from_the_wire_is_no_formula_in_the_spreadsheet(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.31", patient_id="=HYPERLINK(1)"))
    _, out, _ = aasnode("history", "--patient-id", "=HYPERLINK(1)", "--format", "csv")
    assert "'=HYPERLINK(1)" in out


def test_a_blank_patient_id_is_nobodys(aasnode: Command) -> None:
    status, out, err = aasnode("history", "--patient-id", " ")
    assert (status, out) == (1, "")
    assert "blank patient ID" in err


@pytest.mark.usefixtures("two_visits")
def test_the_table_has_the_study_of_each_visit_as_resend_asks_for_it(aasnode: Command) -> None:
    _, out, _ = aasnode("history", "--patient-id", "P1")
    studies = out.partition("Study Instance UID\n")[2].partition("\n\n")[0]
    assert studies.splitlines() == ["2025-03-01 21:00  1.2.30", "2026-03-01 21:00  1.2.40"]


def test_where_no_film_was_analysed_those_that_wait_are_told(aasnode: Command, store: Store) -> None:
    def said() -> str:
        return aasnode("history", "--patient-id", "P1")[2]

    assert said() == "No film of this patient was analysed.\n"
    for number, waiting in ((1, "1 film waits"), (2, "2 films wait")):
        with store.writing() as connection:
            jobs.add_analysis(connection, instance_id=arrive(connection, f"1.2.{number}"), now=NOON, attempts=3)
        assert said() == f"No film of this patient was analysed; {waiting} to be analysed.\n"
    with store.writing() as connection:  # one that is under way has no numbers either
        job = jobs.claim(connection, JobKind.ANALYSE, owner="node:7", now=NOON, lease=timedelta(minutes=1))
        assert job is not None
    assert "; 2 films wait" in said()
    with store.writing() as connection:
        jobs.finish(connection, job, now=NOON)
    assert "; 1 film waits" in said()


@pytest.mark.usefixtures("two_visits")
@pytest.mark.parametrize("shown_as", ["table", "json", "csv"])
def test_a_film_that_waits_is_told_beside_a_course_too(shown_as: str, aasnode: Command, store: Store) -> None:
    _, before, err = aasnode("history", "--patient-id", "P1", "--format", shown_as)
    assert err == ""
    with store.writing() as connection:
        jobs.add_analysis(connection, instance_id=arrive(connection, "1.2.51"), now=NOON, attempts=3)
    _, out, err = aasnode("history", "--patient-id", "P1", "--format", shown_as)
    assert (out, err) == (before, "1 film waits to be analysed.\n")


def test_an_unknown_patient_is_said_and_prints_no_data(aasnode: Command) -> None:
    status, out, err = aasnode("history", "--patient-id", "NOBODY")
    assert (status, out) == (0, "")
    assert "No film" in err
