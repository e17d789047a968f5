"""The history of the schema. ``upgrade`` brings a database to the present one; a node does so when it starts."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from aasnode.store.engine import writing


def upgrade(engine: Engine) -> None:
    """Apply every migration that the database has not seen, in one transaction: all of them or none."""
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
