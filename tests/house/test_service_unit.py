"""The systemd unit: limits that fit the configuration as shipped, and lines that systemd understands."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from aasnode.config import Config, from_table
from aasnode.network import scp

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "systemd" / "aasnode.service").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def setting(name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return value


def most_mb(config: Config) -> float:
    """What can be asked for at once: data sets that come in, seven copies of a decoded film, 512 MB for the rest."""
    received_mb = config.receiver.max_associations * config.receiver.max_data_set_mb * 9 / 8
    return received_mb + 7 * config.pixels.max_decompressed_mb + 512


def gigabytes(value: str) -> float:
    assert value.endswith("G")
    return int(value[:-1]) * 1024


def test_as_many_associations_as_may_be_with_data_sets_as_large_as_may_be_fit_its_memory() -> None:
    assert gigabytes(setting("MemoryMax")) >= most_mb(Config())


def test_the_settings_for_a_small_machine_fit_the_memory_that_the_page_and_the_unit_name() -> None:
    section = PAGE.partition("### A machine with 4 GB")[2].partition("\n## ")[0]
    (text,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (limit,) = set(re.findall(r"`MemoryMax=(\w+)`", section))
    assert f"\n#MemoryMax={limit}\n" in UNIT
    assert gigabytes("4G") > gigabytes(limit) >= most_mb(from_table(tomllib.loads(text)))


def test_a_core_of_the_smallest_machine_is_left_to_the_receiver() -> None:
    assert "two cores" in PAGE.partition("## Connect the PACS")[0]
    assert setting("Environment") == "OMP_NUM_THREADS=1"


def test_an_ended_child_does_not_stop_the_node() -> None:
    assert setting("OOMPolicy") == "continue"


def test_associations_may_finish_before_the_node_is_killed() -> None:
    assert int(setting("TimeoutStopSec")) >= scp._FINISH_SECONDS + 60


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / "aasnode.service"
    unit.write_text(UNIT.replace("/opt/aasnode/.venv/bin/aasnode", sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in done.stderr.splitlines() if "aasnode.service" in line] == []
    assert done.returncode == 0, done.stderr
