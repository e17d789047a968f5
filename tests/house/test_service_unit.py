"""The systemd unit: limits that fit the configuration as shipped, and lines that systemd understands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aasnode.config import Config
from aasnode.network import scp

UNIT = (Path(__file__).parents[2] / "systemd" / "aasnode.service").read_text(encoding="utf-8")


def setting(name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return value


def test_as_many_associations_as_may_be_with_data_sets_as_large_as_may_be_fit_its_memory() -> None:
    receiver = Config().receiver
    received_mb = receiver.max_associations * receiver.max_data_set_mb * 9 / 8
    assert setting("MemoryMax").endswith("G")
    assert int(setting("MemoryMax")[:-1]) * 1024 >= received_mb + 4096


def test_an_ended_child_does_not_stop_the_node() -> None:
    assert setting("OOMPolicy") == "continue"


def test_associations_may_finish_before_the_node_is_killed() -> None:
    assert int(setting("TimeoutStopSec")) >= scp._FINISH_SECONDS + 60


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / "aasnode.service"
    unit.write_text(UNIT.replace("/opt/aasnode/.venv/bin/aasnode", sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in done.stderr.splitlines() if "aasnode.service" in line] == []
    assert done.returncode == 0, done.stderr
