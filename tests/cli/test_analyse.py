"""``aasnode analyse``: one answer per file whatever the file does, as it comes."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from aasnode.analysis import AnalysisSettings, analyse_picture, as_json, failed
from aasnode.analysis import analyse as analyse_one
from aasnode.anatomy import LANDMARKS
from aasnode.cli import analyse
from aasnode.cli.analyse import Answer, Film, analyse_each
from aasnode.cli.main import main
from aasnode.config import Config, from_table, load
from aasnode.geometry import PixelSpacing, SpacingRule
from tests.dicom.films import film, written
from tests.marks import MarksDetector, marked_film

WARM_UP, LARGE_FILMS, HANDS = 4, 12, 300  # what an allocator keeps is settled after the first few
KEYS = [
    "file", "status", "reason", "view", "facing", "landmarks",
    "adi_mm", "adi_interval_mm", "adi_finding", "adi_ratio", "sac_mm", "sac_interval_mm", "sac_finding", "sac_ratio",
    "assessment", "assessment_reason", "criteria", "assumption",
    "spacing_mm", "spacing_rule", "model", "interval_source",
]  # fmt: skip


def answer(film: Film) -> Answer:
    if film.path.name == "hangs.dcm":
        threading.Event().wait()
    if film.path.name == "crashes.dcm":
        os._exit(9)
    return {"file": str(film.path), "status": "rejected"}


def prepare(config: Config) -> Callable[[Film], Answer]:
    return answer


def films(*names: str) -> list[Film]:
    return [Film(path=Path(name), pixel_spacing_mm=None) for name in names]


def a_measured_film(spacing: PixelSpacing, **elements: object) -> Answer:
    pixels = np.ascontiguousarray(marked_film(spacing))
    given = {"BitsStored": 12, "ImagerPixelSpacing": [spacing.row_mm, spacing.column_mm]}
    dataset = film(pixels, **(given | elements))
    return as_json(analyse_one(dataset, MarksDetector(), AnalysisSettings.of(Config())), "film.dcm")


def test_the_row_of_a_film_says_which_value_was_compared_with_which_limit(capsys: pytest.CaptureFixture[str]) -> None:
    square = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    answer = a_measured_film(square, EstimatedRadiographicMagnificationFactor="1.25", PatientAge="060Y")
    analyse._row_printer([Path("film.dcm")])(answer)
    row = capsys.readouterr().out.splitlines()[-1]
    for name in ("adi", "sac"):
        finding = answer[f"{name}_finding"]
        assert finding["plane"] == "detector"
        assert finding["compared_mm"] == pytest.approx(1.25 * answer[f"{name}_mm"], rel=1e-3)
        assert f"{name.upper()} {finding['compared_mm']:.2f} mm {finding['limit']}: " in row
    assert row.endswith("(detector plane)")


def test_a_value_that_its_interval_puts_in_doubt_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    square = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    answer = a_measured_film(square, PatientAge="060Y")
    finding = answer["adi_finding"] | {"doubt": "interval spans 3 mm"}
    assert "interval spans" not in remark(answer, capsys)
    assert "abnormal, interval spans 3 mm; SAC" in remark(answer | {"adi_finding": finding}, capsys)


def remark(answer: Answer, capsys: pytest.CaptureFixture[str]) -> str:
    analyse._row_printer([Path(answer["file"])])(answer)
    return capsys.readouterr().out.splitlines()[-1].partition(answer["assessment"] or "rejected")[2].strip()


SQUARE = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)


def test_a_child_is_told_as_the_reason_why_its_lengths_are_not_assessed(capsys: pytest.CaptureFixture[str]) -> None:
    child = a_measured_film(SQUARE, PatientAge="010Y")
    assert (child["status"], child["assessment"], child["reason"]) == ("measured", "not_assessed", None)
    assert child["assessment_reason"] == "under 18 years: thresholds are those of adults"
    assert remark(child, capsys) == child["assessment_reason"]


def test_an_age_that_is_not_known_is_told_with_what_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    grown = a_measured_film(SQUARE, PatientAge="060Y")
    assert "age unknown" not in grown["assessment_reason"] + remark(grown, capsys)
    unknown = a_measured_film(SQUARE)
    assert (grown["assumption"], unknown["assumption"]) == (None, "age unknown, taken as adult")
    assert unknown["assessment_reason"].endswith(f"; {unknown['assumption']}")
    assert remark(unknown, capsys) == f"{remark(grown, capsys)}; age unknown, taken as adult"


def test_a_range_that_was_compared_is_told_as_that(capsys: pytest.CaptureFixture[str]) -> None:
    of_patient = {"PixelSpacing": [0.15, 0.15], "PixelSpacingCalibrationType": "FIDUCIAL", "PatientAge": "060Y"}
    answer = a_measured_film(SQUARE, **of_patient, ImagerPixelSpacing=None)
    assert answer["adi_finding"]["compared_mm"] is None
    assert "magnification 1 to 1.3 allowed for" in answer["assessment_reason"]
    assert remark(answer, capsys).endswith("(detector plane, magnification allowed for)")


def a_picture(path: Path, *, marks: int) -> Answer:
    """A PNG with the pixel spacing that the user states."""
    cv2.imwrite(str(path), marked_film(SQUARE, marks=marks) << 4)
    given = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.GIVEN)
    return as_json(analyse_picture(path, MarksDetector(), AnalysisSettings.of(Config()), given), str(path))


def test_a_picture_is_compared_with_the_caveat_that_its_plane_is_not_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = a_picture(tmp_path / "film.png", marks=4)
    assert answer["adi_finding"]["plane"] is None
    assert "plane of the pixel spacing not stated" in answer["assessment_reason"]
    caveats = "(plane of the pixel spacing not stated); age unknown, taken as adult"
    assert remark(answer, capsys).endswith(caveats)


def test_a_picture_in_which_no_neck_is_seen_may_have_been_given_a_wrong_spacing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = a_picture(tmp_path / "film.png", marks=0)
    assert answer["reason"] == "no_lateral_cervical_view"
    assert remark(answer, capsys).endswith("no_lateral_cervical_view at the pixel spacing given")
    blank = film(np.ascontiguousarray(marked_film(SQUARE, marks=0)), BitsStored=12, ImagerPixelSpacing=[0.15, 0.15])
    of_dicom = as_json(analyse_one(blank, MarksDetector(), AnalysisSettings.of(Config())), "film.dcm")
    assert remark(of_dicom, capsys).endswith("no_lateral_cervical_view")


def shown_names(paths: list[Path], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The first column of the table."""
    show = analyse._row_printer(paths)
    for path in paths:
        show(as_json(failed("no film"), str(path)))
    return [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()[1:]]


def test_a_base_name_that_does_not_tell_which_file_gives_way_to_the_path_as_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = f"{'long' * 12}.dcm"
    paths = [tmp_path / "a" / "film.dcm", tmp_path / "b" / "film.dcm", tmp_path / "b" / "one.dcm", tmp_path / long]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    missing = tmp_path / "none.dcm"
    ends = ["…" + str(path)[-39:] for path in (*paths, missing)]
    assert ends[0].endswith("/a/film.dcm")
    shown = [ends[0], ends[1], "one.dcm", "…" + long[-39:], ends[4]]
    assert shown_names([*paths, missing], capsys) == shown
    assert shown_names([paths[0], paths[2]], capsys) == ["film.dcm", "one.dcm"]


def test_a_name_is_not_shortened_to_that_of_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{first}{'same' * 12}.dcm" for first in "ab"]
    missing = [tmp_path / folder / "deep" / f"{'same' * 9}.dcm" for folder in "ab"]
    for path in paths:
        path.touch()
    assert shown_names([*paths, *missing], capsys) == list(map(str, [*paths, *missing]))
    assert shown_names(paths[:1] * 2, capsys) == ["…" + paths[0].name[-39:]] * 2  # one file, twice


def test_the_row_of_a_film_without_mm_gives_the_lengths_relative_to_c1(capsys: pytest.CaptureFixture[str]) -> None:
    square = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    unscaled = film(np.ascontiguousarray(marked_film(square)), BitsStored=12)
    answer = as_json(analyse_one(unscaled, MarksDetector(), AnalysisSettings.of(Config())), "film.dcm")
    analyse._row_printer([Path("film.dcm")])(answer)
    row = capsys.readouterr().out.splitlines()[-1]
    assert answer["status"] == "located"
    shares = f"ADI {100 * answer['adi_ratio']:.1f} %, SAC {100 * answer['sac_ratio']:.1f} %"
    assert f"{shares} of the inner sagittal diameter of C1; no pixel spacing in the header" in row


def test_the_table_ends_with_what_its_numbers_are_worth(capsys: pytest.CaptureFixture[str]) -> None:
    square = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)
    rejected = as_json(failed("no film"), "none.dcm")
    analyse._show_table([rejected, a_measured_film(square)], [Path("none.dcm"), Path("film.dcm")])
    assert capsys.readouterr().out.endswith(
        "\n\nThresholds: ADI > 3 mm, SAC <= 13 mm (borderline to 14 mm), in the detector plane; "
        "else uncertain within 1 standard error.\nAI result, not verified. Research use only, not for diagnosis. "
        "90 % intervals: calibrated on drawn marks.\n"
    )
    analyse._show_table([rejected], [Path("none.dcm")])
    assert "calibrated" not in capsys.readouterr().out


@pytest.fixture
def impatient() -> Config:
    return from_table({"analyser": {"deadline_seconds": 2}})


@pytest.fixture
def config_file(tmp_path: Path, untrained_model: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[model]\ndirectory = "{untrained_model}"\ndevice = "cpu"\n')
    return path


def test_a_film_that_hangs_or_crashes_is_answered_as_failed_and_the_next_goes_on(
    impatient: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyse, "prepare", prepare)
    answers = list(analyse_each(films("one.dcm", "hangs.dcm", "crashes.dcm", "two.dcm"), impatient))
    assert [one["status"] for one in answers] == ["rejected", "failed", "failed", "rejected"]
    assert "2 s" in answers[1]["reason"]
    assert "ended with code" in answers[2]["reason"]
    assert [one["file"] for one in answers] == ["one.dcm", "hangs.dcm", "crashes.dcm", "two.dcm"]


def test_a_defect_is_told_by_type_and_places_and_never_in_words_that_may_quote_the_patient(
    untrained_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def defective(*_: object) -> None:
        raise KeyError("DOE^JANE")

    monkeypatch.setattr(analyse, "analyse_file", defective)
    config = from_table({"model": {"directory": str(untrained_model), "device": "cpu"}})
    answer = analyse.prepare(config)(films("one.dcm")[0])
    told = capsys.readouterr().err
    assert answer["status"] == "failed"
    assert told.startswith("KeyError\n")
    assert f"{__file__}:" in told
    assert "DOE" not in told + answer["reason"]


def test_an_answer_is_given_before_the_next_film_is_looked_at(
    impatient: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyse, "prepare", prepare)
    answers = analyse_each(films("one.dcm", "hangs.dcm"), impatient)
    assert next(answers)["file"] == "one.dcm"


def resident_bytes() -> tuple[int, int]:
    """Of this process and of the child that reads films."""
    own = psutil.Process()
    (child,) = [one for one in own.children() if "spawn_main" in " ".join(one.cmdline())]
    return own.memory_info().rss, child.memory_info().rss


def growth(answers: Iterator[Answer], count: int) -> int:
    """Bytes by which either process grows over so many answers, none of which may be a failure."""
    before = resident_bytes()
    statuses = {next(answers)["status"] for _ in range(count)}
    after = resident_bytes()
    assert "failed" not in statuses
    return max(now - then for then, now in zip(before, after, strict=True))


def test_more_films_take_no_more_memory(config_file: Path, tmp_path: Path) -> None:
    """Neither the bytes of a film nor its pixels stay, in the child or here: either would break both bounds."""
    fine = PixelSpacing(row_mm=0.03, column_mm=0.03, rule=SpacingRule.DETECTOR_PLANE)
    pixels = np.ascontiguousarray(marked_film(fine))
    large = written(film(pixels, BitsStored=12, ImagerPixelSpacing=[0.03, 0.03]), tmp_path / "large.dcm")
    hand = written(film(pixels[:400, :500].copy(), BitsStored=12, BodyPartExamined="HAND"), tmp_path / "hand.dcm")
    order = [large] * WARM_UP + [hand] * WARM_UP + [large] * LARGE_FILMS + [hand] * HANDS
    answers = analyse_each([Film(path=path, pixel_spacing_mm=None) for path in order], load(config_file))
    with contextlib.closing(answers):
        assert {next(answers)["status"] for _ in range(2 * WARM_UP)} == {"rejected"}
        assert growth(answers, LARGE_FILMS) < LARGE_FILMS * large.stat().st_size / 4  # through the network
        assert growth(answers, HANDS) < HANDS * hand.stat().st_size / 16  # rejected by their tags


def test_every_answer_has_every_key_and_unreadable_files_exit_0(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, broken, missing = tmp_path / "picture.png", tmp_path / "broken.dcm", tmp_path / "missing.dcm"
    cv2.imwrite(str(picture), np.zeros((300, 200), np.uint8))
    broken.write_bytes(b"no film at all")
    files = [str(picture), str(broken), str(missing)]
    status = main(["analyse", "--format", "json", "--config", str(config_file), *files])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert [list(one) for one in answers] == [KEYS] * 3
    assert [one["file"] for one in answers] == files
    assert [one["status"] for one in answers[1:]] == ["failed", "failed"]
    assert list(answers[0]["landmarks"]) == list(LANDMARKS)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("shown_as", ["json", "table"])
def test_a_file_name_that_is_no_utf_8_ends_no_run(
    shown_as: str, encoding: str, config_file: Path, tmp_path: Path
) -> None:
    odd, plain = os.path.join(os.fsencode(tmp_path), b"r\xf6ntgen.dcm"), os.fsencode(tmp_path / "plain.dcm")  # noqa: PTH118
    for path in (odd, plain):
        Path(os.fsdecode(path)).write_bytes(b"no film at all")
    command = [sys.executable, "-m", "aasnode", "analyse", "--format", shown_as, "--config", config_file, odd, plain]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode(encoding).splitlines()
    if shown_as == "json":
        assert [json.loads(line)["file"] for line in lines] == [os.fsdecode(odd), os.fsdecode(plain)]
    else:
        _, first, second, *_ = lines
        assert first.startswith("r\\udcf6ntgen.dcm")
        assert second.startswith("plain.dcm")


def test_the_stated_spacing_is_used_for_a_picture(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), np.zeros((300, 200), np.uint8))
    arguments = ["analyse", "--format", "json", "--pixel-spacing", "0.15", "--config", str(config_file), str(picture)]
    main(arguments)
    answered = json.loads(capsys.readouterr().out)
    assert (answered["spacing_mm"], answered["spacing_rule"]) == ([0.15, 0.15], "given")


@pytest.mark.parametrize("spacing", ["0", "-0.1", "nan", "wide", "0.009", "2.01"])
def test_a_spacing_that_is_none_is_wrong_usage(spacing: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyse", "--pixel-spacing", spacing, "film.png"])
    assert ended.value.code == 2
