"""What each part of the detector is worth: the shipped model with parts left out or changed, on the same films.

    python benchmarks/comparison.py FOLDER [--model DIR] [--films N]

FOLDER holds ``images.csv`` and ``annotations.csv``, as ``aasnode simulate`` writes them. Needs ``aasnode[train]``.
Prints a table in Markdown. Errors are compared on the films that every variant answered, so that none gains by
abstaining. The ADI's width is that of intervals which cover nine of ten of these films, fitted to each variant's own
doubt: what its spread is worth. Wrongly measured are lengths that cannot be measured. Cost is processor time per film
against the model as shipped, in the same run, one thread.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from aasnode.assets import shipped_model
from aasnode.inference.card import Card, Role, read_card
from aasnode.inference.detector import FilmDetector
from aasnode.inference.stage import load_stages
from aasnode.measurement import IntervalRule
from aasnode.training.assess import Assessed, assess
from aasnode.training.calibrate import Residuals, conformal_quantile, scores
from aasnode.training.dataset import AnnotatedFilm, read_annotated_films
from aasnode.training.evaluate import Results, abstention, mean_absolute_error, point_errors
from aasnode.training.trial import FLOORS_MM, LENGTH_SHARE


def _with_stages(*roles: Role) -> Callable[[Card], Card]:
    return lambda card: dataclasses.replace(card, stages=tuple(stage for stage in card.stages if stage.role in roles))


def _decoded(decoding: str) -> Callable[[Card], Card]:
    return lambda card: dataclasses.replace(card, decoding=decoding)


def _looked(passes: int, views: int) -> Callable[[Card], Card]:
    def change(card: Card) -> Card:
        stages = [
            one if one.views == 1 else dataclasses.replace(one, passes=min(passes, one.passes), views=views)
            for one in card.stages
        ]
        return dataclasses.replace(card, stages=tuple(stages))

    return change


VARIANTS: Mapping[str, Callable[[Card], Card]] = {
    "as shipped: locate, refine, joint; DARK; two views": lambda card: card,
    "one stage: locate": _with_stages(Role.LOCATE),
    "two stages: locate, refine": _with_stages(Role.LOCATE, Role.REFINE),
    "decoding: argmax": _decoded("argmax"),
    "decoding: quarter offset": _decoded("quarter"),
    "one view": _looked(passes=2, views=1),
    "one pass, one view": _looked(passes=1, views=1),
    "three views": _looked(passes=2, views=3),
    "five views": _looked(passes=2, views=5),
}


def measured(films: Sequence[AnnotatedFilm], card: Card, model_dir: Path) -> tuple[Assessed, float]:
    """The answers, and the processor seconds a film."""
    detector = FilmDetector(card, load_stages(card, model_dir, torch.device("cpu")))
    started = time.process_time()
    found = assess(films, detector, progress=sys.stderr.isatty())
    return found, (time.process_time() - started) / len(found.films)


def adi_width(found: Assessed, rows: npt.NDArray[np.intp]) -> float:
    """Median width of intervals of the ADI that cover nine of ten of these films."""
    lengths, sigmas = found.results.adi[rows], found.adi_sigmas_mm[rows]
    residuals = Residuals(
        errors_mm=lengths.measured - lengths.truth,
        lengths_mm=lengths.measured,
        sigmas_mm=sigmas,
        patients=found.results.patients[rows],
    )
    quantile = conformal_quantile(scores(residuals, FLOORS_MM[0], LENGTH_SHARE))
    rule = IntervalRule(quantile=quantile, floor_mm=FLOORS_MM[0], length_share=LENGTH_SHARE)
    return 2 * float(np.median([rule.half_width_mm(*pair) for pair in zip(sigmas, lengths.measured, strict=True)]))


def wrongly_measured(results: Results) -> float:
    """Share of the lengths that cannot be measured and were."""
    lost = np.concatenate([results.adi.lost, results.sac.lost])
    told = np.concatenate([np.isfinite(results.adi.measured), np.isfinite(results.sac.measured)])
    return float(told[lost].mean()) if lost.any() else float("nan")


def row(name: str, found: Assessed, rows: npt.NDArray[np.intp], cost: float) -> str:
    results, common = found.results, found.results[rows]
    errors = point_errors(common.points, common.truth)
    errors = errors[np.isfinite(errors)]  # a point that is hidden has no truth
    figures = (
        f"{errors.mean():.2f}",
        f"{np.percentile(errors, 95):.2f}",
        f"{mean_absolute_error(common.adi):.2f}",
        f"{mean_absolute_error(common.sac):.2f}",
        f"{adi_width(found, rows):.2f}",
        f"{100 * abstention(results.adi):.0f} %",
        f"{100 * wrongly_measured(results):.0f} %",
        f"{cost:.2f}",
    )
    return f"| {name} | " + " | ".join(figures) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--films", type=int, help="only the first N")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    films = read_annotated_films(arguments.folder)[: arguments.films]
    card = read_card(arguments.model)
    found = {name: measured(films, change(card), arguments.model) for name, change in VARIANTS.items()}
    answered = [np.isfinite(one.results.points).all((1, 2)) & one.results.adi.measurable for one, _ in found.values()]
    common = np.flatnonzero(np.all(answered, axis=0))
    base = next(iter(found.values()))[1]
    print(f"{card.model}: {len(films)} films, errors on the {len(common)} that all answered, in mm\n")
    heads = ("variant", "point error", "95th percentile", "ADI MAE", "SAC MAE", "ADI width", "ADI not measured",
             "wrongly measured", "cost")  # fmt: skip
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for name, (one, seconds) in found.items():
        print(row(name, one, common, seconds / base))
    return 0


if __name__ == "__main__":
    sys.exit(main())
