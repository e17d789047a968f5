"""A wheel holds what a node needs: the model, the configuration, the migrations, and nothing that is private."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from aasnode.assets import shipped_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def members(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_and_data_file_of_the_package_is_in_the_wheel(members: set[str]) -> None:
    done = subprocess.run(["git", "ls-files", "aasnode"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - members == set()


def test_the_shipped_model_and_configuration_travel_with_it(members: set[str]) -> None:
    model = {f"aasnode/models/{shipped_model().name}/{path.name}" for path in shipped_model().iterdir()}
    assert {"aasnode/config.toml", *model} <= members
    assert any(name.endswith(".safetensors") for name in model)


def test_tests_and_scripts_stay_at_home(members: set[str]) -> None:
    assert {name.split("/")[0] for name in members if "dist-info" not in name} == {"aasnode"}
