"""Tables of calls. A call's row is worked out from its events, whenever one comes."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key

call = Table(
    "call",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("conversation", Key, nullable=False),
    Column("account", Key, nullable=False),
    Column("thread", String(320), nullable=False),
    Column("name", String(80), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("item", Key),
    Column("state", String(8), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("ended_at", Instant),
    Column("version", Integer, nullable=False),
    UniqueConstraint("account", "name"),
    Index("ix_call_conversation", "conversation"),
    Index("ix_call_item", "item"),
    Index("ix_call_began", "domain", "began_at", "id"),
    Index(
        "ix_call_live",
        "domain",
        "id",
        sqlite_where=text("state <> 'ended'"),
        postgresql_where=text("state <> 'ended'"),
    ),
)

call_event = Table(
    "call_event",
    metadata,
    Column("call", Key, primary_key=True),
    Column("id", String(120), primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("leg", String(64), nullable=False),
    Column("data", Json, nullable=False),
    Column("received_at", Instant, nullable=False),
)

recording_part = Table(
    "recording_part",
    metadata,
    Column("call", Key, primary_key=True),
    Column("take", Key, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("queue", String(64), nullable=False),
    Column("agent", Key),
    Column("file", Key, nullable=False),
    Column("size", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("seconds", Integer),
    Index("ix_recording_part_at", "queue", "at"),
)
