"""Calls are listed by when they began."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The latest calls are found without reading all."""
    op.create_index("ix_call_began", "call", ["domain", "began_at", "id"])
