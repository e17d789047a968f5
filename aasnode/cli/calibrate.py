"""``aasnode calibrate FOLDER``: a copy of a model whose 90 % intervals are those of a site's own annotated films.

FOLDER holds ``images.csv`` and ``annotations.csv`` (docs/training.md). Needs ``aasnode[train]``.
"""

import argparse
import sys
from pathlib import Path

from aasnode.assets import shipped_model


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="films with images.csv and annotations.csv")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the new model's folder")
    parser.add_argument("--version", metavar="TEXT", required=True, help="of the new model: results tell it")
    parser.add_argument("--model", metavar="DIR", type=Path, help="weights and card; the shipped model unless told")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; auto unless told")


def run(arguments: argparse.Namespace) -> int:
    """Ask the model about every film, fit the intervals, write the new card."""
    from aasnode.training.trial import SiteRequest, calibrate_for_site

    card = calibrate_for_site(
        SiteRequest(
            films=arguments.folder,
            model=arguments.model or shipped_model(),
            out=arguments.out,
            version=arguments.version,
            device=arguments.device,
            progress=sys.stderr.isatty(),
        )
    )
    print(f"{card.model} in {arguments.out}: intervals from {card.calibration.source}", file=sys.stderr)
    return 0
