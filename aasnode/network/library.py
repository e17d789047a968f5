"""How pynetdicom is set up, once for every room's use of it, and what we call ourselves on the wire."""

from pynetdicom import _config

from aasnode.dicom.identity import own_uid

IMPLEMENTATION_CLASS_UID = own_uid("implementation")
"""PS3.7 D.3.3.2: the same for every node that runs this software."""


def implementation_version_name(version: str) -> str:
    """PS3.7 D.3.3.2, at most 16 characters."""
    return f"AASNODE_{version}"[:16]


def configure() -> None:
    """No data set in any log, no log handlers in the hot path, files sent as the bytes that they are."""
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.LOG_HANDLER_LEVEL = "none"
    _config.STORE_SEND_CHUNKED_DATASET = True
