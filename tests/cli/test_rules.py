"""``aasnode rules FILE``: every rule, the words that it found, and the decision."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aasnode.store import jobs, results
from aasnode.store.store import Store
from tests.cli.conftest import Command
from tests.dicom.films import film, written
from tests.store.arrivals import NOON, arrive
from tests.store.arrivals import film as film_result


@pytest.fixture
def chest(tmp_path: Path) -> str:
    dataset = film(BodyPartExamined="CHEST", SeriesDescription="Flexion", StationName="Spine room 2")
    return str(written(dataset, tmp_path / "chest.dcm"))


def test_it_shows_the_rule_that_rejects_a_film_and_the_words_that_it_found(aasnode: Command, chest: str) -> None:
    status, out, _ = aasnode("rules", chest)
    row = next(line for line in out.splitlines() if line.startswith("other-body-part"))
    assert status == 0
    assert row.split()[1:3] == ["reject", "applies"]
    assert "BodyPartExamined holds 'chest'" in row
    assert out.splitlines()[-1].startswith("Rejected by rule 'other-body-part': ")


def test_a_rule_of_the_site_is_shown_as_what_selected_the_film(aasnode: Command, chest: str, config_file: Path) -> None:
    with config_file.open("a") as file:
        file.write(
            '[[selection.site_rules]]\nname = "spine-room"\nelements = ["StationName"]\n'
            'words = ["spine room"]\nthen = "select"\n'
        )
    _, out, _ = aasnode("rules", chest)
    assert out.splitlines()[-1] == (
        "Selected by rule 'spine-room': goes to the detector. View flexion (by rule 'flexion')"
    )
    _, out, _ = aasnode("rules", chest, "--format", "json")
    shown = json.loads(out)
    decision = {name: shown[name] for name in ("decision", "view", "rule", "selected_by")}
    assert decision == {"decision": "selected", "view": "flexion", "rule": "flexion", "selected_by": "spine-room"}
    applied = [rule["rule"] for rule in shown["rules"] if rule["applies"]]
    assert {"spine-room", "other-body-part", "flexion"} <= set(applied)


def test_a_job_tells_afterwards_by_which_rules_its_film_was_selected(aasnode: Command, store: Store) -> None:
    with store.writing() as connection:
        instance = arrive(connection, "1.2.31")
        jobs.add_analysis(connection, instance_id=instance, now=NOON, attempts=3)
        found = replace(film_result("1.2.31"), rule="flexion", selected_by="spine-room")
        results.add(connection, instance_id=instance, film=found, now=NOON)
        [job] = jobs.list_jobs(connection)
    _, out, _ = aasnode("jobs", "show", str(job.id), "--format", "json")
    [shown] = json.loads(out)["results"]
    assert (shown["rule"], shown["selected_by"]) == ("flexion", "spine-room")


def test_a_file_that_is_not_there_is_told_as_that(aasnode: Command, tmp_path: Path) -> None:
    status, out, err = aasnode("rules", str(tmp_path / "none.dcm"))
    assert (status, out) == (1, "")
    assert err.endswith("  none.dcm: cannot be read (No such file or directory)\n")


def test_a_file_that_is_no_dicom_is_told_without_a_traceback(aasnode: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    status, out, err = aasnode("rules", str(tmp_path / "notes.txt"))
    assert (status, out) == (1, "")
    assert "notes.txt" in err
