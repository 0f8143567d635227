"""Several agents may be asked at once for one item; each of them once.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Let the index that guards pending offers look at the agent, too."""
    op.drop_index("uq_offer_pending", table_name="offer")
    op.create_index(
        "uq_offer_pending",
        "offer",
        ["item", "agent"],
        unique=True,
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
