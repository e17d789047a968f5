"""What becomes of the answers on read films when the film is turned, mirrored, cut, framed, or processed otherwise.

    python benchmarks/real_films_changed.py FOLDER [--model DIR] [--pictures DIR …]

FOLDER holds ``images.csv`` and ``annotations.csv`` of films with a spacing; those whose pixels are not square are left
out. The readers' points are moved with the picture; spacing is given in the size that the changed picture has. One line
for each change: how many ADIs and SACs were measured, and the distance of their points from the readers' mean in mm, of
whatever was measured: where hard films are left out, it says less. Of ``--pictures``, folders of films that nobody has
annotated or that show no neck, one line for each change: how many of each folder are answered, and with which greatest
and least confidence. Needs ``aasnode[train]``. Nothing is written.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from real_films import Read, points_of, read_folder

from aasnode.assets import shipped_model
from aasnode.config import PixelsSection
from aasnode.dicom.picture import read_picture
from aasnode.geometry import PixelSpacing
from aasnode.inference.crop import Film, Floats
from aasnode.inference.detection import Outcome
from aasnode.inference.detector import FilmDetector, load_detector
from aasnode.training.dataset import read_film

Points = npt.NDArray[np.float64]
Affine = npt.NDArray[np.float64]  # (2, 3): pixels of the film → pixels of the changed film
Change = Callable[[Floats, Points], tuple[Floats, Affine]]

_AS_IT_IS: Affine = np.eye(3)[:2]
_SEED = 1


def turned(degrees: float, picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """Turned about its middle; corners are black."""
    size = np.array(picture.shape[::-1])
    middle = (size - 1) / 2
    turn = np.asarray(cv2.getRotationMatrix2D(middle.tolist(), degrees, 1), np.float64)
    wide = np.ceil(np.abs(turn[:, :2]) @ size - 1e-6).astype(int)
    turn[:, 2] += (wide - 1) / 2 - middle
    return _floats(cv2.warpAffine(picture, turn, wide.tolist())), turn


def mirrored(picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """Left is right."""
    return _floats(picture[:, ::-1]), np.array([[-1, 0, picture.shape[1] - 1], [0, 1, 0]], np.float64)


def resized(factor: float, picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """With fewer pixels."""
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    half = (factor - 1) / 2
    return _floats(small), np.array([[factor, 0, half], [0, factor, half]])


def framed(percentile: float, picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """Within a border of a third of its side."""
    border = max(picture.shape) // 3
    value = float(np.percentile(picture, percentile))
    wide = cv2.copyMakeBorder(picture, *[border] * 4, cv2.BORDER_CONSTANT, value=value)
    return _floats(wide), np.array([[1, 0, border], [0, 1, border]], np.float64)


def cut(reach: float, picture: Floats, points: Points) -> tuple[Floats, Affine]:
    """A square about the joint; ``reach`` from its middle to its side, in distances from arch to arch."""
    side = reach * np.hypot(*(points[3] - points[0]))
    low = np.maximum(points.mean(0) - side, 0).astype(int)
    high = np.minimum(points.mean(0) + side, picture.shape[::-1]).astype(int)
    return _floats(picture[low[1] : high[1], low[0] : high[0]]), np.array([[1, 0, -low[0]], [0, 1, -low[1]]], float)


def processed(process: Callable[[Floats], Floats], picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """Other grey values, 0 to 1 beforehand; the same place."""
    low, high = np.percentile(picture, [0.5, 99.5])
    return process(_floats(np.clip((picture - low) / (high - low), 0, 1))), _AS_IT_IS


def _floats(picture: npt.NDArray[np.generic]) -> Floats:
    return np.ascontiguousarray(picture, np.float32)


def _blurred(sigma_px: float, picture: Floats) -> Floats:
    return _floats(cv2.GaussianBlur(picture, (0, 0), sigma_px))


def _noisy(picture: Floats) -> Floats:
    return _floats(picture + np.random.default_rng(_SEED).normal(0, 0.06, picture.shape))


def _sharpened(picture: Floats) -> Floats:
    return picture + 1.5 * (picture - _blurred(8, picture))


def _equalised(picture: Floats) -> Floats:
    return _floats(cv2.createCLAHE(4, (8, 8)).apply((picture * 255).astype(np.uint8)))


def _lossy(picture: Floats) -> Floats:
    _, file = cv2.imencode(".jpg", (picture * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 15])
    return _floats(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))


def _clipped(picture: Floats) -> Floats:
    return np.clip((picture - np.float32(0.35)) / np.float32(0.4), 0, 1)


CHANGES: Mapping[str, Change] = {
    "as it is": lambda picture, _: (picture, _AS_IT_IS),
    "turned by 30°": partial(turned, 30),
    "turned by -30°": partial(turned, -30),
    "turned by 90°": partial(turned, 90),
    "turned by 180°": partial(turned, 180),
    "mirrored": mirrored,
    "a half of the pixels a side": partial(resized, 1 / 2),
    "a third of the pixels a side": partial(resized, 1 / 3),
    "black border": partial(framed, 0),
    "white border": partial(framed, 100),
    "cut to 3.2 times the arch-to-arch distance": partial(cut, 1.6),
    "cut to twice the arch-to-arch distance": partial(cut, 1.0),
    "gamma 0.5": partial(processed, np.sqrt),
    "gamma 2": partial(processed, np.square),
    "blurred by 3 pixels": partial(processed, partial(_blurred, 3)),
    "noise of 6 %": partial(processed, _noisy),
    "sharpened": partial(processed, _sharpened),
    "locally equalised": partial(processed, _equalised),
    "JPEG of quality 15": partial(processed, _lossy),
    "clipped to 0.35-0.75 of its range": partial(processed, _clipped),
}


def middle(share: float, picture: Floats, _: Points) -> tuple[Floats, Affine]:
    """The middle of the film, ``share`` of each side."""
    low = (np.array(picture.shape) * (1 - share) / 2).astype(int)
    high = np.array(picture.shape) - low
    return _floats(picture[low[0] : high[0], low[1] : high[1]]), np.array([[1, 0, -low[1]], [0, 1, -low[0]]], float)


PICTURE_CHANGES: Mapping[str, Change] = {
    name: change for name, change in CHANGES.items() if not name.startswith(("cut", "turned by -", "a half"))
} | {
    "the middle 85 %": partial(middle, 0.85),
    "the middle half": partial(middle, 0.5),
}
"""What can be done to a picture without knowing where its joint is."""


def answered(folder: Path, detector: FilmDetector) -> Iterator[str]:
    """A line for each change."""
    pictures = [read_picture(path, PixelsSection()) for path in sorted(folder.iterdir()) if path.is_file()]
    yield f"| {folder.name}, {len(pictures)} films, {detector.model} | answered | least and greatest confidence |"
    yield "|---|---|---|"
    for name, change in PICTURE_CHANGES.items():
        films = [Film(change(picture, np.empty((0, 2)))[0], None) for picture in pictures]
        answers = [(detector.answer(film), film) for film in films]
        found = sum(detector.tell(answer, film).outcome is Outcome.FOUND for answer, film in answers)
        sure = [answer.confidence if answer else 0.0 for answer, _ in answers]
        yield f"| {name} | {found} | {min(sure):.2f}, {max(sure):.2f} |"


def distances_mm(read: Read, picture: Floats, change: Change, detector: FilmDetector) -> Points:
    """(4,) of the points of a changed film from the readers' mean; nan where a length was withheld."""
    assert read.film.spacing is not None
    changed, to_changed = change(picture, read.film.points)
    side_mm = read.film.spacing.row_mm / float(np.sqrt(abs(np.linalg.det(to_changed[:, :2]))))
    spacing = PixelSpacing(row_mm=side_mm, column_mm=side_mm, rule=read.film.spacing.rule)
    truth = read.film.points @ to_changed[:, :2].T + to_changed[:, 2]
    return np.asarray(np.hypot(*(points_of(detector.detect(changed, spacing)) - truth).T) * side_mm)


def of_film(read: Read, detector: FilmDetector) -> Points:
    """(changes, 4) mm."""
    picture = read_film(read.film)
    return np.array([distances_mm(read, picture, change, detector) for change in CHANGES.values()])


def row(name: str, found: Points) -> str:
    """A line of the table; ``found`` is (films, 4)."""
    known = np.isfinite(found)
    lengths = f"{known[:, :2].all(1).sum()} ADI, {known[:, 2:].all(1).sum()} SAC"
    if not known.any():
        return f"| {name} | {lengths} | – | – |"
    return f"| {name} | {lengths} | {np.nanmean(found):.2f} | {np.nanmax(found):.1f} |"


def has_square_pixels(read: Read) -> bool:
    """Whether a turn of its pixels is a turn of the patient."""
    return read.film.spacing is not None and np.isclose(read.film.spacing.row_mm, read.film.spacing.column_mm)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--pictures", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    detector = load_detector(arguments.model, "cpu")
    assert isinstance(detector, FilmDetector)
    reads = [read for read in read_folder(arguments.folder) if has_square_pixels(read)]
    found = np.array([of_film(read, detector) for read in reads]).swapaxes(0, 1)
    print(f"| {len(reads)} films, {detector.model} | measured | mean mm | worst mm |\n|---|---|---|---|")
    for name, of_change in zip(CHANGES, found, strict=True):
        print(row(name, of_change))
    for folder in arguments.pictures:
        for line in answered(folder, detector):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sys.exit(main())
