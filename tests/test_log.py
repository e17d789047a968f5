"""Promises of the log."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from aasnode import log

LOGGER = logging.getLogger("aasnode.tests")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    text = io.StringIO()
    log.configure("debug", text)
    yield text
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_name_and_values(stream: io.StringIO) -> None:
    log.event(LOGGER, "film_received", sop_instance_uid="1.2.3", bytes=4)
    [line] = lines(stream)
    assert line["event"] == "film_received"
    assert line["sop_instance_uid"] == "1.2.3"
    assert line["bytes"] == 4
    assert line["level"] == "info"


@pytest.mark.parametrize("name", ["patient_id", "patient_name", "birth_date", "anything_new"])
def test_a_value_under_an_unknown_name_cannot_be_logged(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        log.event(LOGGER, "film_received", **{name: "DOE^JANE"})


def test_an_event_needs_a_name_not_a_sentence() -> None:
    with pytest.raises(ValueError, match="no name of an event"):
        log.event(LOGGER, "Received film of DOE^JANE")


def test_an_exception_is_logged_by_type_and_place_without_its_message(stream: io.StringIO) -> None:
    try:
        raise KeyError("DOE^JANE")
    except KeyError:
        LOGGER.exception("step_failed")
    [line] = lines(stream)
    assert line["error"] == "KeyError"
    assert line["places"]
    assert "DOE" not in stream.getvalue()


def test_libraries_that_quote_data_sets_write_nothing(stream: io.StringIO) -> None:
    data_set = Dataset()
    data_set.PatientName = "DOE^JANE"
    for name in ("pydicom", "pynetdicom.acse", "pynetdicom.service-c", "py.warnings"):
        logging.getLogger(name).error("%s", data_set)
    assert "DOE" not in stream.getvalue()


def test_other_libraries_keep_their_warnings(stream: io.StringIO) -> None:
    logging.getLogger("apscheduler.scheduler").warning("run was missed")
    [line] = lines(stream)
    assert line["detail"] == "run was missed"
