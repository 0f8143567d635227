"""Recordings that are made at a provider say how long they are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Parts that browsers have sent have their one length."""
    op.add_column("recording_part", sa.Column("seconds", sa.Integer))
