"""Many films: who is simulated, spread over workers, with the same result whatever their number."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aasnode.training.simulate.truth import FilmTruth


class FilmFormat(StrEnum):
    """What a film is written as."""

    DICOM = "dicom"
    PNG = "png"


class Priors(StrEnum):
    """Where the joint's lengths come from."""

    NATURAL = "natural"  # distributed like the patients of Okita et al. 2023
    FILLED = "filled"  # tails filled: ADI 0 to 14 mm uniform, SAC 6 to 28 mm


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
    disturbed: bool = True  # False: clean films, no hardware, no burned-in text, no odd framing
    pixel_mm: float = 0.2
    workers: int = 1
    cache: Path | None = None  # of the bank; None: the user's cache folder
    progress: bool = False  # a bar on stderr


def simulate(request: SimulationRequest) -> tuple[FilmTruth, ...]:
    """Write the films into ``request.out`` with ``images.csv``, ``annotations.csv`` and ``truth.json``.

    Returns the truth of every film, in order. Raises ``ValueError`` where neither or both of ``count`` and
    ``patients`` are given, or a number is out of range.
    """
    raise NotImplementedError
