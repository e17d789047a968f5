"""The objects of one version, built once and stored as bytes: what was built before under a UID is not built again."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from pydicom import Dataset

from aasnode.reports.findings import FilmFindings, StudyFindings
from aasnode.reports.part10 import write_part10
from aasnode.reports.structured_report import SOP_CLASSES, build_structured_report
from aasnode.reports.uids import overlay_uid, structured_report_uid
from aasnode.store import objects
from aasnode.store.objects import STRUCTURED_REPORT, NewObject, StoredObject, overlay_role
from aasnode.store.store import Store

Draw = Callable[[StudyFindings, FilmFindings], Dataset | None]
"""The overlay of one film of a study as a whole data set; None where the film's file is gone."""


def make_objects(study: StudyFindings, store: Store, draw: Draw, written: list[str]) -> Iterator[NewObject]:
    """The report in each of its SOP classes and the overlay of each film, one after the other.

    The overlay of a film whose file is gone stays as it was delivered. ``written`` gets the name of each new file.
    """
    for preference, sop_class_uid in enumerate(SOP_CLASSES):
        uid = structured_report_uid(study, sop_class_uid)
        built = _built_before(store, uid)
        if built is None:
            built = _store_object(
                store, build_structured_report(_as_first_made(study, uid, store), sop_class_uid), written
            )
        yield _as_candidate(built, STRUCTURED_REPORT, preference)
    for film in study.films:
        uid = overlay_uid(study, film)
        built = _built_before(store, uid)
        if built is None:
            drawn = draw(_as_first_made(study, uid, store), film)
            if drawn is None:
                continue
            built = _store_object(store, drawn, written)
        yield _as_candidate(built, overlay_role(film.sop_instance_uid), 0)


def _built_before(store: Store, sop_instance_uid: str) -> NewObject | StoredObject | None:
    with store.reading() as connection:
        return objects.find_stored(connection, sop_instance_uid)


def _as_first_made(study: StudyFindings, sop_instance_uid: str, store: Store) -> StudyFindings:
    """The study at the moment when this object was first made: once its bytes are gone, the same are made again."""
    with store.reading() as connection:
        first = objects.first_made_at(connection, sop_instance_uid)
    return study if first is None else replace(study, created_at=first.astimezone(study.created_at.tzinfo))


def _store_object(store: Store, dataset: Dataset, written: list[str]) -> NewObject:
    encoded = write_part10(dataset)
    file = store.objects.write([encoded])
    written.append(file.name)
    return NewObject(
        role="",
        preference=0,
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        transfer_syntax_uid=str(dataset.file_meta.TransferSyntaxUID),
        file_name=file.name,
        digest=hashlib.sha256(encoded).hexdigest(),
        bytes=file.bytes,
    )


def _as_candidate(built: NewObject | StoredObject, role: str, preference: int) -> NewObject:
    assert built.file_name is not None  # stored a moment ago, or found because it is kept
    return NewObject(
        role=role,
        preference=preference,
        sop_class_uid=built.sop_class_uid,
        sop_instance_uid=built.sop_instance_uid,
        series_instance_uid=built.series_instance_uid,
        transfer_syntax_uid=built.transfer_syntax_uid,
        file_name=built.file_name,
        digest=built.digest,
        bytes=built.bytes,
    )
