"""Promises of the receiver."""

import errno
import os
from dataclasses import replace

import pytest
from pydicom import Dataset, dcmread

from aasnode.network.status import Status
from aasnode.store import instances
from aasnode.store.schema import Arrival, JobKind
from tests.drawn_films import marked_film
from tests.services.conftest import Node


def test_a_film_is_a_file_a_row_and_a_job_before_it_is_answered(node: Node) -> None:
    film = marked_film()
    assert node.receive(film) is Status.SUCCESS
    [job] = node.jobs(JobKind.ANALYSE)
    with node.store.reading() as connection:
        instance = instances.get(connection, job.instance_id or 0)
    stored = dcmread(node.store.inbox.path(instance.file_name or ""))
    assert stored.PixelData == film.PixelData
    assert instance.calling_ae_title == "MODALITY"
    assert film.SOPInstanceUID not in (instance.file_name or "")


def test_the_same_bytes_again_are_acknowledged_and_make_no_second_job(node: Node) -> None:
    for _ in range(3):
        assert node.receive(marked_film()) is Status.SUCCESS
    assert len(node.jobs(JobKind.ANALYSE)) == 1
    assert len(list(node.store.inbox.folder.iterdir())) == 1


def test_other_bytes_under_the_same_uid_are_kept_beside_the_first(node: Node) -> None:
    film = marked_film()
    node.receive(film)
    film.PatientName = "Roe^Jane"
    assert node.receive(film) is Status.SUCCESS
    assert len(list(node.store.inbox.folder.iterdir())) == 2


def test_a_class_that_is_only_acknowledged_is_recorded_and_never_analysed(node: Node) -> None:
    document = Dataset()
    document.SOPClassUID, document.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.3"
    assert node.receive(document) is Status.SUCCESS
    assert node.jobs(JobKind.ANALYSE) == []
    assert list(node.store.inbox.folder.iterdir()) == []
    with node.store.reading() as connection:
        assert len(instances.list_in_state(connection, Arrival.ACKNOWLEDGED)) == 1


def test_below_the_disk_reserve_the_sender_is_told_to_come_again(node: Node) -> None:
    inbox = node.store.inbox
    assert node.receiver.has_room()
    node.receiver._store = replace(node.store, inbox=type(inbox)(inbox.folder, reserve_bytes=10**18))
    assert not node.receiver.has_room()
    assert node.receive(marked_film()) is Status.OUT_OF_RESOURCES
    assert node.jobs(JobKind.ANALYSE) == []


def test_a_disk_that_fills_is_told_and_leaves_nothing_behind(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert node.receive(marked_film()) is Status.OUT_OF_RESOURCES
    assert list(node.store.inbox.folder.iterdir()) == []


def test_a_defect_is_answered_with_a_failure_and_leaves_nothing_behind(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("aasnode.store.jobs.add_analysis")
    assert node.receive(marked_film()) is Status.PROCESSING_FAILURE
    assert list(node.store.inbox.folder.iterdir()) == []
