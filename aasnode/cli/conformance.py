"""``aasnode conformance``: the DICOM conformance page of a node with this configuration, as Markdown."""

import argparse

from aasnode.cli.options import add_config, load_config
from aasnode.network.conformance import page


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    print(page(load_config(arguments)), end="")
    return 0
