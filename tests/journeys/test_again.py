"""The same film comes again, with the same bytes, with another header, with other pixels; and films come late."""

from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread

from aasnode.anatomy import View
from aasnode.store import objects
from aasnode.store.schema import Arrival, JobKind
from aasnode.store.store import open_store
from tests.drawn_films import marked_film, uid
from tests.journeys.conftest import StartNode, all_done, send
from tests.journeys.pacs import Orthanc
from tests.waiting import eventually

pytestmark = pytest.mark.journey


def test_a_duplicate_is_acknowledged_and_measured_once(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    assert send(marked_film(), marked_film()) == [0, 0]
    assert send(marked_film()) == [0]
    all_done(node)
    assert len(node.jobs(JobKind.ANALYSE)) == 1
    assert len(node.results("visit-1")) == 1


def test_a_header_revision_is_shown_to_the_operator_and_never_applied(start_node: StartNode) -> None:
    node, film = start_node(shadow="true"), marked_film()
    assert send(film) == [0]
    film.PatientID = "P-OTHER"
    assert send(film) == [0]
    all_done(node)
    [revision] = node.revisions()
    assert [one.element for one in revision.differences] == ["PatientID"]
    assert len(node.courses("P-0001")[0].results) == 1
    assert node.courses("P-OTHER") == ()
    assert "P-OTHER" not in node.log()
    assert "P-0001" not in node.log()


def test_other_pixels_under_one_uid_are_quarantined_and_the_first_result_stands(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    assert send(marked_film(adi_px=30), marked_film(adi_px=60)) == [0, 0]
    all_done(node)
    assert len(node.arrivals(Arrival.QUARANTINED)) == 1
    [stored] = node.results("visit-1")
    assert stored.film.measurement is not None
    assert stored.film.measurement.adi is not None
    assert stored.film.measurement.adi.mm == pytest.approx(3.0, abs=0.05)


def test_an_exposure_that_comes_minutes_later_makes_a_version_that_names_the_first(
    orthanc: Orthanc, start_node: StartNode
) -> None:
    node, study = start_node(), uid("study", "late")
    send(marked_film("flexion", study="late"))
    eventually(lambda: orthanc.modalities(study) == ["OT", "SR"], "the first version is in the archive")
    all_done(node)
    later = datetime(2026, 3, 1, 9, 42)  # noqa: DTZ001
    send(marked_film("extension", study="late", view=View.EXTENSION, acquired=later))
    eventually(lambda: orthanc.modalities(study) == ["OT", "OT", "OT", "SR", "SR"], "so is the second one")
    all_done(node)
    first, second = node.versions("late")
    assert second.predecessor_id == first.id
    with open_store(node.data_dir) as store, store.reading() as connection:
        [old] = [one for one in objects.of_report(connection, first.id) if one.preference == 0 and "str" in one.role]
        [new] = [one for one in objects.of_report(connection, second.id) if one.preference == 0 and "str" in one.role]
        report = dcmread(store.objects.path(new.file_name or ""))
    [named] = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert named.ReferencedSOPInstanceUID == old.sop_instance_uid


def test_two_visits_are_one_course_in_the_order_of_acquisition(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    send(marked_film(adi_px=40), marked_film(study="visit-0", adi_px=25, acquired=earlier))
    all_done(node)
    [course] = node.courses("P-0001")
    lengths = [entry.adi.mm for entry in course.entries() if entry.adi]
    assert lengths == pytest.approx([2.5, 4.0], abs=0.05)


def test_a_stopped_node_ends_cleanly_and_goes_on_where_it_was(start_node: StartNode, tmp_path: Path) -> None:
    node = start_node(shadow="true")
    assert send(marked_film()) == [0]
    assert node.stop() == 0
    node.start()
    eventually(lambda: node.versions("visit-1"), "the study is reported after the restart")
