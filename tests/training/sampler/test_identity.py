"""What a checkpoint is known by: nothing that shapes the samples may change unnoticed."""

import shutil
from pathlib import Path

import pytest

from aasnode.training.sampler import stream
from aasnode.training.sampler.crops import LOCATE, REFINE
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.stream import ComposedStream

TRAINING = Path(stream.__file__).parents[1]


@pytest.mark.parametrize("source", ["sampler/elsewhere.py", "sampler/stream.py", "simulate/film.py"])
def test_a_change_of_the_sampler_gives_other_samples(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ComposedStream(Library(), REFINE).identity
    for path in (*TRAINING.glob("sampler/*.py"), TRAINING / "simulate" / "film.py"):
        (tmp_path / path.parent.name).mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / path.parent.name)
    monkeypatch.setattr(stream, "__file__", str(tmp_path / "sampler" / "stream.py"))
    assert ComposedStream(Library(), REFINE).identity == before
    with (tmp_path / source).open("a") as file:
        file.write("SHARE = 0.5\n")
    assert ComposedStream(Library(), REFINE).identity != before


def test_other_crops_are_other_samples() -> None:
    assert ComposedStream(Library(), REFINE).identity != ComposedStream(Library(), LOCATE).identity
