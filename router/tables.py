"""Tables that only the router writes."""

from datetime import timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key, Serial

COMMANDS_KEPT = timedelta(days=30)
"""How long an answered command stays: as long as its sender may ask again, and for a look back."""

agent_status = Table(
    "agent_status",
    metadata,
    Column("agent", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("presence", String(12), nullable=False),
    Column("reason", String(120), nullable=False),
    Column("changed_by", Key),
    Column("since", Instant, nullable=False),
    Column("disconnected_since", Instant),
    Column("absent_since", Instant),
    Column("worked_until", Instant),
    Column("misses", Integer, nullable=False),
    Column("routing", Json),
    Column("away_after", String(120)),
    Column("activity", String(12), nullable=False),
    Column("activity_since", Instant, nullable=False),
    Column("used", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

presence_period = Table(
    "presence_period",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("agent", Key, nullable=False),
    Column("presence", String(12), nullable=False),
    Column("reason", String(120), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_presence_period_open",
        "agent",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_presence_period_ended", "domain", "ended_at"),
)
"""Who was what, from when to when; nothing while somebody is offline."""

activity_period = Table(
    "activity_period",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("agent", Key, nullable=False),
    Column("activity", String(12), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_activity_period_open",
        "agent",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_activity_period_ended", "domain", "ended_at"),
)
"""As what agents' time counted: busy, wrap-up, idle while available; nothing otherwise."""

alert = Table(
    "alert",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("queue", String(64), nullable=False),
    Column("figure", String(16), nullable=False),
    Column("bound", Float, nullable=False),
    Column("reached", Float, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(
        "uq_alert_open",
        "domain",
        "queue",
        "figure",
        "bound",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
"""When a queue's figure was past a limit; ``reached`` is what it was when that began."""

offer = Table(
    "offer",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("item", Key, nullable=False),
    Column("agent", Key, nullable=False),
    Column("state", String(12), nullable=False),
    Column("transfer", Boolean, nullable=False),
    Column("explanation", Json, nullable=False),
    Column("snapshot", Json, nullable=False),
    Column("reason", String(200)),
    Column("made_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("version", Integer, nullable=False),
    Index(
        "uq_offer_pending",
        "item",
        "agent",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index("ix_offer_item", "item"),
    Index("ix_offer_closed", "domain", "closed_at"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("item", Key, nullable=False),
    Column("agent", Key, nullable=False),
    Column("queue", String(64)),
    Column("offer", String(48)),
    Column("started_at", Instant, nullable=False),
    Column("wrap_up_at", Instant),
    Column("ended_at", Instant),
    Column("released_us", BigInteger),
    Column("why", String(48)),
    Index(
        "uq_assignment_live",
        "item",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_assignment_item", "item"),
    Index("ix_assignment_agent", "agent", "started_at"),
    Index("ix_assignment_ended", "domain", "ended_at"),
)

router_command = Table(
    "router_command",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("client_key", String(80), nullable=False, unique=True),
    Column("command", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("answer", Json),
    Column("answered_at", Instant),
    Column("note", Text),
    Index(
        "ix_router_command_open",
        "domain",
        "id",
        sqlite_where=text("answered_at IS NULL"),
        postgresql_where=text("answered_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)
