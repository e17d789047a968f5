"""Log lines as JSON on stderr: an event's name and named values, never a patient's name, ID or birth date.

Rooms write ``log.event(logger, "film_received", sop_instance_uid=...)``. The guard is a closed list: a value may only
be logged under a name that is known here, so identity cannot slip in under a new name. Lines of other libraries keep
their text only where it is ours to know; pynetdicom's and pydicom's texts, which may quote a data set, are dropped.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any

ALLOWED_VALUES = frozenset(
    {
        "accepted", "address", "ae_title", "attempt", "bytes", "called_ae_title", "calling_ae_title", "count",
        "deleted", "destination", "device", "error", "job", "kind", "limit", "model", "objects", "port", "reason",
        "service", "shadow", "signal", "sop_class_uid", "sop_instance_uid", "state", "status", "study_instance_uid",
        "version", "view",
    }
)  # fmt: skip

_EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VALUES = "aasnode_values"
# Their texts quote identifiers and data elements: pynetdicom logs requests, pydicom warns ("py.warnings") with values.
_LIBRARIES_THAT_QUOTE_DATA = ("pynetdicom", "pydicom", "py")


def event(logger: logging.Logger, name: str, *, level: int = logging.INFO, **values: object) -> None:
    """Write one event, e.g. ``film_received``, with its values.

    Raises:
        ValueError: the event has no snake_case name, or a value's name is not in ``ALLOWED_VALUES``.
    """
    logger.log(level, _checked(name, values), extra={_VALUES: values})


def defect(logger: logging.Logger, name: str, **values: object) -> None:
    """Write an event with the type and the places of the exception that is being handled. Raises as ``event``."""
    logger.error(_checked(name, values), exc_info=True, extra={_VALUES: values})  # noqa: LOG014  the caller handles one


def _checked(name: str, values: Mapping[str, object]) -> str:
    if not _EVENT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an event; write e.g. 'film_received'")
    if unknown := values.keys() - ALLOWED_VALUES:
        raise ValueError(f"{sorted(unknown)} may not be logged; see ALLOWED_VALUES in aasnode/log.py")
    return name


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, room, event, then the event's values."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. A traceback is reduced to its places: messages of exceptions may quote a data set."""
        library = record.name.partition(".")[0]
        ours = library == "aasnode"
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "event": record.getMessage() if ours else "library_message",
        }
        if not ours and library not in _LIBRARIES_THAT_QUOTE_DATA:
            line["detail"] = record.getMessage()
        line |= getattr(record, _VALUES, {})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            line["places"] = _places(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(level: str, stream: IO[str] | None = None) -> None:
    """Send every log line of this process to ``stream`` (stderr) as JSON, from ``level`` upwards."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aasnode").setLevel(level.upper())
    for name in _LIBRARIES_THAT_QUOTE_DATA:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [logging.NullHandler()], False
    logging.captureWarnings(capture=True)


def _places(error: BaseException) -> list[str]:
    """File and line of each frame, outermost first."""
    places, frame = [], error.__traceback__
    while frame is not None:
        places.append(f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}")
        frame = frame.tb_next
    return places
