"""What a finished model is worth: simulated films of fresh seeds, to calibrate its intervals and to measure its errors,
and annotated films that were held out.

Training, calibration and evaluation never share a film or a bone. Folders that are there are kept, where they hold
what is asked for.
"""

import dataclasses
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aasnode.errors import ConfigurationError
from aasnode.inference.card import CARD_FILE, Card, read_card
from aasnode.inference.detector import load_detector
from aasnode.measurement import Calibration
from aasnode.training.assess import assess, joined
from aasnode.training.calibrate import INTERVALS, calibrate, write_calibration
from aasnode.training.dataset import AnnotatedFilm, read_annotated_films
from aasnode.training.plot import draw_robustness
from aasnode.training.report import (
    ALL,
    EVALUATION,
    PLOT,
    Evaluation,
    as_json,
    evaluation_of,
    simulated_of,
    with_tables,
)
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.run import FilmFormat, SimulationRequest, simulate, version

FLOORS_MM = (0.4, 0.6)  # least half-widths of ADI and SAC: readers differ by as much
LENGTH_SHARE = 0.03  # what grows with a length; without it one quantile covered 93 % of small ADIs, 88 % of large ones
TEST_PART = "annotated films, test part"  # as card and tables name them
_REQUEST = "request.json"
_HEADLINE = (
    "point error mean", "point error p95", "films within 3 mm", "facing right", "view right",
    *(f"{length} {figure}" for length in ("ADI", "SAC") for figure in (
        "MAE", "r", "sensitivity", "specificity", "uncertain", "coverage", "interval width median", "abstained",
        "rightly withheld",
    )),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What simulated films are made for, and what keeps them apart from those of another."""

    name: str
    seed: int  # added to the trial's: far from each other and from any training
    edition: int  # of the bank of bones: neither the first, from which the sampler's necks are, nor another purpose's


TO_CALIBRATE = Purpose(name="calibration", seed=1_900_000, edition=7)
TO_EVALUATE = Purpose(name="evaluation", seed=1_950_000, edition=8)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Which model, and where and how its films are made."""

    out: Path  # the model's folder
    work: Path  # the films'
    seed: int
    annotated: tuple[AnnotatedFilm, ...] = ()  # held out from the training
    cache: Path | None = None
    workers: int = 1
    device: str = "auto"
    progress: bool = False


def calibrated(trial: Trial, card: Card, count: int) -> Card:
    """The card with intervals from ``count`` simulated films of seeds never trained on, half with filled tails.

    Where the model answers too few of them its intervals stay as they are, and ``training`` says why under INTERVALS.
    """
    folders = simulated_films(trial, TO_CALIBRATE, count)
    films = [film for folder in folders.values() for film in read_annotated_films(folder)]
    assessed = assess(films, load_detector(trial.out, trial.device), progress=trial.progress)
    adi, sac = assessed.residuals()
    source = f"simulated films, {len(films)} of seeds never trained on"
    try:
        fitted = calibrate(adi, sac, source, floors_mm=FLOORS_MM, length_share=LENGTH_SHARE, seed=trial.seed)
    except ConfigurationError as error:
        return dataclasses.replace(card, training={**card.training, INTERVALS: f"none from simulated films; {error}"})
    return dataclasses.replace(card, calibration=fitted)


@dataclass(frozen=True, kw_only=True)
class SiteRequest:
    """A site's films, and the model whose intervals are to be theirs."""

    films: Path  # a folder with images.csv and annotations.csv
    model: Path
    out: Path
    version: str
    device: str = "auto"
    progress: bool = False


def calibrate_for_site(request: SiteRequest) -> Card:
    """A copy of the model in ``request.out`` with intervals from the site's films, under a new version.

    Raises ConfigurationError where the version or the folder is taken, or too few patients are answered;
    UnreadableError where the films cannot be read.
    """
    if request.out.exists() and any(request.out.iterdir()):
        raise ConfigurationError([f"{request.out}: is not empty; name a new folder for the calibrated model"])
    if read_card(request.model).version == request.version:
        raise ConfigurationError([f"version {request.version} is that of the model as it is; give a new one"])
    films = read_annotated_films(request.films)
    assessed = assess(films, load_detector(request.model, request.device), progress=request.progress)
    adi, sac = assessed.residuals()
    patients = len(set(assessed.results.patients.tolist()))
    source = f"annotated films of {patients} patients of this site"
    fitted = calibrate(adi, sac, source, floors_mm=FLOORS_MM, length_share=LENGTH_SHARE)
    return copy_calibrated(request.model, request.out, fitted, request.version)


def copy_calibrated(model: Path, out: Path, calibration: Calibration, version: str) -> Card:
    """Card and weights in a new folder, with a page of its own: figures of the intervals before are not its own."""
    before = read_card(model)
    out.mkdir(parents=True, exist_ok=True)
    for name in (CARD_FILE, *(stage.weights for stage in before.stages)):
        shutil.copyfile(model / name, out / name)
    page = (
        f"# {before.name} {version}\n\n"
        f"The networks of {before.name} {before.version}, whose page tells what they learnt from, their errors and\n"
        f"their limits, with 90 % intervals from {calibration.source}. **Research use, not for diagnosis.**\n"
    )
    (out / "README.md").write_text(page, encoding="utf-8")
    return write_calibration(out, calibration, version)


def evaluated(trial: Trial, card: Card, count: int) -> Card:
    """The card with its errors on ``count`` simulated films of seeds never trained or calibrated on, and on the
    annotated films that were held out, where they can be assessed.

    Writes all figures, tables and the robustness plot into the model's folder.
    """
    detector = load_detector(trial.out, trial.device)
    folders = simulated_films(trial, TO_EVALUATE, count)
    assessed = {
        name: assess(read_annotated_films(folder), detector, progress=trial.progress)
        for name, folder in folders.items()
    }
    assessed[ALL] = joined(assessed)
    if assessable(trial.annotated):
        assessed[TEST_PART] = assess(trial.annotated, detector, progress=trial.progress)
    found = {name: evaluation_of(one, trial.seed) for name, one in assessed.items()}
    write_evaluation(found, trial.out)
    return dataclasses.replace(card, errors=headline(found))


def assessable(films: Sequence[AnnotatedFilm]) -> bool:
    """Whether any has a spacing: errors are counted in mm."""
    return any(film.spacing is not None for film in films)


def headline(found: Mapping[str, Evaluation]) -> dict[str, float]:
    """The card's own figures, where there are any; all others stand in ``evaluation.json``."""
    chosen = {f"{name}: {figure}": one.figures[figure].value for name, one in found.items() for figure in _HEADLINE}
    return {name: round(value, 3) for name, value in chosen.items() if math.isfinite(value)}


def write_evaluation(found: Mapping[str, Evaluation], folder: Path) -> None:
    """``evaluation.json``, the robustness plot, and the tables in the folder's README."""
    (folder / EVALUATION).write_text(as_json(found), encoding="utf-8")
    draw_robustness(simulated_of(found).robustness, folder / PLOT)
    page = folder / "README.md"
    before = page.read_text(encoding="utf-8") if page.exists() else f"# {folder.name}\n"
    page.write_text(with_tables(before, found), encoding="utf-8")


def simulated_films(trial: Trial, purpose: Purpose, count: int) -> dict[str, Path]:
    """Folders of simulated films, half of each kind of priors, simulated where they are not there yet.

    Raises ConfigurationError where a folder holds other films.
    """
    folders = {}
    for number, priors in enumerate(Priors):
        request = SimulationRequest(
            out=trial.work / f"{purpose.name}-{priors}",
            seed=trial.seed + purpose.seed + number,
            count=count // 2,
            film_format=FilmFormat.PNG,
            priors=priors,
            workers=trial.workers,
            cache=None if trial.cache is None else trial.cache / "bones",
            edition=purpose.edition,
            progress=trial.progress,
        )
        folders[f"{priors} priors"] = request.out
        _simulate_once(request)
    return folders


def _simulate_once(request: SimulationRequest) -> None:
    """Films that are there are taken only where the same simulator made them from the same request."""
    described = {
        "seed": request.seed,
        "films": request.count,
        "priors": request.priors,
        "bones": request.edition,
        "simulator": version(),
    }
    told = request.out / _REQUEST
    if not told.exists():
        simulate(request)
        told.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    elif json.loads(told.read_text(encoding="utf-8")) != described:
        raise ConfigurationError([f"{request.out}: holds other films than these; remove it, or choose another folder"])
