"""``aasnode serve``: the node, until SIGTERM or Ctrl-C; its log is JSON lines on stderr."""

import argparse
import os

from aasnode import log, node
from aasnode.cli.options import StartError, add_config, load_config
from aasnode.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve."""
    config = load_config(arguments)
    os.umask(0o077)  # films and measurements are patient data: for this user alone
    log.configure(config.log.level)
    try:
        node.serve(config)
    except ConfigurationError as error:  # the file was in order: it is the port or the data that cannot be had
        raise StartError(str(error)) from error
    return 0
