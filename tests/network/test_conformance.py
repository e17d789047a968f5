"""The conformance page and the negotiation are made from one table."""

from pathlib import Path

from aasnode.config import Config
from aasnode.network import conformance
from aasnode.network.contexts import accepted_contexts

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
