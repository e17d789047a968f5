"""The default install: pinned as pyproject.toml asks, nothing under the GPL, nothing of the simulator."""

import re
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(file: str) -> dict[str, str]:
    """Version by normalised name, without what the file includes."""
    lines = (ROOT / file).read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(name): version for name, version in pairs}


NODE = pins("requirements.txt")


def declared_licence(installed: Distribution) -> str:
    """What a distribution says of its licence; the first lines where it brings the whole text."""
    metadata = installed.metadata
    stated = [metadata.get("License-Expression") or "", (metadata.get("License") or "")[:200]]
    stated += [c for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    return " | ".join(filter(None, stated))


def is_gpl(licence: str) -> bool:
    return re.search(r"(?<![AL])GPL|(?<!Lesser )General Public License", licence) is not None


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("GPL-3.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("LGPL-2.1", False),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("BSD-3-Clause", False),
    ],
)
def test_the_check_knows_a_gpl_licence(licence: str, expected: bool) -> None:
    assert is_gpl(licence) is expected


@pytest.mark.parametrize("name", NODE)
def test_no_package_of_the_default_install_is_under_the_gpl(name: str) -> None:
    assert not is_gpl(declared_licence(distribution(name)))


def test_nothing_is_asked_for_twice() -> None:
    for wanted in (PROJECT["dependencies"], *EXTRAS.values()):
        names = [canonicalize_name(Requirement(one).name) for one in wanted]
        assert sorted(set(names)) == sorted(names)


def test_what_is_installed_is_what_is_pinned() -> None:
    wanted = NODE | pins("requirements-train.txt")
    installed = {name: distribution(name).version.split("+")[0] for name in wanted}
    assert installed == wanted


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-train.txt", EXTRAS["train"]),
        ("requirements-dev.txt", EXTRAS["dev"]),
    ],
)
def test_pins_are_within_what_pyproject_asks_for(file: str, wanted: list[str]) -> None:
    everything = NODE | pins("requirements-train.txt") | pins(file)
    for requirement in map(Requirement, wanted):
        assert everything[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.parametrize(
    "name", ["numba", "scikit-image", "matplotlib", "rich", "tensorboard", "pytest", "opencv-python", "highdicom"]
)
def test_a_hospital_installs_no_simulator_no_display_library_and_nothing_of_the_tests(name: str) -> None:
    assert name not in NODE
