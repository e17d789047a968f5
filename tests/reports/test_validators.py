"""What the validators, readers and viewers of others say of our objects. They are asked, not imitated.

``make test-system`` brings the programs; a missing one fails the test.
"""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import pydicom
import pytest
from pydicom.uid import ComputedRadiographyImageStorage, XRayRadiofluoroscopicImageStorage

from aasnode.anatomy import Landmark, View
from aasnode.dicom.spacing import read_spacings
from aasnode.geometry import PixelSpacing, SpacingRule, Spacings
from aasnode.measurement import Assessment, Change, NotComparable
from aasnode.reports.findings import EarlierLength, FilmFindings, ObjectReference, StudyFindings
from aasnode.reports.modules import REQUIRED
from aasnode.reports.part10 import write_part10
from aasnode.reports.secondary_capture import build_secondary_capture
from aasnode.reports.structured_report import SOP_CLASSES, build_structured_report

from .conftest import FilmFactory, StudyFactory, digital_radiograph

VIEWER = Path(__file__).parent / "viewer"
PIXELMED = "/usr/share/java/pixelmed.jar"
# The validator's stylesheet is larger than today's Java allows by default.
QUICK_TO_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the processor time of so short a run
JAVA = [
    "java",
    *QUICK_TO_START,
    *(f"-Djdk.xml.xpath{limit}Limit=0" for limit in ("ExprOp", "TotalOp", "ExprGrp")),
    "-Xss512m",
    "-Xmx2g",
]
ERF = {"EstimatedRadiographicMagnificationFactor": 1.15}
SHAPE = {"Rows": 1200, "Columns": 1000}


def run(*command: str | Path) -> str:
    """Standard output and error together; the exit status is not the verdict of most of these programs."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, errors="replace", timeout=240
    )
    return done.stdout + done.stderr


def measured_spacing(header: pydicom.Dataset) -> PixelSpacing:
    spacings = read_spacings(header)
    assert isinstance(spacings, Spacings)
    return spacings.primary


def three_views(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    """Everything at once: three views, a repeat, a prior, a predecessor, the motion."""
    before = EarlierLength(acquisition_date="20251101", mm=2.0, change=Change(mm=2.5, error_mm=1.9))
    films = [
        make_film(view=view, gap_px=gap) for view, gap in ((View.NEUTRAL, 0), (View.FLEXION, 9), (View.FLEXION, 8))
    ]
    films.append(make_film(view=View.EXTENSION, adi_before=before, sac_before=NotComparable(reason="other model")))
    predecessor = ObjectReference(
        study_instance_uid=films[0].header.StudyInstanceUID,
        series_instance_uid="1.2.3",
        sop_class_uid=SOP_CLASSES[0],
        sop_instance_uid="1.2.3.4",
    )
    return make_study(*films, predecessor=predecessor, settings={"institution_name": "Hospital"})


def adi_only(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    return make_study(make_film(missing=(Landmark.C1_POSTERIOR_ARCH_ANTERIOR,)))


def located_without_mm(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    return make_study(make_film(header=digital_radiograph(ImagerPixelSpacing=None), spacing=None))


def abstained(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    return make_study(make_film(missing=tuple(Landmark), measurement=None, reason="operated_neck"))


def under_eighteen(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    film = make_film(assessment=Assessment.NOT_ASSESSED)
    assert film.measurement is not None
    return make_study(replace(film, measurement=replace(film.measurement, assessment_reason="under 18 years")))


def japanese(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    header = digital_radiograph(
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        ReferringPhysicianName="Satou^Hanako=佐藤^花子",
        StudyDescription="頸椎",
    )
    return make_study(make_film(header=header))


def film_with(make_film: FilmFactory, **elements: Any) -> FilmFindings:
    """A film measured with the spacing that the header gives by our own rule."""
    header = digital_radiograph(**(SHAPE | elements))
    spacing = measured_spacing(header)
    return make_film(header=header, spacing=spacing)


def non_square(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    return make_study(film_with(make_film, ImagerPixelSpacing=[0.1, 0.2], PixelSpacing=[0.1, 0.2]))


def magnification_stated(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    return make_study(film_with(make_film, ImagerPixelSpacing=[0.15, 0.15], **ERF))


def magnification_by_distances(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    distances = {"DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1565.22}
    return make_study(film_with(make_film, ImagerPixelSpacing=[0.15, 0.15], **distances))


def calibrated_by_geometry(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    calibration = {"PixelSpacing": [0.13, 0.13], "PixelSpacingCalibrationType": "GEOMETRY"}
    calibration["PixelSpacingCalibrationDescription"] = "magnification"
    return make_study(film_with(make_film, ImagerPixelSpacing=[0.15, 0.15], **calibration))


def bare_header(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    """As old readers write: no character set, no study ID, no description, no referring physician."""
    missing = ("SpecificCharacterSet", "StudyID", "StudyDescription", "ReferringPhysicianName", "PatientAge")
    missing += ("IssuerOfPatientID", "PatientOrientation", "BodyPartExamined", "ManufacturerModelName", "SeriesDate")
    elements: dict[str, Any] = dict.fromkeys(missing)
    elements |= {"SOPClassUID": ComputedRadiographyImageStorage, "Modality": "CR", "PatientName": "Old^Reader"}
    return make_study(film_with(make_film, **elements))


def several_frames(make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    elements = {"SOPClassUID": XRayRadiofluoroscopicImageStorage, "Modality": "RF", "NumberOfFrames": 5}
    return make_study(film_with(make_film, **elements))


Case = Callable[[FilmFactory, StudyFactory], StudyFindings]
UNMEASURED: list[Case] = [located_without_mm, abstained]
MEASURED: list[Case] = [
    three_views,
    adi_only,
    under_eighteen,
    japanese,
    bare_header,
    several_frames,
    non_square,
    magnification_stated,
    magnification_by_distances,
    calibrated_by_geometry,
]


@pytest.fixture(params=[*MEASURED, *UNMEASURED], ids=lambda case: case.__name__)
def study(request: pytest.FixtureRequest, make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    made: StudyFindings = request.param(make_film, make_study)
    return made


@pytest.fixture(params=MEASURED, ids=lambda case: case.__name__)
def measured(request: pytest.FixtureRequest, make_film: FilmFactory, make_study: StudyFactory) -> StudyFindings:
    made: StudyFindings = request.param(make_film, make_study)
    return made


def write_report(study: StudyFindings, folder: Path, sop_class: str = SOP_CLASSES[0]) -> Path:
    path = folder / f"report-{sop_class}.dcm"
    path.write_bytes(write_part10(build_structured_report(study, sop_class)))
    return path


def write_films(study: StudyFindings, folder: Path) -> list[Path]:
    paths = []
    for number, film in enumerate(study.films):
        paths.append(folder / f"film{number}.dcm")
        film.header.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_captures(study: StudyFindings, folder: Path) -> list[Path]:
    paths = []
    for number, film in enumerate(study.films):
        paths.append(folder / f"overlay{number}.dcm")
        paths[-1].write_bytes(write_part10(build_secondary_capture(study, film)))
    return paths


def expected_lengths(study: StudyFindings) -> list[float]:
    return [round(length.mm, 2) for film in study.films for length in (film.adi, film.sac) if length]


@pytest.mark.parametrize(
    ("case", "sop_class"),
    [
        (three_views, SOP_CLASSES[0]),
        (adi_only, SOP_CLASSES[1]),
        (adi_only, SOP_CLASSES[2]),
        (abstained, SOP_CLASSES[0]),
    ],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", "")),
)
def test_pixelmed_finds_no_error_in_the_template(
    case: Case, sop_class: str, make_film: FilmFactory, make_study: StudyFactory, tmp_path: Path
) -> None:
    """The validator that the IHE connectathon asks for; order of items and template IDs checked as well."""
    path = write_report(case(make_film, make_study), tmp_path, sop_class)
    strict = ["-checkcontentitemorder", "-checktemplateid"]
    said = run(*JAVA, "-cp", PIXELMED, "com.pixelmed.validate.DicomSRValidator", *strict, path)
    assert "Root Template Validation Complete" in said
    assert "IOD validation complete" in said
    assert not [line for line in said.splitlines() if line.startswith("Error")]
    warnings = [line for line in said.splitlines() if line.startswith("Warning")]
    assert all(line.endswith("Content Item not in template") for line in warnings), said


def test_dciodvfy_finds_no_error(study: StudyFindings, tmp_path: Path) -> None:
    reports = [write_report(study, tmp_path, sop_class) for sop_class in SOP_CLASSES]
    for path in [*reports, *write_captures(study, tmp_path)]:
        said = run("dciodvfy", path)
        assert re.search(r"^(Comprehensive3DSR|ComprehensiveSR|EnhancedSR|SCImage)$", said, re.MULTILINE), said
        assert "Error" not in said, said


def test_dcentvfy_finds_the_patient_and_the_study_the_same_in_films_and_objects(
    study: StudyFindings, tmp_path: Path
) -> None:
    said = run(
        "dcentvfy", *write_films(study, tmp_path), write_report(study, tmp_path), *write_captures(study, tmp_path)
    )
    # Its own dictionary puts Accession Number into another entity for an SR than for an image.
    expected = ["Different information entities for attribute - Element=<AccessionNumber>"]
    # What a film must have and has not, our objects have empty.
    added = "Attribute present in one instance but not the other - Element=<{}>"
    expected += [added.format(keyword) for keyword in REQUIRED if keyword not in study.films[0].header]
    unexpected = [line for line in said.splitlines() if not any(each in line for each in expected)]
    assert unexpected == []


def test_dcmtk_reads_the_whole_tree(study: StudyFindings, tmp_path: Path) -> None:
    report = write_report(study, tmp_path)
    done = subprocess.run(["dsrdump", "--print-all-codes", report], capture_output=True, timeout=60, check=True)
    said = done.stdout.decode(errors="replace")
    assert said.count("<contains NUM:") == len(expected_lengths(study))
    assert b"E:" not in done.stderr


def test_dcmqi_reads_every_value_with_its_unit(measured: StudyFindings, tmp_path: Path) -> None:
    report, output = write_report(measured, tmp_path), tmp_path / "read.json"
    reader = Path(sys.executable).with_name("tid1500reader")
    said = run(reader, "--inputDICOM", report, "--outputMetadata", output)
    assert output.exists(), said
    groups = json.loads(output.read_text())["Measurements"]
    items = [item for group in groups for item in group["measurementItems"]]
    assert [float(item["value"]) for item in items] == expected_lengths(measured)
    assert {item["units"]["CodeValue"] for item in items} == {"mm"}
    assert {item["quantity"]["CodeValue"] for item in items} <= {"ADI", "PADI"}


def test_highdicom_reads_every_value_with_its_unit(measured: StudyFindings, tmp_path: Path) -> None:
    document = highdicom.sr.srread(write_report(measured, tmp_path))
    groups = document.content.get_image_measurement_groups()
    read = [measurement for group in groups for measurement in group.get_measurements()]
    assert [float(measurement.value) for measurement in read] == expected_lengths(measured)
    assert {measurement.unit.value for measurement in read} == {"mm"}


@pytest.fixture(scope="session")
def viewer() -> Path:
    """The viewer's libraries, from the lock file; a second run finds them there."""
    if not (VIEWER / "node_modules" / "@cornerstonejs").exists():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=VIEWER, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
    return VIEWER


def hydrated(study: StudyFindings, viewer: Path, folder: Path) -> list[dict[str, Any]]:
    """The viewer's annotations."""
    command = ["node", viewer / "hydrate.js", write_report(study, folder), *write_films(study, folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [line for line in map(json.loads, done.stdout.splitlines()) if "tool" in line]


def test_the_viewer_hydrates_each_measurement_as_the_same_length(
    measured: StudyFindings, viewer: Path, tmp_path: Path
) -> None:
    """Same value as stored, and the same again when the viewer measures between the points by its own spacing rule."""
    lengths = hydrated(measured, viewer, tmp_path)
    assert {line["tool"] for line in lengths} == {"Length"}
    assert [line["statistics"]["length"] for line in lengths] == expected_lengths(measured)
    assert {line["statistics"]["unit"] for line in lengths} == {"mm"}
    assert len({line["trackingUid"] for line in lengths}) == len(lengths)
    assert all("AI, unverified" in line["label"] for line in lengths)
    spacing = measured.films[0].spacing
    if spacing and spacing.row_mm != spacing.column_mm:
        return  # the viewer itself takes rows for columns here (cornerstone core 5.14, imageToWorldCoords)
    for line, expected in zip(lengths, expected_lengths(measured), strict=True):
        (ax, ay, _), (bx, by, _) = line["points"]
        assert math.hypot(bx - ax, by - ay) == pytest.approx(expected, abs=0.01)


def test_the_spacing_rules_of_these_cases_are_those_they_are_named_for(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    rules = {
        case.__name__: case(make_film, make_study).films[0].spacing
        for case in (non_square, magnification_stated, magnification_by_distances, calibrated_by_geometry)
    }
    assert {name: spacing and spacing.rule for name, spacing in rules.items()} == {
        "non_square": SpacingRule.DETECTOR_PLANE,
        "magnification_stated": SpacingRule.IMAGER_MAGNIFIED,
        "magnification_by_distances": SpacingRule.SOURCE_DISTANCES,
        "calibrated_by_geometry": SpacingRule.GEOMETRY,
    }
