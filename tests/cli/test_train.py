"""``aasnode train`` hands on what it was told, and says what it made; the making is tested where it is done."""

from dataclasses import replace
from pathlib import Path

import pytest

from aasnode.assets import shipped_model
from aasnode.cli.main import main
from aasnode.inference.card import Card, read_card
from aasnode.training import model
from aasnode.training.calibrate import UNCALIBRATED
from aasnode.training.request import ModelRequest
from aasnode.training.trial import INTERVALS


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[ModelRequest]:
    """What is asked of ``make_model``, which makes a model that answers hardly anything."""
    asked: list[ModelRequest] = []

    def make(request: ModelRequest) -> Card:
        asked.append(request)
        why = {INTERVALS: "none from simulated films; calibration: 3 patients answered; needed are 100"}
        card = replace(read_card(shipped_model()), name=request.out.name, version=request.version)
        return replace(card, calibration=UNCALIBRATED, training=why)

    monkeypatch.setattr(model, "make_model", make)
    return asked


def test_a_model_that_could_not_be_calibrated_says_so_and_how_to_calibrate_it(
    requests: list[ModelRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--out", str(tmp_path / "mine"), "--version", "1.2.0"]) == 0
    said = capsys.readouterr().err
    assert f"mine 1.2.0 in {tmp_path / 'mine'}" in said
    assert "3 patients answered; needed are 100" in said
    assert f"aasnode calibrate FOLDER --model {tmp_path / 'mine'}" in said


@pytest.mark.parametrize(("words", "bfloat16"), [([], True), (["--precision", "float32"], False)])
def test_the_precision_is_that_of_the_device_unless_told(
    requests: list[ModelRequest], tmp_path: Path, words: list[str], *, bfloat16: bool
) -> None:
    main(["train", "--out", str(tmp_path / "mine"), *words])
    assert [request.bfloat16 for request in requests] == [bfloat16]
