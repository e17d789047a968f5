"""An archive that forwards everything, again and again, our own objects included: still no loop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aasnode.store.schema import Arrival, JobKind
from tests.drawn_films import marked_film, uid
from tests.journeys.conftest import StartNode, all_done, send_to_pacs
from tests.journeys.pacs import FORWARD_EVERYTHING, Orthanc
from tests.waiting import eventually, for_a_while

pytestmark = pytest.mark.journey
STUDY = uid("study", "visit-1")


@pytest.fixture
def orthanc(network: None, tmp_path: Path) -> Iterator[Orthanc]:
    archive = Orthanc(tmp_path / "orthanc", FORWARD_EVERYTHING)
    archive.start()
    yield archive
    archive.stop()


def test_what_we_made_comes_back_to_us_and_nothing_follows_also_with_an_empty_database(
    orthanc: Orthanc, start_node: StartNode, tmp_path: Path
) -> None:
    node = start_node()
    send_to_pacs(tmp_path, marked_film("first"))
    eventually(lambda: orthanc.modalities(STUDY) == ["DX", "OT", "SR"], "report and overlay are in the archive")
    eventually(lambda: node.arrivals(Arrival.OWN_OBJECT), "the study was stable again, and all of it came back")
    for_a_while(lambda: len(orthanc.instances(STUDY)) == 3, "the archive holds what it held")
    all_done(node)
    assert len(node.arrivals(Arrival.ANALYSED)) == 1
    assert len(node.arrivals(Arrival.ACKNOWLEDGED)) == 1
    assert len(node.versions("visit-1")) == 1
    assert node.stop() == 0

    forgetful = start_node()  # knows nothing of what another node, or it in an earlier life, has made
    send_to_pacs(tmp_path, marked_film("second"))  # the study changes, so that all of it is forwarded once more
    eventually(lambda: len(forgetful.arrivals(Arrival.ANALYSED)) == 2, "both films are examined")
    eventually(lambda: forgetful.arrivals(Arrival.OWN_OBJECT), "our objects came, too")
    all_done(forgetful)
    known = len(orthanc.instances(STUDY))
    for_a_while(lambda: len(orthanc.instances(STUDY)) == known, "the archive holds what it held")
    all_done(forgetful)
    assert {job.reason for job in forgetful.jobs(JobKind.ANALYSE)} == {"measured", "own_object"}
