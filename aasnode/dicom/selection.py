"""Whether an instance may be a lateral cervical radiograph, by its tags alone, and which view they state.

Tags are often missing or wrong: only what is plainly something else is rejected; everything else goes to the
detector, which abstains on what is no such film. The rules are those of config.toml, [selection].
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pydicom import Dataset
from pydicom.datadict import dictionary_VR

from aasnode.anatomy import View
from aasnode.config import SelectionRule, SelectionSection, Then
from aasnode.dicom.elements import codes, integer, text
from aasnode.dicom.identity import is_own_object
from aasnode.dicom.words import holds

_DECIDE = (Then.REJECT, Then.SELECT)
"""What ends the search; every other rule only states a view."""

_IDENTIFYING = frozenset(
    {
        "PatientID", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers", "OtherPatientIDs",
        "OtherPatientIDsSequence", "AccessionNumber", "AdmissionID", "MedicalRecordLocator",
    }
)  # fmt: skip
"""Beside names: what a rule finds there is never repeated."""


class ViewSource(StrEnum):
    """Where the view of a film comes from."""

    TAGS = "tags"
    PICTURE = "picture"
    NONE = "none"  # the view is unknown


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The instance goes to the detector. ``rule`` names the rule that gave the view, None where none did."""

    view: View
    view_source: ViewSource  # TAGS or NONE
    rule: str | None
    selected_by: str | None = None  # the rule after which no other could reject


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The instance is plainly something else. ``rule`` names the rule that says so."""

    reason: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One rule and what it said of a data set, for ``aasnode rules FILE``."""

    rule: str
    applies: bool
    then: str  # reject, select, neutral, flexion, extension
    matched: str | None  # element and word that matched; never a patient's name or ID


def select(dataset: Dataset, settings: SelectionSection) -> Selected | Rejected:
    """Decide by tags alone, by the first rule that rejects or selects; else with the view that the tags state."""
    verdicts = explain(dataset, settings)
    first = next((one for one in verdicts if one.applies and one.then in _DECIDE), None)
    if first is not None and first.then == Then.REJECT:
        return Rejected(reason=f"{first.rule}: {first.matched}", rule=first.rule)
    site_rules = {rule.name for rule in settings.site_rules}
    selected = (
        _view([verdict for verdict in verdicts if verdict.rule in site_rules])
        or _view(verdicts)
        or Selected(view=View.UNKNOWN, view_source=ViewSource.NONE, rule=None)
    )
    return replace(selected, selected_by=first.rule if first else None)


def explain(dataset: Dataset, settings: SelectionSection) -> tuple[Verdict, ...]:
    """Every rule in its order and whether it applies to ``dataset``."""
    given = [_verdict(rule, dataset) for rule in (*settings.site_rules, *settings.rules)]
    return (*_built_in(dataset), *given)


def _built_in(dataset: Dataset) -> Iterator[Verdict]:
    """What no site may switch off: our own objects make a loop, and what has no picture has no film."""
    own = is_own_object(dataset)
    yield Verdict(rule="own-object", applies=own, then=Then.REJECT, matched="made by aasnode" if own else None)
    empty = "PixelData" not in dataset and (not integer(dataset, "Rows") or not integer(dataset, "Columns"))
    yield Verdict(rule="no-picture", applies=empty, then=Then.REJECT, matched="no rows or columns" if empty else None)


def _verdict(rule: SelectionRule, dataset: Dataset) -> Verdict:
    matched = _first_match(dataset, rule.elements, rule.words)
    if matched and _first_match(dataset, (*rule.elements, *rule.unless_elements), rule.unless):
        matched = None
    return Verdict(rule=rule.name, applies=matched is not None, then=rule.then, matched=matched)


def _first_match(dataset: Dataset, elements: Sequence[str], words: Sequence[str]) -> str | None:
    for element in elements:
        for stated in _stated(dataset, element):
            if word := next((word for word in words if holds(stated, word)), None):
                told = "a word of the rule" if _identifies(element) else f"'{word}'"
                return f"{element} holds {told}"
    return None


def _identifies(element: str) -> bool:
    return element in _IDENTIFYING or dictionary_VR(element) == "PN"


def _stated(dataset: Dataset, element: str) -> tuple[str, ...]:
    """What an element says: its text, or the codes and meanings inside a sequence."""
    if dictionary_VR(element) == "SQ":
        return codes(dataset, element)
    return (found,) if (found := text(dataset, element)) else ()


def _view(verdicts: Sequence[Verdict]) -> Selected | None:
    """The view, where exactly one is stated; two views in one text are a study's name, not a film's."""
    stated = {verdict.then: verdict.rule for verdict in verdicts if verdict.applies and verdict.then not in _DECIDE}
    if len(stated) != 1:
        return None
    then, rule = next(iter(stated.items()))
    return Selected(view=View(then), view_source=ViewSource.TAGS, rule=rule)
