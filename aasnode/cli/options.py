"""Options that several commands share, and what they lead to: the configuration, the store of the node."""

import argparse
import contextlib
import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from aasnode import config
from aasnode.cli.parser import one_of
from aasnode.config import Config
from aasnode.errors import AasnodeError, ConfigurationError
from aasnode.store.store import Store, open_store

SITE_CONFIG = Path("/etc/aasnode/config.toml")
CONFIG_VARIABLE = "AASNODE_CONFIG"


class UsageError(AasnodeError):
    """The arguments do not make sense together."""


class Format(StrEnum):
    """How a command prints its data."""

    TABLE = "table"  # for people
    JSON = "json"  # for scripts
    CSV = "csv"  # for spreadsheets


def add_config(parser: argparse.ArgumentParser) -> None:
    """``--config FILE``."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"configuration; else ${CONFIG_VARIABLE}, else {SITE_CONFIG}, else the values as shipped",
    )


def add_format(parser: argparse.ArgumentParser, *formats: Format) -> None:
    """``--format``, the first of ``formats`` being what is printed without it."""
    parser.add_argument(
        "--format",
        type=one_of(Format, formats),
        default=formats[0],
        metavar="|".join(formats),
        help=f"{formats[0]} unless told otherwise",
    )


def config_path(arguments: argparse.Namespace) -> Path | None:
    """The file that holds; None for the values as shipped."""
    if arguments.config is not None:
        return Path(arguments.config)
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    return SITE_CONFIG if SITE_CONFIG.exists() else None


def load_config(arguments: argparse.Namespace) -> Config:
    """The configuration that holds; raises ConfigurationError with all problems."""
    return config.load(config_path(arguments))


@contextlib.contextmanager
def existing_store(settings: Config) -> Iterator[Store]:
    """The store of the configured node; a command that only asks makes none.

    Raises:
        ConfigurationError: there is no store in ``node.data_dir``.
    """
    folder = settings.node.data_dir
    if not folder.is_dir():
        raise ConfigurationError([f"node.data_dir: {folder.absolute()} does not exist; name the node's own --config"])
    with open_store(folder) as store:
        yield store
