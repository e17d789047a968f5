"""A receiver that cannot be made to swallow more than was agreed, and a faster way to read.

pynetdicom 3.0.4 buffers a PDU of any announced length before it looks at it (its issue 1086): one open socket fills
the memory. Here a PDU that announces more than was negotiated, and a message that grows beyond the cap on data sets,
end the connection before they are read. Silence in the middle of a PDU ends it too.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from aasnode import log

LOGGER = logging.getLogger(__name__)

_HEADER_BYTES = 6  # PDU type, reserved, length (PS3.8 9.3.1)
_P_DATA_TF = 0x04
_LARGEST_OTHER_PDU = 1 << 20  # A-ASSOCIATE-RQ with 128 contexts of 40 transfer syntaxes stays below this


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one connection may send."""

    pdu_bytes: int  # of a P-DATA-TF, as negotiated
    message_bytes: int  # from one of our answers to the next
    silence_seconds: float


class GuardedSocket(AssociationSocket):
    """The socket of one association, read in whole PDUs and held to its limits."""

    def __init__(self, assoc: Any, client_socket: Any, limits: Limits) -> None:
        super().__init__(assoc, client_socket=client_socket)
        client_socket.settimeout(limits.silence_seconds)
        self._limits = limits
        self._pdu_type = 0
        self._message_bytes = 0

    def recv(self, nr_bytes: int) -> bytearray:
        """Read ``nr_bytes``: first a PDU's header, then its body; fewer only when the peer has gone.

        Raises ConnectionAbortedError, which pynetdicom treats as a lost connection, before too much is read.
        """
        if nr_bytes != _HEADER_BYTES or self._pdu_type:
            self._require_within_limits(nr_bytes)
            self._pdu_type = 0
            return self._read(nr_bytes)
        header = self._read(nr_bytes)
        self._pdu_type = header[0] if header else 0
        return header

    def send(self, bytestream: bytes) -> None:
        """Send one PDU; an answer begins a new message."""
        self._message_bytes = 0
        super().send(bytestream)

    def _require_within_limits(self, announced: int) -> None:
        largest = self._limits.pdu_bytes if self._pdu_type == _P_DATA_TF else _LARGEST_OTHER_PDU
        self._message_bytes += announced
        if announced > largest:
            raise self._cut_off("pdu", announced, largest)
        if self._message_bytes > self._limits.message_bytes:
            raise self._cut_off("data_set", self._message_bytes, self._limits.message_bytes)

    def _cut_off(self, kind: str, announced: int, limit: int) -> ConnectionAbortedError:
        log.event(LOGGER, "connection_cut_off", level=logging.WARNING, kind=kind, bytes=announced, limit=limit)
        return ConnectionAbortedError(f"{kind} of {announced} bytes, at most {limit} are taken")

    def _read(self, count: int) -> bytearray:
        """``count`` bytes in as few reads as the kernel allows (pynetdicom asks for 4096 at a time)."""
        assert self.socket is not None  # it is read only while it is open
        buffer = bytearray(count)
        view, read = memoryview(buffer), 0
        while read < count:
            received = self.socket.recv_into(view[read:])
            if not received:
                view.release()
                del buffer[read:]
                break
            read += received
        return buffer


class GuardedServer(ThreadedAssociationServer):
    """An association server whose connections are all guarded."""

    request_queue_size = 64

    def __init__(self, ae: Any, address: Any, ae_title: str, contexts: Any, *_: Any, **options: Any) -> None:
        self.limits: Limits = options.pop("limits")
        super().__init__(ae, address, ae_title, contexts, request_handler=_GuardedHandler, **options)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """One connection failed before it became an association; the others go on."""
        log.defect(LOGGER, "connection_failed")


class _GuardedHandler(RequestHandler):
    """Gives each association a guarded socket."""

    server: GuardedServer

    def _create_association(self) -> Any:
        association = super()._create_association()
        association.dul.event_queue.get_nowait()  # the plain socket announced the connection; ours does so again
        association.dul.socket = GuardedSocket(association, self.request, self.server.limits)
        return association
