"""A node's store, a model with untrained weights, and the configuration file that leads to them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from aasnode.cli.main import main
from aasnode.inference.card import Role, sha256_of, write_card
from aasnode.inference.hrnet import PoseHRNet, Variant
from aasnode.inference.weights import write_weights
from aasnode.store.store import Store, open_store
from tests.inference.oracle import model_card, stage_card


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real card with real, random weights: it loads, and answers nothing."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    stages = []
    for role in (Role.LOCATE, Role.REFINE):
        stage = stage_card(role)
        write_weights(PoseHRNet(Variant.W18_SMALL, stage.maps), folder / stage.weights)
        stages.append(stage_card(role, sha256=sha256_of(folder / stage.weights)))
    write_card(model_card(stages), folder)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def config_file(tmp_path: Path, store: Store) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[node]\ndata_dir = "{tmp_path / "data"}"\ntime_zone = "Asia/Tokyo"\n')
    return path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aasnode(config_file: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command on the store: exit status, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([*arguments, "--config", str(config_file)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
