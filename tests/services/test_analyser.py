"""Promises of the analyser, with a real process of its own and a real detector of drawn marks."""

import os
import signal
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from aasnode.anatomy import View
from aasnode.config import AnalyserSection, PixelsSection, SelectionRule, SelectionSection, Then
from aasnode.dicom.identity import own_uid
from aasnode.errors import DiskReserveError, ModelError, StoreBusyError, TransientError
from aasnode.inference.detection import Detector
from aasnode.network.status import Status
from aasnode.services.analyser.service import Analyser
from aasnode.store import engine as database
from aasnode.store import instances, jobs, results
from aasnode.store.results import StoredResult
from aasnode.store.schema import Arrival, JobKind, JobState
from aasnode.store.store import open_store
from tests import drawn_films
from tests.drawn_films import marked_film, uid
from tests.services.conftest import MakeNode, Node, limit_pages
from tests.waiting import eventually

STUDY = uid("study", "visit-1")


@pytest.fixture
def examined_here() -> bool:
    """No: in a process that hangs, crashes and is replaced."""
    return False


def results_of(node: Node, study: str = STUDY) -> list[StoredResult]:
    with node.store.reading() as connection:
        return list(results.of_study(connection, study))


def arrivals(node: Node, state: Arrival) -> int:
    with node.store.reading() as connection:
        return len(instances.list_in_state(connection, state))


def test_a_film_is_measured_and_its_study_asks_for_a_report(node: Node) -> None:
    node.analyse(marked_film(adi_px=35))
    [stored] = results_of(node)
    assert stored.film.status == "measured"
    assert stored.film.view is View.FLEXION
    assert stored.film.measurement is not None
    assert stored.film.measurement.adi is not None
    assert stored.film.measurement.adi.mm == pytest.approx(3.5, abs=0.05)
    assert node.jobs(JobKind.ANALYSE, JobState.FINISHED)[0].reason == "measured"
    assert [job.study_instance_uid for job in node.jobs(JobKind.REPORT)] == [STUDY]


def test_a_film_of_something_else_is_a_finished_job_with_a_reason_and_no_report(node: Node) -> None:
    chest = marked_film()
    chest.BodyPartExamined, chest.SeriesDescription = "CHEST", "Chest PA"
    node.analyse(chest, marked_film("blank", marks=0, view=View.UNKNOWN))
    assert [(stored.film.status, bool(stored.film.reason)) for stored in results_of(node)] == [("rejected", True)] * 2
    assert node.jobs(JobKind.REPORT) == []


def test_a_film_that_cannot_be_measured_is_reported_as_such(node: Node) -> None:
    node.analyse(marked_film(marks=2))
    [stored] = results_of(node)
    assert (stored.film.status, stored.film.reason) == ("abstained", "point_hidden")
    assert len(node.jobs(JobKind.REPORT)) == 1


def test_our_own_objects_are_never_analysed(node: Node) -> None:
    by_uid, by_equipment = marked_film("a"), marked_film("b")
    by_uid.SOPInstanceUID = own_uid("object", "x")
    by_equipment.Manufacturer = "aasnode"
    node.analyse(by_uid, by_equipment)
    assert arrivals(node, Arrival.OWN_OBJECT) == 2
    assert results_of(node) == []
    assert node.jobs(JobKind.REPORT) == []


def test_a_film_that_hangs_is_ended_by_its_deadline_and_rests_with_its_reason(make_node: MakeNode) -> None:
    node = make_node(analyser=AnalyserSection(deadline_seconds=1.0, attempts=2, retry_delay_seconds=1.0))
    node.analyser.start()
    node.analyse(marked_film(marks=drawn_films.HANGS))
    assert node.jobs(JobKind.ANALYSE, JobState.PENDING)
    node.wait(1)
    node.analyse(marked_film("good"))
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert "no answer within 1 s" in (dead.reason or "")
    assert [stored.film.status for stored in results_of(node)] == ["measured"]


def test_a_film_that_crashes_the_process_is_retried_by_itself_and_harms_no_other(node: Node) -> None:
    node.analyse(marked_film("bad", marks=drawn_films.CRASHES), marked_film("good"))
    assert [stored.film.status for stored in results_of(node)] == ["measured"]
    node.wait(10)
    node.analyse()
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert dead.attempts == 2
    assert "before it answered" in (dead.reason or "")
    with node.store.writing() as connection:
        jobs.retry(connection, dead.id, now=node.now)
    assert node.jobs(JobKind.ANALYSE, JobState.PENDING)[0].attempts == 0


def test_an_idle_process_that_was_killed_is_replaced(node: Node) -> None:
    node.analyse(marked_film("first"))
    process = node.analyser._child._process
    assert process is not None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    node.analyse(marked_film("second"))
    assert [stored.film.status for stored in results_of(node)] == ["measured"] * 2
    assert {job.attempts for job in node.jobs(JobKind.ANALYSE)} == {1}, "the second film is charged with nothing"


def load_where(weights: Path) -> Detector:
    if not weights.exists():
        raise ModelError(f"{weights.name}: cannot be read")
    return drawn_films.load()


def test_a_model_that_is_away_costs_no_film_an_attempt(make_node: MakeNode, tmp_path: Path) -> None:
    node, weights = make_node(), tmp_path / "locate.safetensors"
    node.analyser = Analyser(node.store, node.config, load_detector=partial(load_where, weights), clock=node.clock)
    assert node.receive(marked_film()) is Status.SUCCESS
    for _ in range(2):  # as often as a job may be tried
        with pytest.raises(TransientError, match=r"model cannot be loaded: ModelError: locate\.safetensors"):
            node.analyser.step()
    assert [job.attempts for job in node.jobs(JobKind.ANALYSE, JobState.PENDING)] == [0]
    with node.store.reading() as connection:
        [told] = jobs.put_off(connection)
    assert "model cannot be loaded" in told.reason
    weights.touch()
    node.analyse()
    assert [stored.film.status for stored in results_of(node)] == ["measured"]
    node.analyser.stop()


def test_a_late_finisher_changes_nothing(node: Node) -> None:
    node.receive(marked_film())
    with node.store.writing() as connection:
        late = jobs.claim(connection, JobKind.ANALYSE, owner="late", now=node.now, lease=timedelta(seconds=1))
    assert late is not None
    node.wait(2)
    node.analyse()
    before = results_of(node)
    with pytest.raises(jobs.LeaseLostError):
        node.analyser._work_off(late)
    assert results_of(node) == before


def test_a_changed_header_is_shown_and_never_applied(node: Node) -> None:
    film = marked_film()
    node.analyse(film)
    film.PatientID = "P-0002"
    node.analyse(film)
    with node.store.reading() as connection:
        [revision] = instances.list_revisions(connection)
    assert [(one.element, one.before, one.after) for one in revision.differences] == [("PatientID", "P-0001", "P-0002")]
    [stored] = results_of(node)
    assert stored.film.identity.patient_id == "P-0001"


def test_the_same_film_encoded_otherwise_is_neither_a_revision_nor_a_second_result(node: Node) -> None:
    film = marked_film()
    node.analyse(film)
    film.add_new(0x00091001, "LO", "a private element")
    node.analyse(film)
    assert arrivals(node, Arrival.REENCODED) == 1
    assert len(results_of(node)) == 1


def test_other_pixels_under_one_uid_are_quarantined(node: Node) -> None:
    node.analyse(marked_film(), marked_film(adi_px=50))
    assert arrivals(node, Arrival.QUARANTINED) == 1
    [stored] = results_of(node)
    assert stored.film.measurement is not None
    assert stored.film.measurement.adi is not None
    assert stored.film.measurement.adi.mm == pytest.approx(3.0, abs=0.05)


def test_a_data_set_that_is_another_instance_than_announced_is_quarantined(node: Node) -> None:
    assert node.receive(marked_film(), uid="1.2.3") is Status.SUCCESS
    node.analyse()
    assert arrivals(node, Arrival.QUARANTINED) == 1


def test_an_unreadable_data_set_rests_in_the_dead_letter_and_a_better_copy_is_analysed(node: Node) -> None:
    broken = Dataset()
    broken.SOPClassUID, broken.SOPInstanceUID = marked_film().SOPClassUID, marked_film().SOPInstanceUID
    node.analyse(broken)
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert "StudyInstanceUID is missing" in (dead.reason or "")
    node.analyse(marked_film())
    assert [stored.film.status for stored in results_of(node)] == ["measured"]


def test_a_film_that_no_decoder_reads_rests_in_the_dead_letter_and_a_better_copy_is_analysed(node: Node) -> None:
    broken = marked_film()
    broken.BitsStored, broken.HighBit = 0, 77
    node.analyse(broken)
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert broken.SOPInstanceUID in (dead.reason or "")
    assert arrivals(node, Arrival.UNREADABLE) == 1
    assert results_of(node) == []
    node.analyse(marked_film())
    assert [stored.film.status for stored in results_of(node)] == ["measured"]
    assert arrivals(node, Arrival.QUARANTINED) == 0


def test_a_film_that_was_larger_than_allowed_is_measured_once_the_limit_is_raised_and_its_job_put_back(
    make_node: MakeNode,
) -> None:
    large = marked_film()
    large.Rows, large.Columns = 1000, 1001
    pixels = np.zeros((1000, 1001), np.uint16)
    pixels[:400, :600] = marked_film().pixel_array
    large.PixelData = pixels.tobytes()
    small = make_node(pixels=PixelsSection(max_megapixels=1))
    small.analyse(large)
    [dead] = small.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert "max_megapixels" in (dead.reason or "")
    node = make_node(pixels=PixelsSection(max_megapixels=2))
    with node.store.writing() as connection:
        jobs.retry(connection, dead.id, now=node.now)
    node.analyse()
    assert [stored.film.status for stored in results_of(node)] == ["measured"]
    assert arrivals(node, Arrival.ANALYSED) == 1


SPINE_ROOM = SelectionRule(name="spine-room", elements=("BodyPartExamined",), words=("chest",), then=Then.SELECT)


def chest_of_the_spine_room() -> Dataset:
    film = marked_film()
    film.BodyPartExamined, film.SeriesDescription = "CHEST", "Chest PA"
    return film


def put_back(node: Node) -> None:
    [job] = node.jobs(JobKind.ANALYSE)
    with node.store.writing() as connection:
        jobs.retry(connection, job.id, now=node.now)


def test_a_film_that_was_wrongly_rejected_is_analysed_and_reported_once_its_job_is_put_back(
    make_node: MakeNode,
) -> None:
    node = make_node()
    node.analyse(chest_of_the_spine_room())
    assert [stored.film.status for stored in results_of(node)] == ["rejected"]
    assert node.jobs(JobKind.REPORT) == []
    put_back(node)
    make_node(selection=SelectionSection(site_rules=(SPINE_ROOM,))).analyse()
    [stored] = results_of(node)
    assert (stored.film.status, stored.film.selected_by) == ("measured", "spine-room")
    assert [job.study_instance_uid for job in node.jobs(JobKind.REPORT)] == [STUDY]
    with pytest.raises(jobs.UnknownJobError):  # numbers stay
        put_back(node)


def test_a_rejection_that_is_taken_back_after_the_file_went_waits_for_the_film(make_node: MakeNode) -> None:
    node = make_node()
    node.analyse(chest_of_the_spine_room())
    node.wait(31 * 86400)
    node.janitor.step()
    put_back(node)
    other = make_node(selection=SelectionSection(site_rules=(SPINE_ROOM,)))
    other.now = node.now
    other.analyse()
    [dead] = node.jobs(JobKind.ANALYSE, JobState.DEAD)
    assert "send it again" in (dead.reason or "")
    other.analyse(chest_of_the_spine_room())
    assert [stored.film.status for stored in results_of(node)] == ["measured"]


def test_stopping_gives_the_film_back_without_counting_an_attempt(node: Node) -> None:
    node.analyser.start()
    node.receive(marked_film(marks=drawn_films.HANGS))
    step = threading.Thread(target=node.analyser.step)
    step.start()
    eventually(lambda: node.jobs(JobKind.ANALYSE, JobState.CLAIMED), "the film is being examined")
    node.analyser.interrupt()
    step.join(20)
    [job] = node.jobs(JobKind.ANALYSE, JobState.PENDING)
    assert job.attempts == 0


def work_off_all(analyser: Analyser) -> None:
    while analyser.step():
        pass


def test_a_database_that_is_full_costs_a_film_no_attempt(node: Node) -> None:
    for number in range(8):
        assert node.receive(marked_film(f"film-{number}")) is Status.SUCCESS
    limit_pages(node.store, 1)
    with pytest.raises(DiskReserveError):
        work_off_all(node.analyser)
    assert node.jobs(JobKind.ANALYSE, JobState.CLAIMED) == []
    assert {job.attempts for job in node.jobs(JobKind.ANALYSE, JobState.PENDING)} == {0}
    limit_pages(node.store, 10**6)
    work_off_all(node.analyser)
    assert [stored.film.status for stored in results_of(node)] == ["measured"] * 8
    assert {job.attempts for job in node.jobs(JobKind.ANALYSE, JobState.FINISHED)} == {1}


def test_a_film_whose_claim_could_not_even_be_given_back_loses_no_attempt_either(
    node: Node, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setenv(drawn_films.SEEN, str(tmp_path / "seen"))
    with open_store(node.config.node.data_dir) as impatient:
        analyser = Analyser(impatient, node.config, load_detector=drawn_films.load, clock=node.clock)
        analyser.start()
        node.receive(marked_film(marks=drawn_films.HANGS_ONCE))
        raised: list[BaseException] = []

        def step() -> None:
            try:
                analyser.step()
            except StoreBusyError as error:
                raised.append(error)

        thread = threading.Thread(target=step)
        thread.start()
        eventually((tmp_path / "seen").exists, "the film is being examined")
        with node.store.writing():
            analyser._child.interrupt()
            thread.join(60)
        assert len(raised) == 1
        assert node.jobs(JobKind.ANALYSE, JobState.CLAIMED)
        assert analyser.step()
        [job] = node.jobs(JobKind.ANALYSE, JobState.FINISHED)
        assert job.attempts == 1
        analyser.stop()


def test_a_better_copy_is_analysed_after_a_film_that_no_process_survived(node: Node) -> None:
    broken = marked_film(marks=drawn_films.CRASHES)
    node.receive(broken)
    lease = timedelta(seconds=1)
    for _ in range(node.config.analyser.attempts):
        with node.store.writing() as connection:
            jobs.claim(connection, JobKind.ANALYSE, owner="killed", now=node.now, lease=lease)
        node.wait(2)
    node.janitor.step()
    assert arrivals(node, Arrival.UNREADABLE) == 1
    node.analyse(marked_film())
    assert [stored.film.status for stored in results_of(node)] == ["measured"]
    assert arrivals(node, Arrival.QUARANTINED) == 0
