"""What the demo prints: the measurement of each film beside its truth, and where everything lies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from aasnode.demo.archive import Returned
from aasnode.demo.patient import DemoFilm
from aasnode.measurement import Assessment, Length
from aasnode.reports import wording
from aasnode.store.results import StoredResult

_COLOURS = {
    Assessment.AAS_SUSPECTED: "red",
    Assessment.BORDERLINE: "yellow",
    Assessment.UNCERTAIN: "yellow",
    Assessment.NO_AAS_ON_THIS_VIEW: "green",
}


def show_films(console: Console, films: Sequence[DemoFilm], results: Mapping[str, StoredResult]) -> None:
    """One row per film; lengths in the plane of the film's spacing rule, and the truth in the same plane."""
    table = Table(box=None, pad_edge=False, title="What the node measured, in mm", title_justify="left")
    for heading in ("visit", "view"):
        table.add_column(heading)
    for heading in ("ADI", "90 %", "truth", "SAC", "90 %", "truth"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("assessment")
    for film in films:
        table.add_row(str(film.visit), film.view, *_cells(film, results.get(film.sop_instance_uid)))
    console.print(table)
    measured = [stored.film.measurement for stored in results.values() if stored.film.measurement]
    console.print(wording.describe_standing(one.calibrated_on for one in measured), soft_wrap=True, highlight=False)


def _cells(film: DemoFilm, stored: StoredResult | None) -> tuple[str, ...]:
    if stored is None or stored.film.measurement is None:
        reason = "not analysed" if stored is None else f"{stored.film.status}: {stored.film.reason}"
        return ("–",) * 6 + (reason,)
    measured = stored.film.measurement
    in_patient = measured.spacing_rule is not None and measured.spacing_rule.is_magnification_corrected
    colour = _COLOURS.get(measured.assessment, "default")
    return (
        *_length(measured.adi),
        f"{film.adi_mm if in_patient else film.adi_detector_mm:.2f}",
        *_length(measured.sac),
        f"{film.sac_mm if in_patient else film.sac_detector_mm:.2f}",
        f"[{colour}]{measured.assessment}[/]",
    )


def _length(length: Length | None) -> tuple[str, str]:
    return ("–", "–") if length is None else (f"{length.mm:.2f}", f"{length.low_mm:.2f} – {length.high_mm:.2f}")


def show_returned(console: Console, returned: Sequence[Returned], folder: Path) -> None:
    """Where reports and overlays lie."""
    console.print("\nIn the archive, sent by the node:")
    for one in sorted(returned, key=lambda one: one.path.name):
        console.print(f"  {one.path}", soft_wrap=True, highlight=False)
        if one.picture is not None:
            console.print(f"  {one.picture}", soft_wrap=True, highlight=False)
    console.print(f"\nThe node's database, configuration and log: {folder}", soft_wrap=True, highlight=False)
