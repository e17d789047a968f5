"""``aasnode serve``: the node, until SIGTERM or Ctrl-C; its log is JSON lines on stderr."""

import argparse

from aasnode import log, node
from aasnode.cli.options import add_config, load_config


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve."""
    config = load_config(arguments)
    log.configure(config.log.level)
    node.serve(config)
    return 0
