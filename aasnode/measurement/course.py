"""How a patient's lengths changed: like is compared with like only, and a change is weighed against its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aasnode.anatomy import View
from aasnode.config import MeasurementSection
from aasnode.geometry import SpacingRule
from aasnode.measurement.length import Change, Length, difference


@dataclass(frozen=True, kw_only=True)
class CourseEntry:
    """One film in a patient's course. ``key`` is the caller's own, e.g. the SOP instance UID."""

    key: str
    acquired_at: datetime | None
    view: View
    spacing_rule: SpacingRule | None
    model: str | None
    adi: Length | None
    sac: Length | None
    is_disputed: bool = False  # whether it came again as another person's: nobody knows whose it is


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A change against an earlier, comparable film."""

    against: str  # key of the earlier film
    change: Change


@dataclass(frozen=True, kw_only=True)
class NotComparable:
    """No earlier film can be compared with, and why."""

    reason: str


Comparison = Compared | NotComparable


@dataclass(frozen=True, kw_only=True)
class CourseChanges:
    """The changes of one film against the previous and the first comparable film."""

    key: str
    adi_since_previous: Comparison
    adi_since_first: Comparison
    sac_since_previous: Comparison
    sac_since_first: Comparison


def changes(entries: Sequence[CourseEntry], settings: MeasurementSection) -> tuple[CourseChanges, ...]:
    """The changes of every film, in the order of ``entries``; like is compared with like only.

    ``entries`` are one patient's primary films, in any order: what is earlier is told by ``acquired_at`` alone.
    """
    return tuple(_changes_of(entry, entries, settings.magnification_sd) for entry in entries)


def _changes_of(entry: CourseEntry, entries: Sequence[CourseEntry], magnification_sd: float) -> CourseChanges:
    def adi(film: CourseEntry) -> Length | None:
        return film.adi

    def sac(film: CourseEntry) -> Length | None:
        return film.sac

    adi_previous, adi_first = _compare(entry, entries, adi, magnification_sd)
    sac_previous, sac_first = _compare(entry, entries, sac, magnification_sd)
    return CourseChanges(
        key=entry.key,
        adi_since_previous=adi_previous,
        adi_since_first=adi_first,
        sac_since_previous=sac_previous,
        sac_since_first=sac_first,
    )


def _compare(
    entry: CourseEntry,
    entries: Sequence[CourseEntry],
    length_of: Callable[[CourseEntry], Length | None],
    magnification_sd: float,
) -> tuple[Comparison, Comparison]:
    """Against the previous and the first comparable film, for one of the two lengths."""
    length = length_of(entry)
    if length is None or (reason := _why_alone(entry)):
        why = NotComparable(reason="not measured on this film" if length is None else reason)
        return why, why
    measured = [film for film in _earlier(entry, entries) if length_of(film) is not None]
    earlier = [film for film in measured if not film.is_disputed]
    comparable = [(film, then) for film in earlier if _is_like(entry, film) and (then := length_of(film))]
    if not comparable:
        why = NotComparable(reason=_why_not(entry, measured))
        return why, why
    found = [
        Compared(against=film.key, change=difference(length, then, magnification_sd=magnification_sd))
        for film, then in (comparable[-1], comparable[0])
    ]
    return found[0], found[1]


def _earlier(entry: CourseEntry, entries: Sequence[CourseEntry]) -> list[CourseEntry]:
    """The films exposed before this one, the oldest first."""
    dated = [(film.acquired_at, film) for film in entries if film.acquired_at is not None]
    before = [pair for pair in dated if entry.acquired_at is not None and pair[0] < entry.acquired_at]
    return [film for _, film in sorted(before, key=lambda pair: pair[0])]


def _is_like(entry: CourseEntry, film: CourseEntry) -> bool:
    return (film.view, film.spacing_rule, film.model) == (entry.view, entry.spacing_rule, entry.model)


def _why_alone(entry: CourseEntry) -> str:
    """Why this film can be compared with no other; empty when it can."""
    if entry.acquired_at is None:
        return "date of acquisition unknown"
    if entry.is_disputed:
        return "the film came again as another person's"
    return "view unknown" if entry.view is View.UNKNOWN else ""


def _why_not(entry: CourseEntry, measured: Sequence[CourseEntry]) -> str:
    """Why none of the earlier films with this measurement can be compared with."""
    of_view = [film for film in measured if film.view is entry.view]
    if of_view and all(film.is_disputed for film in of_view):
        return "the earlier film of this view came again as another person's"
    return _why_unlike(entry, [film for film in measured if not film.is_disputed] or measured)


def _why_unlike(entry: CourseEntry, earlier: Sequence[CourseEntry]) -> str:
    """What sets this film apart from all earlier ones; told of the latest of the same view where there is one."""
    if not earlier:
        return "no earlier film with this measurement"
    same_view = [film for film in earlier if film.view is entry.view]
    if not same_view:
        return f"first film in this view ({entry.view})"
    latest = same_view[-1]
    if latest.spacing_rule is not entry.spacing_rule:
        return f"other spacing rule: {entry.spacing_rule}, earlier {latest.spacing_rule}"
    return f"other model: {entry.model}, earlier {latest.model}"
