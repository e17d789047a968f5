"""How pynetdicom is set up, once for every room's use of it."""

from pynetdicom import _config


def configure() -> None:
    """No data set in any log, no log handlers in the hot path, files sent as the bytes that they are."""
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.LOG_HANDLER_LEVEL = "none"
    _config.STORE_SEND_CHUNKED_DATASET = True
