"""``aasnode COMMAND``: finds the command's file, parses, runs it, and turns expected errors into a line with a hint.

Only the chosen command is imported, so that ``aasnode --help`` and ``aasnode history`` load no network.
Exit status: 0 done, 1 could not be done, 2 wrong usage or configuration, 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from types import ModuleType

from aasnode import __version__
from aasnode.cli.options import UsageError
from aasnode.cli.parser import Parser
from aasnode.errors import AasnodeError, ConfigurationError

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
}
"""Every command, one file each in this folder, and what it does."""


_EXTRA_TRAIN = frozenset({"matplotlib", "numba", "scipy", "skimage", "tensorboard"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    _print_any_character()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = command_parser(chosen=next((word for word in words if word in COMMANDS), None)).parse_args(words)
    try:
        return int(parsed.run(parsed))
    except ConfigurationError as error:
        _say("The configuration has problems:", *(f"  {problem}" for problem in error.problems))
        return 2
    except UsageError as error:
        _say(f"aasnode {parsed.command}: {error}", f"aasnode {parsed.command} --help tells more.")
        return 2
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA_TRAIN:
            raise
        _say(f"aasnode {parsed.command} needs {error.name}: pip install 'aasnode[train]'")
        return 1
    except AasnodeError as error:
        _say(f"aasnode {parsed.command}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output left, for instance `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


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


def _print_any_character() -> None:
    """What stdout's encoding lacks is printed escaped: a file name that is no UTF-8 must not end a run."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)


_DESCRIPTION = "Measures the atlantoaxial joint (ADI, SAC) on lateral cervical radiographs. Research use only."
_EPILOG = "aasnode COMMAND --help tells more. Data goes to stdout, talk to stderr; exit 2 means wrong usage."
