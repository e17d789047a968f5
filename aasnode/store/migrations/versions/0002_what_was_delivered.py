"""That an object was delivered is a fact that outlives its job's states; dead analyses leave no arrival waiting."""

import sqlalchemy as sa
from alembic import op

from aasnode.store.schema import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Only an object that a peer took is named by its job, also where the job was put back since."""
    op.add_column("jobs", sa.Column("delivered_at", Instant(), nullable=True))
    op.execute("UPDATE jobs SET delivered_at = coalesce(finished_at, created_at) WHERE object_id IS NOT NULL")
    dead = "SELECT reason FROM jobs WHERE kind = 'analyse' AND state = 'dead' AND instance_id = instances.id"
    op.execute(
        f"UPDATE instances SET state = 'unreadable', reason = ({dead}) WHERE state = 'received' AND EXISTS ({dead})"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("jobs", "delivered_at")
