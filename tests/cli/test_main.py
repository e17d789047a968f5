"""The command line as a user meets it: the real program in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from aasnode.cli.main import COMMANDS, command_module, main


def aasnode(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aasnode", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_lists_every_command_on_stdout() -> None:
    done = aasnode("--help")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if re.match(r" {4}[a-z]", line)] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert COMMANDS[name][1:40].split(":")[0] in " ".join(capsys.readouterr().out.split())
    assert command_module(name).__doc__


@pytest.mark.parametrize("arguments", [(), ("analyze",), ("analyse",), ("history",), ("jobs", "shwo")])
def test_wrong_usage_is_exit_2_with_a_hint_and_no_traceback(arguments: tuple[str, ...]) -> None:
    done = aasnode(*arguments)
    assert done.returncode == 2
    assert "usage: aasnode" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_broken_configuration_is_exit_2_and_lists_all_its_problems(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text('[node]\nport = 70000\nae_titel = "X"\n')
    done = aasnode("status", "--config", str(broken))
    assert done.returncode == 2
    assert "node.port" in done.stderr
    assert "node.ae_titel" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_history_load_no_network() -> None:
    script = (
        "import sys\nfrom aasnode.cli.main import command_module, main\n"
        "command_module('history'), command_module('analyse'), command_module('train')\n"
        "assert not {'torch', 'numba'} & sys.modules.keys(), 'torch or numba was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
