"""Run by Alembic: migrates over the connection that it is handed (see ``upgrade`` in ``__init__.py``)."""

from alembic import context

from aasnode.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    user_module_prefix="",
    transaction_per_migration=False,
)
context.run_migrations()
