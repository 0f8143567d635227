"""Calls and what happened in them.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

from madoguchi.store.types import Instant, Json, Key

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LIVE = sa.text("state <> 'ended'")


def upgrade() -> None:
    """There were no calls before."""
    op.create_table(
        "call",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger, nullable=False),
        sa.Column("conversation", Key, nullable=False),
        sa.Column("account", Key, nullable=False),
        sa.Column("thread", sa.String(320), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("item", Key),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("began_at", Instant, nullable=False),
        sa.Column("answered_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sa.UniqueConstraint("account", "name", name="uq_call_account_name"),
    )
    op.create_index("ix_call_conversation", "call", ["conversation"])
    op.create_index("ix_call_item", "call", ["item"])
    op.create_index(
        "ix_call_live", "call", ["domain", "id"], sqlite_where=LIVE, postgresql_where=LIVE
    )
    op.create_table(
        "call_event",
        sa.Column("call", Key, nullable=False),
        sa.Column("id", sa.String(120), nullable=False),
        sa.Column("domain", sa.SmallInteger, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("leg", sa.String(64), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("call", "id", name="pk_call_event"),
    )
    op.create_table(
        "recording_part",
        sa.Column("call", Key, nullable=False),
        sa.Column("take", Key, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("domain", sa.SmallInteger, nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("agent", Key),
        sa.Column("file", Key, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("call", "take", "number", name="pk_recording_part"),
    )
    op.create_index("ix_recording_part_at", "recording_part", ["queue", "at"])
