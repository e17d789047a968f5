"""Which instances of a study show the same exposure, and which exposures count. Pure but for ``exposure_key``.

One exposure often comes several times: for processing and for presentation, reprocessed, as a secondary capture. It is
one measurement. The rules are written down in docs/measurements.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom import Dataset

from aasnode.anatomy import View
from aasnode.dicom.elements import items, text

_EPOCH = datetime.min.replace(tzinfo=UTC)
_EVENT = "event:"  # how the key of an Irradiation Event UID begins


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
    """One exposure of a study."""

    representative: str  # SOP instance UID of the instance that is measured for this exposure
    view: View
    is_primary: bool  # of repeats of a view in the study, the one that is reported and tracked


def exposure_key(dataset: Dataset) -> str:
    """A text that is equal for all renderings of one exposure (processing, presentation, reprocessed).

    The Irradiation Event UID where there is one; else second, device and dose of the acquisition, which two exposures
    hardly share even where a device stamps a whole study with one time; else the instance's own UID.
    """
    if event := text(dataset, "IrradiationEventUID"):
        return f"{_EVENT}{event}"
    moment = text(dataset, "AcquisitionDateTime") or text(dataset, "AcquisitionDate") + text(dataset, "AcquisitionTime")
    device = text(dataset, "DeviceSerialNumber") or text(dataset, "DetectorID") or text(dataset, "StationName")
    dose = [text(dataset, keyword) for keyword in ("KVP", "ExposureTime", "Exposure", "ExposureInuAs")]
    if len(moment) < len("YYYYMMDDHHMMSS") or not any(dose[1:]):  # kV alone is a preset, the same for every film
        return f"instance:{text(dataset, 'SOPInstanceUID')}"
    return "|".join(["acquired", moment[:14], device, *dose])


def source_sop_instance_uids(dataset: Dataset) -> tuple[str, ...]:
    """SOP Instance UIDs of the Source Image Sequence."""
    uids = (text(item, "ReferencedSOPInstanceUID") for item in items(dataset, "SourceImageSequence"))
    return tuple(uid for uid in uids if uid)


def is_for_processing(dataset: Dataset) -> bool:
    """Whether the pixels are raw values of the detector (Presentation Intent Type)."""
    return text(dataset, "PresentationIntentType") == "FOR PROCESSING"


def group_exposures(instances: Sequence[Instance]) -> tuple[Exposure, ...]:
    """Group the selected instances of ONE study into exposures and pick the primary of each view.

    Instances belong together by equal ``exposure_key`` or by naming one another as source, and never when two of them
    have different known views; one of unknown view only by event or source, never by time and dose. The exposures come
    in order of acquisition.
    """
    groups = sorted(_split_by_view(_linked(instances)), key=lambda group: _moment(group[0]))
    primaries = {id(_primary(repeats)) for repeats in _repeats(groups)}
    return tuple(
        Exposure(
            representative=group[0].sop_instance_uid,
            view=_view(group),
            is_primary=id(group) in primaries,
        )
        for group in groups
    )


def _linked(instances: Sequence[Instance]) -> list[list[Instance]]:
    """Groups of instances that hang together, directly or through others."""
    groups: list[list[Instance]] = []
    for instance in instances:
        touched = [group for group in groups if any(_is_linked(instance, other) for other in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([*(other for group in touched for other in group), instance])
    return groups


def _is_linked(one: Instance, other: Instance) -> bool:
    are_known = View.UNKNOWN not in (one.view, other.view)  # else one time and dose may hide two views
    return (
        (one.exposure_key == other.exposure_key and (are_known or one.exposure_key.startswith(_EVENT)))
        or one.sop_instance_uid in other.source_sop_instance_uids
        or other.sop_instance_uid in one.source_sop_instance_uids
    )


def _split_by_view(groups: Sequence[list[Instance]]) -> list[list[Instance]]:
    """One group per known view; instances of unknown view stay with the first. The representative comes first."""
    split: dict[tuple[int, View], list[Instance]] = {}
    for number, group in enumerate(groups):
        default = _view(group)
        for instance in sorted(group, key=lambda instance: _rank(instance, group)):
            view = default if instance.view is View.UNKNOWN else instance.view
            split.setdefault((number, view), []).append(instance)
    return list(split.values())


def _rank(instance: Instance, group: Sequence[Instance]) -> tuple[bool, bool, bool, int]:
    """Measured before not, for presentation before for processing, sources before what was made of them, by arrival."""
    presented = {other.sop_instance_uid for other in group if not other.for_processing}
    is_derived = any(uid in presented for uid in instance.source_sop_instance_uids)
    return not instance.measured, instance.for_processing, is_derived, instance.arrival


def _view(group: Sequence[Instance]) -> View:
    return next((instance.view for instance in group if instance.view is not View.UNKNOWN), View.UNKNOWN)


def _moment(instance: Instance) -> tuple[datetime, int]:
    return instance.acquired_at or _EPOCH, instance.arrival


def _repeats(groups: Sequence[list[Instance]]) -> list[list[list[Instance]]]:
    """Exposures of the same known view are repeats; one of unknown view is a repeat of nothing."""
    known = [[group for group in groups if _view(group) is view] for view in View if view is not View.UNKNOWN]
    alone = [[group] for group in groups if _view(group) is View.UNKNOWN]
    return [repeats for repeats in known if repeats] + alone


def _primary(repeats: Sequence[list[Instance]]) -> list[Instance]:
    """Measured before not; then the last one exposed, since a film is repeated to be better."""
    return max(repeats, key=lambda group: (group[0].measured, *_moment(group[0])))
