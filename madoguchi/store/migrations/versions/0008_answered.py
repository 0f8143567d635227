"""Who took a work item first is known with the item: when, in which queue, after which wait.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MICROS = {
    "postgresql": "(EXTRACT(EPOCH FROM assigned_at - enqueued_at) * 1000000)::bigint",
    "sqlite": "assigned_at - enqueued_at",
}


def upgrade() -> None:
    """Add the columns, fill them from the assignments, and index what a day's figures ask for."""
    op.add_column("work_item", sa.Column("answered_in", sa.String(64)))
    op.add_column("work_item", sa.Column("waited_us", sa.BigInteger()))
    taken = "SELECT min(started_at) FROM assignment WHERE assignment.item = work_item.id"
    op.execute(f"UPDATE work_item SET assigned_at = ({taken})")  # noqa: S608
    waited = MICROS[op.get_bind().dialect.name]
    op.execute(
        f"UPDATE work_item SET answered_in = queue, waited_us = {waited}"  # noqa: S608
        " WHERE assigned_at IS NOT NULL"
    )
    for name, column, where in (
        ("ix_work_item_answered", "assigned_at", "assigned_at IS NOT NULL"),
        ("ix_work_item_abandoned", "closed_at", "state = 'abandoned'"),
    ):
        op.create_index(
            name,
            "work_item",
            ["domain", column],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_work_item_abandoned", table_name="work_item")
    op.drop_index("ix_work_item_answered", table_name="work_item")
    op.drop_column("work_item", "waited_us")
    op.drop_column("work_item", "answered_in")
