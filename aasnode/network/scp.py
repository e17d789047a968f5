"""The storage SCP: C-ECHO and C-STORE. It decodes nothing: bytes go in, a status comes out.

Success is answered only with what the handler answers, so only after the handler has made the bytes durable. Who may
associate and what is accepted is decided when the association is negotiated (PS3.7 Annex D, PS3.8 9.3).
"""

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID
from pynetdicom import AE, evt

from aasnode import __version__, log
from aasnode.config import NodeSection, ReceiverSection
from aasnode.network import library
from aasnode.network.contexts import accepted_contexts
from aasnode.network.guard import GuardedServer, Limits
from aasnode.network.status import Status

LOGGER = logging.getLogger(__name__)

_COMMAND_ALLOWANCE = 1 << 20  # command sets, PDU and PDV headers beside the data set
_REQUEST_SECONDS = 15.0  # in which a connection must ask for an association, so that idle ones take nobody's place
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
        meta = FileMetaDataset()
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID = UID(self.sop_class_uid)
        meta.MediaStorageSOPInstanceUID = UID(self.sop_instance_uid)
        meta.TransferSyntaxUID = UID(self.transfer_syntax_uid)
        meta.ImplementationClassUID = UID(library.IMPLEMENTATION_CLASS_UID)
        meta.ImplementationVersionName = library.implementation_version_name(__version__)
        meta.SourceApplicationEntityTitle = self.calling_ae_title
        head = DicomBytesIO()
        write_file_meta_info(head, meta)
        return b"\x00" * 128 + b"DICM" + head.getvalue()


OnStore = Callable[[IncomingInstance], Status]
"""Makes one instance durable and says so. Called from many threads; raises nothing."""


@contextlib.contextmanager
def storage_scp(node: NodeSection, receiver: ReceiverSection, on_store: OnStore) -> Iterator[int]:
    """Listen while the block runs; gives the port (``node.port`` 0 takes a free one).

    At the end no new association is taken, and open ones are aborted: what was not answered will be sent again.
    """
    library.configure()
    entity = _entity(node, receiver)
    handlers: list[Any] = [
        (evt.EVT_C_STORE, _answer_store, [on_store]),
        (evt.EVT_C_ECHO, _answer_echo),
        (evt.EVT_ACCEPTED, _log_accepted),
        (evt.EVT_REJECTED, _log_rejected),
        (evt.EVT_ABORTED, _log_aborted),
        (evt.EVT_CONN_CLOSE, _end_waiting_for_request),
    ]
    server = entity.make_server(
        (node.host, node.port),
        contexts=accepted_contexts(receiver.acknowledged_sop_classes),
        evt_handlers=handlers,
        server_class=GuardedServer,
        limits=_limits(receiver),
    )
    entity._servers.append(server)  # noqa: SLF001  server.shutdown() removes it from there
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="scp", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        for association in server.active_associations:
            association.abort()
        thread.join()


def _entity(node: NodeSection, receiver: ReceiverSection) -> AE:
    entity = AE(ae_title=node.ae_title)
    entity.implementation_class_uid = library.IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = library.implementation_version_name(__version__)
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
