"""The table of the demo, without a journey."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from aasnode.anatomy import View
from aasnode.demo.patient import DemoFilm
from aasnode.demo.show import show_films
from aasnode.store.results import StoredResult
from tests.store.arrivals import film


def test_the_table_ends_with_what_its_numbers_are_worth(capsys: pytest.CaptureFixture[str]) -> None:
    stored = StoredResult(
        id=1,
        instance_id=1,
        file_name=None,
        calling_ae_title="ARCHIVE",
        is_representative=True,
        is_primary=True,
        analysed_at=datetime(2026, 3, 1, tzinfo=UTC),
        film=film("1.2.3"),
    )
    shown = DemoFilm(
        path=Path("film.dcm"),
        visit=1,
        view=View.FLEXION,
        patient_id="P1",
        study_instance_uid="1.2.9",
        sop_instance_uid="1.2.3",
        adi_mm=2.4,
        sac_mm=17.0,
        adi_detector_mm=2.4,
        sac_detector_mm=17.0,
    )
    show_films(Console(width=120), [shown], {"1.2.3": stored})
    *_, row, standing = capsys.readouterr().out.splitlines()
    assert "2.40" in row
    assert standing.startswith("AI result, not verified. Research use only")
    assert standing.endswith("90 % intervals: calibrated on simulated films.")
