"""The history of the schema. ``upgrade`` brings a database to the present one; whoever opens a store does so first."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from aasnode.store.engine import reading, writing

HEAD = "0003"
"""The newest revision in ``versions``; a database that has it needs no Alembic to be opened."""


def upgrade(engine: Engine) -> None:
    """Apply every migration that the database has not seen, in one transaction: all of them or none."""
    with reading(engine) as connection:
        if _revision(connection) == HEAD:
            return
    from alembic import command
    from alembic.config import Config

    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
