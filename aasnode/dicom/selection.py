"""Whether an instance may be a lateral cervical radiograph, by its tags alone, and which view they state.

Tags are often missing or wrong: only what is plainly something else is rejected; everything else goes to the
detector, which abstains on what is no such film.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydicom import Dataset

from aasnode.anatomy import View
from aasnode.config import SelectionSection


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
    then: str  # reject, neutral, flexion, extension
    matched: str | None  # element and word that matched; never a patient's name or ID


@dataclass(frozen=True, kw_only=True)
class Instance:
    """What grouping needs to know of one selected instance."""

    sop_instance_uid: str
    view: View
    acquired_at: datetime | None
    exposure_key: str  # equal for all renderings of one exposure; see ``exposure_key``
    source_sop_instance_uids: tuple[str, ...]  # Source Image Sequence
    for_processing: bool
    arrival: int  # order of arrival at the node
    measured: bool = False  # a result in mm exists


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """One exposure of a study and the instances that show it."""

    representative: str  # SOP instance UID of the instance that is measured for this exposure
    sop_instance_uids: tuple[str, ...]  # all its instances, the representative first
    view: View
    is_primary: bool  # of repeats of a view in the study, the one that is reported and tracked


def select(dataset: Dataset, settings: SelectionSection) -> Selected | Rejected:
    """Decide by tags alone, by the first rule that rejects; else with the view that the tags state."""
    raise NotImplementedError


def explain(dataset: Dataset, settings: SelectionSection) -> tuple[Verdict, ...]:
    """Every rule in its order and whether it applies to ``dataset``."""
    raise NotImplementedError


def exposure_key(dataset: Dataset) -> str:
    """A text that is equal for all renderings of one exposure (processing, presentation, reprocessed)."""
    raise NotImplementedError


def group_exposures(instances: Sequence[Instance]) -> tuple[Exposure, ...]:
    """Group the selected instances of ONE study into exposures and pick the primary of each view. Pure."""
    raise NotImplementedError
