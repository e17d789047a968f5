"""Promises of the reporter: when a version is made, what it holds, what it replaces."""

import errno
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    SecondaryCaptureImageStorage,
)
from sqlalchemy import Connection

from aasnode.anatomy import View
from aasnode.config import AnalyserSection, Config, DeliverySection, PixelsSection, ReturnAddress
from aasnode.errors import DiskReserveError, PermanentError, StoreBusyError
from aasnode.measurement import Assessment
from aasnode.network.status import Status
from aasnode.reports import panel, wording
from aasnode.reports.drawing import Picture, Style
from aasnode.services.reporter import findings, service
from aasnode.services.reporter.drawing import Request
from aasnode.services.reporter.service import Reporter
from aasnode.store import deliveries, history, jobs, objects, results
from aasnode.store.objects import STRUCTURED_REPORT, NewObject, Report, StoredObject, overlay_role
from aasnode.store.schema import JobKind, JobState
from tests.drawn_films import marked_film, uid
from tests.services.conftest import NOBODY, MakeNode, Node, hold_database
from tests.store.arrivals import film as kept_film
from tests.store.arrivals import keep
from tests.waiting import eventually

STUDY = uid("study", "visit-1")


def versions(node: Node, study: str = STUDY) -> list[Report]:
    with node.store.reading() as connection:
        return list(objects.list_reports(connection, study))


def objects_of(node: Node, report: Report) -> list[StoredObject]:
    with node.store.reading() as connection:
        return list(objects.of_report(connection, report.id))


def read(node: Node, stored: StoredObject) -> Dataset:
    assert stored.file_name is not None
    return dcmread(BytesIO(node.store.objects.path(stored.file_name).read_bytes()))


def deliver_everything(node: Node) -> None:
    """As the sender notes it when the peer took every object."""
    with node.store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET state = 'finished', delivered_at = created_at, object_id = (SELECT id FROM objects o"
            " WHERE o.report_id = jobs.report_id AND o.role = jobs.role ORDER BY preference LIMIT 1)"
            " WHERE kind = 'deliver' AND state = 'pending'"
        )


def hangs(_: Config) -> Callable[[Request], Dataset]:
    """As a decoder that never returns."""

    def answer(_: Request) -> Dataset:
        threading.Event().wait()
        raise AssertionError

    return answer


def no_space(_: int) -> None:
    """As ``os.fsync`` on a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_study_waits_until_it_is_quiet(node: Node) -> None:
    node.analyse(marked_film("flexion"))
    assert not node.reporter.step()
    node.wait(9)
    node.analyse(marked_film("neutral", view=View.NEUTRAL))
    node.wait(9)
    assert not node.reporter.step()
    node.wait(1)
    assert node.reporter.step()
    assert len(versions(node)) == 1


def test_a_report_waits_for_a_film_that_came_with_it_and_is_not_examined_yet(node: Node) -> None:
    node.analyse(marked_film("flexion"))
    node.receive(marked_film("neutral", view=View.NEUTRAL))
    node.wait(11)
    assert node.reporter.step()
    assert versions(node) == []
    assert node.jobs(JobKind.REPORT)[0].attempts == 0
    node.report()
    [report] = versions(node)
    assert len(objects_of(node, report)) == 3 + 2


def test_a_report_does_not_wait_beyond_the_cap(node: Node) -> None:
    node.analyse(marked_film("flexion"))
    node.receive(marked_film("neutral", view=View.NEUTRAL))
    node.wait(node.config.report.settle_cap_seconds)
    assert node.reporter.step()
    assert len(versions(node)) == 1


def test_a_film_of_another_sender_holds_up_no_report(node: Node) -> None:
    node.analyse(marked_film("flexion"))
    node.receive(marked_film("chest", study="other"), calling="OTHER")
    node.wait(11)
    assert node.reporter.step()
    assert len(versions(node)) == 1


def test_a_report_holds_one_structured_report_in_three_classes_and_an_overlay_of_each_film(node: Node) -> None:
    flexion, neutral = marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL)
    node.report(flexion, neutral)
    [report] = versions(node)
    stored = objects_of(node, report)
    structured = [one.sop_class_uid for one in stored if one.role == STRUCTURED_REPORT]
    assert structured == [Comprehensive3DSRStorage, ComprehensiveSRStorage, EnhancedSRStorage]
    overlays = {one.role for one in stored} - {STRUCTURED_REPORT}
    assert overlays == {overlay_role(flexion.SOPInstanceUID), overlay_role(neutral.SOPInstanceUID)}
    for one in stored:
        dataset = read(node, one)
        assert dataset.SOPInstanceUID == one.sop_instance_uid
        assert dataset.StudyInstanceUID == STUDY
        assert dataset.PatientID == "P-0001"
    assert len(node.jobs(JobKind.DELIVER)) == 3  # the structured report goes out once


def test_equal_findings_make_no_new_version(node: Node) -> None:
    node.report(marked_film())
    with node.store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'pending' WHERE kind = 'report'")
    assert node.reporter.step()
    assert len(versions(node)) == 1
    assert node.jobs(JobKind.REPORT)[-1].reason == "nothing new: equal to version 1"


def test_a_later_exposure_makes_a_version_that_names_its_delivered_predecessor(node: Node) -> None:
    node.report(marked_film("flexion"))
    deliver_everything(node)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    first, second = versions(node)
    assert second.predecessor_id == first.id
    [sent] = [one for one in objects_of(node, first) if one.sop_class_uid == Comprehensive3DSRStorage]
    [new] = [one for one in objects_of(node, second) if one.sop_class_uid == Comprehensive3DSRStorage]
    [study] = read(node, new).PredecessorDocumentsSequence
    assert study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == sent.sop_instance_uid
    roles = [job.role for job in node.jobs(JobKind.DELIVER, JobState.PENDING)]
    assert STRUCTURED_REPORT in roles
    assert overlay_role(uid("instance", "visit-1", "flexion")) not in roles  # unchanged, and already there


def test_an_undelivered_older_version_is_withdrawn_and_not_named(node: Node) -> None:
    node.report(marked_film("flexion"))
    node.report(marked_film("neutral", view=View.NEUTRAL))
    first, second = versions(node)
    assert second.predecessor_id is None
    states = {(job.report_id, job.state) for job in node.jobs(JobKind.DELIVER)}
    assert states == {(first.id, JobState.WITHDRAWN), (second.id, JobState.PENDING)}


def test_a_version_that_was_delivered_stays_the_predecessor_while_it_is_sent_once_more(node: Node) -> None:
    node.report(marked_film("flexion"))
    deliver_everything(node)
    with node.store.writing() as connection:
        deliveries.resend(connection, [NOBODY.name], now=node.now, study_instance_uid=STUDY)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    first, second = versions(node)
    assert second.predecessor_id == first.id
    overlay = overlay_role(uid("instance", "visit-1", "flexion"))
    assert overlay not in [job.role for job in node.jobs(JobKind.DELIVER, JobState.PENDING)]  # it is there already


def test_a_version_whose_sender_ended_before_it_was_delivered_is_withdrawn_and_not_named(node: Node) -> None:
    node.report(marked_film("flexion"))
    while node.claim_delivery() is not None:
        pass
    node.wait(60)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    first, second = versions(node)
    assert second.predecessor_id is None
    assert {job.state for job in node.jobs(JobKind.DELIVER) if job.report_id == first.id} == {JobState.WITHDRAWN}


def test_a_version_that_is_being_sent_is_named(node: Node) -> None:
    node.report(marked_film("flexion"))
    node.wait(-node.config.report.settle_cap_seconds)
    node.analyse(marked_film("neutral", view=View.NEUTRAL))
    node.wait(node.config.report.settle_cap_seconds)
    while node.claim_delivery() is not None:
        pass
    assert node.reporter.step()
    first, second = versions(node)
    assert second.predecessor_id == first.id
    assert {job.state for job in node.jobs(JobKind.DELIVER) if job.report_id == first.id} == {JobState.CLAIMED}


def test_an_object_that_was_built_before_keeps_its_bytes(node: Node) -> None:
    node.report(marked_film("flexion"))
    node.wait(3600)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    role = overlay_role(uid("instance", "visit-1", "flexion"))
    files = [one.file_name for report in versions(node) for one in objects_of(node, report) if one.role == role]
    assert len(files) == 2
    assert len(set(files)) == 1


def test_a_film_of_another_visit_is_compared_with_the_earlier_one(node: Node) -> None:
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    node.report(marked_film("flexion", study="visit-0", adi_px=20, acquired=earlier))
    node.report(marked_film("flexion", adi_px=40))
    [report] = versions(node)
    [new] = [one for one in objects_of(node, report) if one.sop_class_uid == Comprehensive3DSRStorage]
    assert b"2.0 mm on 2025-03-01, change +2.0 mm" in node.store.objects.path(new.file_name or "").read_bytes()


def report_text(node: Node, study: str = STUDY) -> bytes:
    """The newest version's structured report, as it is sent."""
    [new] = [
        one for one in objects_of(node, versions(node, study)[-1]) if one.sop_class_uid == Comprehensive3DSRStorage
    ]
    return node.store.objects.path(new.file_name or "").read_bytes()


def test_a_finding_is_not_lost_because_the_film_was_repeated(node: Node) -> None:
    first, second = (datetime(2026, 3, 1, 10, minute) for minute in (15, 17))  # noqa: DTZ001
    node.report(marked_film("bent", adi_px=90, acquired=first), marked_film("less bent", adi_px=20, acquired=second))
    said = report_text(node)
    assert b"Study: atlantoaxial subluxation suspected. flexion, repeat: ADI 9.0 mm" in said
    assert b"flexion, repeat: atlantoaxial subluxation suspected. ADI 9.0 mm" in said
    assert wording.REPEAT.encode() in said
    assert said.count(wording.GRAVER_REPEAT.encode()) == 1, "of the film that is compared over time"
    [report] = versions(node)
    assert len(objects_of(node, report)) == 3 + 2, "each has its overlay"


def test_a_repeat_that_says_no_more_is_not_reported(node: Node) -> None:
    first, second = (datetime(2026, 3, 1, 10, minute) for minute in (15, 17))  # noqa: DTZ001
    node.report(marked_film("one", adi_px=20, acquired=first), marked_film("two", adi_px=21, acquired=second))
    assert b"ADI 2.0 mm" not in report_text(node)


def test_a_film_that_came_again_as_another_persons_is_compared_with_nothing(node: Node) -> None:
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    wrong = marked_film("flexion", study="visit-0", adi_px=90, acquired=earlier)
    node.report(wrong)
    wrong.PatientID = "P-0002"
    node.report(wrong)
    node.report(marked_film("flexion", adi_px=20))
    said = report_text(node)
    assert b"9.0 mm on 2025-03-01" not in said
    assert b"not compared: the earlier film of this view came again as another person's" in said


def test_a_blank_that_is_filled_in_later_makes_nobody_another_person(node: Node) -> None:
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    film = marked_film("flexion", study="visit-0", adi_px=20, acquired=earlier)
    node.report(film)
    film.IssuerOfPatientID = "CLINIC"
    node.report(film)
    node.report(marked_film("flexion", adi_px=40))
    assert b"2.0 mm on 2025-03-01, change +2.0 mm" in report_text(node)


def test_the_tracked_film_keeps_its_tracking_identifier_whatever_its_repeat_shows(node: Node) -> None:
    def tracked(study: str) -> dict[str, str]:
        """UID by name and value of each flexion's ADI."""
        new = next(one for one in objects_of(node, versions(node, study)[-1]) if one.role == STRUCTURED_REPORT)
        found = {}
        for group in read(node, new).ContentSequence[-2].ContentSequence:
            items = {one.ConceptNameCodeSequence[0].CodeValue: one for one in group.ContentSequence}
            if items["112039"].TextValue.endswith((":ADI:FLEXION", ":ADI:FLEXION-REPEAT")):
                comment = next(
                    one.TextValue for one in group.ContentSequence if "unverified" in one.get("TextValue", "")
                )
                found[comment.partition(" mm")[0]] = items["112040"].UID
        return found

    moments = [datetime(2025, 3, 1), datetime(2026, 3, 1, 10, 15), datetime(2026, 3, 1, 10, 17)]  # noqa: DTZ001
    node.report(marked_film("flexion", study="visit-0", adi_px=20, acquired=moments[0]))
    node.report(
        marked_film("bent", adi_px=90, acquired=moments[1]), marked_film("less bent", adi_px=22, acquired=moments[2])
    )
    before, now = tracked(uid("study", "visit-0")), tracked(STUDY)
    assert now["ADI flexion 2.2"] == before["ADI flexion 2.0"] != now["ADI flexion, repeat 9.0"]
    later = [datetime(2027, 3, 1, 10, minute) for minute in (15, 17)]  # noqa: DTZ001
    node.report(
        *(marked_film(str(mm), study="c", adi_px=mm, acquired=at) for mm, at in zip((90, 23), later, strict=True))
    )
    assert tracked(uid("study", "c"))["ADI flexion, repeat 9.0"] != now["ADI flexion, repeat 9.0"], "never compared"


def test_a_repeat_is_reported_where_it_shows_more_than_the_film_that_is_tracked(node: Node) -> None:
    cases = [
        (Assessment.AAS_SUSPECTED, Assessment.NO_AAS_ON_THIS_VIEW, True),
        (Assessment.UNCERTAIN, Assessment.NO_AAS_ON_THIS_VIEW, True),
        (Assessment.BORDERLINE, Assessment.NOT_ASSESSED, True),
        (Assessment.AAS_SUSPECTED, Assessment.UNCERTAIN, True),
        (Assessment.UNCERTAIN, Assessment.AAS_SUSPECTED, False),
        (Assessment.AAS_SUSPECTED, Assessment.AAS_SUSPECTED, False),
        (Assessment.NO_AAS_ON_THIS_VIEW, Assessment.NOT_ASSESSED, False),  # it takes no doubt away
    ]
    for number, (of_repeat, of_primary, is_reported) in enumerate(cases):
        repeat, primary, study = (f"1.{part}.{number}" for part in "345")
        with node.store.writing() as connection:
            for uid_, assessment, minute in ((repeat, of_repeat, 15), (primary, of_primary, 17)):
                found = kept_film(uid_, study=study, acquired_at=datetime(2026, 3, 1, 10, minute, tzinfo=UTC))
                assert found.measurement is not None
                keep(connection, replace(found, measurement=replace(found.measurement, assessment=assessment)))
            shown = findings.reported(results.of_study(connection, study))
        uids = [one.film.identity.sop_instance_uid for one in shown]
        assert uids == ([repeat, primary] if is_reported else [primary]), (of_repeat, of_primary)


@pytest.mark.parametrize(("element", "value"), [("PatientBirthDate", "19500102"), ("IssuerOfPatientID", "CLINIC")])
def test_earlier_films_that_are_held_apart_are_named_as_not_compared(node: Node, element: str, value: str) -> None:
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    node.report(marked_film("flexion", study="visit-0", adi_px=20, acquired=earlier))
    film = marked_film("flexion", adi_px=40)
    setattr(film, element, value)
    node.report(film)
    assert b"not compared: earlier films under this patient ID may be another person's" in report_text(node)
    assert wording.HELD_APART.encode() in report_text(node)


def test_films_that_are_held_apart_are_named_beside_a_comparison_too(node: Node) -> None:
    for study, year, birth_date in (("a", 2024, "19500101"), ("b", 2025, "19500102"), ("visit-1", 2026, "19500101")):
        film = marked_film("flexion", study=study, adi_px=year - 2000, acquired=datetime(year, 3, 1))  # noqa: DTZ001
        film.PatientBirthDate = birth_date
        node.report(film)
    assert b"2.4 mm on 2024-03-01" in report_text(node)
    assert wording.HELD_APART.encode() in report_text(node)


def test_films_of_another_issuer_are_another_persons(node: Node) -> None:
    earlier = datetime(2025, 3, 1, 9, 0)  # noqa: DTZ001
    for study, issuer, acquired in (("visit-0", "A", earlier), ("visit-1", "B", datetime(2026, 3, 1, 9, 0))):  # noqa: DTZ001
        film = marked_film("flexion", study=study, acquired=acquired)
        film.IssuerOfPatientID = issuer
        node.report(film)
    assert b"not compared" not in report_text(node)


def test_a_film_is_dated_as_the_course_dates_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    film = marked_film()
    film.AcquisitionDateTime = "20260228235900+0900"
    written: list[str] = []
    draw_text = panel.draw_text

    def record(picture: Picture, text: str, x: int, y: int, style: Style) -> None:
        written.append(text)
        draw_text(picture, text, x, y, style)

    monkeypatch.setattr(panel, "draw_text", record)
    node.report(film)
    assert "lateral view, flexion · 2026-02-28" in written


def test_nothing_is_sent_of_a_study_without_a_lateral_cervical_film(node: Node) -> None:
    node.report(marked_film("blank", marks=0))
    assert versions(node) == []
    assert node.jobs(JobKind.DELIVER) == []


@pytest.mark.parametrize("view", [View.NEUTRAL, View.FLEXION])
def test_films_of_two_people_in_one_study_are_not_put_into_one_report(node: Node, view: View) -> None:
    node.report(marked_film("flexion"), marked_film("other", view=view, patient_id="P-0002"))
    assert versions(node) == []
    [job] = node.jobs(JobKind.REPORT, JobState.DEAD)
    assert "do not state the same patient" in (job.reason or "")
    assert "by hand" in (job.reason or "")
    assert "P-000" not in (job.reason or "")


def test_a_film_that_leaves_sex_and_birth_date_blank_is_no_second_person(node: Node) -> None:
    blank = marked_film("neutral", view=View.NEUTRAL)
    blank.PatientSex = blank.PatientBirthDate = ""
    node.report(marked_film("flexion"), blank)
    [report] = versions(node)
    assert len(objects_of(node, report)) == 3 + 2


def test_a_study_that_could_not_be_measured_is_reported_with_the_reason(node: Node) -> None:
    unscaled = marked_film("unscaled", view=View.NEUTRAL)
    del unscaled.ImagerPixelSpacing
    node.report(marked_film("hidden", marks=2), unscaled)
    [report] = versions(node)
    [structured] = [one for one in objects_of(node, report) if one.sop_class_uid == Comprehensive3DSRStorage]
    assert len(objects_of(node, report)) == 3 + 2
    assert b"Length:ADI" not in node.store.objects.path(structured.file_name or "").read_bytes()


def test_a_late_reporter_withdraws_nothing_of_a_newer_version(node: Node) -> None:
    node.analyse(marked_film("flexion"))
    node.wait(10)
    with node.store.writing() as connection:
        late = jobs.claim(connection, JobKind.REPORT, owner="late", now=node.now, lease=timedelta(seconds=1))
    assert late is not None
    node.wait(2)
    node.report()
    node.analyse(marked_film("neutral", view=View.NEUTRAL))  # so that the late one would make a version
    with pytest.raises(jobs.LeaseLostError):
        node.reporter._work_off(late)
    assert len(versions(node)) == 1
    assert len(node.jobs(JobKind.DELIVER, JobState.PENDING)) == 2


def test_a_version_that_cannot_be_built_takes_nothing_from_the_one_before(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.report(marked_film("flexion"))
    node.analyse(marked_film("neutral", view=View.NEUTRAL))
    node.wait(node.config.report.settle_cap_seconds)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        assert node.reporter.step()
    assert len(versions(node)) == 1
    assert len(node.jobs(JobKind.DELIVER, JobState.PENDING)) == 2
    node.wait(60)
    assert node.reporter.step()
    first, second = versions(node)
    assert {job.state for job in node.jobs(JobKind.DELIVER) if job.report_id == first.id} == {JobState.WITHDRAWN}
    assert {job.state for job in node.jobs(JobKind.DELIVER) if job.report_id == second.id} == {JobState.PENDING}


def test_a_version_that_left_while_the_next_was_built_is_named_by_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.report(marked_film("flexion"))
    node.analyse(marked_film("neutral", view=View.NEUTRAL))
    node.wait(node.config.report.settle_cap_seconds)
    draw_text = panel.draw_text

    def deliver_and_draw(picture: Picture, text: str, x: int, y: int, style: Style) -> None:
        monkeypatch.setattr(panel, "draw_text", draw_text)
        deliver_everything(node)
        draw_text(picture, text, x, y, style)

    monkeypatch.setattr(panel, "draw_text", deliver_and_draw)
    assert node.reporter.step()
    first, second = versions(node)
    assert second.predecessor_id == first.id
    [new] = [one for one in objects_of(node, second) if one.sop_class_uid == Comprehensive3DSRStorage]
    [study] = read(node, new).PredecessorDocumentsSequence
    named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named in [one.sop_instance_uid for one in objects_of(node, first)]


def test_an_overlay_that_hangs_is_ended_by_the_deadline_and_its_report_fails_with_the_reason(node: Node) -> None:
    node.analyse(marked_film())
    node.wait(3600)
    hurried = replace(node.config, analyser=AnalyserSection(deadline_seconds=0.1))
    reporter = Reporter(node.store, hurried, clock=node.clock, prepare=hangs)
    assert reporter.step()
    [job] = node.jobs(JobKind.REPORT, JobState.PENDING)
    assert (job.attempts, job.reason) == (1, "DeadlineError: no answer within 0.1 s; the process was ended")
    assert versions(node) == []


def test_an_overlay_that_is_broken_off_when_the_node_stops_costs_no_attempt(node: Node) -> None:
    node.analyse(marked_film())
    node.wait(3600)
    reporter = Reporter(node.store, node.config, clock=node.clock, prepare=hangs)
    step = threading.Thread(target=reporter.step)
    step.start()
    eventually(lambda: reporter._child._process is not None, "the overlay is being drawn")
    reporter.interrupt()
    step.join(20)
    [job] = node.jobs(JobKind.REPORT, JobState.PENDING)
    assert job.attempts == 0


def test_each_film_is_read_once_for_a_version(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    read_paths: list[str] = []
    read_data_set = findings.read_data_set

    def record(path: Path, section: PixelsSection) -> Dataset:
        read_paths.append(path.name)
        return read_data_set(path, section)

    monkeypatch.setattr(findings, "read_data_set", record)
    node.report(marked_film("flexion"), marked_film("neutral", view=View.NEUTRAL))
    assert len(versions(node)) == 1
    assert len(read_paths) == 2


def test_a_full_disk_puts_a_report_off_and_costs_no_attempt(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.analyse(marked_film())
    node.wait(10)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        assert node.reporter.step()
    assert node.jobs(JobKind.REPORT, JobState.PENDING)[0].attempts == 0
    assert "disk" in (node.jobs(JobKind.REPORT)[0].reason or "")
    node.wait(60)
    assert node.reporter.step()
    assert len(versions(node)) == 1


def test_an_exposure_whose_rendering_does_not_say_its_view_loses_no_finding_either(node: Node) -> None:
    with node.store.writing() as connection:
        for name, view, assessment, minute in (
            ("1.2.1", View.UNKNOWN, Assessment.AAS_SUSPECTED, 15),
            ("1.2.2", View.FLEXION, Assessment.AAS_SUSPECTED, 15),
            ("1.2.3", View.FLEXION, Assessment.NO_AAS_ON_THIS_VIEW, 17),
        ):
            found = kept_film(
                name,
                view=view,
                acquired_at=datetime(2026, 3, 1, 10, minute, tzinfo=UTC),
                exposure_key="event:1" if minute == 15 else "event:2",
            )
            assert found.measurement is not None
            keep(connection, replace(found, measurement=replace(found.measurement, assessment=assessment)))
        shown = findings.reported(results.of_study(connection, "1.2.9"))
    assert Assessment.AAS_SUSPECTED in [one.film.measurement.assessment for one in shown if one.film.measurement]


@pytest.mark.parametrize("transient", [True, False])
def test_what_was_made_for_a_version_that_is_not_kept_goes_again(
    node: Node, monkeypatch: pytest.MonkeyPatch, transient: bool
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise DiskReserveError("full") if transient else PermanentError("never")

    node.analyse(marked_film())
    node.wait(10)
    with monkeypatch.context() as patch:
        patch.setattr(objects, "add_report", fails)
        assert node.reporter.step()
    assert list(node.store.objects.folder.iterdir()) == []


def test_a_disk_that_fills_while_a_report_is_made_is_not_filled_by_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.analyse(marked_film())
    node.wait(10)
    fsync, calls = os.fsync, iter(range(100))
    monkeypatch.setattr(os, "fsync", lambda file: no_space(file) if next(calls) > 3 else fsync(file))
    assert node.reporter.step()
    assert next(calls) > 4, "something was written before"
    assert list(node.store.objects.folder.iterdir()) == []


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_busy_costs_a_report_no_attempt(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.analyse(marked_film())
    node.wait(10)
    with monkeypatch.context() as patch:
        others: list[sqlite3.Connection] = []

        def hold_and_make(*arguments: object) -> list[NewObject]:
            others.append(hold_database(node))
            return []

        patch.setattr(service, "make_objects", hold_and_make)
        with pytest.raises(StoreBusyError):
            node.reporter.step()
    with pytest.raises(StoreBusyError):  # nothing else is claimed while this is owed
        node.reporter.step()
    others[0].close()
    assert node.reporter.step()
    assert node.jobs(JobKind.REPORT, JobState.FINISHED)[0].attempts == 1


@pytest.mark.usefixtures("impatient")
def test_a_film_can_be_received_while_a_long_course_is_read(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.analyse(marked_film("flexion"))
    node.wait(3600)
    of_patient, answers = history.of_patient, []

    def receive_and_read(connection: Connection, patient_id: str) -> tuple[history.Course, ...]:
        answers.append(node.receive(marked_film("neutral", view=View.NEUTRAL)))
        return of_patient(connection, patient_id)

    monkeypatch.setattr(history, "of_patient", receive_and_read)
    assert node.reporter.step()
    assert answers == [Status.SUCCESS]
    assert len(versions(node)) == 1


def test_in_shadow_mode_everything_is_kept_and_nothing_sent(make_node: MakeNode) -> None:
    node = make_node(NOBODY, shadow=True)
    node.report(marked_film())
    assert len(versions(node)) == 1
    assert node.jobs(JobKind.DELIVER) == []


def test_shadow_mode_takes_back_no_delivery_that_was_promised_before_it(make_node: MakeNode) -> None:
    node = make_node(NOBODY)
    node.report(marked_film("flexion"))
    other = replace(NOBODY, name="archive")
    shadow = make_node(NOBODY, other, shadow=True)
    shadow.now = node.now
    shadow.report(marked_film("neutral", view=View.NEUTRAL))
    first, second = versions(node)
    waiting = node.jobs(JobKind.DELIVER, JobState.PENDING)
    assert {(job.report_id, job.destination) for job in waiting} == {(second.id, NOBODY.name)}
    assert len(waiting) == 3
    assert {job.state for job in node.jobs(JobKind.DELIVER) if job.report_id == first.id} == {JobState.WITHDRAWN}


def test_objects_return_to_the_sender_where_the_table_knows_it(make_node: MakeNode) -> None:
    address = ReturnAddress(ae_title="MODALITY", host="127.0.0.1", port=1)
    node = make_node(delivery=DeliverySection(return_to_sender=True, return_table=(address,)))
    node.report(marked_film())
    assert {job.destination for job in node.jobs(JobKind.DELIVER)} == {"return:MODALITY"}


def test_a_sender_that_the_table_does_not_know_is_told_and_served_once_it_does(
    make_node: MakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    other = ReturnAddress(ae_title="OTHER", host="127.0.0.1", port=1)
    node = make_node(delivery=DeliverySection(return_to_sender=True, return_table=(other,)))
    with caplog.at_level(logging.WARNING):
        node.report(marked_film())
    assert caplog.messages == ["report_not_sent"]
    dead = node.jobs(JobKind.DELIVER, JobState.DEAD)
    assert [(job.destination, "not in delivery.return_table" in (job.reason or "")) for job in dead] == [
        ("return:MODALITY", True)
    ] * 2
    address = ReturnAddress(ae_title="MODALITY", host="127.0.0.1", port=1)
    complete = make_node(delivery=DeliverySection(return_to_sender=True, return_table=(other, address)))
    complete.now = node.now
    with node.store.writing() as connection:
        for job in dead:
            jobs.retry(connection, job.id, now=node.now)
    complete.janitor.step()
    assert len(node.jobs(JobKind.DELIVER, JobState.PENDING)) == 2
    assert [sender.step() for sender in complete.senders] == [False, True]


def forget_file_of(node: Node, film: Dataset) -> None:
    """As retention does it after ``retention.film_days``."""
    node.wait(31 * 86400)
    deliver_everything(node)
    node.janitor.step()
    with node.store.reading() as connection:
        [stored] = results.of_study(connection, film.StudyInstanceUID)
    assert stored.file_name is None


def structured_report_of(node: Node, report: Report) -> bytes:
    [stored] = [one for one in objects_of(node, report) if one.sop_class_uid == Comprehensive3DSRStorage]
    return node.store.objects.path(stored.file_name or "").read_bytes()


def test_a_later_version_takes_back_no_finding_of_a_film_whose_file_is_gone(node: Node) -> None:
    flexion = marked_film("flexion", adi_px=60)
    node.report(flexion)
    assert b"atlantoaxial subluxation suspected" in structured_report_of(node, versions(node)[0])
    forget_file_of(node, flexion)
    node.report(marked_film("neutral", view=View.NEUTRAL, adi_px=15))
    first, second = versions(node)
    assert second.predecessor_id == first.id
    said = structured_report_of(node, second)
    assert flexion.SOPInstanceUID.encode() in said
    assert b"6.0 mm" in said
    assert b"atlantoaxial subluxation suspected" in said


def test_the_overlay_of_a_film_whose_file_is_gone_stays_as_delivered(node: Node) -> None:
    flexion = marked_film("flexion")
    node.report(flexion)
    forget_file_of(node, flexion)
    node.report(marked_film("extension", view=View.EXTENSION))  # the motion would be shown on both
    first, second = versions(node)
    role = overlay_role(flexion.SOPInstanceUID)
    assert role in {one.role for one in objects_of(node, first)}
    assert role not in {one.role for one in objects_of(node, second)}
    assert overlay_role(uid("instance", "visit-1", "extension")) in {one.role for one in objects_of(node, second)}


def test_findings_are_equal_whether_their_film_is_kept_or_not(node: Node) -> None:
    flexion = marked_film("flexion")
    node.report(flexion)
    forget_file_of(node, flexion)
    node.report(marked_film("neutral", view=View.NEUTRAL))
    role = overlay_role(flexion.SOPInstanceUID)
    [before], [after] = ([one for one in objects_of(node, each) if one.role == role] for each in versions(node))
    assert before.sop_instance_uid == after.sop_instance_uid


def test_a_version_that_would_understate_is_refused_with_the_reason(node: Node) -> None:
    captured = marked_film("flexion", adi_px=60)
    captured.SOPClassUID = captured.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    node.report(captured)
    forget_file_of(node, captured)
    node.report(marked_film("neutral", view=View.NEUTRAL, adi_px=15))
    assert len(versions(node)) == 1
    [job] = node.jobs(JobKind.REPORT, JobState.DEAD)
    assert f"instance {captured.SOPInstanceUID} is no longer kept" in (job.reason or "")


def test_a_film_whose_file_is_gone_ends_the_report_with_a_reason(node: Node) -> None:
    node.analyse(marked_film())
    with node.store.writing() as connection:
        connection.exec_driver_sql("UPDATE instances SET file_name = NULL")
    node.report()
    [job] = node.jobs(JobKind.REPORT)
    assert job.state is JobState.DEAD
    assert "no longer kept" in (job.reason or "")
