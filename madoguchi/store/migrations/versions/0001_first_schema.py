"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from madoguchi.store.types import Instant, Json, Key, Serial

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "agent_status",
        sa.Column("agent", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("presence", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("changed_by", Key, nullable=True),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("disconnected_since", Instant(), nullable=True),
        sa.Column("absent_since", Instant(), nullable=True),
        sa.Column("worked_until", Instant(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("activity", sa.String(length=12), nullable=False),
        sa.Column("activity_since", Instant(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_agent_status")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("item", Key, nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("offer", sa.String(length=48), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("wrap_up_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("why", sa.String(length=48), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_agent", "assignment", ["agent", "started_at"], unique=False)
    op.create_index(
        "uq_assignment_live",
        "assignment",
        ["item"],
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    )
    op.create_table(
        "audit",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", Key, nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=120), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_object", "audit", ["object"], unique=False)
    op.create_table(
        "config_object",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_in", Serial, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_object")),
        sa.UniqueConstraint("domain", "kind", "key", name=op.f("uq_config_object_domain_kind_key")),
    )
    op.create_table(
        "config_version",
        sa.Column("domain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", Serial, autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("author", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", Json(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "number", name=op.f("pk_config_version")),
    )
    op.create_table(
        "conversation",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("number", Serial, nullable=False),
        sa.Column("account", Key, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("thread", sa.String(length=320), nullable=False),
        sa.Column("identity", Key, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("owner", Key, nullable=True),
        sa.Column("last_owner", Key, nullable=True),
        sa.Column("continues", Key, nullable=True),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("preview_author", sa.String(length=16), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("inbound_at", Instant(), nullable=True),
        sa.Column("inbound_seq", sa.Integer(), nullable=False),
        sa.Column("unanswered_since", Instant(), nullable=True),
        sa.Column("delivered_to", Instant(), nullable=True),
        sa.Column("read_to", Instant(), nullable=True),
        sa.Column("seen_to", Instant(), nullable=True),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.Column("wrap_up", Json(), nullable=True),
        sa.Column("context", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint("domain", "number", name=op.f("uq_conversation_domain_number")),
    )
    op.create_index("ix_conversation_identity", "conversation", ["identity"], unique=False)
    op.create_index(
        "ix_conversation_owner",
        "conversation",
        ["owner"],
        unique=False,
        sqlite_where=text("owner IS NOT NULL"),
        postgresql_where=text("owner IS NOT NULL"),
    )
    op.create_index(
        "ix_conversation_thread", "conversation", ["account", "thread", "last_at"], unique=False
    )
    op.create_index(
        "uq_conversation_open_thread",
        "conversation",
        ["account", "thread"],
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    )
    op.create_table(
        "credential",
        sa.Column("agent", Key, nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_credential")),
    )
    op.create_table(
        "cursor",
        sa.Column("consumer", sa.String(length=48), nullable=False),
        sa.Column("domain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", Serial, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "domain", name=op.f("pk_cursor")),
    )
    op.create_table(
        "customer",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("attributes", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    op.create_table(
        "customer_of",
        sa.Column("identity", Key, nullable=False),
        sa.Column("customer", Key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_customer_of")),
    )
    op.create_index("ix_customer_of_customer", "customer_of", ["customer"], unique=False)
    op.create_table(
        "draft",
        sa.Column("conversation", Key, nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "agent", name=op.f("pk_draft")),
    )
    op.create_table(
        "file",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", Serial, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=80), nullable=False),
        sa.Column("conversation", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index("ix_file_created", "file", ["created_at"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("actor", Key, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", Json(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "identity",
        sa.Column("id", Key, nullable=False),
        sa.Column("scheme", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_identity_scheme_value")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("account", Key, nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("lane", sa.String(length=200), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=text("0"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=text("0"), nullable=False),
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("account", "event_id", name=op.f("uq_inbox_account_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_inbox_dead",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=text("state = 2"),
        postgresql_where=text("state = 2"),
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["partition", "id"],
        unique=False,
        sqlite_where=text("state = 0"),
        postgresql_where=text("state = 0"),
    )
    op.create_table(
        "job",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_job_kind_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_due", "job", ["due_at"], unique=False)
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("epoch", Serial, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "log",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("position", Serial, nullable=True),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("entity", sa.String(length=16), nullable=False),
        sa.Column("entity_id", sa.String(length=80), nullable=False),
        sa.Column("version", Serial, nullable=False),
        sa.Column("audience", Json(), nullable=False),
        sa.Column("data", Json(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log")),
        sa.UniqueConstraint("domain", "position", name=op.f("uq_log_domain_position")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_log_unnumbered",
        "log",
        ["domain", "id"],
        unique=False,
        sqlite_where=text("position IS NULL"),
        postgresql_where=text("position IS NULL"),
    )
    op.create_table(
        "log_head",
        sa.Column("domain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", Serial, nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_log_head")),
    )
    op.create_table(
        "message",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("conversation", Key, nullable=False),
        sa.Column("author", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("account", Key, nullable=True),
        sa.Column("identity", Key, nullable=True),
        sa.Column("agent", Key, nullable=True),
        sa.Column("parts", Json(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.Column("provider_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("account", "provider_id", name=op.f("uq_message_account_provider_id")),
    )
    op.create_index(
        "ix_message_timeline",
        "message",
        ["conversation", "occurred_at", "received_at", "id"],
        unique=False,
    )
    op.create_table(
        "number_head",
        sa.Column("domain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next", Serial, nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_number_head")),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("item", Key, nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("transfer", sa.Boolean(), nullable=False),
        sa.Column("explanation", Json(), nullable=False),
        sa.Column("snapshot", Json(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index("ix_offer_item", "offer", ["item"], unique=False)
    op.create_index(
        "uq_offer_pending",
        "offer",
        ["item"],
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("account", Key, nullable=False),
        sa.Column("lane", sa.String(length=200), nullable=False),
        sa.Column("message", Key, nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=text("0"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=text("0"), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("message", name=op.f("uq_outbox_message")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["account", "due_at"],
        unique=False,
        sqlite_where=text("state < 2"),
        postgresql_where=text("state < 2"),
    )
    op.create_table(
        "pointer_journal",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("identity", Key, nullable=False),
        sa.Column("from_customer", Key, nullable=True),
        sa.Column("to_customer", Key, nullable=False),
        sa.Column("by", Key, nullable=False),
        sa.Column("why", sa.String(length=48), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pointer_journal")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pointer_journal_identity", "pointer_journal", ["identity"], unique=False)
    op.create_table(
        "router_command",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("client_key", sa.String(length=80), nullable=False),
        sa.Column("command", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("answer", Json(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_router_command")),
        sa.UniqueConstraint("client_key", name=op.f("uq_router_command_client_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_router_command_open",
        "router_command",
        ["domain", "id"],
        unique=False,
        sqlite_where=text("answered_at IS NULL"),
        postgresql_where=text("answered_at IS NULL"),
    )
    op.create_table(
        "session",
        sa.Column("id", Key, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("agent", Key, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token", name=op.f("uq_session_token")),
    )
    op.create_index("ix_session_agent", "session", ["agent"], unique=False)
    op.create_table(
        "work_item",
        sa.Column("id", Key, nullable=False),
        sa.Column("domain", sa.SmallInteger(), nullable=False),
        sa.Column("conversation", Key, nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("enqueued_at", Instant(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=True),
        sa.Column("requires", Json(), nullable=True),
        sa.Column("preferred", Key, nullable=True),
        sa.Column("preference", sa.String(length=16), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("owner", Key, nullable=True),
        sa.Column("assigned_at", Instant(), nullable=True),
        sa.Column("handover", Json(), nullable=True),
        sa.Column("reason", Json(), nullable=True),
        sa.Column("routing", Json(), nullable=True),
        sa.Column("wrap_up", Json(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
    )
    op.create_index(
        "ix_work_item_unfinished",
        "work_item",
        ["domain", "id"],
        unique=False,
        sqlite_where=text("state IN ('waiting','offered','assigned','wrap_up')"),
        postgresql_where=text("state IN ('waiting','offered','assigned','wrap_up')"),
    )
    op.create_index(
        "uq_work_item_unfinished",
        "work_item",
        ["conversation", "kind"],
        unique=True,
        sqlite_where=text("state IN ('waiting','offered','assigned','wrap_up')"),
        postgresql_where=text("state IN ('waiting','offered','assigned','wrap_up')"),
    )


def downgrade() -> None:
    """There is nothing before the first schema: drop the database instead."""
