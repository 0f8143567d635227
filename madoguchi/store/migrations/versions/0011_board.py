"""The board's day: what agents' time counted as, alerts, and where work was taken.

Revision ID: 0011
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant, Key

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
ONE: dict[str, Any] = {"unique": True, "sqlite_where": OPEN, "postgresql_where": OPEN}


def upgrade() -> None:
    """Periods of activity begin with what agents do next."""
    op.create_table(
        "activity_period",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger, nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("activity", sa.String(12), nullable=False),
        sa.Column("began_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_activity_period"),
    )
    op.create_index("uq_activity_period_open", "activity_period", ["agent"], **ONE)
    op.create_index("ix_activity_period_ended", "activity_period", ["domain", "ended_at"])
    op.create_table(
        "alert",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger, nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("figure", sa.String(16), nullable=False),
        sa.Column("bound", sa.Float, nullable=False),
        sa.Column("reached", sa.Float, nullable=False),
        sa.Column("began_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("uq_alert_open", "alert", ["domain", "queue", "figure", "bound"], **ONE)
    op.add_column("assignment", sa.Column("queue", sa.String(64)))
    op.create_index("ix_assignment_ended", "assignment", ["domain", "ended_at"])
    op.create_index("ix_offer_closed", "offer", ["domain", "closed_at"])
