"""Claims to an identity that belongs to another known customer: suggestions to link.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant, Key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "identity_claim",
        sa.Column("customer", Key, nullable=False),
        sa.Column("identity", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "identity", name=op.f("pk_identity_claim")),
    )


def downgrade() -> None:
    """Take the table away; the suggestions go with it."""
    op.drop_table("identity_claim")
