"""Many films: who is simulated, spread over workers, with the same result whatever their number."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aasnode.training.simulate.bank import FIRST_EDITION, Bank
from aasnode.training.simulate.courses import Appointment, Cohort
from aasnode.training.simulate.exposure import FilmWish, expose
from aasnode.training.simulate.priors import Priors
from aasnode.training.simulate.truth import FilmTruth
from aasnode.training.simulate.write import write_dicom, write_png, write_truth
from aasnode.training.sources import digest


class FilmFormat(StrEnum):
    """What a film is written as."""

    DICOM = "dicom"
    PNG = "png"


@dataclass(frozen=True, kw_only=True)
class SimulationRequest:
    """What is wanted. Either ``count`` films of as many patients, or ``patients`` courses of ``visits``.

    A visit of a course is a neutral, a flexion and an extension film; visits lie about a year apart.
    """

    out: Path
    seed: int
    count: int | None = None
    patients: int | None = None
    visits: int = 1
    film_format: FilmFormat = FilmFormat.DICOM
    priors: Priors = Priors.NATURAL
    disturbed: bool = True  # False: clean films, no variants, no hardware, no burned-in text, no odd framing
    pixel_mm: float = 0.2
    workers: int = 1
    cache: Path | None = None  # of the bank; None: the user's cache folder
    bank_size: int | None = None  # most different bones of a kind; a small bank is built sooner
    edition: int = FIRST_EDITION  # of the bank: another one has other bones
    progress: bool = False  # a bar on stderr


def simulate(request: SimulationRequest) -> tuple[FilmTruth, ...]:
    """Write the films into ``request.out`` with ``images.csv``, ``annotations.csv`` and ``truth.json``.

    Returns the truth of every film, in order. Raises ``ValueError`` where neither or both of ``count`` and
    ``patients`` are given, or a number is out of range.
    """
    cohort = cohort_of(request)
    request.out.mkdir(parents=True, exist_ok=True)
    films: list[FilmTruth] = []
    with _progress(request.progress, cohort.films) as advance:
        for of_patient in _made(request, cohort):
            films += of_patient
            advance(len(of_patient))
    write_truth(films, request.out)
    return tuple(films)


def version() -> str:
    """Changes when a source of the simulator changes, so that films of another are known as such."""
    return digest(sorted(Path(__file__).parent.rglob("*.py")))


def cohort_of(request: SimulationRequest) -> Cohort:
    """Who comes when; raises ``ValueError`` with what is wrong and what to give instead."""
    if (request.count is None) == (request.patients is None):
        raise ValueError("give either a count of films or a number of patients")
    number = request.count if request.patients is None else request.patients
    assert number is not None
    for name, value in (("films or patients", number), ("visits", request.visits), ("workers", request.workers)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if not 0.05 <= request.pixel_mm <= 2:
        raise ValueError(f"pixel_mm must lie between 0.05 and 2 mm, not {request.pixel_mm}")
    return Cohort(
        seed=request.seed,
        patients=number,
        visits=request.visits,
        single=request.count is not None,
        priors=request.priors,
        variants=request.disturbed,
    )


def _made(request: SimulationRequest, cohort: Cohort) -> Iterator[list[FilmTruth]]:
    """The films of each patient, in order of the patients."""
    make = partial(_make_patient, request, cohort)
    if request.workers == 1:
        yield from map(make, range(cohort.patients))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(request.workers, mp_context=context, initializer=_one_thread) as pool:
        yield from pool.map(make, range(cohort.patients), chunksize=max(1, min(8, cohort.patients // request.workers)))


def _one_thread() -> None:
    cv2.setNumThreads(1)


_banks: dict[tuple[Path | None, int | None, int], Bank] = {}  # one a process: bones are read once


def _make_patient(request: SimulationRequest, cohort: Cohort, number: int) -> list[FilmTruth]:
    which = request.cache, request.bank_size, request.edition
    bank = _banks.setdefault(which, Bank(*which))
    wish = FilmWish(pixel_mm=request.pixel_mm, disturbed=request.disturbed)
    films = []
    for appointment in cohort.appointments_of(number):
        name = film_name(appointment, cohort, request.film_format)
        film = expose(appointment, bank, wish, name)
        write = write_dicom if request.film_format is FilmFormat.DICOM else write_png
        films.append(write(film, request.out / name))
    return films


def film_name(appointment: Appointment, cohort: Cohort, film_format: FilmFormat) -> str:
    """File name: patient, and for a course the visit and the view."""
    suffix = "dcm" if film_format is FilmFormat.DICOM else "png"
    if cohort.single:
        return f"film-{appointment.patient.number:05d}.{suffix}"
    number = appointment.patient.number
    return f"patient-{number:05d}-visit-{appointment.visit + 1:02d}-{appointment.view.value}.{suffix}"


@contextmanager
def _progress(shown: bool, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("simulate"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("films", total=total)
        yield lambda done: progress.advance(task, done)
