"""The conformance page and the negotiation are made from one table."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from aasnode.config import Config
from aasnode.network import conformance, scp
from aasnode.network.contexts import FILM_SOP_CLASSES, accepted_contexts
from aasnode.network.status import Status
from aasnode.services import receiver

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_the_committed_page_equals_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == conformance.page(Config()), "run `make docs`"


def test_every_accepted_class_and_syntax_is_on_the_page() -> None:
    page = conformance.page(Config())
    for context in accepted_contexts(Config().receiver.acknowledged_sop_classes):
        assert f"`{context.abstract_syntax}`" in page
        assert context.abstract_syntax == "1.2.840.10008.1.1" or all(
            f"`{syntax}`" in page for syntax in context.transfer_syntax
        )


def test_every_status_that_a_c_store_is_answered_with_is_on_the_page() -> None:
    answered = {
        Status[name]
        for module in (scp, receiver)
        for name in re.findall(r"return Status\.(\w+)", Path(module.__file__).read_text(encoding="utf-8"))
    }
    page = conformance.page(Config()).partition("### Answers")[2].partition("## ")[0]
    assert {int(status, 16) for status in re.findall(r"^\| (0x\w{4}) \|", page, re.MULTILINE)} == answered


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ({}, "| Called AE title | checked "),
        ({"check_called_ae_title": False}, "| Called AE title | any is taken "),
        ({}, "| Calling AE title | any is taken "),
        ({"allowed_calling_ae_titles": ("PACS", "CR1")}, "| Calling AE title | `PACS`, `CR1` "),
    ],
)
def test_the_page_says_which_ae_titles_this_node_checks(settings: dict[str, object], row: str) -> None:
    config = Config()
    assert row in conformance.page(replace(config, receiver=replace(config.receiver, **settings)))


def section(page: str, heading: str) -> str:
    return page.partition(f"### {heading}\n")[2].partition("##")[0]


def test_a_class_that_is_only_acknowledged_is_not_said_to_be_analysed() -> None:
    config, secondary_capture = Config(), FILM_SOP_CLASSES[4]
    acknowledged = (*config.receiver.acknowledged_sop_classes, secondary_capture)
    shipped = conformance.page(config)
    own = conformance.page(replace(config, receiver=replace(config.receiver, acknowledged_sop_classes=acknowledged)))
    row = f"`{secondary_capture}`"
    assert row in section(shipped, "Analysed")
    assert row not in section(own, "Analysed")
    assert row in section(own, "Acknowledged and recorded, never analysed")


def test_a_page_of_another_configuration_does_not_call_it_as_shipped() -> None:
    config = Config()
    own = conformance.page(replace(config, receiver=replace(config.receiver, acknowledged_sop_classes=())))
    assert "as shipped" in section(conformance.page(config), "Acknowledged and recorded, never analysed")
    assert "as shipped" not in own
    assert "settings of this node" in own
