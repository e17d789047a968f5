"""Adds what stands at the root of the repository, the models and ``config.toml``, to the package inside a wheel.

Everything else is in pyproject.toml. ``aasnode/assets.py`` is where they are looked up.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

_ROOT = Path(__file__).parent


class BuildWithAssets(build_py):
    """``build_py`` that also copies the shipped models and configuration; an editable install reads them in place."""

    def run(self) -> None:
        """Build as usual, then copy."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / "aasnode"
        shutil.copy2(_ROOT / "config.toml", package / "config.toml")
        shutil.copytree(_ROOT / "models", package / "models", dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithAssets})
