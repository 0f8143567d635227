"""Tables that every room shares: the log, the inbox, the outbox, leases, jobs, cursors."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from madoguchi.store.types import Instant, Json, Key, Serial

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

log = Table(
    "log",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("position", Serial),
    Column("type", String(48), nullable=False),
    Column("entity", String(16), nullable=False),
    Column("entity_id", String(80), nullable=False),
    Column("version", Serial, nullable=False),
    Column("audience", Json, nullable=False),
    Column("data", Json),
    Column("at", Instant, nullable=False),
    UniqueConstraint("domain", "position"),
    sqlite_autoincrement=True,
)

log_head = Table(
    "log_head",
    metadata,
    Column("domain", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", Serial, nullable=False),
)

cursor = Table(
    "cursor",
    metadata,
    Column("consumer", String(48), primary_key=True),
    Column("domain", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", Serial, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("account", Key, nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("lane", String(200), nullable=False),
    Column("partition", SmallInteger, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default=text("0")),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("late", Boolean, nullable=False, server_default=false()),
    Column("error", Text),
    Column("done_at", Instant),
    UniqueConstraint("account", "event_id"),
    Index(
        "ix_inbox_waiting",
        "id",
        "partition",
        sqlite_where=text("state = 0"),
        postgresql_where=text("state = 0"),
    ),
    Index(
        "ix_inbox_dead",
        "id",
        sqlite_where=text("state = 2"),
        postgresql_where=text("state = 2"),
    ),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("account", Key, nullable=False),
    Column("lane", String(200), nullable=False),
    Column("message", Key, nullable=False, unique=True),
    Column("state", SmallInteger, nullable=False, server_default=text("0")),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("due_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("holder", String(64)),
    Column("error", Text),
    Column("first_at", Instant),
    Index(
        "ix_outbox_open",
        "account",
        "due_at",
        sqlite_where=text("state < 2"),
        postgresql_where=text("state < 2"),
    ),
    Index(
        "ix_outbox_lane",
        "lane",
        "id",
        sqlite_where=text("state < 2"),
        postgresql_where=text("state < 2"),
    ),
    sqlite_autoincrement=True,
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("epoch", Serial, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("key", String(120), nullable=False),
    Column("data", Json, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("error", Text),
    UniqueConstraint("kind", "key"),
    Index("ix_job_due", "due_at"),
    sqlite_autoincrement=True,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", Key, primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Json),
    Column("at", Instant, nullable=False),
    Index("ix_idempotency_at", "at"),
)

HINTED = frozenset({"log", "inbox", "outbox", "job", "router_command"})
"""Tables whose growth wakes somebody."""
