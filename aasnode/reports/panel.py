"""The column of words beside the film: the joint magnified, the values, what they mean and what they rest on."""

import re
from collections.abc import Callable

import numpy as np

from aasnode.anatomy import COLOURS_RGB, Landmark
from aasnode.config import Plane
from aasnode.geometry import Point
from aasnode.measurement import ADI_ENDS, PLANES, SAC_ENDS, Assessment, Length, LengthFinding
from aasnode.reports import wording
from aasnode.reports.drawing import (
    Colour,
    Picture,
    Ring,
    Style,
    Weight,
    draw_line,
    draw_rings,
    draw_text,
    fill,
    wrap,
)
from aasnode.reports.findings import EarlierLength, FilmFindings, StudyFindings
from aasnode.reports.uids import motion_shown

BACKGROUND: Colour = (17, 20, 25)
BRIGHT: Colour = (242, 245, 248)
DIM: Colour = (164, 173, 184)
RULE: Colour = (58, 66, 76)
WARNING: Colour = (255, 190, 70)
WIDTH_UNITS = 24
KEY_UNITS = 3.2  # left of a value: the rings that say which line of the film it is
ASSESSMENT_COLOURS: dict[Assessment, Colour] = {
    Assessment.AAS_SUSPECTED: (255, 122, 92),
    Assessment.BORDERLINE: (255, 190, 70),
    Assessment.NO_AAS_ON_THIS_VIEW: (140, 214, 160),
    Assessment.UNCERTAIN: (255, 190, 70),
    Assessment.NOT_ASSESSED: (164, 173, 184),
}
MARGINS = {
    ADI_ENDS: "back of C1 anterior arch to front of dens",
    SAC_ENDS: "back of dens to front of C1 posterior arch",
}


class _Column:
    """A cursor that moves down a column of text; the column grows as it is needed."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.margin = round(unit * 1.2)
        self.width = round(unit * WIDTH_UNITS)
        self.picture: Picture = np.full((1, self.width, 3), BACKGROUND, np.uint8)
        self.y = self.margin

    @property
    def inner_width(self) -> int:
        return self.width - 2 * self.margin

    def style(self, size: float, colour: Colour = BRIGHT, weight: Weight = Weight.REGULAR) -> Style:
        return Style(size_px=round(self.unit * size), colour=colour, weight=weight)

    def reserve(self, height: int) -> None:
        """Make sure that ``height`` pixels below the cursor exist."""
        missing = self.y + height + self.margin - self.picture.shape[0]
        if missing > 0:
            more = np.full((missing, self.width, 3), BACKGROUND, np.uint8)
            self.picture = np.ascontiguousarray(np.concatenate([self.picture, more]))

    def space(self, units: float) -> None:
        self.y += round(self.unit * units)

    def paragraph(self, text: str, style: Style, *, indent: int = 0) -> None:
        lines = wrap(_typeset(text), self.inner_width - indent, style)
        self.reserve(len(lines) * style.line_height_px)
        for line in lines:
            draw_text(self.picture, line, self.margin + indent, self.y, style)
            self.y += style.line_height_px

    def image(self, picture: Picture) -> None:
        self.reserve(picture.shape[0])
        self.picture[self.y : self.y + picture.shape[0], self.margin : self.margin + picture.shape[1]] = picture
        self.y += picture.shape[0]

    def heading(self, text: str) -> None:
        self.space(0.75)
        self.reserve(round(self.unit))
        fill(self.picture, self.margin, self.y, self.inner_width, max(1, round(self.unit / 20)), RULE)
        self.space(0.45)
        self.paragraph(text, self.style(0.69, DIM, Weight.BOLD))

    def finished(self) -> Picture:
        return self.picture[: self.y + self.margin]


def _typeset(text: str) -> str:
    """The signs that the report's ASCII stands for."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text.replace("<=", "≤").replace(">=", "≥"))


def draw_panel(
    study: StudyFindings, film: FilmFindings, unit: float, draw_joint: Callable[[int], Picture | None]
) -> Picture:
    """The column, as tall as it needs; ``unit`` is about a line of text, ``draw_joint`` draws to a width."""
    column = _Column(unit)
    _add_title(column, film)
    joint = draw_joint(column.inner_width)
    if joint is not None:
        column.space(0.5)
        column.image(joint)
    _add_lengths(column, film)
    _add_assessment(column, film)
    _add_motion(column, study, film)
    _add_comparison(column, film)
    _add_basis(column, study, film)
    _add_limits_of_use(column)
    return column.finished()


def _add_title(column: _Column, film: FilmFindings) -> None:
    column.paragraph("Atlantoaxial joint", column.style(1.25, weight=Weight.BOLD))
    date = wording.describe_date(film.acquisition_date)
    column.paragraph(f"lateral view, {wording.describe_view(film)} · {date}", column.style(0.9, DIM))


def _add_lengths(column: _Column, film: FilmFindings) -> None:
    measured = film.measurement
    adi, sac = (measured.adi_finding, measured.sac_finding) if measured else (None, None)
    _add_length(column, film, "ADI", ADI_ENDS, film.adi, adi, measured.adi_reason if measured else None)
    _add_verdict(column, adi)
    _add_length(column, film, "SAC", SAC_ENDS, film.sac, sac, measured.sac_reason if measured else None)
    _add_verdict(column, sac)
    _add_ratios(column, film)


def _add_length(
    column: _Column,
    film: FilmFindings,
    name: str,
    ends: tuple[Landmark, Landmark],
    length: Length | None,
    finding: LengthFinding | None,
    reason: str | None,
) -> None:
    """The value as viewers show it and its interval, or why there is none; below it, what was measured."""
    column.space(0.8)
    _add_key(column, ends)
    indent = round(column.unit * KEY_UNITS)
    if length is None:
        column.paragraph(f"{name} not measured", column.style(1.0, weight=Weight.BOLD), indent=indent)
        column.paragraph(wording.reason_for_missing(film, reason), column.style(0.78, DIM), indent=indent)
    else:
        shown = finding.shown(length.mm) if finding else f"{length.mm:.1f}"
        column.paragraph(f"{name}  {shown} mm", column.style(1.5, weight=Weight.BOLD), indent=indent)
        column.paragraph(_interval(film, length), column.style(0.85), indent=indent)
    column.paragraph(MARGINS[ends], column.style(0.69, DIM), indent=indent)


def _interval(film: FilmFindings, length: Length) -> str:
    """The interval, and the plane of value and interval where the same film knows the value in another, too."""
    interval = f"90 % interval {length.low_mm:.1f} to {length.high_mm:.1f} mm"
    if film.spacing is None or length.detector_plane_mm is None or length.corrected_mm is None:
        return interval
    plane = Plane.CORRECTED if film.spacing.rule.is_magnification_corrected else Plane.DETECTOR
    return f"{interval}, {PLANES[plane]}"


def _add_verdict(column: _Column, finding: LengthFinding | None) -> None:
    """Which value was compared with which limit and what came of it, beside a bar in the colour of that."""
    if finding is None:
        return
    column.space(0.3)
    top, colour, compared = column.y, ASSESSMENT_COLOURS[finding.assessment], finding.compared
    indent = round(column.unit * (KEY_UNITS + 0.6))
    if not compared.is_as_measured:
        style = column.style(0.85, weight=Weight.BOLD)
        column.paragraph(wording.describe_compared(finding), style, indent=indent)
    column.paragraph(finding.said, column.style(1.05, colour, Weight.BOLD), indent=indent)
    if doubt := wording.describe_doubt(finding):
        column.paragraph(doubt, column.style(0.72, DIM), indent=indent)
    left, width = column.margin + round(column.unit * KEY_UNITS), max(2, round(column.unit / 6))
    fill(column.picture, left, top, width, column.y - top, colour)


def _add_ratios(column: _Column, film: FilmFindings) -> None:
    """Both lengths against C1, which need no mm; the diameter itself where mm are known."""
    measured = film.measurement
    ratios = wording.describe_ratios(measured.adi_ratio, measured.sac_ratio) if measured else None
    if measured is None or ratios is None:
        return
    column.space(0.8)
    _add_key(column, (ADI_ENDS[0], SAC_ENDS[1]))
    indent = round(column.unit * KEY_UNITS)
    column.paragraph(ratios, column.style(1.0, weight=Weight.BOLD), indent=indent)
    diameter = measured.c1_inner_diameter_mm
    of = f"of the {wording.C1_DIAMETER}" + (f", {diameter:.1f} mm" if diameter else "")
    column.paragraph(of, column.style(0.69, DIM), indent=indent)


def _add_key(column: _Column, ends: tuple[Landmark, Landmark]) -> None:
    """Two rings and their line, left of a value: which line of the film it is."""
    column.reserve(round(column.unit * 3))
    y = column.y + column.unit * 1.08
    left, right = (Point(x=column.margin + column.unit * offset, y=y) for offset in (0.4, 2.2))
    thickness = max(1, round(column.unit / 10))
    draw_line(column.picture, left, right, BRIGHT, thickness)
    for place, landmark in zip((left, right), ends, strict=True):
        ring = Ring(centre=place, radius=column.unit * 0.28, colour=COLOURS_RGB[landmark])
        draw_rings(column.picture, [ring], thickness)


def _add_assessment(column: _Column, film: FilmFindings) -> None:
    column.heading("ASSESSMENT OF THIS FILM")
    assessment = film.measurement.assessment if film.measurement else Assessment.NOT_ASSESSED
    style = column.style(1.0, ASSESSMENT_COLOURS[assessment], Weight.BOLD)
    verdict = wording.ASSESSMENTS[assessment]
    column.paragraph(verdict[0].upper() + verdict[1:], style)
    if caveat := wording.describe_caveat(film):
        column.paragraph(caveat, column.style(0.85, WARNING))
    if film.has_graver_repeat:
        column.paragraph(wording.GRAVER_REPEAT, column.style(0.85, WARNING))
    if film.is_repeat:
        column.paragraph(wording.REPEAT, column.style(0.78, DIM))
    reason = _reason(film)
    if reason:
        column.paragraph(reason, column.style(0.78, DIM))


def _reason(film: FilmFindings) -> str | None:
    """What the verdicts of the two lengths above do not say already."""
    measured = film.measurement
    if measured is None:
        return wording.describe_reason(film.reason)
    return measured.assumption if measured.adi_finding and measured.sac_finding else measured.assessment_reason


def _add_motion(column: _Column, study: StudyFindings, film: FilmFindings) -> None:
    shown = motion_shown(study, film)
    if shown is None:
        return
    column.heading("FLEXION MINUS EXTENSION")
    for name, change in (("ADI", shown.adi_flexion_minus_extension), ("SAC", shown.sac_flexion_minus_extension)):
        if change is not None:
            column.paragraph(f"Δ{name} {wording.describe_change(change)}", column.style(0.85))


def _add_comparison(column: _Column, film: FilmFindings) -> None:
    known = [(name, before) for name, before in (("ADI", film.adi_before), ("SAC", film.sac_before)) if before]
    if not known:
        return
    column.heading("EARLIER FILM OF THIS VIEW")
    for name, before in known:
        colour = BRIGHT if isinstance(before, EarlierLength) else DIM
        column.paragraph(f"{name} {wording.describe_before(name, before)}", column.style(0.85, colour))


def _add_basis(column: _Column, study: StudyFindings, film: FilmFindings) -> None:
    column.heading("BASIS")
    lines = []
    if film.measurement and film.measurement.assessed_by:
        lines.append(f"Thresholds: {film.measurement.assessed_by}")
    if film.spacing is not None:
        lines.append(f"Millimetres: {wording.SPACING_RULES[film.spacing.rule]}")
    lines.append(f"Model: {film.model} · made {study.created_at:%Y-%m-%d %H:%M}")
    if film.adi or film.sac:
        assert film.measurement is not None
        lines.append(f"Intervals: calibrated on {film.measurement.interval_source}")
    for line in lines:
        column.paragraph(line, column.style(0.72, DIM))


def _add_limits_of_use(column: _Column) -> None:
    column.space(0.9)
    top = column.y
    style = column.style(0.85, WARNING, Weight.BOLD)
    column.space(0.4)
    indent = round(column.unit * 0.6)
    column.paragraph(wording.RESULT_STATUS, style, indent=indent)
    column.paragraph(wording.TRAINING, column.style(0.78, WARNING), indent=indent)
    column.space(0.2)
    fill(column.picture, column.margin, top, max(2, round(column.unit / 6)), column.y - top, WARNING)
