"""What choices among agents remember: who took how much today, whom a queue asked when.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("agent_status", sa.Column("routing", Json()))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("agent_status", "routing")
