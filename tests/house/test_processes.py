"""What a process loads: only the analyser carries the network."""

import os
import subprocess
import sys

import pytest

LIGHT = [
    "aasnode.services.receiver",
    "aasnode.services.reporter",
    "aasnode.services.sender",
    "aasnode.services.janitor",
    "aasnode.node",
    "aasnode.store.history",
    "aasnode.analysis",
    "aasnode.cli.main",
]


@pytest.mark.parametrize("module", LIGHT)
def test_no_network_is_loaded_by(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{'torch', 'numba', 'aasnode.training'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("set_by_hand", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_torchs_threads_sleep_while_they_wait_unless_the_operator_says_otherwise(
    set_by_hand: str | None, expected: str
) -> None:
    """Where they spin, a film takes ten times as long on a machine whose cores are busy."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if set_by_hand is not None:
        environment["OMP_WAIT_POLICY"] = set_by_hand
    program = "import aasnode.inference.stage, os, sys; print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY'])"
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", expected]
