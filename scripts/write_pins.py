"""Write requirements*.txt: the installed versions of all that pyproject.toml asks for, and of what that needs."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

_ROOT = Path(__file__).parent.parent
_HEADS = {
    "requirements.txt": "# What a node in a hospital needs, pinned. Python 3.11, Linux. Written by `make pins`.\n",
    "requirements-train.txt": "# The extra aasnode[train]: simulator, training, demo.\n-r requirements.txt\n",
    "requirements-dev.txt": "# What the tests and checks need on top.\n-r requirements-train.txt\n",
}


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in extras | {""})


def closure(requirements: list[str]) -> dict[str, str]:
    """Pins by normalised name of the given requirements and all that they require."""
    pins: dict[str, str] = {}
    todo = [Requirement(text) for text in requirements]
    while todo:
        requirement = todo.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in pins:
            continue
        installed = distribution(requirement.name)
        pins[name] = f"{installed.metadata['Name']}=={installed.version.split('+')[0]}"
        wanted = [Requirement(text) for text in installed.requires or []]
        todo += [r for r in wanted if _applies(r, requirement.extras)]
    return pins


def main() -> None:
    """Write the three files, each without what the ones before it hold."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    seen: set[str] = set()
    for file, wanted in zip(_HEADS, (project["dependencies"], extras["train"], extras["dev"]), strict=True):
        pins = closure(wanted)
        lines = sorted((pin for name, pin in pins.items() if name not in seen), key=str.lower)
        (_ROOT / file).write_text(_HEADS[file] + "\n".join(lines) + "\n")
        seen |= pins.keys()


if __name__ == "__main__":
    main()
