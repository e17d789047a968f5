"""Where the files that ship with aasnode lie: inside the package of a wheel, else at the root of a checkout.

The models and the commented ``config.toml`` stand at the root of the repository, where people look for them, and are
copied into the package when a wheel is built (setup.py).
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Path of a shipped file or folder, such as ``config.toml`` or ``models``; whether it exists is for the caller."""
    inside_wheel = _PACKAGE / name
    return inside_wheel if inside_wheel.exists() else _PACKAGE.parent / name


def models_folder() -> Path:
    """The folder of shipped models: one folder per model, with weights, ``card.toml`` and ``README.md``."""
    return shipped("models")


def shipped_model() -> Path:
    """The model that is used unless the configuration names another."""
    return models_folder() / "aas-cpu"
