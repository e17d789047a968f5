"""The command line as a user meets it: the real program in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from aasnode.__main__ import main as program
from aasnode.cli.main import COMMANDS, command_module, main


def aasnode(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aasnode", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_lists_every_command_on_stdout() -> None:
    done = aasnode("--help")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if re.match(r" {4}[a-z]", line)] == list(COMMANDS)


def test_ctrl_c_during_the_imports_is_exit_130_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "aasnode.cli.main", Interrupted("aasnode.cli.main"))
    assert program() == 130


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


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("jobs list --limit many", "--limit must be a whole number, 1 or more, is 'many'"),
        ("jobs list --limit 0", "--limit must be a whole number, 1 or more, is '0'"),
        ("jobs show first", "JOB must be a whole number, 1 or more, is 'first'"),
        (
            "jobs list --state dying",
            "--state: there is no 'dying'; there are pending, claimed, finished, dead, withdrawn",
        ),
        ("history --patient-id 1 --format xml", "--format: there is no 'xml'; there are table, json, csv"),
        ("doctor --only modell", "--only: there is no 'modell'; did you mean model?"),
        ("simulate films --count 3 --seed 1.5", "--seed must be a whole number, 0 or more, is '1.5'"),
        ("simulate films --count 3 --seed 1 --pixel wide", "--pixel must be a number from 0.05 to 2, is 'wide'"),
        ("simulate films --seed 1", "one of --count, --patients is missing"),
        ("simulate films --seed 1 --count 1 --patients 1", "--patients cannot go together with --count"),
        ("analyse film.png --pixel-spacing 0,2", "--pixel-spacing must be a number from 0.01 to 2, is '0,2'"),
        ("analyse --pixel-spacing nan film.png", "--pixel-spacing must be a number from 0.01 to 2, is 'nan'"),
        ("analyse --pixel-spacing 2.1 film.png", "--pixel-spacing must be a number from 0.01 to 2, is '2.1'"),
        ("analyse", "FILE is missing"),
        ("history", "--patient-id is missing"),
        ("history --patient-id", "--patient-id needs a value"),
        ("status --fromat json", "there is no --fromat; did you mean --format?"),
        ("train --out m --preset paprr", "--preset: there is no 'paprr'; did you mean paper?"),
        ("analyze film.png", "there is no command 'analyze'; did you mean analyse?"),
        ("", "COMMAND is missing"),
        ("jobs shwo 1", "there is no 'shwo'; did you mean show?"),
        ("jobs --config config.toml", "list, show or retry comes first, before any option; 'config.toml' is none"),
        ("rules a.dcm b.dcm", "takes one FILE: 'b.dcm' is too many"),
        ("status now", "'now' is too many"),
        ("analyse a.png --format json b.png", "'b.png' stands apart: name every FILE in one place"),
    ],
)
def test_wrong_usage_is_told_in_plain_words_with_the_help_to_ask(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    words = line.split()
    asked = " ".join(words[:2] if words[:2] in (["jobs", "list"], ["jobs", "show"]) else words[:1])
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in err
    assert "--help tells more." in err
    assert asked in err
    assert not re.search(r"invalid|argument|\bint\b|choose from|expected", err.partition("\n\n")[0].replace(line, ""))


def test_a_broken_configuration_is_exit_2_and_lists_all_its_problems(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text('[node]\nport = 70000\nae_titel = "X"\n')
    done = aasnode("status", "--config", str(broken))
    assert done.returncode == 2
    assert "node.port" in done.stderr
    assert "node.ae_titel" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_may_not_be_made_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = tmp_path / "config.toml"
    config.write_text('[node]\ndata_dir = "file/data"\n')
    done = aasnode("serve", "--config", str(config))
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert (done.returncode, said[:-1]) == (1, ["The node cannot start:"])
    assert said[-1].startswith(f"  node.data_dir: {tmp_path / 'file' / 'data'}: Not a directory; ")


def test_help_and_history_load_no_network() -> None:
    script = (
        "import sys\nfrom aasnode.cli.main import command_module, main\n"
        "command_module('history'), command_module('analyse'), command_module('train')\n"
        "assert not {'torch', 'numba'} & sys.modules.keys(), 'torch or numba was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
