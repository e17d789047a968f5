"""The DICOM conformance page, made from the tables that the node negotiates with.

``aasnode conformance`` prints it, `make docs` writes docs/conformance.md; a test keeps the page equal to the tables.
"""

from collections.abc import Iterable

from pydicom.uid import UID

from aasnode.config import Config
from aasnode.dicom.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from aasnode.network.contexts import (
    FILM_SOP_CLASSES,
    OBJECT_SOP_CLASSES,
    OBJECT_TRANSFER_SYNTAXES,
    TRANSFER_SYNTAXES,
)
from aasnode.network.status import Verdict, judge

_PAGE = """\
# DICOM conformance

Made by `aasnode conformance` from the tables that the node negotiates with (`aasnode/network/contexts.py`), with the
{settings}

## Application entity

| | |
|---|---|
| AE title | `{ae_title}` (`node.ae_title`) |
| Port | {port} (`node.port`) |
| Implementation class UID | `{class_uid}` |
| Implementation version name | `{version_name}` |
| Maximum PDU | {max_pdu} bytes, enforced (`receiver.max_pdu_bytes`) |
| Associations at the same time | {max_associations} (`receiver.max_associations`) |
| Called AE title | {called_ae_title} (`receiver.check_called_ae_title`) |
| Calling AE title | {calling_ae_titles} (`receiver.allowed_calling_ae_titles`) |
| Security profiles | none; put the node on a network of its own |
| Character sets | films in any; our objects carry the character set of their source |

## Storage SCP: what is taken

C-ECHO (Verification, `1.2.840.10008.1.1`) and C-STORE. The answer 0x0000 is given only after the data set and the row
that names it are on the disk. Nothing is decoded before it is answered.

### Analysed

{films}

### Acknowledged and recorded, never analysed

`receiver.acknowledged_sop_classes`{as_shipped}. Everything else is refused when the association is negotiated.

{acknowledged}

### Transfer syntaxes, for each class above

{syntaxes}

### Answers

| Status | When |
|---|---|
| 0x0000 | durable; also for the same bytes again, and for other bytes under a known UID (kept beside the first) |
| 0x0110 | a defect of the node showed, nothing was kept: send it again, and report it |
| 0xA700 | the film would take the disk below `receiver.disk_reserve_mb`, or the database is busy: send it again |
| 0xC000 | the SOP Instance UID is no UID |

While the disk is below `receiver.disk_reserve_mb`, an association that proposes more than Verification is rejected:
transient, service provider (presentation related), temporary congestion. So is every association while the node stops;
those that are open may finish within ten seconds. In an association that is open when the disk falls below its reserve,
films are answered 0xA700; what is only acknowledged takes no place and is still recorded.

A PDU that announces more than the maximum, or a data set above `receiver.max_data_set_mb`, ends the connection.

## Storage SCU: what is sent

One association for each object. The structured report is sent in the first class of these that the peer accepts;
the overlay is a Secondary Capture.

{objects}

{object_syntaxes}

| Answer of the peer | What follows |
|---|---|
{answers}
| no connection, no association, no answer | {retry} |

Verification is used by `aasnode doctor`, which also shows which of these classes a destination accepts.
"""

_SHIPPED, _OWN = "settings as shipped; a node prints its own. Do not edit.", "settings of this node. Do not edit."
_FOLLOWS = {
    Verdict.DELIVERED: "delivered",
    Verdict.RETRY: "tried again after a growing delay",
    Verdict.REFUSED: "rests in the dead letter with its reason until `aasnode resend`",
}
_ANSWERS = ((0x0000, "0x0000"), (0x0111, "0x0111"), (0xB000, "0xB0xx"), (0xA700, "0xA7xx"), (0xC000, "any other"))


def page(config: Config) -> str:
    """The conformance page of a node with this configuration, as Markdown."""
    acknowledged = config.receiver.acknowledged_sop_classes
    return _PAGE.format(
        ae_title=config.node.ae_title,
        port=config.node.port,
        class_uid=IMPLEMENTATION_CLASS_UID,
        version_name=IMPLEMENTATION_VERSION_NAME,
        max_pdu=config.receiver.max_pdu_bytes,
        max_associations=config.receiver.max_associations,
        called_ae_title="checked" if config.receiver.check_called_ae_title else "any is taken",
        calling_ae_titles=", ".join(f"`{title}`" for title in config.receiver.allowed_calling_ae_titles)
        or "any is taken",
        settings=_SHIPPED if config == Config() else _OWN,
        as_shipped=" as shipped" if acknowledged == Config().receiver.acknowledged_sop_classes else "",
        films=_table("SOP class", (uid for uid in FILM_SOP_CLASSES if uid not in acknowledged)),
        acknowledged=_table("SOP class", acknowledged),
        syntaxes=_table("Transfer syntax", TRANSFER_SYNTAXES),
        objects=_table("SOP class", OBJECT_SOP_CLASSES),
        object_syntaxes=_table("Transfer syntax", OBJECT_TRANSFER_SYNTAXES),
        answers="\n".join(f"| {name} | {_FOLLOWS[judge(status)]} |" for status, name in _ANSWERS),
        retry=_FOLLOWS[Verdict.RETRY],
    )


def _table(heading: str, uids: Iterable[str]) -> str:
    rows = [f"| {UID(uid).name} | `{uid}` |" for uid in uids]
    return "\n".join([f"| {heading} | UID |", "|---|---|", *rows])
