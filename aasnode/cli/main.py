"""``aasnode COMMAND``: finds the command's file, parses, runs it, and turns expected errors into a line with a hint.

Only the chosen command is imported, so that ``aasnode --help`` and ``aasnode history`` load no network.
Exit status: 0 done, 1 could not be done, 2 wrong usage or configuration; ``__main__`` adds 130, interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from aasnode import __version__
from aasnode.cli.options import BrokenStoreError, NoStoreError, StartError, UsageError, config_path
from aasnode.cli.parser import Parser
from aasnode.cli.table import print_whatever_the_encoding
from aasnode.errors import (
    AasnodeError,
    ConfigurationError,
    DiskReserveError,
    ModelError,
    StoreBusyError,
    UnreadableError,
)

COMMANDS: Mapping[str, str] = {
    "serve": "run the node until it is stopped",
    "demo": "one simulated patient, two visits, a node, an archive: the whole journey in a minute",
    "analyse": "measure films: DICOM, PNG, JPEG or TIFF",
    "history": "a patient's course: every measurement and its change",
    "rules": "show which selection rule decides for a film",
    "status": "what waits, what rests, what was done",
    "jobs": "list jobs, show one, put one back to work",
    "resend": "deliver the objects of a study or of a destination again",
    "doctor": "check configuration, disk, database, model, device and every destination",
    "conformance": "print the DICOM conformance page",
    "simulate": "simulate lateral cervical radiographs with exact truth",
    "train": "train the network on simulated or annotated films",
    "evaluate": "measure a model on films with known truth",
    "calibrate": "fit a model's intervals to a site's own annotated films",
}
"""Every command, one file each in this folder, and what it does."""

WRONG, NOT_DONE = 2, 1
_HEADINGS: Mapping[type[AasnodeError], str] = {
    StartError: "The node cannot start",
    NoStoreError: "There is no database here",
    BrokenStoreError: "The database cannot be used",
    StoreBusyError: "The database is busy",
    DiskReserveError: "There is too little space on the disk",
    ModelError: "The model cannot be used",
    UnreadableError: "This cannot be read",
}
_EXTRA_TRAIN = frozenset({"matplotlib", "numba", "rich", "scipy", "skimage", "tensorboard"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    print_whatever_the_encoding()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = command_parser(chosen=next((word for word in words if word in COMMANDS), None)).parse_args(words)
    try:
        return int(parsed.run(parsed))
    except BrokenPipeError:  # the reader of our output left, for instance `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (AasnodeError, ModuleNotFoundError, OSError) as error:
        lines = _told(parsed, error)
        if not lines:
            raise
        print(*lines, sep="\n", file=sys.stderr)
        return WRONG if isinstance(error, ConfigurationError | UsageError) else NOT_DONE


def _told(parsed: argparse.Namespace, error: Exception) -> tuple[str, ...]:
    """What kind of thing it is that could not be done, and the thing; nothing for what nobody expected."""
    command = f"aasnode {parsed.command}"
    match error:
        case ConfigurationError():
            return (f"The configuration has problems{_of_file(parsed)}:", *(f"  {one}" for one in error.problems))
        case UsageError():
            return (f"{command}: {error}", f"{command} --help tells more.")
        case AasnodeError():
            heading = next((said for kind, said in _HEADINGS.items() if isinstance(error, kind)), None)
            return (f"{heading}:", f"  {error}") if heading else (f"{command}: {error}",)
        case ModuleNotFoundError() if error.name in _EXTRA_TRAIN:
            return (f"{command} needs {error.name}: pip install 'aasnode[train]'",)
        case OSError() if error.filename is not None:
            return (f"{command}: {error.filename}: {error.strerror}",)
    return ()


def _of_file(parsed: argparse.Namespace) -> str:
    path = config_path(parsed) if hasattr(parsed, "config") else None
    return f" ({path})" if path else ""


def command_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole command line; only the chosen command has its arguments."""
    parser = Parser(prog="aasnode", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"aasnode {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        if name == chosen:
            module = command_module(name)
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser


def command_module(name: str) -> ModuleType:
    """The command's file; it has ``configure(parser)`` and ``run(arguments) -> exit status``."""
    return importlib.import_module(f"aasnode.cli.{name}")


_DESCRIPTION = "Measures the atlantoaxial joint (ADI, SAC) on lateral cervical radiographs. Research use only."
_EPILOG = "aasnode COMMAND --help tells more. Data goes to stdout, talk to stderr; exit 2 means wrong usage."
