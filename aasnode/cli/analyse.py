"""``aasnode analyse FILE…``: each film through the same analysis as in the node, one answer per file, as it comes.

Films are read one at a time in a child process: memory stays bounded, and a film that hangs or crashes the child is
answered as failed while the next one goes on.
"""

import argparse
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aasnode.analysis import AnalysisSettings, analyse_file, as_json, failed
from aasnode.assets import shipped_model
from aasnode.child import Child, ChildDiedError, DeadlineError
from aasnode.cli.options import Format, add_config, add_format, load_config
from aasnode.cli.parser import number
from aasnode.cli.table import MISSING, print_json
from aasnode.config import Config, Plane
from aasnode.dicom.spacing import LARGEST_MM, SMALLEST_MM
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.inference.detection import Reason
from aasnode.measurement import FINDINGS, PLANE_NOT_STATED, PLANES, Assessment
from aasnode.reports import wording

Answer = Mapping[str, Any]
"""One object of ``--format json``."""

_LONGEST_NAME = 40  # columns of the table


@dataclass(frozen=True, kw_only=True)
class Film:
    """One file of the command line; ``pixel_spacing_mm`` as the user states it."""

    path: Path
    pixel_spacing_mm: float | None


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="DICOM, PNG, JPEG or TIFF")
    parser.add_argument(
        "--pixel-spacing",
        metavar="MM",
        type=number(low=SMALLEST_MM, high=LARGEST_MM),
        help="millimetres per pixel of a PNG, JPEG or TIFF; DICOM files have their own and ignore it",
    )
    add_format(parser, Format.TABLE, Format.JSON)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one answer per file; a file that cannot be read is an answer too."""
    config = load_config(arguments)
    films = [Film(path=path, pixel_spacing_mm=arguments.pixel_spacing) for path in arguments.files]
    answers = analyse_each(films, config)
    if arguments.format is Format.TABLE:
        _show_table(answers, arguments.files)
        return 0
    for answer in answers:
        print_json(answer, indent=None)
    return 0


def analyse_each(films: Sequence[Film], config: Config) -> Iterator[Answer]:
    """The answers in the order of ``films``, each within the analyser's deadline."""
    with Child[Film, Answer](partial(prepare, config)) as child:
        for film in films:
            try:
                yield child.ask(film, config.analyser.deadline_seconds)
            except (DeadlineError, ChildDiedError) as error:
                yield as_json(failed(str(error)), str(film.path))


def prepare(config: Config) -> Callable[[Film], Answer]:
    """In the child: load the model once; the result analyses one film."""
    from aasnode.inference.detector import load_detector

    warnings.simplefilter("ignore")  # pydicom warns of every odd element, and quotes it
    detector = load_detector(config.model.directory or shipped_model(), config.model.device)
    settings = AnalysisSettings.of(config)

    def answer(film: Film) -> Answer:
        try:
            analysis = analyse_file(film.path, detector, settings, _given(film.pixel_spacing_mm))
        except Exception as error:  # noqa: BLE001  a defect that one film shows must not end the others
            _tell_defect(error)
            analysis = failed(f"a defect of aasnode showed on this film: {type(error).__name__}; please report it")
        return as_json(analysis, str(film.path))

    return answer


def _tell_defect(error: Exception) -> None:
    """Type and places on stderr, the outermost first; no text, since that may quote the data set."""
    places = (f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
    print(type(error).__name__, *places, sep="\n  ", file=sys.stderr)


def _given(millimetres: float | None) -> PixelSpacing | None:
    if millimetres is None:
        return None
    return PixelSpacing(row_mm=millimetres, column_mm=millimetres, rule=SpacingRule.GIVEN)


def _show_table(answers: Iterable[Answer], files: Sequence[Path]) -> None:
    """One row per answer as it comes, and below them what to think of the numbers."""
    show, interval_sources, criteria = _row_printer(files), set(), set()
    for answer in answers:
        show(answer)
        interval_sources.add(answer["interval_source"])
        criteria.add(answer["criteria"])
    print()
    for one in sorted(filter(None, criteria)):
        print(f"Thresholds: {one}.")
    print(wording.describe_standing(interval_sources))


def _row_printer(files: Sequence[Path]) -> Callable[[Answer], None]:
    """Prints the heading now and then one row per answer; columns have fixed widths, since rows come one at a time."""
    names = _names(files)
    width = max(map(len, names.values()))
    columns = f"{{:<{width}}}  {{:<9}}  {{:<9}}  {{:<21}}  {{:<21}}  {{:<19}}  {{}}"
    print(columns.format("file", "status", "view", "ADI mm (90 %)", "SAC mm (90 %)", "assessment", "remark").rstrip())

    def show(answer: Answer) -> None:
        adi, sac = (_length(answer, name) for name in ("adi", "sac"))
        cells = (names[answer["file"]], answer["status"], answer["view"], adi, sac, answer["assessment"] or MISSING)
        print(columns.format(*cells, _remark(answer)).rstrip(), flush=True)

    return show


def _names(files: Sequence[Path]) -> Mapping[str, str]:
    """What stands for each file in the table: its base name, or the path as typed where that tells more.

    Both are shortened, but never so that two files show as the same.
    """
    shown = {path: _short(path.name if _is_there(path) else str(path)) for path in files}
    for tell_more in (lambda path: _short(str(path)), str):
        counts = Counter(shown.values())
        shown = {path: name if counts[name] == 1 else tell_more(path) for path, name in shown.items()}
    return {str(path): name for path, name in shown.items()}


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be looked into
        return False


def _remark(answer: Answer) -> str:
    """What was compared with which limit and what came of it, and with which caveat.

    The ratios where there are no mm, and what is missing.
    """
    findings = {name.upper(): answer[f"{name}_finding"] for name in ("adi", "sac") if answer[f"{name}_finding"]}
    verdicts = [f"{name} {_compared(finding)}" for name, finding in findings.items()]
    planes = dict.fromkeys(_plane(finding) for finding in findings.values())
    if planes:
        verdicts[-1] += f" ({', '.join(planes)})"
    return "; ".join([*verdicts, *filter(None, [_caveat(answer), _ratios(answer), _reason(answer)])])


def _plane(finding: Mapping[str, Any]) -> str:
    """In which plane a length was compared, and whether it had to be brought there without knowing how."""
    plane = PLANES[Plane(finding["plane"])] if finding["plane"] else PLANE_NOT_STATED
    return plane if finding["compared_mm"] is not None else f"{plane}, magnification allowed for"


def _caveat(answer: Answer) -> str | None:
    """Why lengths in mm were not compared at all; else what was taken for granted when they were."""
    not_compared = any(answer[f"{name}_mm"] is not None and not answer[f"{name}_finding"] for name in ("adi", "sac"))
    caveat: str | None = answer["assessment_reason" if not_compared else "assumption"]
    return caveat


def _reason(answer: Answer) -> str | None:
    """Why not, or what is missing; a neck of a wrong size is none, so what the user said of the size is part of it."""
    reason: str | None = answer["reason"]
    if reason == Reason.NO_LATERAL_CERVICAL_VIEW and answer["spacing_rule"] == SpacingRule.GIVEN:
        return f"{reason} at the pixel spacing given"
    return reason


def _ratios(answer: Answer) -> str | None:
    """The lengths relative to C1, where they are all that is known of them."""
    if answer["adi_mm"] is not None or answer["sac_mm"] is not None:
        return None
    ratios = wording.describe_ratios(answer["adi_ratio"], answer["sac_ratio"])
    return ratios and f"{ratios} of the {wording.C1_DIAMETER}"


def _compared(finding: Mapping[str, Any]) -> str:
    value, (low, high) = finding["compared_mm"], finding["compared_interval_mm"]
    compared = f"{low:.2f} – {high:.2f} mm" if value is None else f"{value:.2f} mm"
    said = f"{compared} {finding['limit']}: {FINDINGS[Assessment(finding['assessment'])]}"
    return f"{said}, {finding['doubt']}" if finding["doubt"] else said


def _length(answer: Answer, name: str) -> str:
    value, interval = answer[f"{name}_mm"], answer[f"{name}_interval_mm"]
    if value is None:
        return MISSING
    return f"{value:5.2f} ({interval[0]:.2f} – {interval[1]:.2f})"
