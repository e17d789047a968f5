"""``aasnode simulate`` and the folder that it is to write into; what it writes is in tests/training/simulate."""

from pathlib import Path

import pytest

from aasnode.cli.main import main
from aasnode.training.simulate.run import SimulationRequest

WISH = ["--count", "1", "--seed", "1"]


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were written into; no film is simulated."""
    folders: list[Path] = []

    def simulate(request: SimulationRequest) -> tuple[()]:
        folders.append(request.out)
        return ()

    monkeypatch.setattr("aasnode.training.simulate.run.simulate", simulate)
    return folders


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, written: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "truth.json").write_text("[]")
    assert main(["simulate", str(tmp_path), *WISH]) == 2
    assert f"{tmp_path} is not empty; name a folder that is new or empty" in capsys.readouterr().err
    assert written == []


def test_a_folder_that_is_new_or_empty_is_written_into(tmp_path: Path, written: list[Path]) -> None:
    for folder in (tmp_path, tmp_path / "new"):
        assert main(["simulate", str(folder), *WISH]) == 0
    assert written == [tmp_path, tmp_path / "new"]
