"""Tables of sign-in and audit."""

from sqlalchemy import Column, Index, Integer, SmallInteger, String, Table, Text

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key, Serial

credential = Table(
    "credential",
    metadata,
    Column("agent", Key, primary_key=True),
    Column("password", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
)

session = Table(
    "session",
    metadata,
    Column("id", Key, primary_key=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("agent", Key, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("client", Text, nullable=False),
    Index("ix_session_agent", "agent"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Key, nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(120), nullable=False),
    Column("detail", Json, nullable=False),
    Column("client", Text, nullable=False),
    Index("ix_audit_object", "object"),
    sqlite_autoincrement=True,
)
