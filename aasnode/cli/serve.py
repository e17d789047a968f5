"""``aasnode serve``: the node, until SIGTERM or Ctrl-C; its log is JSON lines on stderr."""

import argparse
from pathlib import Path

from aasnode import log, node
from aasnode.cli.options import StartError, add_config, load_config
from aasnode.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve."""
    config = load_config(arguments)
    log.configure(config.log.level)
    try:
        node.serve(config)
    except ConfigurationError as error:  # the file was in order: it is the port or the data that another process holds
        raise StartError(str(error)) from error
    except OSError as error:
        if not _lies_in(error.filename, config.node.data_dir):
            raise
        hint = "name a folder that this user may make and write in"
        raise StartError(f"node.data_dir: {error.filename}: {error.strerror}; {hint}") from error
    return 0


def _lies_in(file_name: object, folder: Path) -> bool:
    """Whether what an operating system could not do was about this folder, one above it, or something in it."""
    if not isinstance(file_name, str | Path):
        return False
    place = Path(file_name).absolute()
    return place.is_relative_to(folder.absolute()) or folder.absolute().is_relative_to(place)
