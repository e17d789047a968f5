"""``aasnode demo``: one simulated patient through a node and an archive. Needs ``aasnode[train]``."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for everything; else a new temporary one")
    parser.add_argument("--model", type=Path, metavar="DIR", help="weights and card; the shipped model unless told")


def run(arguments: argparse.Namespace) -> int:
    """Run it; exit 0 when every film was analysed and every object delivered."""
    from aasnode.demo.journey import run_demo

    run_demo(arguments.keep, arguments.model)
    return 0
