"""Promises about what arrived."""

from datetime import UTC, datetime

from aasnode.store import instances
from aasnode.store.instances import Difference
from aasnode.store.schema import Arrival
from aasnode.store.store import Store
from tests.store.arrivals import arrive

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_same_bytes_under_the_same_uid_arrive_once(store: Store) -> None:
    with store.writing() as connection:
        arrive(connection, "1.2.3", "a")
        again = instances.add(
            connection,
            sop_instance_uid="1.2.3",
            digest="a",
            sop_class_uid="1",
            transfer_syntax_uid="1",
            size=1,
            file_name="x",
            calling_ae_title="B",
            now=NOON,
            state=Arrival.RECEIVED,
        )
        assert again is None
        assert instances.find(connection, sop_instance_uid="1.2.3", digest="a") is not None
        assert instances.find(connection, sop_instance_uid="1.2.3", digest="b") is None


def test_other_bytes_under_a_known_uid_stand_beside_the_first(store: Store) -> None:
    with store.writing() as connection:
        first, later = arrive(connection, "1.2.3", "a"), arrive(connection, "1.2.3", "b")
        found = instances.first_under_uid(connection, instances.get(connection, later))
        assert found is not None
        assert found.id == first
        assert instances.first_under_uid(connection, found) is None


def test_an_arrival_in_quarantine_is_nobodys_first(store: Store) -> None:
    with store.writing() as connection:
        arrive(connection, "1.2.3", "a", state=Arrival.QUARANTINED)
        later = arrive(connection, "1.2.3", "b")
        assert instances.first_under_uid(connection, instances.get(connection, later)) is None


def test_a_header_revision_is_shown_with_what_changed_and_the_first_stays(store: Store) -> None:
    with store.writing() as connection:
        first = instances.get(connection, arrive(connection, "1.2.3", "a", state=Arrival.ANALYSED))
        later = instances.get(connection, arrive(connection, "1.2.3", "b"))
        changed = (Difference(element="PatientID", before="P1", after="P2"),)
        instances.add_revision(connection, first=first, later=later, differences=changed, now=NOON)
        [revision] = instances.list_revisions(connection)
        assert revision.differences == changed
        assert instances.get(connection, first.id).state is Arrival.ANALYSED
        shown = instances.get(connection, later.id)
        assert shown.state is Arrival.REVISION
        assert shown.reason == "changed: PatientID"  # names the element, never its value


def test_the_last_arrival_of_each_sender_is_known(store: Store) -> None:
    with store.writing() as connection:
        arrive(connection)
        assert instances.last_arrivals(connection) == {"MODALITY": NOON}
