"""UIDs of what we make: a hash of what shapes the object, so that the same findings never make two objects.

An object is named by its SOP class, its study, the results that it shows, the settings that shape it and the number of
that shape. The time of creation and the version replaced are left out: a report that is built again after a crash keeps
its name.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, fields

from pydicom.uid import UID, SecondaryCaptureImageStorage

from aasnode.anatomy import View
from aasnode.dicom.identity import PERSON, own_uid
from aasnode.measurement import StudyAssessment
from aasnode.reports.findings import FilmFindings, ReportSettings, StudyFindings

_IDENTITY = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "AccessionNumber")
_NOT_COMPARED = ("header", "pixels")
_SHAPE = "3"  # of our objects; the next number when the same findings come to be told otherwise


def object_uid(sop_class_uid: str, study_instance_uid: str, result_digests: Iterable[str], settings_digest: str) -> UID:
    """SOP Instance UID of an object that shows these results under these settings, in today's shape."""
    return UID(own_uid("object", _SHAPE, sop_class_uid, study_instance_uid, *result_digests, settings_digest))


def series_uid(study: StudyFindings, modality: str) -> UID:
    """The study's one series for all versions of a modality's objects from this node."""
    return UID(own_uid("series", modality, study.study_instance_uid, study.settings.device_observer_uid))


def structured_report_uid(study: StudyFindings, sop_class_uid: str) -> UID:
    """SOP Instance UID of the study's structured report in this SOP class."""
    results = [*map(film_digest, study.films), _digest((study.assessment, study.has_films_held_apart))]
    return object_uid(sop_class_uid, study.study_instance_uid, results, settings_digest(study.settings))


def overlay_uid(study: StudyFindings, film: FilmFindings) -> UID:
    """SOP Instance UID of the film's overlay; a further film changes it only where the overlay shows the motion."""
    results = [film_digest(film)]
    if (motion := motion_shown(study, film)) is not None:
        results.append(_digest(motion))
    return object_uid(SecondaryCaptureImageStorage, study.study_instance_uid, results, settings_digest(study.settings))


def motion_shown(study: StudyFindings, film: FilmFindings) -> StudyAssessment | None:
    """The study's assessment where this film's overlay shows flexion minus extension: on the two that tell it."""
    known = study.assessment.adi_flexion_minus_extension or study.assessment.sac_flexion_minus_extension
    tells = film.view in (View.FLEXION, View.EXTENSION) and not film.is_repeat
    return study.assessment if known and tells else None


def tracking_uid(study: StudyFindings, film: FilmFindings, length: str) -> UID:
    """Tracking Unique Identifier of one length: unique within a report, the same in the patient's later reports.

    It joins what the patient's course compares, and no more: one person, one view, one spacing rule, one model. A
    repeat, a film of an unknown view, without a patient ID, or that came again as another person's has no course and is
    tracked within its study. Films of one view are numbered, since viewers merge what has the same tracking UID.
    """
    person = [film.text(keyword).strip() for keyword in PERSON]
    is_compared = film.view is not View.UNKNOWN and not film.is_repeat and not film.is_disputed
    is_tracked = bool(person[0]) and is_compared
    whose = person if is_tracked else [study.study_instance_uid]
    rule = film.spacing.rule if film.spacing else ""
    repeat = ("repeat",) if film.is_repeat else ()
    how = (film.view, rule, film.model, str(study.place_in_view(film)), *repeat)
    return UID(own_uid("tracking", study.settings.device_observer_uid, *whose, length, *how))


def film_digest(film: FilmFindings) -> str:
    """Digest of all that a film puts into a report: its values, and the identity in its header."""
    values = {entry.name: getattr(film, entry.name) for entry in fields(film) if entry.name not in _NOT_COMPARED}
    identity = [film.text(keyword) for keyword in _IDENTITY]
    return _digest([str(film.sop_instance_uid), identity, sorted(values.items())])


def settings_digest(settings: ReportSettings) -> str:
    """Digest of the settings that shape an object."""
    return _digest(sorted(asdict(settings).items()))


def _digest(values: object) -> str:
    """SHA-256 of the representation of plain values: dataclasses, enums, numbers, text."""
    return hashlib.sha256(repr(values).encode("utf-8", "surrogateescape")).hexdigest()
