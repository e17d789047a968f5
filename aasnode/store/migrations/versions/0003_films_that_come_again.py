"""Since when a film's file is kept, and what a later arrival under its UID is compared with once the file is gone."""

import sqlalchemy as sa
from alembic import op

from aasnode.store.schema import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Films that were analysed before have no likeness: they are compared as long as their file is kept."""
    op.add_column("instances", sa.Column("kept_since", Instant(), nullable=True))
    op.add_column("instances", sa.Column("likeness", sa.JSON(), nullable=True))
    op.execute("UPDATE instances SET kept_since = received_at WHERE file_name IS NOT NULL")


def downgrade() -> None:
    """Take back."""
    op.drop_column("instances", "likeness")
    op.drop_column("instances", "kept_since")
