"""``aasnode evaluate FOLDER``: a model on films with known truth: errors, calls, intervals, abstention, robustness.

FOLDER holds ``images.csv`` and ``annotations.csv``, as ``aasnode simulate`` writes them. Needs ``aasnode[train]``.
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aasnode.assets import shipped_model
from aasnode.cli.options import Format, UsageError, add_format
from aasnode.cli.parser import whole_number
from aasnode.cli.table import print_table

if TYPE_CHECKING:
    from aasnode.training.report import Evaluation

_PICTURES = (".png", ".svg", ".pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="films with images.csv and annotations.csv")
    parser.add_argument("--model", metavar="DIR", type=Path, help="weights and card; the shipped model unless told")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; auto unless told")
    parser.add_argument("--seed", type=whole_number(at_least=0), default=0, help="of the bootstrap by patient")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw error and abstention by disturbance")
    add_format(parser, Format.TABLE, Format.JSON)


def run(arguments: argparse.Namespace) -> int:
    """Ask the model about every film and print the figures with their 95 % intervals."""
    from aasnode.inference.detector import load_detector
    from aasnode.training.assess import CALM, assess
    from aasnode.training.dataset import read_annotated_films
    from aasnode.training.plot import draw_robustness
    from aasnode.training.report import as_json, evaluation_of

    if arguments.plot:
        _require_drawable(arguments.plot)
    films = read_annotated_films(arguments.folder)
    detector = load_detector(arguments.model or shipped_model(), arguments.device)
    found = evaluation_of(assess(films, detector, progress=sys.stderr.isatty()), arguments.seed)
    if found.films < len(films):
        print(f"{len(films) - found.films} films without a pixel spacing are left out.", file=sys.stderr)
    if arguments.format is Format.JSON:
        print(as_json({detector.model: found}), end="")
    else:
        print(f"{detector.model} on {found.films} films\n")
        _print(found)
    if arguments.plot and any(row.disturbance != CALM for row in found.robustness):
        draw_robustness(found.robustness, arguments.plot)
    elif arguments.plot:
        print("Nothing to draw: the folder does not tell what disturbs its films.", file=sys.stderr)
    return 0


def _require_drawable(path: Path) -> None:
    """Before every film is asked about: afterwards would be late."""
    if path.suffix.lower() not in _PICTURES:
        raise UsageError(f"--plot: the name of {path} must end in {', '.join(_PICTURES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--plot: there is no folder {path.parent}")


def _print(found: "Evaluation") -> None:
    """Three tables: figures, reasons to abstain, robustness; what there is no film for is a dash."""
    from aasnode.training.report import CONVENTIONS, without_nan

    figures = [(name, *without_nan(dataclasses.asdict(one)).values()) for name, one in found.figures.items()]
    print_table(("figure", "value", "95 % from", "to"), figures)
    print(f"\n{CONVENTIONS}")
    for rows in (found.withheld, found.robustness):
        if rows:
            print()
            plain = [without_nan(dataclasses.asdict(row)) for row in rows]
            print_table([name.replace("_", " ") for name in plain[0]], [list(row.values()) for row in plain])
