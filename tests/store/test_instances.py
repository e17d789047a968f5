"""Promises about what arrived."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from aasnode.store import instances, jobs, results, schema
from aasnode.store.instances import Difference
from aasnode.store.schema import Arrival
from aasnode.store.store import Store
from tests.store.arrivals import arrive, film, keep

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


@pytest.mark.parametrize(("seconds", "is_awaited"), [(-11, False), (-10, True), (0, True), (10, True), (11, False)])
def test_a_film_that_came_with_a_study_s_films_is_awaited(store: Store, seconds: int, is_awaited: bool) -> None:
    with store.writing() as connection:
        keep(connection, film("1.2.1"))
        waiting = arrive(connection, "1.2.2")
        jobs.add_analysis(connection, instance_id=waiting, now=NOON, attempts=3)
        came = NOON + timedelta(seconds=seconds)
        connection.execute(update(schema.instances).where(schema.instances.c.id == waiting).values(received_at=came))
        within = timedelta(seconds=10)
        assert instances.is_film_awaited(connection, "1.2.9", within=within) is is_awaited
        assert not instances.is_film_awaited(connection, "1.2.8", within=within)


def test_a_study_of_thousands_of_films_may_be_asked_whether_one_is_awaited(store: Store) -> None:
    with store.writing() as connection:
        first = arrive(connection, "1.2.1", state=Arrival.ANALYSED)
        results.add(connection, instance_id=first, film=film("1.2.1"), now=NOON)
        for table, named in ((schema.instances, "id"), (schema.results, "instance_id")):
            [row] = connection.execute(select(table)).mappings()
            copies = ({"sop_instance_uid": f"1.2.{number}", named: number} for number in range(2, 3000))
            others = {name: value for name, value in row.items() if name != "id"}
            connection.execute(insert(table), [others | copy for copy in copies])
        jobs.add_analysis(connection, instance_id=arrive(connection, "1.3.1"), now=NOON, attempts=3)
        assert instances.is_film_awaited(connection, "1.2.9", within=timedelta(seconds=10))


def test_the_last_arrival_of_each_sender_is_known(store: Store) -> None:
    with store.writing() as connection:
        arrive(connection)
        assert instances.last_arrivals(connection) == {"MODALITY": NOON}
