"""Run a detector over films with known truth: what evaluation and calibration work on.

The same call as in a hospital: pixels and spacing go in, nothing of the truth does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.progress import track

from aasnode.anatomy import LANDMARKS, View
from aasnode.config import MeasurementSection
from aasnode.errors import UnreadableError
from aasnode.geometry import PixelSpacing, distance_mm
from aasnode.inference.detection import Detection, Detector
from aasnode.measurement import Calibration, length_sigma_mm
from aasnode.training.calibrate import Residuals
from aasnode.training.dataset import AnnotatedFilm, read_film
from aasnode.training.evaluate import (
    Flags,
    Lengths,
    Results,
    Told,
    Values,
    abstention,
    concatenated,
    point_errors,
    rightly_withheld,
)
from aasnode.training.simulate.disturbances import Disturbance

ADI_ROWS, SAC_ROWS = (0, 1), (2, 3)
CALM = "none"  # the row of films without any disturbance
_UNGRADED = (Disturbance.MIRRORED, Disturbance.TURNED, Disturbance.MONOCHROME1)  # there or not


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """A detector's answers on N films beside their truth. Lengths and points in mm of the film's spacing."""

    films: tuple[AnnotatedFilm, ...]
    detections: tuple[Detection, ...]
    results: Results
    adi_sigmas_mm: Values  # (N,) nan where not answered
    sac_sigmas_mm: Values

    def residuals(self) -> tuple[Residuals, Residuals]:
        """Errors of ADI and of SAC on the answered films, for calibration."""
        return (
            _residuals(self.results, self.results.adi, self.adi_sigmas_mm),
            _residuals(self.results, self.results.sac, self.sac_sigmas_mm),
        )


def assess(films: Sequence[AnnotatedFilm], detector: Detector, *, progress: bool = False) -> Assessed:
    """Ask the detector about every film that has a spacing, one at a time. Raises UnreadableError where none has."""
    scaled = [film for film in films if film.spacing is not None]
    if not scaled:
        raise UnreadableError("no film has a pixel spacing; errors are counted in mm")
    asked = track(scaled, "films", console=Console(stderr=True), disable=not progress)
    detections = [_detect(film, detector) for film in asked]
    pairs = list(zip(scaled, detections, strict=True))
    adi, adi_sigmas = _lengths(pairs, ADI_ROWS, detector.calibration)
    sac, sac_sigmas = _lengths(pairs, SAC_ROWS, detector.calibration)
    results = Results(
        points=np.array([_answered_mm(film, detection) for film, detection in pairs]).reshape(-1, 4, 2),
        truth=np.array([_in_mm(_measurable_points(film), film.spacing) for film in scaled]).reshape(-1, 4, 2),
        adi=adi,
        sac=sac,
        facing=_told((film.facing for film in scaled), (detection.facing for detection in detections)),
        view=_told((film.view for film in scaled), map(_view, detections)),
        patients=np.array([film.patient_id for film in scaled], np.str_),
    )
    return Assessed(
        films=tuple(scaled),
        detections=tuple(detections),
        results=results,
        adi_sigmas_mm=adi_sigmas,
        sac_sigmas_mm=sac_sigmas,
    )


def joined(sets: Mapping[str, Assessed]) -> Assessed:
    """All of them as one. A patient of one set is none of another's, whatever the IDs say."""
    named = [replace(one.results, patients=np.char.add(f"{name} ", one.results.patients)) for name, one in sets.items()]
    return Assessed(
        films=tuple(film for one in sets.values() for film in one.films),
        detections=tuple(detection for one in sets.values() for detection in one.detections),
        results=concatenated(named),
        adi_sigmas_mm=np.concatenate([one.adi_sigmas_mm for one in sets.values()]),
        sac_sigmas_mm=np.concatenate([one.sac_sigmas_mm for one in sets.values()]),
    )


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """One disturbance within one range of strength."""

    disturbance: str  # CALM for films without any
    weakest: float
    strongest: float
    films: int
    error_mm: float  # mean over the answered points; nan where none was
    adi_abstained: float  # share of the films on which it could be measured
    sac_abstained: float


def robustness(assessed: Assessed, edges: Sequence[float] = (0.0, 0.34, 0.67, 1.0)) -> list[Robustness]:
    """Error and abstention by disturbance and strength, as far as there are such films."""
    return [row for row in _robustness_rows(assessed, edges) if row.films]


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """One length on the films on which it cannot be measured for one reason."""

    length: str  # ADI or SAC
    reason: str
    films: int
    withheld: float  # share that was not measured


def withheld(assessed: Assessed) -> list[Withheld]:
    """How often the detector abstained where there is nothing to measure, by length and reason."""
    reasons = {
        "ADI": (assessed.results.adi, [film.adi_reason for film in assessed.films]),
        "SAC": (assessed.results.sac, [film.sac_reason for film in assessed.films]),
    }
    return [
        Withheld(length=name, reason=reason, films=int(chosen.sum()), withheld=float(rightly_withheld(lengths[chosen])))
        for name, (lengths, why) in reasons.items()
        for reason in sorted({one for one in why if one is not None})
        for chosen in [np.array([one == reason for one in why], bool)]
    ]


def _robustness_rows(assessed: Assessed, edges: Sequence[float]) -> Iterator[Robustness]:
    calm = np.array([not film.disturbances for film in assessed.films], bool)
    yield _robustness_row(assessed, CALM, (0.0, 0.0), calm)
    for name in sorted({name for film in assessed.films for name in film.disturbances}):
        strength = np.array([film.disturbances.get(name, np.nan) for film in assessed.films])
        for low, high in pairwise((edges[0], edges[-1]) if name in _UNGRADED else edges):
            chosen = (strength > low) & (strength <= high) if low > edges[0] else strength <= high
            yield _robustness_row(assessed, name, (low, high), chosen)


def _robustness_row(assessed: Assessed, name: str, strength: tuple[float, float], chosen: Flags) -> Robustness:
    part = assessed.results[np.flatnonzero(chosen)]
    errors = point_errors(part.points, part.truth)
    answered = errors[np.isfinite(errors)]
    return Robustness(
        disturbance=name,
        weakest=strength[0],
        strongest=strength[1],
        films=int(chosen.sum()),
        error_mm=float(answered.mean()) if len(answered) else float("nan"),
        adi_abstained=float(abstention(part.adi)),
        sac_abstained=float(abstention(part.sac)),
    )


def _view(detection: Detection) -> View:
    """As a node takes it, where it is left as shipped."""
    return detection.view if detection.view_confidence >= MeasurementSection().view_confidence else View.UNKNOWN


def _told(truth: Iterable[str | None], told: Iterable[str]) -> Told:
    return Told(
        truth=np.array([word or "" for word in truth], np.str_),
        told=np.array(["" if word == "unknown" else word for word in told], np.str_),
    )


def _detect(film: AnnotatedFilm, detector: Detector) -> Detection:
    return detector.detect(read_film(film), film.spacing)


def _in_mm(points: Values, spacing: PixelSpacing | None) -> Values:
    assert spacing is not None
    return np.asarray(points * [spacing.column_mm, spacing.row_mm], np.float64)


def _answered_mm(film: AnnotatedFilm, detection: Detection) -> Values:
    """(4, 2); nan where the point's measurement was withheld."""
    withheld = [detection.adi_reason] * 2 + [detection.sac_reason] * 2
    points = np.full((len(LANDMARKS), 2), np.nan)
    for row, mark in enumerate(LANDMARKS):
        estimate = detection.landmarks[mark]
        if estimate is not None and withheld[row] is None:
            points[row] = estimate.point.x, estimate.point.y
    return _in_mm(points, film.spacing)


def _measurable_points(film: AnnotatedFilm) -> Values:
    """(4, 2); nan where the point's length cannot be measured, whatever may be seen of the point."""
    lost = [film.adi_reason is not None] * 2 + [film.sac_reason is not None] * 2
    return np.where(np.array(lost)[:, None], np.nan, film.points)


def _lengths(
    pairs: Sequence[tuple[AnnotatedFilm, Detection]], rows: tuple[int, int], calibration: Calibration
) -> tuple[Lengths, Values]:
    """The length between two landmarks on every film, and the sigma that the detector claims for it."""
    is_adi = rows == ADI_ROWS
    rule = calibration.adi if is_adi else calibration.sac
    truth = np.array([_true_length(film, rows, is_adi=is_adi) for film, _ in pairs], np.float64)
    found = np.array([_found_length(film, detection, rows) for film, detection in pairs], np.float64).reshape(-1, 2)
    measured, sigmas = found[:, 0], found[:, 1]
    half = np.array([rule.half_width_mm(sigma, mm) for mm, sigma in found], np.float64)
    lengths = Lengths(
        truth=truth,
        measured=measured,
        low=np.maximum(measured - half, 0),
        high=measured + half,
        lost=np.array([_why_lost(film, is_adi=is_adi) is not None for film, _ in pairs], bool),
    )
    return lengths, sigmas


def _why_lost(film: AnnotatedFilm, *, is_adi: bool) -> str | None:
    return film.adi_reason if is_adi else film.sac_reason


def _true_length(film: AnnotatedFilm, rows: tuple[int, int], *, is_adi: bool) -> float:
    if _why_lost(film, is_adi=is_adi) is not None:
        return float("nan")
    a, b = _in_mm(film.points[list(rows)], film.spacing)
    return float(np.hypot(*(a - b)))


def _found_length(film: AnnotatedFilm, detection: Detection, rows: tuple[int, int]) -> tuple[float, float]:
    reason = detection.adi_reason if rows == ADI_ROWS else detection.sac_reason
    a, b = (detection.landmarks[LANDMARKS[row]] for row in rows)
    if reason is not None or a is None or b is None or film.spacing is None:
        return float("nan"), float("nan")
    return distance_mm(a.point, b.point, film.spacing), length_sigma_mm(a, b, film.spacing)


def _residuals(results: Results, lengths: Lengths, sigmas_mm: Values) -> Residuals:
    rows = lengths.answered
    return Residuals(
        errors_mm=lengths.measured[rows] - lengths.truth[rows],
        lengths_mm=lengths.measured[rows],
        sigmas_mm=sigmas_mm[rows],
        patients=results.patients[rows],
    )
