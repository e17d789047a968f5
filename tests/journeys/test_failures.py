"""Processes are killed, films hang and crash, a disk fills, an archive goes away: nothing is lost or comes twice."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pynetdicom import AE

from aasnode.store.schema import JobKind, JobState
from tests import drawn_films
from tests.drawn_films import marked_film, uid
from tests.journeys.conftest import PORT, StartNode, all_done, send
from tests.journeys.pacs import Orthanc
from tests.journeys.world import enlarge, small_disk
from tests.waiting import eventually

pytestmark = pytest.mark.journey


def large_film(name: str, megabytes: int) -> Dataset:
    """A film whose pixels fill a small disk."""
    film = marked_film(name)
    film.Rows, film.Columns = megabytes * 512, 1024
    film.PixelData = np.zeros((film.Rows, film.Columns), np.uint16).tobytes()
    return film


def test_a_killed_analyser_delays_a_film_and_never_loses_it(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    assert send(marked_film(marks=drawn_films.HANGS_ONCE)) == [0]
    eventually(node.seen.exists, "the film is being examined")
    node.kill_analyser()
    eventually(lambda: node.results("visit-1"), "the film is examined again")
    [stored] = node.results("visit-1")
    assert stored.film.status == "measured"
    [job] = node.jobs(JobKind.ANALYSE)
    assert job.attempts == 2


def test_a_node_that_is_killed_between_answer_and_claim_loses_no_film(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    assert send(marked_film("busy", marks=drawn_films.HANGS_ONCE)) == [0]
    eventually(node.seen.exists, "the analyser is busy")
    assert send(marked_film("waiting")) == [0]
    node.kill()
    leftover = node.data_dir / "inbox" / "half.dcm.part"
    leftover.write_bytes(b"half a film")
    node.start()
    eventually(lambda: len(node.results("visit-1")) == 2, "both films are examined")
    assert not leftover.exists()
    assert [stored.film.status for stored in node.results("visit-1")] == ["measured"] * 2


def test_a_film_that_hangs_is_ended_by_its_deadline_and_holds_up_no_other(start_node: StartNode) -> None:
    node = start_node(shadow="true", deadline_seconds=1.5)
    assert send(marked_film("bad", marks=drawn_films.HANGS), marked_film("good")) == [0, 0]
    eventually(lambda: node.jobs(JobKind.ANALYSE, JobState.DEAD), "the film rests in the dead letter")
    all_done(node)
    assert [stored.film.status for stored in node.results("visit-1")] == ["measured"]
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert "no answer within 1.5 s" in (dead.reason or "")


def test_a_film_that_crashes_its_process_rests_with_its_reason_and_harms_no_other(start_node: StartNode) -> None:
    node = start_node(shadow="true")
    assert send(marked_film("bad", marks=drawn_films.CRASHES), marked_film("good")) == [0, 0]
    eventually(lambda: node.jobs(JobKind.ANALYSE, JobState.DEAD), "the film rests in the dead letter")
    all_done(node)
    assert [stored.film.status for stored in node.results("visit-1")] == ["measured"]


def test_an_archive_that_is_down_gets_everything_once_it_is_back(orthanc: Orthanc, start_node: StartNode) -> None:
    orthanc.stop()
    try:
        node, study = start_node(), uid("study", "down")
        send(marked_film(study="down"))
        eventually(
            lambda: any(job.attempts for job in node.jobs(JobKind.DELIVER, JobState.PENDING)), "delivery was tried"
        )
    finally:
        orthanc.start()
    eventually(lambda: orthanc.modalities(study) == ["OT", "SR"], "report and overlay are in the archive")
    all_done(node)
    assert {job.state for job in node.jobs(JobKind.DELIVER)} == {JobState.FINISHED}


def test_below_the_disk_reserve_every_sender_of_films_is_told_to_come_again(start_node: StartNode) -> None:
    node, film = start_node(shadow="true", disk_reserve_mb=10**9), marked_film()
    entity = AE(ae_title="MODALITY")
    entity.add_requested_context(film.SOPClassUID, film.file_meta.TransferSyntaxUID)
    assert entity.associate("127.0.0.1", PORT, ae_title="AASNODE").is_rejected
    assert node.jobs(JobKind.ANALYSE) == []


def test_a_disk_that_fills_refuses_for_now_leaves_nothing_and_takes_the_film_when_there_is_room(
    start_node: StartNode, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 12) as disk:
        node = start_node(disk / "data", shadow="true")
        assert send(large_film("first", 6), large_film("second", 6)) == [0, 0xA700]
        assert [path.name for path in (node.data_dir / "inbox").iterdir() if path.suffix == ".part"] == []
        enlarge(disk, 64)
        assert send(large_film("second", 6)) == [0]
        eventually(lambda: len(node.results("visit-1")) == 2, "both films are examined")
        node.stop()


def test_shadow_mode_sends_nothing(orthanc: Orthanc, start_node: StartNode) -> None:
    node, study = start_node(shadow="true"), uid("study", "shadow")
    send(marked_film(study="shadow"))
    eventually(lambda: node.versions("shadow"), "the report is built and kept")
    all_done(node)
    assert node.jobs(JobKind.DELIVER) == []
    assert orthanc.instances(study) == []
