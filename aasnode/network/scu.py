"""The storage SCU: sends the stored bytes of our objects, and asks a peer what it would take.

Every answer is read. What may succeed later raises PeerUnreachableError, what never will raises PeerRefusedError.
Whether it is tried again is the caller's to know.
"""

import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from aasnode import log
from aasnode.config import Destination
from aasnode.dicom.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from aasnode.errors import PeerRefusedError, PeerUnreachableError
from aasnode.network import library
from aasnode.network.contexts import OBJECT_SOP_CLASSES, offered_contexts
from aasnode.network.status import Status, Verdict, describe, judge

LOGGER = logging.getLogger(__name__)

_CAUSE_SECONDS = 1.0  # long enough for a refusal or a router's word; the time-out itself is over by then
_ACCEPTED = 0  # result of an A-ASSOCIATE-AC (PS3.8 7.1.1.7)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One stored object; of several candidates the first is sent that the peer accepts."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a peer took, and how it answered."""

    candidate: Candidate
    status: int

    @property
    def outcome(self) -> str:
        """The answer for people."""
        return describe(self.status)


def send(
    destination: Destination, candidates: Sequence[Candidate], *, calling_ae_title: str, timeout_seconds: float
) -> Sent:
    """Send the first of ``candidates`` that the peer accepts, over an association of its own.

    Raises:
        PeerUnreachableError: no connection, no association, no answer, or 0xA7xx.
        PeerRefusedError: none of the candidates is accepted, or the peer answered with another failure.
    """
    contexts = offered_contexts(candidate.sop_class_uid for candidate in candidates)
    with _association(destination, contexts, calling_ae_title, timeout_seconds) as association:
        candidate, transfer_syntax_uid = _choose(candidates, association, destination)
        status = _store(association, candidate, transfer_syntax_uid, destination)
    verdict = judge(status)
    if verdict is Verdict.RETRY:
        raise PeerUnreachableError(f"{destination.name}: answered {describe(status)}")
    if verdict is Verdict.REFUSED:
        raise PeerRefusedError(
            f"{destination.name}: answered {describe(status)} to {candidate.sop_instance_uid}; "
            "see the log of the peer, then `aasnode jobs retry`"
        )
    return Sent(candidate=candidate, status=status)


def echo(destination: Destination, *, calling_ae_title: str, timeout_seconds: float) -> None:
    """C-ECHO; raises PeerUnreachableError or PeerRefusedError."""
    contexts = [build_context(Verification)]
    with _association(destination, contexts, calling_ae_title, timeout_seconds) as association:
        answer = association.send_c_echo()
    if "Status" not in answer:
        raise PeerUnreachableError(f"{destination.name}: no answer to C-ECHO within {timeout_seconds:g} s")
    if answer.Status != Status.SUCCESS:
        raise PeerRefusedError(f"{destination.name}: answered {describe(answer.Status)} to C-ECHO")


def probe(destination: Destination, *, calling_ae_title: str, timeout_seconds: float) -> Mapping[str, tuple[str, ...]]:
    """Which of our objects a peer would take: SOP class to the accepted transfer syntaxes, empty where refused.

    Nothing is sent. Raises PeerUnreachableError or PeerRefusedError.
    """
    accepted: dict[str, list[str]] = {str(sop_class_uid): [] for sop_class_uid in OBJECT_SOP_CLASSES}
    contexts = offered_contexts(OBJECT_SOP_CLASSES)
    try:
        with _association(destination, contexts, calling_ae_title, timeout_seconds) as association:
            for context in association.accepted_contexts:
                accepted[str(context.abstract_syntax)].append(str(context.transfer_syntax[0]))
    except PeerRefusedError:  # an association without a single accepted context is refused as a whole
        log.event(LOGGER, "peer_accepts_nothing", level=logging.WARNING, destination=destination.name)
    return {sop_class_uid: tuple(syntaxes) for sop_class_uid, syntaxes in accepted.items()}


@contextlib.contextmanager
def _association(
    destination: Destination, contexts: list[PresentationContext], calling_ae_title: str, timeout_seconds: float
) -> Iterator[Any]:
    """An established association, released at the end."""
    library.configure()
    entity = AE(ae_title=calling_ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.connection_timeout = entity.acse_timeout = timeout_seconds
    entity.dimse_timeout = entity.network_timeout = timeout_seconds
    try:
        association = entity.associate(destination.host, destination.port, contexts, ae_title=destination.ae_title)
    except OSError as error:  # a name that does not resolve, no route, no descriptors
        where = f"{destination.name}: {destination.host}:{destination.port}"
        raise PeerUnreachableError(f"{where} cannot be reached ({_words(error)})") from error
    if not association.is_established:
        raise _not_established(association, destination)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _not_established(association: Any, destination: Destination) -> PeerUnreachableError | PeerRefusedError:
    answer = association.acceptor.primitive
    where = f"{destination.name}: {destination.ae_title} at {destination.host}:{destination.port}"
    if association.is_rejected:
        return PeerUnreachableError(f"{where} rejected the association ({answer.reason_str})")
    if answer is not None and answer.result == _ACCEPTED and not association.accepted_contexts:
        return PeerRefusedError(f"{where} accepts none of the SOP classes offered; see `aasnode doctor`")
    return PeerUnreachableError(f"{where} cannot be reached ({_cause(destination)})")


def _cause(destination: Destination) -> str:
    """Why no association came about, asked of a bare connection: pynetdicom keeps the system's word to itself."""
    try:
        with socket.create_connection((destination.host, destination.port), _CAUSE_SECONDS):
            return "its port is open, no DICOM answer came"
    except OSError as error:
        return _words(error)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _choose(candidates: Sequence[Candidate], association: Any, destination: Destination) -> tuple[Candidate, str]:
    """The first candidate whose class is accepted, and the syntax to send it in: its own, else another native one."""
    accepted = {(str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in association.accepted_contexts}
    for candidate in candidates:
        syntaxes = [syntax for sop_class, syntax in accepted if sop_class == candidate.sop_class_uid]
        if candidate.transfer_syntax_uid in syntaxes:
            return candidate, candidate.transfer_syntax_uid
        if syntaxes and not UID(candidate.transfer_syntax_uid).is_compressed:
            return candidate, syntaxes[0]
    classes = ", ".join(UID(candidate.sop_class_uid).name for candidate in candidates)
    raise PeerRefusedError(f"{destination.name}: accepts neither of {classes}; see `aasnode doctor`")


def _store(association: Any, candidate: Candidate, transfer_syntax_uid: str, destination: Destination) -> int:
    """Send one object: the stored bytes as they are, re-encoded only where the peer takes another native syntax."""
    if transfer_syntax_uid == candidate.transfer_syntax_uid:
        answer = association.send_c_store(candidate.path)
    else:
        answer = association.send_c_store(dcmread(candidate.path))
    if "Status" not in answer:
        raise PeerUnreachableError(f"{destination.name}: the association ended without an answer")
    return int(answer.Status)
