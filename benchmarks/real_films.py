"""How the detector does on real films: against their readers, with C1 moved by a known shift, and where no neck is.

    python benchmarks/real_films.py FOLDER [--model DIR] [--judged DIR …] [--other DIR …]

FOLDER holds ``images.csv`` and ``annotations.csv`` of films with a spacing; every reader's points count. On films whose
joint all readers saw at least fairly, both arches of C1 are moved along its axis, so that ADI and SAC change by a known
length: a detector that sees the joint follows with a slope of 1 and -1. A folder to be judged holds cervical films that
nobody marked, with or without a spacing: each is listed with what was told of it, so that an eye can look at it, and
its facing is held against that of FOLDER's ``images.csv``. Other folders hold pictures without a cervical spine. Needs
``aasnode[train]``. Nothing is written.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from aasnode.anatomy import LANDMARKS, Facing
from aasnode.assets import shipped_model
from aasnode.config import PixelsSection
from aasnode.dicom.picture import read_picture
from aasnode.geometry import PixelSpacing
from aasnode.inference.card import Decision, read_card
from aasnode.inference.crop import Film, Floats
from aasnode.inference.decide import decide
from aasnode.inference.detection import Detection, Outcome
from aasnode.inference.detector import FilmDetector, load_detector
from aasnode.training.dataset import AnnotatedFilm, read_annotated_films, read_film, spacing_of

Points = npt.NDArray[np.float64]
SHIFTS_MM = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
LARGE_MM, LIMIT_MM = 4.0, 3.0  # moved by so much, a joint must be called, or not be measured
_REACH_MM = 40.0  # behind and before C1, over which the shift fades
_FULL_MM, _NONE_MM = 9.0, 25.0  # from the axis: to here in full, from there nothing
_LEVELS, _STEPS = 65, 4096


@dataclass(frozen=True, kw_only=True)
class Read:
    """A film with the points of each reader, (4, 2) pixels; nan where not marked."""

    film: AnnotatedFilm
    readers: Mapping[str, Points]
    fair: bool  # all readers saw the joint at least fairly


def read_folder(folder: Path) -> list[Read]:
    """Every film with a spacing and all four points."""
    marks: dict[str, dict[str, Points]] = defaultdict(lambda: defaultdict(lambda: np.full((4, 2), np.nan)))
    unsure: set[str] = set()
    with (folder / "annotations.csv").open(newline="", encoding="utf-8") as file:
        for mark in csv.DictReader(file):
            if mark["landmark"] in LANDMARKS[:2] and mark.get("confidence", "good") not in ("good", "fair"):
                unsure.add(mark["path"])
            if mark["x"] and mark["landmark"] in LANDMARKS:
                row = LANDMARKS.index(mark["landmark"])
                marks[mark["path"]][mark.get("reader", "")][row] = float(mark["x"]), float(mark["y"])
    found = []
    for film in read_annotated_films(folder):
        path = str(film.path.relative_to(folder))
        if film.spacing is not None and np.isfinite(film.points).all():
            found.append(Read(film=film, readers=marks[path], fair=path not in unsure))
    return found


def with_c1_moved(picture: Floats, points: Points, shift_px: float, px_per_mm: float) -> Floats:
    """The film with both arches of C1 moved ventrally along its axis; the dens stays, what lies around gives way."""
    ventral = (points[0] - points[3]) / np.linalg.norm(points[0] - points[3])
    middle = points[1:3].mean(0)
    along = (points - middle) @ ventral
    reach = _REACH_MM * px_per_mm
    knots = [along[3] - reach, along[3] - 0.4 * reach, *along[::-1], along[0] + 0.4 * reach, along[0] + reach]
    start, end = knots[0] - 1, knots[-1] + 1
    u = np.linspace(start, end, _STEPS)
    moved = shift_px * np.interp(u, knots, [0, 1, 1, 0, 0, 1, 1, 0])
    back = [np.interp(u, np.maximum.accumulate(u + level * moved), u) for level in np.linspace(0, 1, _LEVELS)]
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    on_axis = (x - middle[0]) * ventral[0] + (y - middle[1]) * ventral[1]
    off_axis = np.abs((y - middle[1]) * ventral[0] - (x - middle[0]) * ventral[1]) / px_per_mm
    near = np.clip((_NONE_MM - off_axis) / (_NONE_MM - _FULL_MM), 0, 1)
    level = near * near * (3 - 2 * near) * (_LEVELS - 1)
    at = (on_axis - start) / (end - start) * (_STEPS - 1)
    table = np.array(back, np.float32)
    source = cv2.remap(table, at.astype(np.float32), level.astype(np.float32), cv2.INTER_LINEAR)
    change = np.where((on_axis > start) & (on_axis < end), source - on_axis, 0).astype(np.float32)
    x_from, y_from = (x + change * ventral[0]).astype(np.float32), (y + change * ventral[1]).astype(np.float32)
    return np.asarray(cv2.remap(picture, x_from, y_from, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def points_of(detection: Detection) -> Points:
    """(4, 2); nan where the point's length was withheld."""
    found = np.full((4, 2), np.nan)
    for row, mark in enumerate(LANDMARKS):
        estimate = detection.landmarks[mark]
        reason = detection.adi_reason if row < 2 else detection.sac_reason
        if estimate is not None and reason is None:
            found[row] = estimate.point.x, estimate.point.y
    return found


def _mm(spacing: PixelSpacing) -> Points:
    return np.array([spacing.column_mm, spacing.row_mm])


def _length(points: Points, a: int, b: int) -> float:
    return float(np.hypot(*(points[a] - points[b])))


def against_readers(reads: Sequence[Read], detector: FilmDetector) -> Iterator[str]:
    """Distances in mm of the answered points from the mean of the readers, from each reader, and along the axis."""
    off, axial, lengths, apart = [], [], [], []
    of_reader: dict[str, list[float]] = defaultdict(list)
    for read in reads:
        assert read.film.spacing is not None
        mm = _mm(read.film.spacing)
        found = points_of(detector.detect(read_film(read.film), read.film.spacing)) * mm
        truth = read.film.points * mm
        ventral = (truth[0] - truth[3]) / _length(truth, 0, 3)
        off.append(np.hypot(*(found - truth).T))
        axial.append((found - truth) @ ventral)
        lengths.append([_length(found, a, b) - _length(truth, a, b) for a, b in ((0, 1), (2, 3))])
        for name, marks in read.readers.items():
            of_reader[name] += np.hypot(*(found - marks * mm).T).tolist()
        both = list(read.readers.values())
        apart += [np.hypot(*((a - b) * mm).T) for i, a in enumerate(both) for b in both[i + 1 :]]
    distances, along, errors = np.array(off), np.array(axial), np.array(lengths)
    answered = np.isfinite(distances)
    yield (
        f"answered: {int(answered.any(1).sum())} of {len(reads)} films, "
        f"{int(answered.all(1).sum())} with all four points"
    )
    yield f"to the readers' mean: {np.nanmean(distances):.2f} mm, worst point {np.nanmax(distances):.2f} mm"
    if apart:
        yield f"readers from each other: {np.nanmean(apart):.2f} mm"
    for name, values in sorted(of_reader.items()):
        yield f"to reader {name}: {np.nanmean(values):.2f} mm"
    yield f"along the axis, points 1 to 4, mean |error|: {_row(np.nanmean(np.abs(along), 0))} mm"
    yield f"bias: ADI {np.nanmean(errors[:, 0]):+.2f}, SAC {np.nanmean(errors[:, 1]):+.2f} mm"


def with_c1_elsewhere(reads: Sequence[Read], detector: FilmDetector) -> Iterator[str]:
    """How ADI and SAC follow a C1 that is moved."""
    rows = []  # film, shift, ADI, SAC, and what the readers' ADI and SAC become
    for number, read in enumerate(read for read in reads if read.fair):
        spacing = read.film.spacing
        assert spacing is not None
        picture, truth = read_film(read.film), read.film.points * _mm(spacing)
        adi_mm, sac_mm = _length(truth, 0, 1), _length(truth, 2, 3)
        for shift_mm in SHIFTS_MM:
            px_per_mm = 1 / spacing.column_mm
            moved = with_c1_moved(picture, read.film.points, shift_mm * px_per_mm, px_per_mm)
            found = points_of(detector.detect(moved, spacing)) * _mm(spacing)
            measured, expected = (_length(found, 0, 1), _length(found, 2, 3)), (adi_mm + shift_mm, sac_mm - shift_mm)
            rows.append((number, shift_mm, *measured, *expected))
    table = np.array(rows)
    yield f"{len(table)} films with C1 moved by {SHIFTS_MM[0]:g} to {SHIFTS_MM[-1]:g} mm"
    for name, column in (("ADI", 2), ("SAC", 3)):
        kept = table[np.isfinite(table[:, column])]
        slope, scatter = _line(kept[:, 1], kept[:, column])
        within = [_line(own[:, 1], own[:, column])[1] for own in _by_film(kept) if len(own) > 2]
        yield (
            f"{name}: measured on {len(kept)}, slope {slope:+.2f}, scatter {scatter:.2f} mm over all, "
            f"{np.sqrt(np.mean(np.square(within))):.2f} mm within a film, "
            f"{_line(kept[:, column + 2], kept[:, column])[1]:.2f} mm about the readers' lengths so changed"
        )
    large = table[(table[:, 1] >= LARGE_MM) & np.isfinite(table[:, 2]), 2]
    called = int((large > LIMIT_MM).sum())
    yield f"moved by {LARGE_MM:g} mm or more and measured: ADI > {LIMIT_MM:g} mm on {called} of {len(large)}"


def _by_film(table: Points) -> list[Points]:
    return [table[table[:, 0] == number] for number in np.unique(table[:, 0])]


def _line(x: Points, y: Points) -> tuple[float, float]:
    """Slope, and standard deviation about the line."""
    slope, start = np.polyfit(x, y, 1)
    return float(slope), float(np.std(y - slope * x - start))


def without_a_neck(folder: Path, detector: FilmDetector, decision: Decision) -> str:
    """How many pictures of something else got no landmarks, and how sure the surest was."""
    silent, most, count = 0, 0.0, 0
    for path in _files(folder):
        film = Film(read_picture(path, PixelsSection()), None)
        answer = detector.answer(film)
        count += 1
        silent += decide(answer, film, decision).outcome is not Outcome.FOUND
        most = max(most, 0.0 if answer is None else answer.confidence)
    return f"{folder.name}: {silent} of {count} without landmarks, greatest confidence {most:.2f}"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was told of a film that nobody marked, and how its face points as far as the folder knows."""

    name: str
    detection: Detection
    confidence: float
    known_facing: str  # the folder's own word: left, right, "up (supine)"; empty if it has none

    @property
    def answered(self) -> bool:
        return self.detection.outcome is Outcome.FOUND

    @property
    def told(self) -> bool:
        """Whether there is a facing, and one to hold it against."""
        return self.detection.facing is not Facing.UNKNOWN and self.known_facing != ""

    def __str__(self) -> str:
        one = self.detection
        adi, sac = (f"{reason or '-':<20}" for reason in (one.adi_reason, one.sac_reason))
        facing = f"{one.facing} ({self.known_facing or 'not known'})"
        return (
            f"{self.name:<18} {one.outcome:<10} ADI {adi} SAC {sac} facing {facing:<21} "
            f"view {one.view:<9} {one.view_confidence:.2f}  confidence {self.confidence:.2f}"
        )


def judged_by_eye(folder: Path, annotated: Path, detector: FilmDetector) -> Iterator[str]:
    """A line for each film of ``folder``, then how many were answered, how sure, and how often facing was right."""
    with (annotated / "images.csv").open(newline="", encoding="utf-8") as file:
        known = {(annotated / image["path"]).resolve(): image for image in csv.DictReader(file)}
    films = []
    for path in _files(folder):
        films.append(judge(path, known.get(path.resolve(), {}), detector))
        yield str(films[-1])
    answered, told = [film for film in films if film.answered], [film for film in films if film.told]
    yield (
        f"{folder.name}: answered {len(answered)} of {len(films)} films, "
        f"least confidence of these {min((film.confidence for film in answered), default=np.nan):.2f}"
    )
    right = sum(film.detection.facing == film.known_facing for film in told)
    yield f"{folder.name}: facing right on {right} of {len(told)} told"


def judge(path: Path, image: Mapping[str, str], detector: FilmDetector) -> Judged:
    """One film; ``image`` is its row of ``images.csv``, empty where it has none."""
    film = Film(read_picture(path, PixelsSection()), spacing_of(image))
    answer = detector.answer(film)
    return Judged(
        name=path.name,
        detection=detector.tell(answer, film),
        confidence=0.0 if answer is None else answer.confidence,
        known_facing=image.get("facing", ""),
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _row(values: Points) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--judged", type=Path, nargs="*", default=[])
    parser.add_argument("--other", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    detector = load_detector(arguments.model, "cpu")
    assert isinstance(detector, FilmDetector)
    decision, reads = read_card(arguments.model).decision, read_folder(arguments.folder)
    print(detector.model)
    for line in (*against_readers(reads, detector), *with_c1_elsewhere(reads, detector)):
        print(line)
    for folder in arguments.judged:
        for line in judged_by_eye(folder, arguments.folder, detector):
            print(line)
    for folder in arguments.other:
        print(without_a_neck(folder, detector, decision))
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sys.exit(main())
