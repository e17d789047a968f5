"""``aasnode status`` shows the operator what came under a UID that was known."""

import json
from pathlib import Path

import pytest

from aasnode.store import instances
from aasnode.store.instances import Difference
from aasnode.store.schema import Arrival
from aasnode.store.store import Store
from tests.cli.conftest import Command
from tests.store.arrivals import NOON, arrive

OTHER_PIXELS = "other pixels under a UID that is known"


@pytest.fixture
def odd_arrivals(store: Store) -> None:
    """A film that came again under another patient, and one under whose UID came another picture."""
    with store.writing() as connection:
        first, later = (instances.get(connection, arrive(connection, "1.2.3", digest)) for digest in ("a", "b"))
        corrected = [Difference(element="PatientID", before="P1", after="P2")]
        instances.add_revision(connection, first=first, later=later, differences=corrected, now=NOON)
        arrive(connection, "1.2.4", "a")
        instances.set_state(connection, arrive(connection, "1.2.4", "b"), Arrival.QUARANTINED, OTHER_PIXELS)


@pytest.mark.usefixtures("odd_arrivals")
def test_the_operator_sees_a_header_that_came_otherwise_and_what_is_in_quarantine(aasnode: Command) -> None:
    status, out, _ = aasnode("status")
    assert status == 0
    quarantine, _, revisions = out.partition("Quarantined")[2].partition("Header revisions")
    assert quarantine.splitlines()[2].split(maxsplit=1) == ["1.2.4", OTHER_PIXELS]
    assert revisions.splitlines()[2].split() == ["1.2.3", "PatientID", "P1", "P2"]


@pytest.mark.usefixtures("odd_arrivals")
def test_a_script_reads_them_too(aasnode: Command) -> None:
    _, out, _ = aasnode("status", "--format", "json")
    state = json.loads(out)
    assert state["quarantined"] == [{"sop_instance_uid": "1.2.4", "reason": OTHER_PIXELS}]
    assert state["header_revisions"] == [
        {"sop_instance_uid": "1.2.3", "element": "PatientID", "before": "P1", "after": "P2"}
    ]


def test_what_did_not_happen_has_no_heading(aasnode: Command) -> None:
    _, out, _ = aasnode("status")
    assert "Quarantined" not in out
    assert "Header revisions" not in out


def test_shadow_mode_is_told_since_nothing_arrives_anywhere(aasnode: Command, config_file: Path) -> None:
    assert "Shadow mode" not in aasnode("status")[1]
    with config_file.open("a") as file:
        file.write("[delivery]\nshadow = true\n")
    assert "Shadow mode: nothing is sent" in aasnode("status")[1].splitlines()
    assert json.loads(aasnode("status", "--format", "json")[1])["shadow"] is True
