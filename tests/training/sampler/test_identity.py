"""What a checkpoint is known by: what shapes the samples does not change unnoticed."""

import shutil
from pathlib import Path

import pytest

import aasnode
from aasnode.training.sampler import stream
from aasnode.training.sampler.crops import LOCATE, REFINE
from aasnode.training.sampler.library import Library
from aasnode.training.sampler.stream import ComposedStream

PACKAGE = Path(aasnode.__file__).parent
SOURCES = (
    "training/sampler/elsewhere.py",
    "training/sampler/stream.py",
    "training/simulate/film.py",
    "inference/crop.py",
)


@pytest.mark.parametrize("source", SOURCES)
def test_a_change_of_the_sampler_gives_other_samples(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stream.version()
    for path in (*PACKAGE.glob("training/sampler/*.py"), *(PACKAGE / name for name in SOURCES)):
        copied = tmp_path / path.relative_to(PACKAGE)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    monkeypatch.setattr(stream, "__file__", str(tmp_path / "training" / "sampler" / "stream.py"))
    assert stream.version() == before
    with (tmp_path / source).open("a") as file:
        file.write("SHARE = 0.5\n")
    assert stream.version() != before


def test_a_stream_is_known_by_the_sources_that_were_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ComposedStream(Library(), REFINE).identity
    monkeypatch.setattr(stream, "_VERSION", "another")
    assert ComposedStream(Library(), REFINE).identity != before


def test_other_crops_are_other_samples() -> None:
    assert ComposedStream(Library(), REFINE).identity != ComposedStream(Library(), LOCATE).identity
