"""The patient of the demo: two visits, a year apart, neutral, flexion and extension each, simulated and kept.

The films are made once and copied from the user's cache folder afterwards.
"""

import json
import os
import shutil
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from rich.console import Console

from aasnode.anatomy import View
from aasnode.demo.progress import busy

SEED = 2138  # a woman of 51 with rheumatoid arthritis, whose joint becomes looser within the year
VISITS = 2


@dataclass(frozen=True, kw_only=True)
class DemoFilm:
    """One film and its truth, in mm of the patient's plane and of the detector's."""

    path: Path
    visit: int  # from 1
    view: View
    patient_id: str
    study_instance_uid: str
    sop_instance_uid: str
    adi_mm: float
    sac_mm: float
    adi_detector_mm: float
    sac_detector_mm: float


def films_of_the_patient(folder: Path, talk: Console) -> tuple[DemoFilm, ...]:
    """The films, copied or simulated into ``folder``, in the order of acquisition."""
    cached = _cache()
    if not cached.exists():
        talk.print(f"  simulated once, then kept in {cached}", highlight=False, soft_wrap=True)
        with nullcontext() if talk.is_terminal else busy(talk, "six films are simulated"):
            _simulate(cached, progress=talk.is_terminal)
    shutil.copytree(cached, folder)
    truths = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return tuple(_film(folder, truth) for truth in sorted(truths, key=lambda truth: str(truth["acquired"])))


def _cache() -> Path:
    """The folder of this simulator's films: another one's would be of another patient."""
    from aasnode.training.simulate.run import version

    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "aasnode" / f"demo-{version()}-{SEED}"


def _simulate(folder: Path, *, progress: bool) -> None:
    """Simulate beside the cache and move into place, so that an interrupted run leaves no half patient."""
    from aasnode.training.simulate.run import SimulationRequest, simulate

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        out = Path(temporary) / "films"
        simulate(SimulationRequest(out=out, seed=SEED, patients=1, visits=VISITS, disturbed=False, progress=progress))
        out.rename(folder)


def _film(folder: Path, truth: dict[str, object]) -> DemoFilm:
    path = folder / str(truth["path"])
    header = dcmread(path, stop_before_pixels=True)
    lengths = {name: float(str(truth[name])) for name in ("adi_mm", "sac_mm", "adi_detector_mm", "sac_detector_mm")}
    return DemoFilm(
        path=path,
        visit=int(str(truth["visit"])) + 1,
        view=View(str(truth["view"])),
        patient_id=str(header.PatientID),
        study_instance_uid=str(header.StudyInstanceUID),
        sop_instance_uid=str(header.SOPInstanceUID),
        **lengths,
    )
