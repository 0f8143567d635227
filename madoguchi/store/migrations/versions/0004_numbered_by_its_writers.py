"""The log is numbered by its writers, and the inbox is taken in its order.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Number what waits, and set the head on both engines."""
    op.execute(
        sa.text(
            """
            UPDATE log SET position = fresh.n + (SELECT coalesce(max(position), 0) FROM log)
            FROM (
                SELECT id AS row, row_number() OVER (ORDER BY id) AS n
                FROM log WHERE position IS NULL
            ) AS fresh
            WHERE log.id = fresh.row
            """
        )
    )
    op.execute(
        sa.text(
            """
            INSERT INTO log_head (domain, position)
            SELECT 1, coalesce(max(position), 0) FROM log WHERE domain = 1
            ON CONFLICT (domain) DO UPDATE SET position = excluded.position
            """
        )
    )
    op.drop_index("ix_log_unnumbered", table_name="log")
    _waiting("id", "partition")


def _waiting(*columns: str) -> None:
    op.drop_index("ix_inbox_waiting", table_name="inbox")
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        list(columns),
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )


def downgrade() -> None:
    """Bring the sequencer's index and the inbox's old one back."""
    _waiting("partition", "id")
    op.create_index(
        "ix_log_unnumbered",
        "log",
        ["domain", "id"],
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
