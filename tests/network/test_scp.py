"""Promises of the storage SCP, kept to real peers over real sockets."""

import contextlib
import socket
import struct
import subprocess
import threading
import time
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from aasnode.network.contexts import FILM_SOP_CLASSES, TRANSFER_SYNTAXES
from aasnode.network.scp import IncomingInstance
from aasnode.network.status import Status
from tests.network.peers import associate, film, our_scp, write
from tests.waiting import eventually

# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


REJECTED_FOR_NOW = bytes([3, 0, 0, 0, 0, 4, 0, 2, 3, 1])
"""A-ASSOCIATE-RJ (PS3.8 9.3.4): transient, service provider (presentation related), temporary congestion."""


class Keeper:
    """Keeps whole files in memory, as the receiver keeps them on disk."""

    def __init__(self, status: Status = Status.SUCCESS) -> None:
        self.files: list[bytes] = []
        self.incoming: list[IncomingInstance] = []
        self._status = status

    def __call__(self, incoming: IncomingInstance) -> Status:
        self.files.append(incoming.file_head() + bytes(incoming.data_set))
        self.incoming.append(incoming)
        return self._status


def test_a_film_arrives_byte_for_byte_as_a_whole_dicom_file() -> None:
    keeper, sent = Keeper(), film()
    with our_scp(keeper) as port:
        association = associate(port)
        assert association.send_c_store(sent).Status == 0x0000
        association.release()
    received = dcmread(BytesIO(keeper.files[0]))
    assert received.PixelData == sent.PixelData
    assert received.file_meta.MediaStorageSOPInstanceUID == sent.SOPInstanceUID
    assert keeper.incoming[0].calling_ae_title == "MODALITY"


@pytest.mark.parametrize("status", [Status.OUT_OF_RESOURCES, Status.CANNOT_UNDERSTAND])
def test_the_sender_is_told_what_the_handler_says(status: Status) -> None:
    with our_scp(Keeper(status)) as port:
        association = associate(port)
        assert association.send_c_store(film()).Status == status
        association.release()


def test_echo_is_answered_to_dcmtk() -> None:
    with our_scp() as port:
        subprocess.run(["echoscu", "-aec", "AASNODE", "127.0.0.1", str(port)], check=True, timeout=20)


def test_dcmtk_stores_many_films_over_many_associations(tmp_path: Path) -> None:
    keeper = Keeper()
    for _ in range(4):
        write(film(rows=2000), tmp_path)
    with our_scp(keeper) as port:
        command = ["/usr/bin/storescu", "-R", "-aec", "AASNODE", "127.0.0.1", str(port), *tmp_path.iterdir()]
        senders = [subprocess.Popen(command) for _ in range(4)]
        assert [sender.wait(60) for sender in senders] == [0] * 4
    assert len(keeper.files) == 16


@pytest.mark.parametrize("sop_class", FILM_SOP_CLASSES)
def test_every_film_class_is_taken_in_every_transfer_syntax(sop_class: str) -> None:
    with our_scp() as port:
        from pynetdicom import AE, build_context

        contexts = [build_context(sop_class, [syntax]) for syntax in TRANSFER_SYNTAXES]
        association = AE().associate("127.0.0.1", port, contexts, ae_title="AASNODE")
        accepted = {context.transfer_syntax[0] for context in association.accepted_contexts}
        association.release()
    assert accepted == set(TRANSFER_SYNTAXES)


def test_an_unknown_class_is_refused_at_negotiation_beside_an_acknowledged_one() -> None:
    with our_scp() as port:
        association = associate(port, CTImageStorage, EncapsulatedPDFStorage)
        accepted = [context.abstract_syntax for context in association.accepted_contexts]
        association.release()
    assert accepted == [EncapsulatedPDFStorage]


def test_a_stranger_is_rejected_when_there_is_an_allow_list() -> None:
    with our_scp(allowed_calling_ae_titles=("PACS",)) as port:
        assert associate(port, calling="STRANGER").is_rejected
        friend = associate(port, calling="PACS")
        assert friend.is_established
        friend.release()


def test_who_calls_another_title_than_ours_is_rejected_unless_that_is_not_checked() -> None:
    with our_scp() as port:
        assert associate(port, ae_title="OTHER").is_rejected
    with our_scp(check_called_ae_title=False) as port:
        association = associate(port, ae_title="OTHER")
        assert association.is_established
        association.release()


def count_megabytes_taken(attacker: socket.socket, at_most: int) -> int:
    """How much can be sent before the peer hangs up."""
    block = bytes(1 << 20)
    for count in range(at_most):
        try:
            attacker.sendall(block)
        except OSError:
            return count
    return at_most


@pytest.mark.parametrize("pdu_type", [0x01, 0x04])
def test_a_pdu_of_absurd_length_is_cut_off_before_it_fills_the_memory(pdu_type: int) -> None:
    with our_scp(network_timeout_seconds=5.0) as port:
        before = psutil.Process().memory_info().rss
        with socket.create_connection(("127.0.0.1", port), timeout=20) as attacker:
            attacker.sendall(struct.pack(">BBL", pdu_type, 0, 0xFFFFFFF0))
            assert count_megabytes_taken(attacker, at_most=300) < 100
        assert psutil.Process().memory_info().rss - before < 50 << 20
        friend = associate(port)
        assert friend.send_c_store(film()).Status == 0
        friend.release()


def test_a_p_data_pdu_above_the_negotiated_length_ends_the_association() -> None:
    ended = threading.Event()
    with our_scp(max_pdu_bytes=4096) as port:
        from pynetdicom import evt

        association = associate(port, evt_handlers=[(evt.EVT_CONN_CLOSE, lambda _: ended.set())])
        association.dul.socket.send(struct.pack(">BBL", 0x04, 0, 4097) + bytes(4097))
        assert ended.wait(10)


def test_a_data_set_above_the_cap_is_not_swallowed() -> None:
    keeper = Keeper()
    with our_scp(keeper, max_data_set_mb=1) as port:
        association = associate(port)
        answer = association.send_c_store(film(rows=2048, columns=1024))  # 4 MiB
        assert "Status" not in answer
        assert keeper.files == []
        friend = associate(port)
        assert friend.send_c_store(film(rows=512, columns=512)).Status == 0  # 0.5 MiB
        assert friend.send_c_store(film(rows=512, columns=512)).Status == 0  # the cap is for each data set
        assert friend.send_c_store(film(rows=512, columns=512)).Status == 0
        assert friend.send_c_store(film(rows=512, columns=512)).Status == 0
        friend.release()


def test_silence_in_the_middle_of_a_pdu_ends_the_connection() -> None:
    with (
        our_scp(network_timeout_seconds=0.2) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as sleeper,
    ):
        sleeper.sendall(struct.pack(">BBL", 0x01, 0, 1000) + b"half")
        sleeper.settimeout(20)
        assert sleeper.recv(1) == b""


class Slow(Keeper):
    """A handler that says when it has begun, and answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_end = threading.Event(), threading.Event()

    def __call__(self, incoming: IncomingInstance) -> Status:
        self.began.set()
        assert self.may_end.wait(60)
        return super().__call__(incoming)


def acceptors() -> int:
    """How many connections our SCP holds."""
    return sum("AcceptorThread" in thread.name for thread in threading.enumerate())


def association_request() -> bytes:
    """The A-ASSOCIATE-RQ that a stock client sends."""
    entity = AE(ae_title="MODALITY")
    entity.add_requested_context(CTImageStorage)
    sent: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            connection, _ = listening.accept()
            with connection:
                sent.append(connection.recv(1 << 16))

        taker = threading.Thread(target=take)
        taker.start()
        entity.associate("127.0.0.1", listening.getsockname()[1], ae_title="AASNODE")
        taker.join(20)
    return sent[0]


def test_stopping_lets_a_running_association_finish_and_takes_no_new_one() -> None:
    slow, stack = Slow(), contextlib.ExitStack()
    port = stack.enter_context(our_scp(slow, finish_seconds=60.0))
    association, answers = associate(port), []
    sender = threading.Thread(target=lambda: answers.extend(association.send_c_store(film()) for _ in range(2)))
    sender.start()
    assert slow.began.wait(20)
    stopping = threading.Thread(target=stack.close)
    stopping.start()
    eventually(lambda: not associate(port).is_established, "no new association is taken", seconds=20)
    slow.may_end.set()
    sender.join(20)
    assert [answer.Status for answer in answers] == [0x0000, 0x0000]
    assert stopping.is_alive()
    association.release()
    stopping.join(20)
    assert not stopping.is_alive()
    assert len(slow.files) == 2


def test_a_connection_that_asks_only_after_the_stop_is_told_to_come_again() -> None:
    with socket.socket() as early, contextlib.ExitStack() as stack:
        port = stack.enter_context(our_scp(finish_seconds=60.0))
        early.connect(("127.0.0.1", port))
        eventually(acceptors, "the connection is taken")
        stopping = threading.Thread(target=stack.close)
        stopping.start()
        eventually(lambda: not associate(port).is_established, "no new association is taken", seconds=20)
        early.sendall(association_request())
        early.settimeout(20)
        assert early.recv(10) == REJECTED_FOR_NOW
        early.close()
        stopping.join(20)
        assert not stopping.is_alive()


def test_stopping_aborts_what_does_not_finish_in_time_so_that_it_is_sent_again() -> None:
    aborted = threading.Event()
    with our_scp(finish_seconds=0.2) as port:
        from pynetdicom import evt

        association = associate(port, evt_handlers=[(evt.EVT_ABORTED, lambda _: aborted.set())])
        assert association.is_established
    assert aborted.wait(10)
    assert associate(port).is_established is False


def test_without_room_on_the_disk_no_association_for_films_is_taken_and_echo_is_answered() -> None:
    has_room = threading.Event()
    with our_scp(has_room=has_room.is_set) as port:
        rejected = associate(port)
        assert rejected.is_rejected
        answer = rejected.acceptor.primitive
        assert (answer.result, answer.result_source, answer.diagnostic) == (2, 3, 1)  # PS3.8 9.3.4: come again later
        echo = associate(port, Verification)
        assert echo.send_c_echo().Status == 0x0000
        echo.release()
        has_room.set()
        friend = associate(port)
        assert friend.send_c_store(film()).Status == 0x0000
        friend.release()


def test_a_rejection_for_want_of_room_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with our_scp(has_room=lambda: False) as port, caplog.at_level("INFO", "aasnode"):
        assert associate(port).is_rejected
        [rejected] = [record for record in caplog.records if record.message == "association_rejected"]
    values = rejected.__dict__["aasnode_values"]
    assert (values["calling_ae_title"], values["reason"]) == ("MODALITY", "transient: disk_reserve")
    assert values["called_ae_title"] == "AASNODE"


def test_a_rejection_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with our_scp(allowed_calling_ae_titles=("PACS",)) as port, caplog.at_level("INFO", "aasnode"):
        assert associate(port, calling="STRANGER").is_rejected
        [rejected] = [record for record in caplog.records if record.message == "association_rejected"]
    values = rejected.__dict__["aasnode_values"]
    assert (values["calling_ae_title"], values["called_ae_title"]) == ("STRANGER", "AASNODE")
    assert "Calling AE title not recognised" in values["reason"]


def test_health_checks_that_only_connect_leave_nothing_behind() -> None:
    with our_scp() as port:
        before = threading.active_count()
        for _ in range(50):
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        deadline = time.monotonic() + 20
        while threading.active_count() > before:
            assert time.monotonic() < deadline, f"{threading.active_count() - before} threads are left"
