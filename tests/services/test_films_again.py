"""Promises about films that come again after retention has released their files."""

import pytest
from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from aasnode.anatomy import View
from aasnode.network.status import Status
from aasnode.store import deliveries, instances, results
from aasnode.store.schema import Arrival, JobKind, JobState
from tests.drawn_films import marked_film
from tests.network.peers import archive
from tests.services.conftest import MakeNode, Node
from tests.services.test_janitor import DAY, empty, films, made
from tests.services.test_reporter import STUDY, deliver_everything, forget_file_of, versions
from tests.services.test_sender import TAKES_ALL, send_all

# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def in_state(node: Node, state: Arrival) -> int:
    with node.store.reading() as connection:
        return len(instances.list_in_state(connection, state))


def encode_otherwise(film: Dataset) -> None:
    """As an archive that adds what is its own; neither pixels nor identity change."""
    film.add_new(0x00091001, "LO", "a private element")


def report_again(node: Node, *films_again: Dataset) -> None:
    """The PACS sends films again, and the study comes to rest."""
    node.report(*films_again)
    assert node.jobs(JobKind.REPORT, JobState.PENDING) == []


def test_a_film_that_comes_again_is_kept_again_for_as_long_as_any_film(node: Node) -> None:
    node.report(marked_film())
    forget_file_of(node, marked_film())
    assert films(node) == 0
    report_again(node, marked_film())
    node.wait(29 * DAY)
    node.janitor.step()
    assert films(node) == 1
    node.wait(2 * DAY)
    node.janitor.step()
    assert films(node) == 0


def test_a_film_that_comes_again_is_measured_once_and_makes_no_new_version_by_itself(node: Node) -> None:
    node.report(marked_film())
    forget_file_of(node, marked_film())
    node.wait(60 * DAY)
    node.janitor.step()
    assert made(node) == 0
    report_again(node, marked_film())
    assert len(versions(node)) == 1
    assert made(node) == 0  # nobody asked for the objects
    assert len(node.jobs(JobKind.ANALYSE)) == 1
    assert node.jobs(JobKind.DELIVER, JobState.PENDING) == []


def test_what_nobody_reports_is_not_kept_again(node: Node) -> None:
    chest = marked_film()
    chest.BodyPartExamined, chest.SeriesDescription = "CHEST", "Chest PA"
    node.analyse(chest)
    forget_file_of(node, chest)
    node.analyse(chest)
    assert films(node) == 0


def test_a_film_that_comes_twice_at_once_is_kept_again_once(node: Node) -> None:
    node.report(marked_film())
    forget_file_of(node, marked_film())
    for _ in range(2):
        assert node.receive(marked_film()) is Status.SUCCESS
    assert films(node) == 1
    assert len(node.jobs(JobKind.REPORT, JobState.PENDING)) == 1


def test_a_report_that_could_not_tell_enough_is_built_once_its_film_comes_again(node: Node) -> None:
    captured = marked_film("flexion", adi_px=60)
    captured.SOPClassUID = captured.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    node.report(captured)
    forget_file_of(node, captured)
    node.report(marked_film("neutral", view=View.NEUTRAL, adi_px=15))
    assert len(versions(node)) == 1
    assert node.jobs(JobKind.REPORT, JobState.DEAD)
    report_again(node, captured)
    first, second = versions(node)
    assert second.predecessor_id == first.id
    assert node.jobs(JobKind.REPORT, JobState.DEAD) == []
    assert [job.reason for job in node.jobs(JobKind.REPORT, JobState.WITHDRAWN)] == ["a later report was built"]
    deliver_everything(node)
    node.wait(31 * DAY)
    node.janitor.step()
    assert films(node) == 0  # nothing that rests keeps them for ever


@pytest.mark.parametrize("is_film_first", [True, False])
def test_a_report_whose_bytes_are_gone_is_sent_once_more_when_its_films_come_again(
    make_node: MakeNode, is_film_first: bool
) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film("flexion"))
        send_all(node)
        node.report(marked_film("neutral", view=View.NEUTRAL))
        send_all(node)
        sent = list(kept)
        node.wait(100 * DAY)
        node.janitor.step()
        assert (films(node), made(node)) == (0, 0)
        if is_film_first:
            report_again(node, marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL))
        with node.store.writing() as connection:
            deliveries.resend(connection, [pacs.name], now=node.now, study_instance_uid=STUDY)
        send_all(node)
        assert kept == sent
        dead = node.jobs(JobKind.DELIVER, JobState.DEAD)
        assert dead
        assert all("sent again" in (job.reason or "") for job in dead)
        report_again(node, marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL))
        send_all(node)
        assert len(versions(node)) == 2
    again = {one.SOPInstanceUID: one for one in kept[len(sent) :]}
    assert again == {one.SOPInstanceUID: one for one in sent if one.SOPInstanceUID in again}  # byte for byte
    assert len(again) == 3  # the newest report and both overlays
    assert node.jobs(JobKind.DELIVER, JobState.DEAD) == []


def test_a_film_whose_file_was_lost_under_a_running_node_is_kept_again(node: Node) -> None:
    node.report(marked_film())
    deliver_everything(node)
    empty(node.store.inbox)
    report_again(node, marked_film())
    assert films(node) == 1
    node.wait(31 * DAY)
    node.janitor.step()
    assert films(node) == 0


def test_a_film_whose_file_was_lost_before_its_analysis_is_analysed_once_it_comes_again(node: Node) -> None:
    for is_buried in (True, False):
        film = marked_film(f"buried {is_buried}")
        node.receive(film)
        empty(node.store.inbox)
        node.janitor.forget_lost_files()
        if is_buried:
            node.analyse()
            [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
            assert "send it again" in (dead.reason or "")
        node.analyse(film)
    with node.store.reading() as connection:
        assert [stored.film.status for stored in results.of_study(connection, STUDY)] == ["measured"] * 2
    assert node.jobs(JobKind.ANALYSE, JobState.DEAD) == []


@pytest.mark.parametrize("is_encoded_otherwise", [False, True])
def test_a_database_that_was_put_back_alone_sends_its_reports_once_the_films_come_again(
    make_node: MakeNode, is_encoded_otherwise: bool
) -> None:
    film = marked_film()
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        for folder in (node.store.inbox, node.store.objects):
            empty(folder)
        assert node.janitor.forget_lost_files() == 1 + 4
        send_all(node)
        assert all("sent again" in (job.reason or "") for job in node.jobs(JobKind.DELIVER, JobState.DEAD))
        if is_encoded_otherwise:
            encode_otherwise(film)
        report_again(node, film)
        send_all(node)
    assert len(kept) == 2
    assert {job.state for job in node.jobs(JobKind.DELIVER)} == {JobState.FINISHED}
    assert (films(node), made(node)) == (1, 4)


def test_a_changed_header_is_shown_although_the_first_film_is_no_longer_kept(node: Node) -> None:
    film = marked_film()
    node.report(film)
    forget_file_of(node, film)
    film.PatientID, film.PatientName = "P-0002", "Roe^Jane"
    node.analyse(film)
    assert in_state(node, Arrival.QUARANTINED) == 0
    with node.store.reading() as connection:
        [revision] = instances.list_revisions(connection)
        [stored] = results.of_study(connection, STUDY)
    changed = [(one.element, one.before, one.after) for one in revision.differences]
    assert changed == [("PatientID", "P-0001", "P-0002"), ("PatientName", "Doe^Jane", "Roe^Jane")]
    assert stored.film.identity.patient_id == "P-0001"


def test_the_same_film_encoded_otherwise_is_recognised_although_the_first_is_no_longer_kept(node: Node) -> None:
    film = marked_film()
    node.report(film)
    forget_file_of(node, film)
    encode_otherwise(film)
    node.analyse(film)
    assert in_state(node, Arrival.REENCODED) == 1


def test_a_copy_in_another_encoding_stands_for_the_film_whose_file_went_as_often_as_it_comes(node: Node) -> None:
    film = marked_film()
    node.report(film)
    encode_otherwise(film)
    for _ in range(2):
        forget_file_of(node, film)
        assert films(node) == 0
        node.analyse(film)
        assert films(node) == 1
        assert len(node.jobs(JobKind.REPORT, JobState.PENDING)) == 1
        node.report()
    assert len(versions(node)) == 1


@pytest.mark.parametrize(("is_recorded", "state"), [(True, Arrival.REENCODED), (False, Arrival.QUARANTINED)])
def test_a_film_is_not_to_blame_for_a_namesake_whose_file_was_damaged(
    node: Node, is_recorded: bool, state: Arrival
) -> None:
    film = marked_film()
    node.analyse(film)
    for path in node.store.inbox.folder.iterdir():
        path.write_bytes(b"no DICOM any more")
    if not is_recorded:  # by an earlier version of the node
        with node.store.writing() as connection:
            connection.exec_driver_sql("UPDATE instances SET likeness = NULL")
    encode_otherwise(film)
    node.analyse(film)
    assert in_state(node, state) == 1
    assert node.jobs(JobKind.ANALYSE, JobState.DEAD) == []


def test_other_pixels_are_quarantined_although_the_first_film_is_no_longer_kept(node: Node) -> None:
    node.report(marked_film())
    forget_file_of(node, marked_film())
    node.analyse(marked_film(adi_px=50))
    assert in_state(node, Arrival.QUARANTINED) == 1


def test_a_film_in_quarantine_whose_file_went_is_kept_again_and_stays_in_quarantine(node: Node) -> None:
    node.analyse(marked_film(), marked_film(adi_px=50))
    with node.store.writing() as connection:  # as an earlier version of the janitor did
        [other] = instances.list_in_state(connection, Arrival.QUARANTINED)
        connection.exec_driver_sql(f"UPDATE instances SET file_name = NULL WHERE id = {other.id}")
    node.store.inbox.remove(other.file_name or "")
    node.analyse(marked_film(adi_px=50))
    assert films(node) == 2
    assert in_state(node, Arrival.QUARANTINED) == 1


def test_a_changed_header_of_a_rejected_film_is_shown_although_the_first_is_no_longer_kept(node: Node) -> None:
    chest = marked_film()
    chest.BodyPartExamined, chest.SeriesDescription = "CHEST", "Chest PA"
    node.analyse(chest)
    forget_file_of(node, chest)
    chest.PatientID = "P-0002"
    node.analyse(chest)
    assert in_state(node, Arrival.REVISION) == 1


def test_a_changed_header_of_a_rejected_film_that_no_decoder_reads_is_still_a_revision(node: Node) -> None:
    chest = marked_film()
    chest.BodyPartExamined, chest.SeriesDescription = "CHEST", "Chest PA"
    chest.BitsStored, chest.HighBit = 0, 77  # which no decoder takes
    node.analyse(chest)
    chest.PatientID = "P-0002"
    node.analyse(chest)
    assert in_state(node, Arrival.REVISION) == 1
