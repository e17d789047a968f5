"""The history of the schema. ``upgrade`` brings a database to the present one: a node does so when it starts.

Whoever only asks leaves the database as it is: a node of another version may be running on it.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from aasnode.errors import PermanentError
from aasnode.store.engine import reading, writing

HEAD = "0003"
"""The newest revision in ``versions``; a database that has it needs no Alembic to be opened."""


def upgrade(engine: Engine) -> None:
    """Apply every migration that the database has not seen, in one transaction: all of them or none.

    Raises:
        OtherSchemaError: a newer version of this program wrote the database; there is no way back.
    """
    with reading(engine) as connection:
        revision = _revision(connection)
    if revision == HEAD:
        return
    if _is_newer(revision):
        raise OtherSchemaError(
            f"{engine.url.database}: it was written by a newer version of aasnode than this one; install that one, or "
            "put back the backup from before the update"
        )
    from alembic import command
    from alembic.config import Config

    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class OtherSchemaError(PermanentError):
    """The database has the schema of another version of this program."""


def require_present(engine: Engine) -> None:
    """Raise OtherSchemaError unless the database has the present schema."""
    with reading(engine) as connection:
        revision = _revision(connection)
    if _is_newer(revision):
        raise OtherSchemaError("it was written by a newer version of aasnode than this one; use that one's commands")
    if revision != HEAD:
        raise OtherSchemaError("it was written by an older version of aasnode; start the node first: it updates it")


def _is_newer(revision: str | None) -> bool:
    return revision is not None and revision > HEAD  # revisions are numbers of four digits


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
