"""``aasnode evaluate FOLDER``: a model on films with known truth: errors, calls, intervals, abstention, robustness.

FOLDER holds ``images.csv`` and ``annotations.csv``, as ``aasnode simulate`` writes them. Needs ``aasnode[train]``.
"""

import argparse
import dataclasses
import json
import math
import sys
from pathlib import Path

from aasnode.assets import shipped_model
from aasnode.cli.options import Format, add_format
from aasnode.cli.parser import whole_number
from aasnode.cli.table import print_table


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="films with images.csv and annotations.csv")
    parser.add_argument("--model", metavar="DIR", type=Path, help="weights and card; the shipped model unless told")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; auto unless told")
    parser.add_argument("--seed", type=whole_number(at_least=0), default=0, help="of the bootstrap by patient")
    add_format(parser, Format.TABLE, Format.JSON)


def run(arguments: argparse.Namespace) -> int:
    """Ask the model about every film and print the figures with their 95 % intervals."""
    from aasnode.inference.detector import load_detector
    from aasnode.training.assess import assess, robustness
    from aasnode.training.dataset import read_annotated_films
    from aasnode.training.evaluate import summarise

    films = read_annotated_films(arguments.folder)
    detector = load_detector(arguments.model or shipped_model(), arguments.device)
    assessed = assess(films, detector, progress=sys.stderr.isatty())
    figures = {name: dataclasses.asdict(one) for name, one in summarise(assessed.results, arguments.seed).items()}
    strengths = [dataclasses.asdict(row) for row in robustness(assessed)]
    if arguments.format is Format.JSON:
        found = {"model": detector.model, "films": len(assessed.films), "figures": figures, "robustness": strengths}
        print(json.dumps(_without_nan(found), indent=2))
        return 0
    print(f"{detector.model} on {len(assessed.films)} films\n")
    print_table(("figure", "value", "95 % from", "to"), [(name, *one.values()) for name, one in figures.items()])
    if strengths:
        print()
        print_table([name.replace("_", " ") for name in strengths[0]], [list(row.values()) for row in strengths])
    return 0


def _without_nan(value: object) -> object:
    """JSON knows no nan: what could not be computed is null."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
