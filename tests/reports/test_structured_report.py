"""The shape of the report, item by item: what viewers crash on never appears, what was not measured is said."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydicom import Dataset
from pydicom.sr.coding import Code

from aasnode.anatomy import Landmark, View
from aasnode.config import MeasurementSection
from aasnode.geometry import PixelSpacing, SpacingRule
from aasnode.measurement import Assessment, Change, NotComparable, assess_film
from aasnode.reports import codes, wording
from aasnode.reports.findings import EarlierLength, FilmFindings, ObjectReference
from aasnode.reports.structured_report import SOP_CLASSES, build_structured_report

from .conftest import FilmFactory, StudyFactory, digital_radiograph

SQUARE = PixelSpacing(row_mm=0.15, column_mm=0.15, rule=SpacingRule.DETECTOR_PLANE)


def is_named(item: Dataset, code: Code) -> bool:
    name = item.get("ConceptNameCodeSequence")
    return bool(name) and (name[0].CodeValue, name[0].CodingSchemeDesignator) == (code.value, code.scheme_designator)


def below(item: Dataset, code: Code) -> list[Dataset]:
    return [child for child in item.get("ContentSequence", []) if is_named(child, code)]


def groups(report: Dataset) -> list[Dataset]:
    return [group for part in below(report, codes.IMAGING_MEASUREMENTS) for group in part.ContentSequence]


def evaluations(report: Dataset, code: Code) -> list[str]:
    (part,) = below(report, codes.QUALITATIVE_EVALUATIONS)
    return [item.TextValue for item in below(part, code) if item.ValueType == "TEXT"]


def every_item(item: Dataset) -> Iterator[Dataset]:
    yield item
    for child in item.get("ContentSequence", []):
        yield from every_item(child)


def test_each_length_of_each_film_is_a_group_with_one_num_and_one_child(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    """Viewers read the first NUM of a group and its only child; anything else there crashes or hides them."""
    films = [make_film(view=view, draw=False) for view in (View.NEUTRAL, View.FLEXION, View.EXTENSION)]
    report = build_structured_report(make_study(*films))
    assert len(groups(report)) == 6
    for group in groups(report):
        (measured,) = [item for item in group.ContentSequence if item.ValueType == "NUM"]
        (line,) = measured.ContentSequence
        assert (line.ValueType, line.RelationshipType, line.GraphicType) == ("SCOORD", "INFERRED FROM", "POLYLINE")
        (source,) = line.ContentSequence
        assert (source.ValueType, source.RelationshipType) == ("IMAGE", "SELECTED FROM")


def test_the_ends_lie_half_a_pixel_further_than_in_our_own_frame(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(draw=False)
    group = groups(build_structured_report(make_study(film)))[0]
    (measured,) = [item for item in group.ContentSequence if item.ValueType == "NUM"]
    ends = (Landmark.C1_ANTERIOR_ARCH_POSTERIOR, Landmark.DENS_ANTERIOR)
    points = [film.landmarks[end] for end in ends]
    expected = [value + 0.5 for found in points if found for value in (found.point.x, found.point.y)]
    assert measured.ContentSequence[0].GraphicData == pytest.approx(expected, abs=1e-3)


def test_tracking_identifiers_are_the_viewers_word_and_uids_differ(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    films = [make_film(view=view, draw=False) for view in (View.FLEXION, View.FLEXION)]
    found = groups(build_structured_report(make_study(*films)))
    identifiers = [below(group, codes.TRACKING_IDENTIFIER)[0].TextValue for group in found]
    assert identifiers == [
        "Cornerstone3DTools@^0.1.0:Length:ADI:FLEXION",
        "Cornerstone3DTools@^0.1.0:Length:SAC:FLEXION",
        "Cornerstone3DTools@^0.1.0:Length:ADI:FLEXION-2",
        "Cornerstone3DTools@^0.1.0:Length:SAC:FLEXION-2",
    ]
    assert len({below(group, codes.TRACKING_UNIQUE_IDENTIFIER)[0].UID for group in found}) == 4


def test_a_length_that_was_not_measured_is_a_finding_at_the_root_with_its_reason(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    film = make_film(missing=(Landmark.C1_POSTERIOR_ARCH_ANTERIOR,), draw=False)
    report = build_structured_report(make_study(film))
    assert [below(group, codes.FINDING)[0].ConceptCodeSequence[0].CodeValue for group in groups(report)] == ["ADI"]
    assert evaluations(report, codes.NOT_MEASURED) == ["SAC neutral: point hidden"]


@pytest.mark.parametrize("spacing", [SQUARE, None])
def test_the_lengths_relative_to_c1_stand_at_the_root_also_without_mm(
    spacing: PixelSpacing | None, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    report = build_structured_report(make_study(make_film(spacing=spacing, draw=False)))
    said = evaluations(report, codes.RELATIVE_TO_C1) if spacing else findings(report)
    label = "" if spacing else "Relative to the inner sagittal diameter of C1: "
    assert f"{label}neutral: ADI 14.0 %, SAC 57.0 %" in said


def findings(report: Dataset) -> list[str]:
    (heading,) = below(report, codes.FINDINGS)
    return [item.TextValue for item in below(heading, codes.FINDING)]


@pytest.mark.parametrize("reason", ["no pixel spacing in the header", "operated_neck"])
def test_a_study_without_any_length_is_a_plain_report_of_the_reasons(
    reason: str, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    """A viewer that opens a measurement report reads the first measurement, and breaks where there is none."""
    if reason == "operated_neck":
        film = make_film(missing=tuple(Landmark), measurement=None, reason=reason, draw=False)
    else:
        film = make_film(spacing=None, draw=False)
    report = build_structured_report(make_study(film))
    assert is_named(report, codes.RADIOLOGY_REPORT)
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    words = reason.replace("_", " ")
    said = findings(report)
    assert {f"Not measured: ADI neutral: {words}", f"Not measured: SAC neutral: {words}"} <= set(said)
    assert said[-1] == f"Limits of use: {wording.LIMITS_OF_USE}"
    assert not [item for item in every_item(report) if item.ValueType in ("NUM", "SCOORD")]


def test_a_plain_report_still_names_every_film(make_film: FilmFactory, make_study: StudyFactory) -> None:
    films = [make_film(spacing=None, view=view, draw=False) for view in (View.NEUTRAL, View.FLEXION)]
    report = build_structured_report(make_study(*films))
    named = [item.ReferencedSOPSequence[0] for item in every_item(report) if item.ValueType == "IMAGE"]
    assert [item.ReferencedSOPInstanceUID for item in named] == [film.sop_instance_uid for film in films]


def test_one_length_makes_it_a_measurement_report_for_all_films(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    abstained = make_film(missing=tuple(Landmark), measurement=None, reason="operated_neck", draw=False)
    report = build_structured_report(make_study(abstained, make_film(view=View.FLEXION, draw=False)))
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert len(groups(report)) == 2
    assert evaluations(report, codes.NOT_MEASURED) == ["ADI neutral: operated neck", "SAC neutral: operated neck"]


def test_a_child_is_measured_and_not_assessed(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = make_film(assessment=Assessment.NOT_ASSESSED, draw=False)
    assert film.measurement is not None
    film = replace(film, measurement=replace(film.measurement, assessment_reason="under 18 years"))
    report = build_structured_report(make_study(film))
    assert not [item for group in groups(report) for item in below(group, codes.LENGTH_FINDING)]
    assert codes_of_films(report) == {film.sop_instance_uid: "NOT-ASSESSED"}
    assert "neutral: not assessed. under 18 years" in evaluations(report, codes.COMMENT)


def test_a_view_that_the_picture_alone_tells_and_a_repeat_are_told_as_that(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = make_study(make_film(is_view_stated=False, is_repeat=True), make_film())
    guessed, stated = evaluations(build_structured_report(study), codes.COMMENT)[1:3]
    assert guessed.endswith(f". The view is told from the picture alone. {wording.REPEAT}")
    assert "picture" not in stated


def codes_of_films(report: Dataset) -> dict[str, str]:
    """What each film says, by the instance that the code is inferred from."""
    (part,) = below(report, codes.QUALITATIVE_EVALUATIONS)
    return {
        item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID: item.ConceptCodeSequence[0].CodeValue
        for item in below(part, codes.ASSESSMENT)
        if "ContentSequence" in item
    }


def with_lengths(film: FilmFindings, *, adi_mm: float, sac_mm: float) -> FilmFindings:
    """The film with these lengths, ± 0.5 and ± 1 mm, and what they say."""
    assert film.measurement is not None
    assert film.adi is not None
    assert film.spacing is not None
    adi = replace(film.adi, mm=adi_mm, low_mm=adi_mm - 0.5, high_mm=adi_mm + 0.5)
    sac = replace(film.adi, mm=sac_mm, low_mm=sac_mm - 1.0, high_mm=sac_mm + 1.0)
    said = assess_film(
        adi=adi,
        sac=sac,
        adi_reason=None,
        sac_reason=None,
        spacing_rule=film.spacing.rule,
        age_years=66.0,
        settings=MeasurementSection(),
    )
    measured = replace(film.measurement, adi=adi, sac=sac, adi_finding=said.adi, sac_finding=said.sac)
    measured = replace(measured, assessment=said.assessment, assessment_reason=said.reason)
    return replace(film, measurement=measured)


def test_a_narrow_canal_does_not_make_the_adi_suspect(make_film: FilmFactory, make_study: StudyFactory) -> None:
    """The film's code is the film's: each length's group says what that length says, in the overlay's words."""
    film = with_lengths(make_film(draw=False), adi_mm=1.5, sac_mm=11.9)
    report = build_structured_report(make_study(film))
    assert [[item.TextValue for item in below(group, codes.LENGTH_FINDING)] for group in groups(report)] == [
        ["1.5 mm (1.0 to 2.0), detector plane, <= 3 mm: normal"],
        ["11.9 mm (10.9 to 12.9), detector plane, <= 13 mm: abnormal"],
    ]
    assert not [item for group in groups(report) for item in below(group, codes.ASSESSMENT)]
    assert codes_of_films(report) == {film.sop_instance_uid: "SUSPECTED"}


def test_motion_comparison_thresholds_and_limits_stand_at_the_root(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    before = EarlierLength(acquisition_date="20251101", mm=2.0, change=Change(mm=2.5, error_mm=1.9))
    flexion = make_film(view=View.FLEXION, gap_px=10, adi_before=before, draw=False)
    flexion = replace(flexion, sac_before=NotComparable(reason="other spacing rule"))
    report = build_structured_report(make_study(flexion, make_film(view=View.EXTENSION, draw=False)))
    assert evaluations(report, codes.COMPARISON) == [
        "ADI flexion: 2.0 mm on 2025-11-01, change +2.5 mm, exceeds measurement error (1.9 mm)",
        "SAC flexion: not compared: other spacing rule",
    ]
    assert evaluations(report, codes.CHANGE_ON_MOTION) == [
        "ADI: +1.5 mm, exceeds measurement error (1.2 mm)",
        "SAC: +0.0 mm, within measurement error (1.2 mm)",
    ]
    assert evaluations(report, codes.LIMITS_OF_USE) == [wording.LIMITS_OF_USE]
    (thresholds,) = evaluations(report, codes.THRESHOLDS)
    assert "ADI > 3 mm" in thresholds


def test_films_that_were_assessed_by_other_thresholds_say_so(make_film: FilmFactory, make_study: StudyFactory) -> None:
    films = [make_film(view=view, draw=False) for view in (View.NEUTRAL, View.FLEXION, View.EXTENSION)]
    told = ["ADI > 2.5 mm", "ADI > 3 mm", None]
    films = [
        replace(film, measurement=replace(film.measurement, criteria=criteria))
        for film, criteria in zip(films, told, strict=True)
        if film.measurement
    ]
    films.append(make_film(view=View.UNKNOWN, assessment=Assessment.NOT_ASSESSED, draw=False))
    assert evaluations(build_structured_report(make_study(*films)), codes.THRESHOLDS) == [
        "neutral: ADI > 2.5 mm",
        "flexion: ADI > 3 mm",
        "extension: thresholds that were not kept",
    ]


def test_limits_of_use_name_research_diagnosis_verification_and_simulation() -> None:
    for words in ("AI result", "not verified", "Research use", "not for diagnosis", "simulated radiographs"):
        assert words in wording.LIMITS_OF_USE


def test_the_spacing_that_was_measured_with_is_the_one_in_the_report(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    spacing = PixelSpacing(row_mm=0.1, column_mm=0.2, rule=SpacingRule.GEOMETRY)
    report = build_structured_report(make_study(make_film(spacing=spacing, draw=False)))
    items = {
        code.meaning: float(item.MeasuredValueSequence[0].NumericValue)
        for item in every_item(report)
        for code in (codes.HORIZONTAL_PIXEL_SPACING, codes.VERTICAL_PIXEL_SPACING)
        if is_named(item, code)
    }
    assert items == {"Horizontal Pixel Spacing": 0.2, "Vertical Pixel Spacing": 0.1}
    parameters = [item.TextValue for item in below(groups(report)[0], codes.ALGORITHM_PARAMETERS)]
    assert "spacing rule: Pixel Spacing, calibrated by geometry (patient plane)" in parameters


def test_the_other_plane_is_told_beside_the_value(make_film: FilmFactory, make_study: StudyFactory) -> None:
    film = make_film(spacing=replace(SQUARE, rule=SpacingRule.IMAGER_MAGNIFIED), draw=False)
    assert film.measurement is not None
    assert film.adi is not None
    adi = replace(film.adi, corrected_mm=film.adi.mm, detector_plane_mm=film.adi.mm * 1.15)
    film = replace(film, measurement=replace(film.measurement, adi=adi))
    (told,) = below(groups(build_structured_report(make_study(film)))[0], codes.OTHER_PLANE)
    assert told.TextValue == f"{film.adi.mm * 1.15:.1f} mm in the detector plane"


def test_a_frame_is_named_only_where_there_are_frames(make_film: FilmFactory, make_study: StudyFactory) -> None:
    still = make_film(draw=False)
    movie = make_film(header=digital_radiograph(NumberOfFrames=8), draw=False)
    report = build_structured_report(make_study(still, movie))
    references = [
        item.ReferencedSOPSequence[0].get("ReferencedFrameNumber")
        for item in every_item(report)
        if item.ValueType == "IMAGE" and item.RelationshipType == "SELECTED FROM"
    ]
    assert references == [None, None, 1, 1]


def test_the_document_is_complete_unverified_and_names_what_it_replaces(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    before = ObjectReference(
        study_instance_uid="1.2", series_instance_uid="1.3", sop_class_uid=SOP_CLASSES[0], sop_instance_uid="1.4"
    )
    study = make_study(make_film(draw=False), predecessor=before)
    report = build_structured_report(study)
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert report.PreliminaryFlag == "PRELIMINARY"
    named = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert named.ReferencedSOPInstanceUID == "1.4"
    assert "PredecessorDocumentsSequence" not in build_structured_report(replace(study, predecessor=None))


def test_a_later_version_has_the_higher_number_in_the_same_series(
    make_film: FilmFactory, make_study: StudyFactory
) -> None:
    """Of several reports in a series, viewers show the one with the highest instance number."""
    first = make_study(make_film(draw=False))
    reports = [build_structured_report(study) for study in (first, replace(first, version=2))]
    assert [report.InstanceNumber for report in reports] == [1, 2]
    assert len({report.SeriesInstanceUID for report in reports}) == 1


def test_the_evidence_lists_every_film_under_its_series(make_film: FilmFactory, make_study: StudyFactory) -> None:
    films = [make_film(header=digital_radiograph(SeriesInstanceUID=uid), draw=False) for uid in ("1.8", "1.9", "1.8")]
    (study,) = build_structured_report(make_study(*films)).CurrentRequestedProcedureEvidenceSequence
    listed = {
        series.SeriesInstanceUID: [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence]
        for series in study.ReferencedSeriesSequence
    }
    assert listed == {
        "1.8": [films[0].sop_instance_uid, films[2].sop_instance_uid],
        "1.9": [films[1].sop_instance_uid],
    }


@pytest.mark.parametrize("sop_class", SOP_CLASSES)
def test_the_content_is_the_same_in_every_class_that_a_peer_may_take(
    sop_class: str, make_film: FilmFactory, make_study: StudyFactory
) -> None:
    study = make_study(make_film(draw=False))
    report = build_structured_report(study, sop_class)
    assert report.SOPClassUID == report.file_meta.MediaStorageSOPClassUID == sop_class
    assert report.ContentSequence == build_structured_report(study).ContentSequence


def test_a_report_of_two_studies_or_of_none_is_refused(make_film: FilmFactory, make_study: StudyFactory) -> None:
    with pytest.raises(ValueError, match="one study"):
        make_study(make_film(draw=False), make_film(header=digital_radiograph(StudyInstanceUID="1.2.9"), draw=False))
    with pytest.raises(ValueError, match="at least one film"):
        make_study()
