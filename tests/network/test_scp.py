"""Promises of the storage SCP, kept to real peers over real sockets."""

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

from aasnode.network.contexts import FILM_SOP_CLASSES, TRANSFER_SYNTAXES
from aasnode.network.scp import IncomingInstance
from aasnode.network.status import Status
from tests.network.peers import associate, film, our_scp, write

# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


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
        command = ["storescu", "-R", "-aec", "AASNODE", "127.0.0.1", str(port), *tmp_path.iterdir()]
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


def test_stopping_aborts_what_is_open_so_that_it_is_sent_again() -> None:
    aborted = threading.Event()
    with our_scp() as port:
        from pynetdicom import evt

        association = associate(port, evt_handlers=[(evt.EVT_ABORTED, lambda _: aborted.set())])
        assert association.is_established
    assert aborted.wait(10)
    assert associate(port).is_established is False


def test_a_rejection_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    with our_scp(allowed_calling_ae_titles=("PACS",)) as port, caplog.at_level("INFO", "aasnode"):
        assert associate(port, calling="STRANGER").is_rejected
        [rejected] = [record for record in caplog.records if record.message == "association_rejected"]
    values = rejected.__dict__["aasnode_values"]
    assert values["calling_ae_title"] == "STRANGER"
    assert "Calling AE title not recognised" in values["reason"]


def test_health_checks_that_only_connect_leave_nothing_behind() -> None:
    with our_scp() as port:
        before = threading.active_count()
        for _ in range(50):
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        deadline = time.monotonic() + 20
        while threading.active_count() > before:
            assert time.monotonic() < deadline, f"{threading.active_count() - before} threads are left"
