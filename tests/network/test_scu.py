"""Promises of the storage SCU, kept to real peers over real sockets."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from aasnode.config import Destination
from aasnode.errors import PeerRefusedError, PeerUnreachableError
from aasnode.network import scu
from aasnode.network.scu import Candidate, Sent
from tests.network.peers import archive, film, write

TIMEOUT = 10.0
# pynetdicom's client leaves a socket to the garbage collector when its connection is refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def candidate(folder: Path, sop_class: str = SecondaryCaptureImageStorage) -> Candidate:
    dataset = film(sop_class=sop_class)
    return Candidate(
        path=write(dataset, folder),
        sop_class_uid=sop_class,
        sop_instance_uid=dataset.SOPInstanceUID,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )


def send(destination: Destination, *candidates: Candidate) -> Sent:
    return scu.send(destination, candidates, calling_ae_title="AASNODE", timeout_seconds=TIMEOUT)


def test_the_stored_bytes_are_what_arrives(tmp_path: Path) -> None:
    one = candidate(tmp_path)
    with archive() as (pacs, kept):
        sent = send(pacs, one)
    assert sent.status == 0x0000
    assert kept[0].PixelData == film().PixelData
    assert kept[0].file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


@pytest.mark.parametrize("answer", [0x0000, 0xB000, 0xB007, 0x0111])
def test_stored_stored_with_a_warning_and_already_there_are_delivered(tmp_path: Path, answer: int) -> None:
    with archive(answer=answer) as (pacs, _):
        assert send(pacs, candidate(tmp_path)).status == answer


def test_a_full_peer_is_tried_again(tmp_path: Path) -> None:
    with archive(answer=0xA700) as (pacs, _), pytest.raises(PeerUnreachableError, match="0xA700"):
        send(pacs, candidate(tmp_path))


@pytest.mark.parametrize("answer", [0x0110, 0xA900, 0xC000])
def test_any_other_answer_is_a_refusal(tmp_path: Path, answer: int) -> None:
    with archive(answer=answer) as (pacs, _), pytest.raises(PeerRefusedError, match=f"0x{answer:04X}"):
        send(pacs, candidate(tmp_path))


def test_a_peer_that_is_down_is_tried_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    nobody = Destination(name="pacs", ae_title="PACS", host="127.0.0.1", port=port)
    with pytest.raises(PeerUnreachableError, match=r"cannot be reached \(connection refused\)"):
        send(nobody, candidate(tmp_path))


def test_a_peer_whose_name_does_not_resolve_is_tried_again(tmp_path: Path) -> None:
    nobody = Destination(name="pacs", ae_title="PACS", host="no-such-host.invalid", port=104)
    with pytest.raises(PeerUnreachableError, match="cannot be reached"):
        send(nobody, candidate(tmp_path))


def test_a_peer_that_never_answers_is_given_up_and_tried_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        peer = Destination(name="pacs", ae_title="PACS", host="127.0.0.1", port=silent.getsockname()[1])
        with pytest.raises(PeerUnreachableError, match="port is open, no DICOM answer came"):
            scu.send(peer, [candidate(tmp_path)], calling_ae_title="AASNODE", timeout_seconds=0.3)


def test_a_peer_that_aborts_instead_of_answering_is_tried_again(tmp_path: Path) -> None:
    with archive(mute=True) as (pacs, _), pytest.raises(PeerUnreachableError, match="without an answer"):
        send(pacs, candidate(tmp_path))


def test_a_peer_that_rejects_our_association_is_tried_again_with_its_reason(tmp_path: Path) -> None:
    with archive(ae_title="OTHER") as (pacs, _), pytest.raises(PeerUnreachableError, match="rejected"):
        send(pacs, candidate(tmp_path))


def test_the_report_goes_out_in_the_first_class_that_the_peer_accepts(tmp_path: Path) -> None:
    candidates = [candidate(tmp_path, Comprehensive3DSRStorage), candidate(tmp_path, ComprehensiveSRStorage)]
    with archive(sop_classes=(ComprehensiveSRStorage,)) as (pacs, kept):
        assert send(pacs, *candidates).candidate is candidates[1]
    assert kept[0].SOPClassUID == ComprehensiveSRStorage
    with archive(sop_classes=(Comprehensive3DSRStorage, ComprehensiveSRStorage)) as (pacs, _):
        assert send(pacs, *candidates).candidate is candidates[0]


def test_a_peer_that_takes_only_implicit_vr_gets_it(tmp_path: Path) -> None:
    with archive(syntaxes=(ImplicitVRLittleEndian,)) as (pacs, kept):
        send(pacs, candidate(tmp_path))
    assert kept[0].file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert kept[0].PixelData == film().PixelData


def test_a_peer_that_accepts_none_of_our_classes_is_a_refusal(tmp_path: Path) -> None:
    with archive(sop_classes=("1.2.840.10008.5.1.4.1.1.2",)) as (pacs, _), pytest.raises(PeerRefusedError):
        send(pacs, candidate(tmp_path))


def test_echo_and_probe_tell_what_a_peer_would_take() -> None:
    with archive() as (pacs, kept):
        scu.echo(pacs, calling_ae_title="AASNODE", timeout_seconds=TIMEOUT)
        accepted = scu.probe(pacs, calling_ae_title="AASNODE", timeout_seconds=TIMEOUT)
    assert set(accepted[SecondaryCaptureImageStorage]) == {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
    assert accepted[Comprehensive3DSRStorage] == ()
    assert kept == []


def test_a_probe_of_a_peer_that_takes_nothing_of_ours_says_so() -> None:
    with archive(sop_classes=("1.2.840.10008.5.1.4.1.1.2",)) as (pacs, _):
        accepted = scu.probe(pacs, calling_ae_title="AASNODE", timeout_seconds=TIMEOUT)
    assert not any(accepted.values())


def test_echo_to_nobody_is_told() -> None:
    with archive() as (pacs, _):
        wrong = replace(pacs, ae_title="OTHER")
        with pytest.raises(PeerUnreachableError):
            scu.echo(wrong, calling_ae_title="AASNODE", timeout_seconds=TIMEOUT)
