"""``aasnode doctor`` with a real model, a real database and real peers."""

import json
from pathlib import Path

import pytest
from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage

from aasnode.cli.main import main
from tests.network.peers import archive


def doctor(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, **more: str) -> tuple[int, list[dict]]:
    """Exit status and findings of a configuration in ``folder``; ``more`` is TOML by section."""
    sections = {"node": f'data_dir = "{folder / "data"}"', "receiver": "disk_reserve_mb = 1"} | more
    text = "".join(f"[{name}]\n{body}\n" for name, body in sections.items())
    (folder / "config.toml").write_text(text)
    status = main(["doctor", "--format", "json", "--config", str(folder / "config.toml"), *arguments])
    return status, json.loads(capsys.readouterr().out)


def destination(port: int, name: str = "pacs") -> str:
    where = f'name = "{name}"\nae_title = "PACS"\nhost = "127.0.0.1"\nport = {port}\n'
    return f"timeout_seconds = 5.0\n[[delivery.destinations]]\n{where}"


def test_each_part_is_looked_at_and_all_is_well(
    tmp_path: Path, untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with archive(sop_classes=(Comprehensive3DSRStorage, SecondaryCaptureImageStorage)) as (peer, _):
        status, findings = doctor(
            tmp_path, capsys, model=f'directory = "{untrained_model}"\ndevice = "cpu"', delivery=destination(peer.port)
        )
    assert status == 0
    assert list(dict.fromkeys(one["part"] for one in findings)) == [
        "config", "disk", "database", "model", "destinations",
    ]  # fmt: skip
    assert "Comprehensive 3D SR Storage, Secondary Capture Image Storage" in findings[-1]["seen"]
    assert any("oracle 1.0.0 on cpu" in one["seen"] for one in findings)


def test_a_destination_that_is_down_is_exit_1_and_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with archive() as (gone, _):
        free_port = gone.port
    with archive() as (peer, _):
        both = destination(free_port, "gone") + destination(peer.port, "pacs").partition("\n")[2]
        status, findings = doctor(tmp_path, capsys, "--only", "destinations", delivery=both)
    assert status == 1
    seen = {one["seen"].partition(":")[0]: one["well"] for one in findings[1:]}
    assert seen == {"gone": False, "pacs": True}
    (why,) = (one["seen"] for one in findings if not one["well"])
    assert why.endswith("cannot be reached (connection refused)")  # and no promise: doctor does not try again


def test_a_sender_that_takes_nothing_back_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with archive() as (gone, _):
        free_port = gone.port
    where = f'ae_title = "PACS"\nhost = "127.0.0.1"\nport = {free_port}\n'
    back = f"timeout_seconds = 5.0\nreturn_to_sender = true\n[[delivery.return_table]]\n{where}"
    status, findings = doctor(tmp_path, capsys, "--only", "destinations", delivery=back)
    assert status == 1
    assert [(one["well"], one["seen"].startswith("return:PACS")) for one in findings[1:]] == [(False, True)]


def test_a_disk_below_its_reserve_is_told_with_the_setting_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, findings = doctor(tmp_path, capsys, "--only", "disk", receiver="disk_reserve_mb = 1000000000")
    assert status == 1
    assert "receiver.disk_reserve_mb" in findings[-1]["seen"]


def test_a_model_that_is_not_there_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, findings = doctor(tmp_path, capsys, "--only", "model", model=f'directory = "{tmp_path / "none"}"')
    assert status == 1
    assert str(tmp_path / "none") in findings[-1]["seen"]


def test_it_looks_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "config.toml").write_text('[node]\ndata_dir = "data"\n[receiver]\ndisk_reserve_mb = 1\n')
    before = set(tmp_path.rglob("*"))
    for part in ("disk", "database"):
        assert main(["doctor", "--config", str(tmp_path / "config.toml"), "--only", part]) == 0
        out = capsys.readouterr().out
        assert "serve" in out
        assert "makes" in out
        assert part != "disk" or str(tmp_path / "data") in out
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    status, findings = doctor(tmp_path, capsys, "--only", "disk")
    assert status == 1
    assert "node.data_dir" in findings[-1]["seen"]
