"""From what the store holds to the plain values that ``reports`` builds from: films, assessment, what was before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydicom import Dataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

from aasnode.config import Config
from aasnode.dicom.file import read_data_set
from aasnode.dicom.selection import ViewSource
from aasnode.errors import UnsupportedError
from aasnode.geometry import Spacings
from aasnode.measurement import (
    SEVERITY,
    Assessment,
    Compared,
    CourseChanges,
    Length,
    NotComparable,
    assess_study,
    changes,
)
from aasnode.reports.findings import EarlierLength, FilmFindings, ObjectReference, ReportSettings, StudyFindings
from aasnode.reports.modules import carry_over
from aasnode.store import history
from aasnode.store.objects import StoredObject
from aasnode.store.results import StoredResult
from aasnode.store.store import Store

_MODALITIES = {
    ComputedRadiographyImageStorage: "CR",
    DigitalXRayImageStorageForPresentation: "DX",
    DigitalXRayImageStorageForProcessing: "DX",
}
"""The classes of single frames of which the class alone tells the modality."""

_HELD_APART = NotComparable(reason="earlier films under this patient ID may be another person's")


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What the database knows of a study when its report is built."""

    films: tuple[StoredResult, ...]  # that are reported, in the order of acquisition
    course: tuple[StoredResult, ...]  # the person's films that are tracked, of all studies
    held_apart: tuple[StoredResult, ...]  # films under the patient ID that may be another person's
    device_uid: str


def report_settings(config: Config, device_uid: str) -> ReportSettings:
    """How this node's reports look; everything here shapes the objects and so their UIDs."""
    return ReportSettings(
        device_observer_uid=device_uid,
        station_name=config.node.ae_title,
        institution_name=config.report.institution_name,
        structured_report_series_number=config.report.structured_report_series_number,
        overlay_series_number=config.report.overlay_series_number,
    )


def study_findings(gathered: Gathered, store: Store, config: Config, *, now: datetime) -> StudyFindings:
    """Everything that the study's report and overlays show but the pixels, not yet as a version of it.

    A later version takes nothing back: it describes a film whose file retention has removed from its stored result.

    Raises:
        UnsupportedError: none of the films is kept any more, or the store does not tell enough of one that is not.
    """
    compared = _compared(gathered, config)
    read = {
        stored.id: _read_header(stored.file_name, store, config)
        for stored in gathered.films
        if stored.file_name is not None
    }
    if not read:
        raise UnsupportedError(
            "the films of the study are no longer kept; the version that was delivered stands; have them sent again"
        )
    kept = next(iter(read.values()))
    films = tuple(
        _film_findings(
            stored,
            read[stored.id] if stored.id in read else _header_from_store(stored, kept),
            compared.get(stored.film.identity.sop_instance_uid),
            gathered,
        )
        for stored in gathered.films
    )
    return StudyFindings(
        films=films,
        assessment=assess_study([one for film in films if (one := film.in_study)], config.measurement),
        settings=report_settings(config, gathered.device_uid),
        has_films_held_apart=any(_has_earlier_study(stored, gathered.held_apart) for stored in gathered.films),
        created_at=now.astimezone(ZoneInfo(config.node.time_zone)),
    )


def as_version(found: StudyFindings, version: int, predecessor: StoredObject | None) -> StudyFindings:
    """The findings as one version of the study's report, which names the one that it replaces."""
    return replace(found, version=version, predecessor=_reference(found, predecessor) if predecessor else None)


def reported(films: Sequence[StoredResult]) -> tuple[StoredResult, ...]:
    """Of a study's films those that its report shows, in the order of acquisition: of each view the primary.

    And every repeat that says something graver than it, lest a finding is lost because a film was repeated.
    """
    primaries = [stored for stored in films if stored.is_primary]
    graver = [stored for stored in films if stored.is_representative and _is_graver(stored, primaries)]
    return tuple(sorted([*primaries, *graver], key=_moment))


def same_person(stored: StoredResult, courses: Sequence[history.Course]) -> tuple[StoredResult, ...]:
    """Of the courses under a patient ID, the films of the person whose film ``stored`` is, that are tracked."""
    own = _course_of(stored, courses)
    return tuple(one for one in own.results if one.is_primary) if own else (stored,)


def held_apart(stored: StoredResult, courses: Sequence[history.Course]) -> tuple[StoredResult, ...]:
    """The tracked films of the other courses, unless their issuer says that they are of another person."""
    own, issuer = _course_of(stored, courses), stored.person.issuer_of_patient_id
    others = [course for course in courses if course is not own]
    doubtful = [
        course for course in others if "" in (issuer, other := course.person.issuer_of_patient_id) or issuer == other
    ]
    return tuple(one for course in doubtful for one in course.results if one.is_primary)


def _course_of(stored: StoredResult, courses: Sequence[history.Course]) -> history.Course | None:
    uid = stored.film.identity.sop_instance_uid
    return next((one for one in courses if uid in [film.film.identity.sop_instance_uid for film in one.results]), None)


def _is_graver(stored: StoredResult, primaries: Sequence[StoredResult]) -> bool:
    """Whether a repeat shows something that the primary film of its view does not show as gravely."""
    if stored.is_primary:
        return False
    # A rendering may not say of which view its exposure is: then it is compared with all that are reported.
    rivals = [one for one in primaries if _repeats(stored, one)] or primaries
    return _gravity(stored) > max(map(_gravity, rivals), default=0)


def _repeats(stored: StoredResult, primary: StoredResult) -> bool:
    return not stored.is_primary and stored.film.view is primary.film.view


def _gravity(stored: StoredResult) -> int:
    """0 of a film that shows nothing, or was not assessed; a normal repeat takes no doubt away."""
    grave = [one for one in reversed(SEVERITY) if one is not Assessment.NO_AAS_ON_THIS_VIEW]
    assessment = stored.film.measurement.assessment if stored.film.measurement else None
    return grave.index(assessment) + 1 if assessment in grave else 0


def _moment(stored: StoredResult) -> tuple[bool, datetime, int]:
    """Films without an instant come last, in the order of arrival."""
    instant = stored.film.identity.acquisition.instant
    return instant is None, instant or stored.analysed_at, stored.instance_id


def _compared(gathered: Gathered, config: Config) -> Mapping[str, CourseChanges]:
    primaries = [one for one in gathered.films if one.is_primary]
    known = {one.film.identity.sop_instance_uid: one for one in (*gathered.course, *primaries)}
    entries = [one.as_course_entry() for one in known.values()]
    return {one.key: one for one in changes(entries, config.measurement)}


def _read_header(file_name: str, store: Store, config: Config) -> Dataset:
    """Of a kept film all but the pixels, otherwise untouched."""
    dataset = read_data_set(store.inbox.path(file_name), config.pixels)
    dataset.pop("PixelData", None)
    return dataset


def _header_from_store(stored: StoredResult, kept: Dataset) -> Dataset:
    """What a report needs of the header of a film whose file is gone: patient and study as on a film that is ``kept``.

    Raises:
        UnsupportedError: the stored result does not tell enough; a report without this film would take a finding back.
    """
    film, identity = stored.film, stored.film.identity
    modality = _MODALITIES.get(UID(identity.sop_class_uid))
    if modality is None or film.rows is None or film.columns is None:
        raise UnsupportedError(
            f"the file of instance {identity.sop_instance_uid} is no longer kept, and a new version of the report "
            "cannot describe it without; the version that was delivered stands; have the film sent again"
        )
    header = Dataset()
    carry_over(kept, header)
    header.SOPClassUID, header.SOPInstanceUID = identity.sop_class_uid, identity.sop_instance_uid
    header.SeriesInstanceUID = identity.series_instance_uid
    header.Modality, header.Rows, header.Columns = modality, film.rows, film.columns
    return header


def _film_findings(
    stored: StoredResult, header: Dataset, compared: CourseChanges | None, gathered: Gathered
) -> FilmFindings:
    film, is_repeat = stored.film, not stored.is_primary
    return FilmFindings(
        header=header,
        acquisition_date=film.identity.acquisition.date_verbatim,
        acquisition_time=film.identity.acquisition.time_verbatim,
        view=film.view,
        is_view_stated=film.view_source is not ViewSource.PICTURE,
        is_repeat=is_repeat,
        has_graver_repeat=not is_repeat and any(_repeats(other, stored) for other in gathered.films),
        is_disputed=stored.is_disputed,
        facing=film.facing,
        landmarks=film.landmarks,
        spacing=film.spacing.primary if isinstance(film.spacing, Spacings) else None,
        measurement=film.measurement,
        reason=film.reason,
        model=film.model or "",
        adi_before=_before(stored, compared.adi_since_previous if compared else None, gathered, "adi"),
        sac_before=_before(stored, compared.sac_since_previous if compared else None, gathered, "sac"),
    )


def _has_earlier_study(stored: StoredResult, course: Sequence[StoredResult]) -> bool:
    """Whether there is a film of another study, exposed earlier."""
    own = stored.film.identity
    moment = own.acquisition.instant
    others = (one.film.identity for one in course if one.film.identity.study_instance_uid != own.study_instance_uid)
    instants = (other.acquisition.instant for other in others)
    return moment is not None and any(instant is not None and instant < moment for instant in instants)


def _before(
    stored: StoredResult, compared: Compared | NotComparable | None, gathered: Gathered, name: Literal["adi", "sac"]
) -> EarlierLength | NotComparable | None:
    """The same length on the film that it was compared with; None where the person has no earlier study."""
    if compared is None:
        return None
    if not _has_earlier_study(stored, gathered.course):
        return _HELD_APART if _has_earlier_study(stored, gathered.held_apart) else None
    if isinstance(compared, NotComparable):
        return compared
    earlier = next(one for one in gathered.course if one.film.identity.sop_instance_uid == compared.against)
    length = getattr(earlier.film.measurement, name)
    assert isinstance(length, Length)  # else it could not have been compared with
    return EarlierLength(
        acquisition_date=earlier.film.identity.acquisition.date_verbatim, mm=length.mm, change=compared.change
    )


def _reference(found: StudyFindings, predecessor: StoredObject) -> ObjectReference:
    return ObjectReference(
        study_instance_uid=found.study_instance_uid,
        series_instance_uid=predecessor.series_instance_uid,
        sop_class_uid=predecessor.sop_class_uid,
        sop_instance_uid=predecessor.sop_instance_uid,
    )
