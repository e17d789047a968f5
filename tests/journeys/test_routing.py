"""A study is forwarded by the archive's routing rule; report and overlay come back, once."""

from pathlib import Path

import pytest

from aasnode.anatomy import View
from aasnode.store.schema import JobKind
from tests.drawn_films import marked_film, uid
from tests.journeys.conftest import StartNode, all_done, send_to_pacs
from tests.journeys.pacs import Orthanc
from tests.waiting import eventually, for_a_while

pytestmark = pytest.mark.journey
RETURNED = ["DX", "DX", "OT", "OT", "SR"]


def test_report_and_overlays_come_back_are_found_by_dicomweb_and_make_no_loop(
    orthanc: Orthanc, start_node: StartNode, tmp_path: Path
) -> None:
    node, study = start_node(), uid("study", "routed")
    films = [marked_film("flexion", study="routed"), marked_film("neutral", study="routed", view=View.NEUTRAL)]
    send_to_pacs(tmp_path, *films)
    eventually(lambda: len(orthanc.instances(study)) >= 5, "report and overlays are in the archive")
    assert orthanc.modalities(study) == RETURNED
    assert [stored.film.status for stored in node.results("routed")] == ["measured"] * 2
    for_a_while(lambda: len(orthanc.instances(study)) == 5, "the archive holds what it held")
    all_done(node)
    assert len(node.jobs(JobKind.ANALYSE)) == 2
    assert len(node.versions("routed")) == 1
