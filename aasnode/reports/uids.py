"""UIDs of what we make: a hash of what shapes the object, so that the same findings never make two objects.

An object is named by its SOP class, its study, the results that it shows and the settings that shape it. The time of
creation and the version replaced are left out: a report that is built again after a crash keeps its name.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict

from pydicom.uid import UID

from aasnode.dicom.identity import own_uid
from aasnode.reports.findings import FilmFindings, ReportSettings, StudyFindings


def object_uid(sop_class_uid: str, study_instance_uid: str, result_digests: Iterable[str], settings_digest: str) -> UID:
    """SOP Instance UID of an object that shows these results under these settings."""
    return UID(own_uid("object", sop_class_uid, study_instance_uid, *result_digests, settings_digest))


def film_digest(film: FilmFindings) -> str:
    """Digest of all that a film puts into a report: its values, and the identity in its header."""
    raise NotImplementedError


def settings_digest(settings: ReportSettings) -> str:
    """Digest of the settings that shape an object."""
    return hashlib.sha256(repr(sorted(asdict(settings).items())).encode()).hexdigest()


def structured_report_uid(study: StudyFindings, sop_class_uid: str) -> UID:
    """SOP Instance UID of the study's structured report in this SOP class."""
    raise NotImplementedError


def overlay_uid(study: StudyFindings, film: FilmFindings) -> UID:
    """SOP Instance UID of the film's overlay; a further film in the study leaves it as it is."""
    raise NotImplementedError
