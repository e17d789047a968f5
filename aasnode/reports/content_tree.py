"""The content tree of the structured report: TID 1500, one measurement group (TID 1501) per length and film.

The shape is the one that viewers of today survive and understand: a group holds exactly one NUM, whose only child is
the SCOORD of its two ends, under a tracking identifier that the cornerstone viewers take for a Length. What the length
says by itself stands beside it as text; what a film or the study says (assessed, not measured, compared with an earlier
film) stands under Qualitative Evaluations at the root, never in a group.
"""

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.sr.coding import Code

from aasnode.anatomy import Landmark
from aasnode.dicom.identity import MANUFACTURER
from aasnode.geometry import Point
from aasnode.measurement import ADI_ENDS, SAC_ENDS, Length, LengthFinding
from aasnode.reports import codes, wording
from aasnode.reports.content_items import Relationship, coded, container, image, number, polyline, text, uid_reference
from aasnode.reports.findings import FilmFindings, StudyFindings
from aasnode.reports.uids import tracking_uid
from aasnode.reports.wording import film_name

VIEWER_LENGTH = "Cornerstone3DTools@^0.1.0:Length"  # the viewers' word for a distance of two points


def build_content_tree(study: StudyFindings) -> Dataset:
    """The tree from its root; at least one length of the study is known in mm."""
    groups = [group for film in study.films for group in _measurement_groups(study, film)]
    return container(
        codes.IMAGING_MEASUREMENT_REPORT,
        [
            *observation_context(study),
            coded(Relationship.HAS_CONCEPT_MOD, codes.PROCEDURE_REPORTED, codes.IMAGING_PROCEDURE),
            _image_library(study),
            container(codes.IMAGING_MEASUREMENTS, groups, Relationship.CONTAINS),
            container(codes.QUALITATIVE_EVALUATIONS, qualitative_evaluations(study), Relationship.CONTAINS),
        ],
        template="1500",
    )


def observation_context(study: StudyFindings) -> Iterator[Dataset]:
    """Language (TID 1204) and the device that observed (TID 1002, 1004)."""
    yield coded(Relationship.HAS_CONCEPT_MOD, codes.LANGUAGE, codes.ENGLISH)
    yield coded(Relationship.HAS_OBS_CONTEXT, codes.OBSERVER_TYPE, codes.DEVICE)
    device_uid = study.settings.device_observer_uid
    yield uid_reference(Relationship.HAS_OBS_CONTEXT, codes.DEVICE_OBSERVER_UID, device_uid)
    for name, value in (
        (codes.DEVICE_OBSERVER_NAME, study.settings.station_name),
        (codes.DEVICE_OBSERVER_MANUFACTURER, MANUFACTURER),
        (codes.DEVICE_OBSERVER_MODEL_NAME, MANUFACTURER),
        (codes.DEVICE_OBSERVER_SERIAL_NUMBER, device_uid),
    ):
        yield text(Relationship.HAS_OBS_CONTEXT, name, value)


def _image_library(study: StudyFindings) -> Dataset:
    """TID 1600; viewers need it to find the images."""
    entries = [
        image(
            Relationship.CONTAINS,
            codes.SOURCE,
            film.sop_class_uid,
            film.sop_instance_uid,
            children=_image_descriptors(film),
        )
        for film in study.films
    ]
    group = container(codes.IMAGE_LIBRARY_GROUP, entries, Relationship.CONTAINS)
    return container(codes.IMAGE_LIBRARY, [group], Relationship.CONTAINS)


def _image_descriptors(film: FilmFindings) -> Iterator[Dataset]:
    """TID 1602 and 1603; the pixel spacing is the one that was measured with."""
    context = Relationship.HAS_ACQ_CONTEXT
    yield coded(context, codes.MODALITY, codes.MODALITIES.get(film.text("Modality"), codes.OTHER))
    rows, columns = film.shape
    yield number(context, codes.PIXEL_DATA_ROWS, rows, codes.PIXELS)
    yield number(context, codes.PIXEL_DATA_COLUMNS, columns, codes.PIXELS)
    position = codes.POSITIONS.get(film.view)
    modifier = [] if position is None else [coded(Relationship.HAS_CONCEPT_MOD, codes.IMAGE_VIEW_MODIFIER, position)]
    yield coded(context, codes.IMAGE_VIEW, codes.LATERAL, modifier)
    if film.spacing is not None:
        yield number(context, codes.HORIZONTAL_PIXEL_SPACING, film.spacing.column_mm, codes.MILLIMETRE)
        yield number(context, codes.VERTICAL_PIXEL_SPACING, film.spacing.row_mm, codes.MILLIMETRE)


def _measurement_groups(study: StudyFindings, film: FilmFindings) -> Iterator[Dataset]:
    """One group per length in mm, each with what that length says by itself."""
    measured = film.measurement
    for code, name, length, ends, finding in (
        (codes.ADI, "ADI", film.adi, ADI_ENDS, measured.adi_finding if measured else None),
        (codes.SAC, "SAC", film.sac, SAC_ENDS, measured.sac_finding if measured else None),
    ):
        points = _points(film, ends)
        if length is not None and points is not None:
            yield _measurement_group(study, film, code, name, length, points, finding)


def _points(film: FilmFindings, ends: tuple[Landmark, Landmark]) -> tuple[Point, Point] | None:
    """The two ends of a length, where both were found."""
    first, second = (film.landmarks.get(landmark) for landmark in ends)
    return None if first is None or second is None else (first.point, second.point)


def _measurement_group(
    study: StudyFindings,
    film: FilmFindings,
    code: Code,
    name: str,
    length: Length,
    points: tuple[Point, Point],
    finding: LengthFinding | None,
) -> Dataset:
    """TID 1501 with its only NUM, whose only child is the SCOORD on the film."""
    frame = film.frame if int(film.header.get("NumberOfFrames") or 1) > 1 else None
    source = image(Relationship.SELECTED_FROM, None, film.sop_class_uid, film.sop_instance_uid, frame=frame)
    line = polyline(Relationship.INFERRED_FROM, points, source)
    label = f"{name} {film_name(study, film)}"
    children = [
        text(Relationship.HAS_OBS_CONTEXT, codes.TRACKING_IDENTIFIER, _tracking_identifier(name, study, film)),
        uid_reference(Relationship.HAS_OBS_CONTEXT, codes.TRACKING_UNIQUE_IDENTIFIER, tracking_uid(study, film, name)),
        coded(Relationship.CONTAINS, codes.FINDING, code),
        coded(Relationship.HAS_CONCEPT_MOD, codes.FINDING_SITE, codes.ATLANTOAXIAL_JOINT),
        *_algorithm(film),
        number(Relationship.CONTAINS, code, round(length.mm, 2), codes.MILLIMETRE, [line]),
        text(Relationship.CONTAINS, codes.COMMENT, f"{label} {wording.describe_length(length)}, AI, unverified"),
        *_further_values(film, length, finding),
    ]
    return container(codes.MEASUREMENT_GROUP, children, Relationship.CONTAINS)


def _tracking_identifier(name: str, study: StudyFindings, film: FilmFindings) -> str:
    return f"{VIEWER_LENGTH}:{name}:{film_name(study, film).replace(',', '').replace(' ', '-').upper()}"


def _algorithm(film: FilmFindings) -> Iterator[Dataset]:
    """TID 4019: the model, and what its millimetres rest on."""
    name, _, version = film.model.rpartition(" ")
    modifier = Relationship.HAS_CONCEPT_MOD
    yield text(modifier, codes.ALGORITHM_NAME, name or film.model)
    yield text(modifier, codes.ALGORITHM_VERSION, version)
    for parameter in _parameters(film):
        yield text(modifier, codes.ALGORITHM_PARAMETERS, parameter)
    yield coded(modifier, codes.ALGORITHM_FAMILY, codes.ARTIFICIAL_INTELLIGENCE)


def _parameters(film: FilmFindings) -> Iterator[str]:
    if film.spacing is not None:
        yield f"spacing rule: {wording.SPACING_RULES[film.spacing.rule]}"
        yield f"spacing: {film.spacing.row_mm:.6g} mm between rows, {film.spacing.column_mm:.6g} mm between columns"
    if film.measurement is not None:
        yield f"90 % intervals calibrated on {film.measurement.interval_source}"


def _further_values(film: FilmFindings, length: Length, finding: LengthFinding | None) -> Iterator[Dataset]:
    """Beside the value, as text: a second NUM in the group would be taken for the measurement."""
    interval = f"{length.low_mm:.2f} to {length.high_mm:.2f} mm"
    yield text(Relationship.CONTAINS, codes.INTERVAL, interval)
    other = wording.describe_other_plane(film, length)
    if other is not None:
        yield text(Relationship.CONTAINS, codes.OTHER_PLANE, other)
    if finding is not None:
        yield text(Relationship.CONTAINS, codes.LENGTH_FINDING, wording.describe_verdict(finding))


def qualitative_evaluations(study: StudyFindings) -> Iterator[Dataset]:
    """What is no measurement in mm, and what it must be read with; codes before texts, as the template has them."""
    together = study.assessment
    contains = Relationship.CONTAINS
    yield coded(contains, codes.ASSESSMENT, codes.ASSESSMENTS[together.assessment])
    yield from _film_assessments(study)
    yield text(contains, codes.COMMENT, wording.describe_study(study))
    for film in study.films:
        yield from _film_evaluations(study, film)
    if study.has_films_held_apart:
        yield text(contains, codes.COMPARISON, wording.HELD_APART)
    for name, change in (("ADI", together.adi_flexion_minus_extension), ("SAC", together.sac_flexion_minus_extension)):
        if change is not None:
            yield text(contains, codes.CHANGE_ON_MOTION, f"{name}: {wording.describe_motion(study, change)}")
    yield from (text(contains, codes.THRESHOLDS, criteria) for criteria in _criteria(study))
    yield text(contains, codes.LIMITS_OF_USE, wording.LIMITS_OF_USE)


def _criteria(study: StudyFindings) -> Iterator[str]:
    """The thresholds by which the films were assessed; of each film, where they were changed in between."""
    by_film = {
        film_name(study, film): film.measurement.assessed_by
        for film in study.films
        if film.measurement and film.measurement.assessed_by
    }
    several = len(set(by_film.values())) > 1
    yield from dict.fromkeys(f"{name}: {criteria}" if several else criteria for name, criteria in by_film.items())


def _film_assessments(study: StudyFindings) -> Iterator[Dataset]:
    """What each film says, inferred from that film."""
    for film in study.films:
        if film.measurement is not None:
            said = codes.ASSESSMENTS[film.measurement.assessment]
            source = image(Relationship.INFERRED_FROM, None, film.sop_class_uid, film.sop_instance_uid)
            yield coded(Relationship.CONTAINS, codes.ASSESSMENT, said, [source])


def _film_evaluations(study: StudyFindings, film: FilmFindings) -> Iterator[Dataset]:
    """One film: its assessment, its lengths relative to C1, what was not measured and why, the earlier film."""
    name = film_name(study, film)
    if (measured := film.measurement) is not None:
        verdict = f"{name}: {wording.ASSESSMENTS[measured.assessment]}. {measured.assessment_reason}"
        yield text(Relationship.CONTAINS, codes.COMMENT, ". ".join([verdict.strip(), *wording.remarks(film)]))
        if ratios := wording.describe_ratios(measured.adi_ratio, measured.sac_ratio):
            yield text(Relationship.CONTAINS, codes.RELATIVE_TO_C1, f"{name}: {ratios}")
    for length_name, length, reason, before in (
        ("ADI", film.adi, measured.adi_reason if measured else None, film.adi_before),
        ("SAC", film.sac, measured.sac_reason if measured else None, film.sac_before),
    ):
        if length is None:
            why = wording.reason_for_missing(film, reason)
            yield text(Relationship.CONTAINS, codes.NOT_MEASURED, f"{length_name} {name}: {why}")
        elif before is not None:
            compared = f"{length_name} {name}: {wording.describe_before(length_name, before)}"
            yield text(Relationship.CONTAINS, codes.COMPARISON, compared)
