"""Preferences have a version, so that open desks can follow them.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the version."""
    version = sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1"))
    op.add_column("preference", version)


def downgrade() -> None:
    """Take it away."""
    op.drop_column("preference", "version")
