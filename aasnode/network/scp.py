"""The storage SCP: C-ECHO and C-STORE. It decodes nothing: bytes go in, a status comes out.

Success is answered only with what the handler answers, so only after the handler has made the bytes durable. Who may
associate and what is accepted is decided when the association is negotiated (PS3.7 Annex D, PS3.8 9.3).
"""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from aasnode import log
from aasnode.config import NodeSection, ReceiverSection
from aasnode.dicom.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, file_meta
from aasnode.network import library
from aasnode.network.contexts import accepted_contexts
from aasnode.network.guard import GuardedServer, Limits
from aasnode.network.status import Status

LOGGER = logging.getLogger(__name__)

_COMMAND_ALLOWANCE = 1 << 20  # command sets, PDU and PDV headers beside the data set
_REQUEST_SECONDS = 15.0  # in which a connection must ask for an association, so that idle ones take nobody's place
_FINISH_SECONDS = 10.0  # for what is under way when the node stops
_COME_AGAIN = (2, 3, 1)  # transient, service provider (presentation related), temporary congestion (PS3.8 9.3.4)
_ANY_UID = re.compile(r"[0-9.]{1,64}")  # what the world sends is wider than PS3.5 9.1
_REJECTION = {1: "permanent", 2: "transient"}


@dataclass(frozen=True, kw_only=True)
class IncomingInstance:
    """One C-STORE request. ``data_set`` is encoded in ``transfer_syntax_uid``, as it came; valid during the call."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    calling_ae_title: str
    data_set: memoryview

    def file_head(self) -> bytes:
        """Preamble and file meta information (PS3.10 7.1) that make a DICOM file of the data set."""
        meta = file_meta(self.sop_class_uid, self.sop_instance_uid, self.transfer_syntax_uid)
        meta.SourceApplicationEntityTitle = self.calling_ae_title
        head = DicomBytesIO()
        write_file_meta_info(head, meta)
        return b"\x00" * 128 + b"DICM" + head.getvalue()


OnStore = Callable[[IncomingInstance], Status]
"""Makes one instance durable and says so. Called from many threads; raises nothing."""

HasRoom = Callable[[], bool]
"""Whether there is room for further films. Called from many threads."""


@contextlib.contextmanager
def storage_scp(
    node: NodeSection,
    receiver: ReceiverSection,
    on_store: OnStore,
    has_room: HasRoom,
    *,
    finish_seconds: float = _FINISH_SECONDS,
) -> Iterator[int]:
    """Listen while the block runs; gives the port (``node.port`` 0 takes a free one).

    At the end no new association is taken. Open ones may finish within ``finish_seconds`` and are then aborted: what
    was not answered will be sent again.
    """
    library.configure()
    stopping = threading.Event()
    server = _server(node, receiver, _handlers(on_store, has_room, stopping))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="scp", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        stopping.set()
        server.shutdown()
        _let_finish(server, finish_seconds)
        thread.join()


def _handlers(on_store: OnStore, has_room: HasRoom, stopping: threading.Event) -> list[Any]:
    return [
        (evt.EVT_REQUESTED, _reject_for_now, [has_room, stopping]),
        (evt.EVT_C_STORE, _answer_store, [on_store]),
        (evt.EVT_C_ECHO, _answer_echo),
        (evt.EVT_ACCEPTED, _log_accepted),
        (evt.EVT_REJECTED, _log_rejected),
        (evt.EVT_ABORTED, _log_aborted),
        (evt.EVT_CONN_CLOSE, _end_waiting_for_request),
    ]


def _server(node: NodeSection, receiver: ReceiverSection, handlers: list[Any]) -> GuardedServer:
    entity = _entity(node, receiver)
    server = entity.make_server(
        (node.host, node.port),
        contexts=accepted_contexts(receiver.acknowledged_sop_classes),
        evt_handlers=handlers,
        server_class=GuardedServer,
        limits=_limits(receiver),
    )
    assert isinstance(server, GuardedServer)
    entity._servers.append(server)  # noqa: SLF001  server.shutdown() removes it from there
    return server


def _let_finish(server: GuardedServer, seconds: float) -> None:
    """Wait for the associations that are open, then abort those that still are."""
    end = time.monotonic() + seconds
    for association in server.active_associations:
        association.join(max(0.0, end - time.monotonic()))
    for association in server.active_associations:
        association.abort()


def _entity(node: NodeSection, receiver: ReceiverSection) -> AE:
    entity = AE(ae_title=node.ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = receiver.max_pdu_bytes
    entity.maximum_associations = receiver.max_associations
    entity.network_timeout = receiver.network_timeout_seconds
    entity.acse_timeout = min(receiver.network_timeout_seconds, _REQUEST_SECONDS)
    entity.dimse_timeout = receiver.network_timeout_seconds
    entity.require_called_aet = receiver.check_called_ae_title
    entity.require_calling_aet = list(receiver.allowed_calling_ae_titles)
    return entity


def _limits(receiver: ReceiverSection) -> Limits:
    return Limits(
        pdu_bytes=receiver.max_pdu_bytes,
        message_bytes=(receiver.max_data_set_mb << 20) + _COMMAND_ALLOWANCE,
        silence_seconds=receiver.network_timeout_seconds,
    )


def _reject_for_now(event: Any, has_room: HasRoom, stopping: threading.Event) -> None:
    """The handler of EVT_REQUESTED: an association whose films could not be taken is not taken either."""
    request = event.assoc.requestor.primitive
    contexts = request.presentation_context_definition_list
    if stopping.is_set():
        reason = "stopping"
    elif any(context.abstract_syntax != Verification for context in contexts) and not has_room():
        reason = "disk_reserve"
    else:
        return
    log.event(
        LOGGER,
        "association_rejected",
        level=logging.WARNING,
        calling_ae_title=request.calling_ae_title.strip(),
        called_ae_title=request.called_ae_title.strip(),
        address=event.assoc.requestor.address,
        reason=f"transient: {reason}",
    )
    event.assoc.acse.send_reject(*_COME_AGAIN)
    event.assoc.kill()


def _answer_store(event: Any, on_store: OnStore) -> int:
    """The handler of EVT_C_STORE."""
    request = event.request
    sop_instance_uid = str(request.AffectedSOPInstanceUID or "")
    if not _ANY_UID.fullmatch(sop_instance_uid):
        log.event(LOGGER, "store_refused", level=logging.WARNING, reason="sop_instance_uid_malformed")
        return Status.CANNOT_UNDERSTAND
    with request.DataSet.getbuffer() as data_set:
        incoming = IncomingInstance(
            sop_class_uid=str(request.AffectedSOPClassUID),
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=str(event.context.transfer_syntax),
            calling_ae_title=event.assoc.requestor.ae_title.strip(),
            data_set=data_set,
        )
        return on_store(incoming)


def _answer_echo(event: Any) -> int:
    log.event(LOGGER, "echo_answered", calling_ae_title=event.assoc.requestor.ae_title.strip())
    return Status.SUCCESS


def _log_accepted(event: Any) -> None:
    requestor = event.assoc.requestor
    log.event(
        LOGGER,
        "association_accepted",
        calling_ae_title=requestor.ae_title.strip(),
        address=requestor.address,
        accepted=len(event.assoc.accepted_contexts),
    )


def _log_rejected(event: Any) -> None:
    requestor = event.assoc.requestor
    log.event(
        LOGGER,
        "association_rejected",
        level=logging.WARNING,
        calling_ae_title=requestor.ae_title.strip(),
        called_ae_title=requestor.primitive.called_ae_title.strip(),
        address=requestor.address,
        reason=_rejection(event.assoc),
    )


def _end_waiting_for_request(event: Any) -> None:
    """A connection that closes before it asks for an association, as health checks do, ends its thread at once.

    pynetdicom 3.0.4 would wait for the request until its time-out, and count the dead connection as an association.
    """
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)  # "no request came"


def _log_aborted(event: Any) -> None:
    log.event(LOGGER, "association_aborted", level=logging.WARNING, address=event.assoc.requestor.address)


def _rejection(association: Any) -> str:
    """Why an association was rejected, in the standard's words, where pynetdicom knows."""
    primitive = association.acceptor.primitive
    if primitive is None or primitive.result is None:
        return "unknown"
    return f"{_REJECTION.get(primitive.result, primitive.result)}: {primitive.reason_str}"
