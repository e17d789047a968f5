"""Every DIMSE status that this node answers with or acts upon, named once (PS3.4 B.2.3, PS3.7 Annex C)."""

from enum import IntEnum, StrEnum


class Status(IntEnum):
    """Status codes of C-STORE and C-ECHO."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_SOP_INSTANCE = 0x0111
    NO_SUCH_SOP_CLASS = 0x0118
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    NOT_AUTHORIZED = 0x0124
    DUPLICATE_INVOCATION = 0x0210
    UNRECOGNIZED_OPERATION = 0x0211
    MISTYPED_ARGUMENT = 0x0212
    OUT_OF_RESOURCES = 0xA700
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    COERCION_OF_DATA_ELEMENTS = 0xB000
    ELEMENTS_DISCARDED = 0xB006
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS_WARNING = 0xB007
    CANNOT_UNDERSTAND = 0xC000


class Verdict(StrEnum):
    """What a peer's answer to a C-STORE means for the delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"  # the same object will be refused again


_OUT_OF_RESOURCES = range(0xA700, 0xA800)
_WARNINGS = range(0xB000, 0xB100)
_FAMILIES = (
    (_OUT_OF_RESOURCES, "out of resources"),
    (range(0xA900, 0xAA00), "data set does not match SOP class"),
    (_WARNINGS, "stored with a warning"),
    (range(0xC000, 0xD000), "cannot understand"),
)


def judge(status: int) -> Verdict:
    """Whether an answer to a C-STORE means delivered, try again, or never.

    0x0111 is delivered: the peer holds this instance, and our UIDs name their content.
    """
    if status in (Status.SUCCESS, Status.DUPLICATE_SOP_INSTANCE) or status in _WARNINGS:
        return Verdict.DELIVERED
    return Verdict.RETRY if status in _OUT_OF_RESOURCES else Verdict.REFUSED


def describe(status: int) -> str:
    """A status for people, e.g. ``0xA700 out of resources``."""
    if status in tuple(Status):
        return f"0x{status:04X} {Status(status).name.lower().replace('_', ' ')}"
    family = next((name for codes, name in _FAMILIES if status in codes), "unknown status")
    return f"0x{status:04X} {family}"
