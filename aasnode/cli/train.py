"""``aasnode train``: make a model from a seed. Needs ``aasnode[train]``."""

import argparse
import sys
from pathlib import Path

from aasnode.cli.options import add_workers
from aasnode.cli.parser import number, whole_number


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the model's folder, such as models/mine"
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="checkpoints and curves; runs/NAME unless told")
    parser.add_argument(
        "--preset", choices=("default", "paper"), default="default", help="the shipped model, or that of Okita et al."
    )
    parser.add_argument("--films", type=Path, metavar="DIR", help="annotated films: images.csv and annotations.csv")
    parser.add_argument(
        "--pretrained",
        type=Path,
        metavar="PATH",
        help="start from a model's folder, or from a file of HRNet weights for one network",
    )
    parser.add_argument(
        "--images",
        type=whole_number(at_least=1),
        metavar="N",
        help="samples of each network, in one go; as the preset says",
    )
    parser.add_argument(
        "--rate",
        type=number(low=1e-7, high=1),
        metavar="R",
        help="the highest learning rate, of every leg; as the preset says",
    )
    parser.add_argument(
        "--calibration-films",
        type=whole_number(at_least=0),
        metavar="N",
        default=800,
        help="simulated for the intervals",
    )
    parser.add_argument(
        "--evaluation-films",
        type=whole_number(at_least=0),
        metavar="N",
        default=2000,
        help="simulated for the figures of the model card",
    )
    parser.add_argument(
        "--only",
        choices=("locate", "refine", "joint"),
        help="train this network alone, as several machines or processes may; without it the rest is done",
    )
    parser.add_argument("--version", default="1.0.0", help="of the model; 1.0.0 unless told")
    parser.add_argument("--seed", type=whole_number(at_least=0), default=1, metavar="S", help="same seed, same model")
    parser.add_argument(
        "--precision",
        choices=("auto", "float32"),
        default="auto",
        help="in which it learns: auto, bfloat16 where the device has it, or float32; auto unless told",
    )
    add_workers(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; auto unless told")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where bones and the library are kept between runs")


def run(arguments: argparse.Namespace) -> int:
    """Make the model, or go on where it was stopped, and say where it is."""
    from aasnode.inference.card import Role
    from aasnode.training.calibrate import INTERVALS, UNCALIBRATED
    from aasnode.training.model import make_model, train_stage
    from aasnode.training.request import ModelRequest
    from aasnode.training.train import Preset

    request = ModelRequest(
        out=arguments.out,
        work=arguments.work or Path("runs") / arguments.out.name,
        version=arguments.version,
        preset=Preset(arguments.preset),
        films=arguments.films,
        pretrained=arguments.pretrained,
        images=arguments.images,
        rate=arguments.rate,
        bfloat16=arguments.precision == "auto",
        calibration_films=arguments.calibration_films,
        evaluation_films=arguments.evaluation_films,
        seed=arguments.seed,
        cache=arguments.cache,
        workers=arguments.workers,
        device=arguments.device,
        progress=sys.stderr.isatty(),
    )
    if arguments.only:
        stage = train_stage(request, Role(arguments.only))
        print(f"stage {stage.role} in {request.work / stage.role}; run without --only for the model", file=sys.stderr)
        return 0
    card = make_model(request)
    print(f"{card.model} in {arguments.out}", file=sys.stderr)
    if card.calibration == UNCALIBRATED:
        why = card.training.get(INTERVALS, "no films were asked for")
        print(_NOT_CALIBRATED.format(why=why, out=arguments.out), file=sys.stderr)
    return 0


_NOT_CALIBRATED = """It is not calibrated, its intervals are only a guess ({why}).
Annotated films calibrate it: aasnode calibrate FOLDER --model {out} --out DIR --version TEXT"""
