"""The node as it ships: ``aasnode serve``, its model, the routing rule of the documentation, a simulated film."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset

from aasnode.anatomy import COLOURS_RGB, LANDMARKS
from aasnode.config import Destination
from aasnode.errors import PeerUnreachableError
from aasnode.network import scu
from aasnode.reports import codes
from aasnode.reports.drawing import Picture
from aasnode.training.simulate.run import SimulationRequest, simulate
from tests.journeys.conftest import PORT, ROOT, configuration, send_to_pacs
from tests.journeys.pacs import Orthanc
from tests.reports.colours import centre_of_colour
from tests.waiting import eventually

pytestmark = pytest.mark.journey
SEED = 2138
START_SECONDS = 180  # the model is loaded before the node listens
REPORT_SECONDS = 180


@pytest.fixture
def film(tmp_path: Path) -> Path:
    (truth,) = simulate(SimulationRequest(out=tmp_path / "films", seed=SEED, count=1, disturbed=False))
    return tmp_path / "films" / truth.path


@pytest.fixture
def config_file(network: None, tmp_path: Path) -> Iterator[Path]:
    """The configuration of a node that is being served."""
    path = tmp_path / "config.toml"
    path.write_text(configuration(tmp_path / "data"))
    command = [sys.executable, "-m", "aasnode", "serve", "--config", path]
    with (tmp_path / "node.log").open("w") as log, subprocess.Popen(command, cwd=ROOT, stderr=log) as process:
        try:
            eventually(lambda: process.poll() is not None or takes_films(), "the node answers", seconds=START_SECONDS)
            assert process.poll() is None, (tmp_path / "node.log").read_text()
            yield path
        finally:
            process.terminate()


def takes_films() -> bool:
    node = Destination(name="node", ae_title="AASNODE", host="127.0.0.1", port=PORT)
    try:
        scu.echo(node, calling_ae_title="PACS", timeout_seconds=5)
    except PeerUnreachableError:
        return False
    return True


def analysed(film: Path, config_file: Path) -> dict[str, Any]:
    """What ``aasnode analyse`` says of the film."""
    command = [sys.executable, "-m", "aasnode", "analyse", "--format", "json", "--config", config_file, film]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=True)
    return dict(json.loads(done.stdout))


def film_in(overlay: Dataset, film: Dataset) -> Picture:
    """The part of an overlay that shows its film, which is drawn as stored: 1100 to 2560 square pixels long."""
    assert 1100 <= max(film.Rows, film.Columns) <= 2560
    assert len(set(film.ImagerPixelSpacing)) == 1
    picture: Picture = overlay.pixel_array[: film.Rows, : film.Columns]
    return picture


def reported(report: Dataset) -> dict[str, float]:
    """The lengths in mm of a structured report, by their code."""
    (part,) = [item for item in report.ContentSequence if is_named(item, codes.IMAGING_MEASUREMENTS.value)]
    numbers = [item for group in part.ContentSequence for item in group.ContentSequence if item.ValueType == "NUM"]
    return {
        item.ConceptNameCodeSequence[0].CodeValue: float(item.MeasuredValueSequence[0].NumericValue) for item in numbers
    }


def is_named(item: Dataset, code_value: str) -> bool:
    name = item.get("ConceptNameCodeSequence")
    return bool(name) and name[0].CodeValue == code_value


def test_report_and_overlay_in_the_archive_say_what_analyse_says_of_the_film(
    orthanc: Orthanc, config_file: Path, film: Path, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(film)
    study = str(dataset.StudyInstanceUID)
    send_to_pacs(tmp_path, dataset)
    eventually(
        lambda: orthanc.modalities(study) == sorted([dataset.Modality, "OT", "SR"]),
        "report and overlay are in the archive",
        seconds=REPORT_SECONDS,
    )
    answer = analysed(film, config_file)
    assert answer["status"] == "measured"
    (report,) = orthanc.objects(study, "SR")
    lengths = {codes.ADI.value: answer["adi_mm"], codes.SAC.value: answer["sac_mm"]}
    assert None not in lengths.values()
    assert reported(report) == pytest.approx(lengths, abs=0.006)  # written with two decimals
    (overlay,) = orthanc.objects(study, "OT")
    for landmark in LANDMARKS:
        told, drawn = answer["landmarks"][landmark], centre_of_colour(film_in(overlay, dataset), COLOURS_RGB[landmark])
        assert (drawn.x, drawn.y) == pytest.approx((told["x"], told["y"]), abs=1.0)
