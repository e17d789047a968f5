"""Promises of the sender, against real archives on the loopback interface."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage

from aasnode.anatomy import View
from aasnode.config import Destination
from aasnode.errors import StoreBusyError
from aasnode.network.scu import Sent
from aasnode.store import deliveries
from aasnode.store.objects import STRUCTURED_REPORT, StoredObject
from aasnode.store.schema import JobKind, JobState
from tests.drawn_films import marked_film
from tests.network.peers import archive
from tests.services.conftest import NOBODY, MakeNode, Node, hold_database

TAKES_ALL = ("1.2.840.10008.5.1.4.1.1.88.34", SecondaryCaptureImageStorage)
# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def send_all(node: Node) -> None:
    while any(sender.step() for sender in node.senders):
        pass


def states(node: Node) -> list[JobState]:
    return [job.state for job in node.jobs(JobKind.DELIVER)]


def test_report_and_overlay_arrive_and_are_known_to_be_delivered(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        send_all(node)
    assert {one.SOPClassUID for one in kept} == set(TAKES_ALL)
    assert states(node) == [JobState.FINISHED] * 2
    assert {job.reason for job in node.jobs(JobKind.DELIVER)} == {"0x0000 success"}


def test_what_is_sent_again_are_the_same_bytes(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        send_all(node)
        with node.store.writing() as connection:
            study = marked_film().StudyInstanceUID
            assert deliveries.resend(connection, [pacs.name], now=node.now, study_instance_uid=study).count == 2
        send_all(node)
    assert len(kept) == 4
    assert kept[:2] == kept[2:]


def test_a_destination_that_is_down_holds_up_no_other_and_is_served_when_it_is_back(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        down = Destination(name="down", ae_title="DOWN", host="127.0.0.1", port=1)
        node = make_node(down, pacs)
        node.report(marked_film())
        send_all(node)
        assert len(kept) == 2
        waiting = node.jobs(JobKind.DELIVER, JobState.PENDING)
        assert [job.destination for job in waiting] == ["down", "down"]
        assert all("cannot be reached" in (job.reason or "") for job in waiting)
        assert all((job.reason or "").endswith("it is tried again") for job in waiting)
        node.senders[0].destination = Destination(name="down", ae_title="PACS", host="127.0.0.1", port=pacs.port)
        send_all(node)
        assert len(kept) == 2  # not before the delay is over
        node.wait(3600)
        send_all(node)
    assert len(kept) == 4


def test_after_its_attempts_a_delivery_rests_with_its_reason_until_it_is_resent(node: Node) -> None:
    node.report(marked_film())
    for _ in range(3):
        send_all(node)
        node.wait(3600)
    dead = node.jobs(JobKind.DELIVER, JobState.DEAD)
    assert len(dead) == 2
    assert "attempt 3 of 3" in (dead[0].reason or "")
    assert "tried again" not in (dead[0].reason or "")
    with node.store.writing() as connection:
        assert deliveries.resend(connection, [NOBODY.name], now=node.now).count == 2


def test_what_a_newer_version_replaced_is_not_sent_again_and_what_it_left_as_it_was_is(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        for film in (marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL)):
            node.report(film)
            send_all(node)
        with node.store.writing() as connection:
            study = marked_film().StudyInstanceUID
            assert deliveries.resend(connection, [pacs.name], now=node.now, study_instance_uid=study).count == 3
        send_all(node)
    assert len(kept) == 2 + 2 + 3
    assert states(node) == [JobState.FINISHED] * 4


def test_a_refusal_rests_at_once_with_its_reason(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL, answer=0xC000) as (pacs, _):
        node = make_node(pacs)
        node.report(marked_film())
        send_all(node)
    assert {job.attempts for job in node.jobs(JobKind.DELIVER, JobState.DEAD)} == {1}


def test_an_archive_that_knows_no_3d_report_gets_the_comprehensive_one(make_node: MakeNode) -> None:
    with archive(sop_classes=(ComprehensiveSRStorage, SecondaryCaptureImageStorage)) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        send_all(node)
    assert ComprehensiveSRStorage in {one.SOPClassUID for one in kept}
    with node.store.reading() as connection:
        sent = deliveries.sent_report(connection, marked_film().StudyInstanceUID, now=node.now)
    assert sent is not None
    assert sent[1].sop_class_uid == ComprehensiveSRStorage


def test_a_version_that_was_replaced_while_it_waited_is_not_sent(make_node: MakeNode) -> None:
    node = make_node(NOBODY)
    node.report(marked_film("flexion"))
    send_all(node)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    with node.store.writing() as connection:  # a failure that came after the newer version was made
        connection.exec_driver_sql("UPDATE jobs SET state = 'pending', due_at = created_at WHERE state = 'withdrawn'")
    node.wait(3600)
    send_all(node)
    old = [job for job in node.jobs(JobKind.DELIVER) if job.report_id == 1 and job.role == STRUCTURED_REPORT]
    assert [job.state for job in old] == [JobState.WITHDRAWN]


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_busy_costs_a_delivery_no_attempt(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        sender, others = node.senders[0], []
        send = sender._send

        def send_and_hold(candidates: Sequence[StoredObject]) -> Sent:
            sent = send(candidates)
            others.append(hold_database(node))
            return sent

        with monkeypatch.context() as patch:
            patch.setattr(sender, "_send", send_and_hold)
            with pytest.raises(StoreBusyError):
                sender.step()
        others[0].close()
        send_all(node)
        assert {(job.state, job.attempts) for job in node.jobs(JobKind.DELIVER)} == {(JobState.FINISHED, 1)}
    assert len({one.SOPInstanceUID for one in kept}) == 2


def test_an_unexpected_error_waits_for_its_growing_delay_and_is_told(make_node: MakeNode) -> None:
    with archive(sop_classes=TAKES_ALL) as (pacs, kept):
        node = make_node(pacs)
        node.report(marked_film())
        for path in node.store.objects.folder.iterdir():
            path.unlink()  # as no service of ours does it
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                node.senders[0].step()
        assert not node.senders[0].step()
        waiting = node.jobs(JobKind.DELIVER, JobState.PENDING)
        assert [(job.attempts, job.reason) for job in waiting] == [(1, "FileNotFoundError")] * 2
        assert {job.due_at - node.now for job in waiting} == {timedelta(seconds=15)}
    assert kept == []
