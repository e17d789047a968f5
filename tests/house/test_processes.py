"""What a process loads: only the analyser carries the network."""

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
