"""A day can be told again: to which queue contacts came, who was there when, what was paused.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant, Key

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table; what is open now begins them."""
    op.add_column("work_item", sa.Column("came_to", sa.String(64)))
    op.execute("UPDATE work_item SET came_to = COALESCE(answered_in, queue)")
    op.create_index("ix_work_item_enqueued", "work_item", ["domain", "enqueued_at"])
    op.create_index("ix_assignment_item", "assignment", ["item"])
    op.add_column("assignment", sa.Column("released_us", sa.BigInteger()))
    op.create_table(
        "presence_period",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("presence", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(120), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_presence_period"),
    )
    op.create_index("ix_presence_period_ended", "presence_period", ["domain", "ended_at"])
    op.create_index(
        "uq_presence_period_open",
        "presence_period",
        ["agent"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(
        "INSERT INTO presence_period (id, domain, agent, presence, reason, began_at)"
        " SELECT agent, domain, agent, presence, reason, since FROM agent_status"
        " WHERE presence <> 'offline'"
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("presence_period")
    op.drop_index("ix_work_item_enqueued", table_name="work_item")
    op.drop_index("ix_assignment_item", table_name="assignment")
    op.drop_column("assignment", "released_us")
    op.drop_column("work_item", "came_to")
