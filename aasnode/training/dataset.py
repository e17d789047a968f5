"""A folder of annotated films: read it, split it by patient, draw training crops from it.

``images.csv``: path, patient_id, view, row_spacing_mm, column_spacing_mm. ``annotations.csv``: path, landmark, x, y,
reader, confidence; pixels of the stored image, 0, 0 the centre of the first. Only path, and path, landmark, x and y,
must be there; further columns are ignored. docs/training.md has an example. A simulated
folder also has ``truth.json``, which tells what else is on a film and what cannot be measured there.
"""

import csv
import hashlib
import json
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from aasnode.anatomy import LANDMARKS, Facing, View
from aasnode.config import PixelsSection
from aasnode.dicom.file import is_dicom, read_data_set, read_start
from aasnode.dicom.picture import read_picture
from aasnode.dicom.pixels import read_pixels
from aasnode.dicom.spacing import LARGEST_MM, SMALLEST_MM
from aasnode.errors import ConfigurationError, UnreadableError
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.card import Beyond, Role, StageCard
from aasnode.inference.crop import Crop, Film, Floats, Points, normalise
from aasnode.inference.detection import Reason
from aasnode.inference.hrnet import STRIDE
from aasnode.inference.pose import Pose
from aasnode.training.augment import vary
from aasnode.training.samples import Sample
from aasnode.training.sources import digest

PAPER_SPLIT = (680, 140, 86)  # patients for training, validation and test in Okita et al. 2023
_NOT_VISIBLE = "not visible"
_Word = TypeVar("_Word", Facing, View)


@dataclass(frozen=True, kw_only=True)
class AnnotatedFilm:
    """One film and what its readers marked."""

    path: Path
    patient_id: str  # the path where the folder names no patients
    spacing: PixelSpacing | None
    points: Points  # (4, 2) mean of the readers in pixels; nan where nobody marked a point
    visible: npt.NDArray[np.bool_]  # (4,) False where a reader looked and found it not visible
    adi_reason: str | None = None  # why it cannot be measured: operated, destroyed, a point hidden or out of the field
    sac_reason: str | None = None
    facing: Facing | None = None  # None: the folder does not tell
    view: View | None = None
    disturbances: Mapping[str, float] = field(default_factory=dict)  # of a simulated film: name to strength, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Split:
    """Films whose patients do not overlap."""

    train: tuple[AnnotatedFilm, ...]
    validation: tuple[AnnotatedFilm, ...]
    test: tuple[AnnotatedFilm, ...]


def read_annotated_films(folder: Path) -> tuple[AnnotatedFilm, ...]:
    """Every film of ``images.csv`` that has an annotation.

    Raises UnreadableError naming file and line, and what is wrong there: nothing is left out without a word.
    """
    images = {row["path"]: row for row in _images(folder / "images.csv")}
    marks: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _annotations(folder / "annotations.csv"):
        marks[row["path"]].append(row)
    if unknown := [path for path in marks if path not in images]:
        raise UnreadableError(f"annotations.csv: {len(unknown)} of its films stand not in images.csv: {unknown[0]} …")
    if missing := [path for path in marks if not (folder / path).is_file()]:
        raise UnreadableError(f"{folder}: {len(missing)} annotated films are not there: {missing[0]} …")
    truth = _simulated_truth(folder / "truth.json")
    return tuple(_film(folder, row, marks[path], truth.get(path, {})) for path, row in images.items() if path in marks)


def _images(path: Path) -> Iterator[dict[str, str]]:
    seen: set[str] = set()
    for row in _rows(path, ("path",)):
        if row["path"] in seen:
            raise UnreadableError(f"{path}: {row['path']} stands there twice")
        seen.add(row["path"])
        yield row


def _annotations(path: Path) -> Iterator[dict[str, str]]:
    """With landmarks and confidences in small letters, as the tables have them."""
    for row in _rows(path, ("path", "landmark", "x", "y")):
        landmark = row["landmark"].lower()
        if landmark not in LANDMARKS:
            raise UnreadableError(f"{path}: {row['path']}: {landmark!r} is none of {', '.join(LANDMARKS)}")
        yield row | {"landmark": landmark, "confidence": row.get("confidence", "").lower()}


def _simulated_truth(path: Path) -> dict[str, dict[str, Any]]:
    """By the film's path; empty for films of a hospital."""
    if not path.exists():
        return {}
    try:
        return {film["path"]: film for film in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"{path}: cannot be read: {error!r}") from error


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The lines under the headings, without spaces round a cell; empty ones are left out."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            headings, *lines = [[cell.strip() for cell in line] for line in csv.reader(file)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{path}: cannot be read: {error}") from error
    if missing := set(columns) - set(headings):
        hint = "; commas must stand between them, not ';'" if any(";" in heading for heading in headings) else ""
        raise UnreadableError(f"{path}: lacks the columns {', '.join(sorted(missing))}{hint}")
    rows = []
    for number, line in enumerate(lines, 2):
        if len(line) != len(headings) and any(line):
            hint = "; a decimal comma? write 12.5" if len(line) > len(headings) else ""
            raise UnreadableError(f"{path}, line {number}: {len(line)} cells under {len(headings)} headings{hint}")
        if any(line):
            rows.append(dict(zip(headings, line, strict=True)))
    return rows


def _film(
    folder: Path, image: Mapping[str, str], marks: Sequence[Mapping[str, str]], truth: Mapping[str, Any]
) -> AnnotatedFilm:
    points, visible = np.full((len(LANDMARKS), 2), np.nan), np.ones(len(LANDMARKS), bool)
    for row, landmark in enumerate(LANDMARKS):
        own = [mark for mark in marks if mark["landmark"] == landmark]
        placed = [(_number(mark, "x"), _number(mark, "y")) for mark in own if mark["x"] and mark["y"]]
        if placed:
            points[row] = np.mean(placed, 0)
        elif any(mark.get("confidence") == _NOT_VISIBLE for mark in own):
            visible[row] = False
    return AnnotatedFilm(
        path=folder / image["path"],
        patient_id=image.get("patient_id") or image["path"],
        spacing=spacing_of(image),
        points=points,
        visible=visible,
        adi_reason=truth.get("adi_reason") or (None if visible[:2].all() else str(Reason.POINT_HIDDEN)),
        sac_reason=truth.get("sac_reason") or (None if visible[2:].all() else str(Reason.POINT_HIDDEN)),
        facing=_word(Facing, image.get("facing")),
        view=_word(View, image.get("view")),
        disturbances=truth.get("disturbances", {}),
    )


def _word(words: type[_Word], told: str | None) -> _Word | None:
    """None for what is blank or "unknown", or for a word of the site's own."""
    known = {str(word): word for word in words if word != "unknown"}
    return known.get((told or "").strip().lower())


def spacing_of(image: Mapping[str, str]) -> PixelSpacing | None:
    """Of a row of ``images.csv``; None where it does not say."""
    row, column = image.get("row_spacing_mm"), image.get("column_spacing_mm")
    if not row or not column:
        return None
    row_mm, column_mm = _number(image, "row_spacing_mm"), _number(image, "column_spacing_mm")
    if not all(SMALLEST_MM <= side <= LARGEST_MM for side in (row_mm, column_mm)):
        told = f"{row_mm:g} x {column_mm:g} mm"
        raise UnreadableError(f"{image['path']}: a spacing of {told} is not from {SMALLEST_MM:g} to {LARGEST_MM:g} mm")
    return PixelSpacing(row_mm=row_mm, column_mm=column_mm, rule=SpacingRule.GIVEN)


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row[column])
    except ValueError as error:
        raise UnreadableError(f"{row['path']}, {column}: {row[column]!r} is no number such as 12.5") from error


def split_by_patient(films: Sequence[AnnotatedFilm], seed: int, shares: tuple[int, int, int] = PAPER_SPLIT) -> Split:
    """A seeded permutation of the patients, cut in proportion to ``shares``; every film goes with its patient."""
    patients = sorted({film.patient_id for film in films})
    order = np.random.default_rng(seed).permutation(len(patients))
    ends = np.round(np.cumsum(shares) / sum(shares) * len(patients)).astype(int)
    groups = [{patients[i] for i in part} for part in np.split(order, ends[:-1])]
    train, validation, test = (tuple(film for film in films if film.patient_id in group) for group in groups)
    return Split(train=train, validation=validation, test=test)


def keep_split(split: Split, folder: Path, path: Path) -> None:
    """Write who is in which part into ``path``: CSV of path (as in ``images.csv``), patient_id, part. Names patients.

    Raises ConfigurationError where another split is kept there: who was held out from a training stays held out.
    """
    table = _as_table(split, folder)
    if path.exists():
        if path.read_text(encoding="utf-8") != table:
            raise ConfigurationError(
                [f"{path}: holds the split of other films or of another seed; choose another folder"]
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(table, encoding="utf-8")
    part.replace(path)


def _as_table(split: Split, folder: Path) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "patient_id", "part"])
    for part in fields(split):
        films: tuple[AnnotatedFilm, ...] = getattr(split, part.name)
        writer.writerows(sorted((str(_path_within(folder, film.path)), film.patient_id, part.name) for film in films))
    return text.getvalue()


def _path_within(folder: Path, path: Path) -> Path:
    """As ``images.csv`` has it, where that is not a path from the root."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def read_film(film: AnnotatedFilm, limits: PixelsSection | None = None) -> Floats:
    """Pixels of a DICOM file or picture, (rows, columns), bright = dense.

    Raises UnreadableError, also where a point lies outside of the picture; UnsupportedError.
    """
    limits = limits or PixelsSection()
    if is_dicom(read_start(film.path)):
        pixels = read_pixels(read_data_set(film.path, limits), limits)
    else:
        pixels = read_picture(film.path, limits)
    last = np.array(pixels.shape[::-1]) - 0.5
    outside = ((film.points < -0.5) | (film.points > last)).any(1)
    if outside.any():
        place = int(np.flatnonzero(outside)[0])
        told = f"{LANDMARKS[place]} at {film.points[place, 0]:g}, {film.points[place, 1]:g}"
        raise UnreadableError(
            f"{film.path.name}: {told} lies outside of its {pixels.shape[1]} x {pixels.shape[0]} pixels"
        )
    return pixels


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How far a training crop may lie from the one that the stage would be given; each drawn evenly."""

    turn_deg: float
    zoom: float  # greatest factor, and its inverse
    shift: float  # share of the crop's side
    mirror: float = 0.0  # probability


JITTER: Mapping[Role, Jitter] = {
    Role.LOCATE: Jitter(turn_deg=20, zoom=1.35, shift=0.15, mirror=0.5),
    Role.REFINE: Jitter(turn_deg=15, zoom=1.2, shift=0.08),
    Role.JOINT: Jitter(turn_deg=12, zoom=1.12, shift=0.08),
}


def _varied() -> str:
    """Changes when a source that cuts and varies crops of films changes."""
    package = Path(__file__).parents[1]
    return digest([package / "training" / "augment.py", package / "inference" / "crop.py"])


_VARIED = _varied()  # of the sources that were imported, whatever becomes of the files while a training runs


class FilmStream:
    """Crops of annotated films as a stage of the detector sees them, varied. Auxiliary points are unknown here."""

    def __init__(self, films: Sequence[AnnotatedFilm], stage: StageCard) -> None:
        """Films on which point 1 or point 4 was not marked are left out: they do not say where C1 lies."""
        self._films = [film for film in films if np.isfinite(film.points[[0, 3]]).all()]
        self._stage = stage
        if not self._films:
            raise UnreadableError("no annotated film with both ends of the C1 axis; mark points 1 and 4")

    @property
    def films(self) -> int:
        """How many are drawn from, each once in a round."""
        return len(self._films)

    @property
    def channels(self) -> tuple[str, ...]:
        """The stage's points."""
        return self._stage.channels

    @property
    def masks(self) -> tuple[str, ...]:
        """None: readers mark points only."""
        return ()

    @property
    def size(self) -> int:
        """Side of a crop in pixels."""
        return self._stage.input_px

    @property
    def identity(self) -> str:
        """Which films with which points, for which stage, and how they are varied."""
        marked = [(film.path.name, film.patient_id, film.points.round(3).tolist()) for film in self._films]
        described = [str(self._stage), str(JITTER[self._stage.role]), _VARIED, marked]
        return hashlib.sha256(json.dumps(described).encode()).hexdigest()

    def sample(self, seed: int, number: int) -> Sample:
        """Every film once in each round, in random order, every time with another crop and other intensities."""
        turn, place = divmod(number, len(self._films))
        index = np.random.default_rng([seed, turn]).permutation(len(self._films))[place]
        return draw_sample(self._films[index], self._stage, np.random.default_rng([seed, turn, place]))


def held_out_samples(films: Sequence[AnnotatedFilm], stage: StageCard) -> list[Sample]:
    """One crop of each film without any variation, for validation."""
    known = [film for film in films if np.isfinite(film.points[[0, 3]]).all()]
    return [draw_sample(film, stage, None) for film in known]


def draw_sample(annotated: AnnotatedFilm, stage: StageCard, rng: np.random.Generator | None) -> Sample:
    """One crop as the stage would see it; with ``rng`` varied in place, size, turn and intensity."""
    film = Film(read_film(annotated), annotated.spacing)
    truth = film.to_film(annotated.points)
    crop = _whole_film(film, stage, rng) if stage.role is Role.LOCATE else _upright(truth, annotated.facing, stage, rng)
    picture = film.cut(crop, dark_beyond=stage.beyond is Beyond.DARK)
    points = np.full((len(stage.channels), 2), np.nan)
    visible = np.ones(len(stage.channels), bool)
    rows = [stage.channels.index(mark) for mark in LANDMARKS]
    points[rows] = crop.to_crop(truth)
    outside = ((points < 0) | (points > crop.size - 1)).any(-1)
    visible[rows] = annotated.visible
    return Sample(
        image=normalise(picture if rng is None else vary(picture, rng)),
        points=points.astype(np.float32),
        visible=visible & ~outside,
        masks=_no_masks(crop),
    )


def _no_masks(crop: Crop) -> Floats:
    return np.zeros((0, crop.size // STRIDE, crop.size // STRIDE), np.float32)


def _whole_film(film: Film, stage: StageCard, rng: np.random.Generator | None) -> Crop:
    turn, zoom, shift, mirrored = _drawn(JITTER[stage.role], rng)
    side = max(film.width, film.height) / zoom
    x, y = (at + by * side for at, by in zip(film.centre, shift, strict=True))
    return Crop(centre=(x, y), scale=side / stage.input_px, turn=turn, mirrored=mirrored, size=stage.input_px)


def _upright(truth: Points, facing: Facing | None, stage: StageCard, rng: np.random.Generator | None) -> Crop:
    """Four points on a line do not tell a mirrored neck from one that hangs head down, nor a bent one: facing does."""
    ventral = truth[0] - truth[3]
    left = ventral[0] < 0 if facing is None else facing is Facing.LEFT
    focus = np.nanmean(truth[[LANDMARKS.index(mark) for mark in stage.focus]], 0)
    pose = Pose(
        centre=(float(focus[0]), float(focus[1])),
        diameter=float(np.hypot(*ventral)),
        angle=math.atan2(ventral[1], ventral[0]),
        mirrored=bool(left),
    )
    turn, zoom, shift, _ = _drawn(JITTER[stage.role], rng)
    return pose.crop(stage, turn, zoom, shift)


def _drawn(jitter: Jitter, rng: np.random.Generator | None) -> tuple[float, float, tuple[float, float], bool]:
    if rng is None:
        return 0.0, 1.0, (0.0, 0.0), False
    turn = math.radians(rng.uniform(-jitter.turn_deg, jitter.turn_deg))
    zoom = math.exp(rng.uniform(-1, 1) * math.log(jitter.zoom))
    x, y = rng.uniform(-jitter.shift, jitter.shift, 2)
    return turn, zoom, (float(x), float(y)), bool(rng.random() < jitter.mirror)
