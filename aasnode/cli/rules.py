"""``aasnode rules FILE``: every selection rule in its order, whether it applies to this film, and what is decided."""

import argparse
from dataclasses import asdict
from pathlib import Path

from aasnode.cli.options import Format, add_config, add_format, load_config
from aasnode.cli.table import print_json, print_table
from aasnode.dicom.file import read_data_set
from aasnode.dicom.selection import Rejected, Selected, explain, select


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a DICOM file")
    add_format(parser, Format.TABLE, Format.JSON)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the rules and the decision."""
    config = load_config(arguments)
    settings, dataset = config.selection, read_data_set(arguments.file, config.pixels)
    verdicts, decision = explain(dataset, settings), select(dataset, settings)
    if arguments.format is Format.JSON:
        print_json(_as_json(decision) | {"rules": [asdict(verdict) for verdict in verdicts]})
        return 0
    marks = ("applies" if verdict.applies else "" for verdict in verdicts)
    rows = [(v.rule, v.then, mark, v.matched or "") for v, mark in zip(verdicts, marks, strict=True)]
    print_table(("rule", "says", "here", "because of"), rows)
    print(f"\n{_in_words(decision)}")
    return 0


def _as_json(decision: Selected | Rejected) -> dict[str, object]:
    if isinstance(decision, Rejected):
        return {"decision": "rejected", "reason": decision.reason, "rule": decision.rule}
    return {
        "decision": "selected",
        "view": decision.view,
        "rule": decision.rule,
        "selected_by": decision.selected_by,
    }


def _in_words(decision: Selected | Rejected) -> str:
    if isinstance(decision, Rejected):
        return f"Rejected by rule {decision.rule!r}: {decision.reason}"
    why = f"by rule {decision.rule!r}" if decision.rule else "no rule says, the detector will look"
    by = f" by rule {decision.selected_by!r}" if decision.selected_by else ""
    return f"Selected{by}: goes to the detector. View {decision.view} ({why})"
