"""A folder of annotated films becomes crops in which the points are where the readers put them."""

import csv
import dataclasses
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from aasnode.anatomy import LANDMARKS, Facing, View
from aasnode.errors import ConfigurationError, UnreadableError
from aasnode.inference.card import Role, StageCard
from aasnode.training import dataset
from aasnode.training.dataset import (
    AnnotatedFilm,
    FilmStream,
    draw_sample,
    held_out_samples,
    keep_split,
    read_annotated_films,
    read_film,
    split_by_patient,
)
from tests.inference.oracle import stage_card

SPACED = "path,row_spacing_mm,column_spacing_mm\nfilm-0.png,{},0.1\nfilm-1.png,0.1,0.1\n"
POINTS = {
    "film-0.png": [(300, 200), (276, 205), (220, 210), (80, 230)],
    "film-1.png": [(80, 250), (104, 246), (160, 236), (300, 210)],
}


def picture(points: list[tuple[int, int]]) -> np.ndarray:
    """A dim, uneven film with a bright disc at each point, each with its own grey."""
    rows, columns = np.indices((420, 380))
    film = (40 + 10 * np.sin(rows / 30) + 10 * np.cos(columns / 40)).astype(np.uint8)
    for grey, point in zip((250, 210, 170, 130), points, strict=True):
        cv2.circle(film, point, 9, grey, -1)
    return film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, points in POINTS.items():
        cv2.imwrite(str(tmp_path / name), picture(points))
    with (tmp_path / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "patient_id", "view", "row_spacing_mm", "column_spacing_mm"])
        writer.writerow(["film-0.png", "P1", "neutral", 0.2, 0.1])
        writer.writerow(["film-1.png", "", "neutral", "", ""])
        writer.writerow(["never-read.png", "P3", "neutral", 0.1, 0.1])
    with (tmp_path / "annotations.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "landmark", "x", "y", "reader", "confidence"])
        for name, points in POINTS.items():
            for landmark, (x, y) in zip(LANDMARKS, points, strict=True):
                hidden = name == "film-1.png" and landmark == LANDMARKS[2]
                for reader, off in (("A", -1), ("B", 1)):
                    confidence = "not visible" if hidden else "good"
                    writer.writerow(
                        [name, landmark, "" if hidden else x + off, "" if hidden else y, reader, confidence]
                    )
    return tmp_path


def test_a_folder_is_read_as_its_readers_meant_it(folder: Path) -> None:
    first, second = read_annotated_films(folder)
    assert np.allclose(first.points, POINTS["film-0.png"])
    assert first.visible.all()
    assert first.spacing is not None
    assert (first.patient_id, first.spacing.row_mm, first.spacing.column_mm) == ("P1", 0.2, 0.1)
    assert second.visible.tolist() == [True, True, False, True]
    assert np.isnan(second.points[2]).all()
    assert (second.patient_id, second.spacing) == ("film-1.png", None)


@pytest.mark.parametrize(("name", "content", "problem"), [
    ("images.csv", None, "images.csv: cannot be read"),
    ("images.csv", "file,view\n", "lacks the columns path"),
    ("annotations.csv", "path,x,y\n", "lacks the columns landmark"),
    ("annotations.csv", "path,landmark,x,y\nfilm-0.png,dens_anterior,\"12,5\",3\n", "x: '12,5' is no number"),
    ("annotations.csv", "path,landmark,x,y\nfilm-0.png,dens_front,12,3\n", "'dens_front' is none of c1_anterior_arch"),
    ("annotations.csv", "path,landmark,x,y\nfilm-0.png,dens_anterior,12,5,3\n", "line 2: 5 cells .*decimal comma"),
    ("annotations.csv", "path,landmark,x,y\nfilm-0.png,dens_anterior\n", "line 2: 2 cells under 4 headings"),
    ("annotations.csv", "path,landmark,x,y\nother.png,dens_anterior,1,2\n", "stand not in images.csv: other.png"),
    ("annotations.csv", "path,landmark,x,y\nnever-read.png,dens_anterior,1,2\n", "1 annotated films are not there"),
    ("images.csv", "path;row_spacing_mm\nfilm-0.png;0.1\n", "lacks the columns path; commas must stand between them"),
    ("images.csv", "path\nfilm-0.png\nfilm-0.png\nfilm-1.png\n", "film-0.png stands there twice"),
    ("images.csv", SPACED.format("0.1mm"), "row_spacing_mm: '0.1mm' is no number"),
    ("images.csv", SPACED.format("200"), "film-0.png: a spacing of 200 x 0.1 mm is not from 0.01 to 2 mm"),
    ("images.csv", SPACED.format("0"), "film-0.png: a spacing of 0 x 0.1 mm"),
])  # fmt: skip
def test_a_folder_that_lacks_something_is_told_so(folder: Path, name: str, content: str | None, problem: str) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(UnreadableError, match=problem):
        read_annotated_films(folder)


def test_a_table_as_a_spreadsheet_saves_it_is_read(folder: Path) -> None:
    """With a byte-order mark, spaces, an empty row at the end, and words as people write them."""
    before = read_annotated_films(folder)
    for name in ("images.csv", "annotations.csv"):
        text = (folder / name).read_text().replace(",", ", ").replace("dens_anterior", "Dens_Anterior")
        text = text.replace("not visible", "Not visible")
        (folder / name).write_text(text + ",,,,\r\n", encoding="utf-8-sig")
    after = read_annotated_films(folder)
    assert [np.array_equal(a.points, b.points, equal_nan=True) for a, b in zip(before, after, strict=True)] == [
        True
    ] * 2
    assert [film.visible.tolist() for film in after] == [film.visible.tolist() for film in before]


def test_a_point_beside_its_picture_is_told(folder: Path) -> None:
    first = read_annotated_films(folder)[0]
    read_film(first)
    moved = dataclasses.replace(first, points=first.points + [[0, 0], [1000, 0], [0, 0], [0, 0]])
    with pytest.raises(UnreadableError, match=r"film-0\.png: dens_anterior at 1276, 205 lies outside of its 380 x 420"):
        read_film(moved)


def stage(role: Role, **changes: object) -> StageCard:
    return stage_card(role, masks=(), diameter_px=70.0, **changes)


def greys_at(image: np.ndarray, points: np.ndarray) -> list[float]:
    return [float(cv2.getRectSubPix(image, (1, 1), (float(x), float(y)))[0, 0]) for x, y in points]


@pytest.mark.parametrize("role", Role)
def test_the_points_of_a_crop_lie_on_what_they_mark(folder: Path, role: Role) -> None:
    for film in read_annotated_films(folder):
        sample = draw_sample(film, stage(role, focus=LANDMARKS[:2]), None)
        marked = sample.visible[:4] & np.isfinite(sample.points[:4]).all(1)
        greys = greys_at(sample.image, sample.points[:4][marked])
        assert len(greys) >= 2
        assert role is Role.LOCATE or greys == sorted(greys, reverse=True)  # a whole film is too coarse for four greys
        assert min(greys) > np.median(sample.image) + 0.5


@pytest.mark.parametrize("role", Role)
def test_varied_crops_show_the_points_where_they_say(folder: Path, role: Role) -> None:
    """Whatever happens to the intensities, a disc stands out from its surroundings; auxiliary points stay unknown."""
    film = read_annotated_films(folder)[1]
    rng = np.random.default_rng(0)
    standing_out = []
    for _ in range(40):
        sample = draw_sample(film, stage(role, focus=LANDMARKS[:2]), rng)
        assert np.isnan(sample.points[4:]).all()
        assert sample.visible[4:].all()
        if sample.visible[0]:
            x, y = sample.points[0]
            rows, columns = np.indices(sample.image.shape)
            radius = np.hypot(columns - x, rows - y)
            scale = np.hypot(*(sample.points[0] - sample.points[1])) / 24
            ring = sample.image[(radius > 12 * scale) & (radius < 20 * scale)]
            standing_out.append(abs(greys_at(sample.image, [(x, y)])[0] - np.median(ring)) > 0.5)
    assert len(standing_out) > 25
    assert np.mean(standing_out) > 0.9


def test_validation_crops_are_upright_at_the_stages_size(folder: Path) -> None:
    for sample in held_out_samples(read_annotated_films(folder), stage(Role.REFINE)):
        assert sample.points[0, 0] - sample.points[3, 0] == pytest.approx(70, abs=0.01)
        assert sample.points[0, 1] == pytest.approx(sample.points[3, 1], abs=0.01)


def test_a_neck_bent_beyond_the_horizontal_is_cropped_as_its_facing_says(folder: Path) -> None:
    """Its points alone look like those of a film that faces the other way."""
    known = read_annotated_films(folder)[0]
    bent = np.array([[300.0, 200.0], [305.0, 190.0], [315.0, 170.0], [320.0, 160.0]])  # ventral is down and a bit left
    crops = {
        facing: draw_sample(dataclasses.replace(known, points=bent, facing=facing), stage(Role.REFINE), None)
        for facing in (Facing.RIGHT, Facing.LEFT, None)
    }
    assert np.array_equal(crops[None].image, crops[Facing.LEFT].image)  # untold: taken for a film that faces left
    assert not np.array_equal(crops[Facing.RIGHT].image, crops[Facing.LEFT].image)
    for sample in crops.values():
        assert sample.points[0, 0] - sample.points[3, 0] == pytest.approx(70, abs=0.01)  # ventral to the right


def test_facing_and_view_are_read_where_the_folder_tells_them(folder: Path) -> None:
    with (folder / "images.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = [("Right", "flexion"), ("unknown", "oblique"), ("", "")]
    with (folder / "images.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0], *({"facing", "view"} - set(rows[0]))])
        writer.writeheader()
        writer.writerows(
            {**row, "facing": facing, "view": view} for row, (facing, view) in zip(rows, told, strict=True)
        )
    found = read_annotated_films(folder)
    assert [(film.facing, film.view) for film in found] == [(Facing.RIGHT, View.FLEXION), (None, None)]


def test_what_leaves_the_crop_is_not_visible(folder: Path) -> None:
    film = read_annotated_films(folder)[0]
    sample = draw_sample(film, stage(Role.JOINT, focus=LANDMARKS[:2], input_px=64), None)
    assert sample.visible[:4].tolist() == [True, True, True, False]


def test_a_stream_repeats_itself_from_its_seed_and_never_otherwise(folder: Path) -> None:
    stream = FilmStream(read_annotated_films(folder), stage(Role.REFINE))
    drawn = [(stream.sample(1, number), stream.sample(1, number), stream.sample(2, number)) for number in range(3)]
    assert all(
        np.array_equal(a.image, b.image) and np.array_equal(a.points, b.points, equal_nan=True) for a, b, _ in drawn
    )
    assert not any(np.array_equal(a.image, c.image) for a, _, c in drawn)
    assert (stream.size, stream.masks, stream.channels[:4]) == (128, (), LANDMARKS)


@pytest.mark.parametrize(("name", "other"), [("_VARIED", "another source"), ("JITTER", defaultdict(str))])
def test_a_training_does_not_go_on_with_crops_that_are_varied_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: object
) -> None:
    stream = FilmStream(read_annotated_films(folder), stage(Role.REFINE))
    before = stream.identity
    monkeypatch.setattr(dataset, name, other)
    assert stream.identity != before


def test_films_without_the_ends_of_the_axis_teach_nothing(folder: Path) -> None:
    films = list(read_annotated_films(folder))
    lost = AnnotatedFilm(
        path=films[0].path, patient_id="P", spacing=None, points=np.full((4, 2), np.nan), visible=np.ones(4, bool)
    )
    with pytest.raises(UnreadableError, match="mark points 1 and 4"):
        FilmStream([lost], stage(Role.REFINE))
    assert len(held_out_samples([*films, lost], stage(Role.REFINE))) == 2
    assert FilmStream([*films, lost], stage(Role.REFINE)).films == 2


def fake_films(patients: int) -> list[AnnotatedFilm]:
    return [
        AnnotatedFilm(
            path=Path(f"{p}-{k}.png"),
            patient_id=f"P{p}",
            spacing=None,
            points=np.zeros((4, 2)),
            visible=np.ones(4, bool),
        )
        for p in range(patients)
        for k in range(1 + p % 3)
    ]


def test_the_papers_patients_are_split_as_in_the_paper() -> None:
    films = fake_films(906)
    split = split_by_patient(films, seed=1)
    groups = [{film.patient_id for film in part} for part in (split.train, split.validation, split.test)]
    assert [len(group) for group in groups] == [680, 140, 86]
    assert len(set.union(*groups)) == 906
    assert len(split.train) + len(split.validation) + len(split.test) == len(films)
    assert split_by_patient(films[::-1], seed=1).test != split_by_patient(films, seed=2).test
    assert {film.path for film in split_by_patient(films[::-1], seed=1).test} == {film.path for film in split.test}


def test_who_was_held_out_is_written_down_and_stays_held_out(tmp_path: Path) -> None:
    folder, path = tmp_path / "films", tmp_path / "work" / "split.csv"
    films = [dataclasses.replace(film, path=folder / film.path) for film in fake_films(12)]
    split = split_by_patient(films, seed=1)
    for _ in range(2):
        keep_split(split, folder, path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(films)
    held_out = [(row["path"], row["patient_id"]) for row in rows if row["part"] == "test"]
    assert held_out == [(film.path.name, film.patient_id) for film in split.test]
    with pytest.raises(ConfigurationError, match=r"split\.csv: holds the split of other films"):
        keep_split(split_by_patient(films, seed=2), folder, path)
    assert [one.name for one in path.parent.iterdir()] == ["split.csv"]
