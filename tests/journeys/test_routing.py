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


@pytest.mark.usefixtures("orthanc")
def test_the_rule_forwards_what_may_be_a_neck_whatever_its_header_calls_it(
    start_node: StartNode, tmp_path: Path
) -> None:
    node = start_node()
    headers = {
        "hyphen": ("SPINE", "C-Spine lateral", ""),
        "german": ("SKELETT", "Halswirbelsäule 2 Ebenen", ""),
        "series": ("HEAD", "2 views", "c spine lat"),
        "silent": ("", "", "Lateral"),
        "japanese": ("", "頸椎XP", ""),
        "chest": ("CHEST", "Thorax", "Thorax lateral"),
    }
    films = {name: marked_film(name, study=name) for name in headers}
    for name, film in films.items():
        film.BodyPartExamined, film.StudyDescription, film.SeriesDescription = headers[name]
    send_to_pacs(tmp_path, *films.values())
    eventually(lambda: len(node.jobs(JobKind.ANALYSE)) >= len(headers) - 1, "the films are in the node")
    for_a_while(lambda: len(node.jobs(JobKind.ANALYSE)) < len(headers), "one stays where it is")
    all_done(node)
    assert [name for name in headers if not node.results(name)] == ["chest"]
