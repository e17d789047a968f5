"""Options that several commands share, and what they lead to: the configuration, the store of the node."""

import argparse
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError

from aasnode import config
from aasnode.cli.parser import one_of, whole_number
from aasnode.config import Config
from aasnode.errors import AasnodeError
from aasnode.store.migrations import OtherSchemaError
from aasnode.store.store import Store, open_store

SITE_CONFIG = Path("/etc/aasnode/config.toml")
CONFIG_VARIABLE = "AASNODE_CONFIG"
_AS_THE_SERVICE = "run it as the user of the service"


class UsageError(AasnodeError):
    """The arguments do not make sense together."""


class StartError(AasnodeError):
    """The node cannot start where it is: its port or its data are another process's."""


class NoStoreError(AasnodeError):
    """The configured node has no database: it never ran, or another configuration is meant."""


class BrokenStoreError(AasnodeError):
    """The node's database cannot be opened or read."""


class Format(StrEnum):
    """How a command prints its data."""

    TABLE = "table"  # for people
    JSON = "json"  # for scripts
    CSV = "csv"  # for spreadsheets


def add_workers(parser: argparse.ArgumentParser) -> None:
    """``--workers N``; as many as there are cores unless told."""
    parser.add_argument(
        "--workers",
        type=whole_number(at_least=1),
        metavar="N",
        default=os.cpu_count() or 1,
        help="processes, one per core",
    )


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
    """The store of the configured node; a command beside the node neither makes nor updates one.

    Raises:
        NoStoreError: there is no database in ``node.data_dir``.
        BrokenStoreError: there is one, and it cannot be opened or read, or is of another version.
    """
    database = database_of(settings)
    _require_there(database)
    try:
        with open_store(database.parent, is_upgraded=False) as store:
            yield store
    except OtherSchemaError as error:
        raise BrokenStoreError(f"{database}: {error}") from error
    except DatabaseError as error:
        if type(error) not in (DatabaseError, OperationalError):
            raise
        hint = f"{_AS_THE_SERVICE}, " if _is_denied(error) else ""
        problem = f"{database}: {error.orig}; {hint}look at its permissions, or put a backup back"
        raise BrokenStoreError(problem) from error


def _require_there(database: Path) -> None:
    try:
        database.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoStoreError(f"{database}: is not there (node.data_dir); name the node's own --config") from error
    except PermissionError as error:
        raise BrokenStoreError(f"{database}: {error.strerror}; {_AS_THE_SERVICE}") from error


def _is_denied(error: DatabaseError) -> bool:
    """Whether SQLite may not open or write a file; it does not say more of why."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # without the extended part
    return code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY)


def database_of(settings: Config) -> Path:
    """The node's database, which may not be there yet."""
    return settings.node.data_dir.absolute() / "aasnode.db"
