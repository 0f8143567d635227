"""Away after the present work; what people set for themselves.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant, Json, Key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and a table; nothing that is there changes."""
    op.add_column("agent_status", sa.Column("away_after", sa.String(length=120), nullable=True))
    op.create_table(
        "preference",
        sa.Column("agent", Key, nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_preference")),
    )


def downgrade() -> None:
    """Take both away again, and with them what was set."""
    op.drop_table("preference")
    op.drop_column("agent_status", "away_after")
