"""The outbox is looked through by lane and knows its first attempt; old keys and
files that nobody sent are found by age.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is looked for."""
    op.add_column("outbox", sa.Column("first_at", Instant(), nullable=True))
    op.create_index(
        "ix_outbox_lane",
        "outbox",
        ["lane", "id"],
        sqlite_where=sa.text("state < 2"),
        postgresql_where=sa.text("state < 2"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_index(
        "ix_file_unbound",
        "file",
        ["created_at"],
        sqlite_where=sa.text("conversation IS NULL"),
        postgresql_where=sa.text("conversation IS NULL"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_file_unbound", table_name="file")
    op.drop_index("ix_idempotency_at", table_name="idempotency")
    op.drop_index("ix_outbox_lane", table_name="outbox")
    op.drop_column("outbox", "first_at")
