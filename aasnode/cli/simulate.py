"""``aasnode simulate OUT``: lateral cervical radiographs with exact truth beside them. Needs ``aasnode[train]``."""

import argparse
import sys
from pathlib import Path

from aasnode.cli.options import UsageError, add_workers
from aasnode.cli.parser import number, whole_number


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the films, their truth and annotations")
    how_many = parser.add_mutually_exclusive_group(required=True)
    how_many.add_argument(
        "--count", type=whole_number(at_least=1), metavar="N", help="this many films of as many patients"
    )
    how_many.add_argument(
        "--patients", type=whole_number(at_least=1), metavar="P", help="courses: neutral, flexion, extension per visit"
    )
    parser.add_argument(
        "--visits",
        type=whole_number(at_least=1),
        metavar="V",
        default=1,
        help="visits of each patient, about a year apart",
    )
    parser.add_argument(
        "--seed", type=whole_number(at_least=0), required=True, metavar="S", help="same seed, same films"
    )
    parser.add_argument("--format", choices=("dicom", "png"), default="dicom", help="dicom unless told otherwise")
    parser.add_argument(
        "--priors", choices=("natural", "filled"), default="natural", help="like patients, or with the tails filled"
    )
    parser.add_argument("--clean", action="store_true", help="no hardware, text, odd framing or variants")
    parser.add_argument(
        "--pixel", type=number(low=0.05, high=2), metavar="MM", default=0.2, help="pixel size, 0.2 mm unless told"
    )
    add_workers(parser)
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where bones are kept between runs")


def run(arguments: argparse.Namespace) -> int:
    """Write the films and say where they are."""
    _require_room(arguments.out)
    from aasnode.training.simulate.priors import Priors
    from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate

    request = SimulationRequest(
        out=arguments.out,
        seed=arguments.seed,
        count=arguments.count,
        patients=arguments.patients,
        visits=arguments.visits,
        film_format=FilmFormat(arguments.format),
        priors=Priors(arguments.priors),
        disturbed=not arguments.clean,
        pixel_mm=arguments.pixel,
        workers=arguments.workers,
        cache=arguments.cache,
        progress=sys.stderr.isatty(),
    )
    try:
        films = simulate(request)
    except ValueError as error:
        raise UsageError(str(error)) from error
    written = "1 film" if len(films) == 1 else f"{len(films)} films"
    print(f"{written} in {arguments.out}, with images.csv, annotations.csv and truth.json", file=sys.stderr)
    return 0


def _require_room(folder: Path) -> None:
    """Films of two runs in one folder would be mixed, and the tables beside them tell of the later one alone."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a folder that is new or empty")
