"""Tables of the profile. Rows of every other room point to the identity, never to a customer."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key, Serial

customer = Table(
    "customer",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("attributes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
)

identity = Table(
    "identity",
    metadata,
    Column("id", Key, primary_key=True),
    Column("scheme", String(16), nullable=False),
    Column("value", String(320), nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("scheme", "value"),
)

customer_of = Table(
    "customer_of",
    metadata,
    Column("identity", Key, primary_key=True),
    Column("customer", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_customer_of_customer", "customer"),
)

pointer_journal = Table(
    "pointer_journal",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("domain", SmallInteger, nullable=False),
    Column("identity", Key, nullable=False),
    Column("from_customer", Key),
    Column("to_customer", Key, nullable=False),
    Column("by", Key, nullable=False),
    Column("why", String(48), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_pointer_journal_identity", "identity"),
    sqlite_autoincrement=True,
)

identity_claim = Table(
    "identity_claim",
    metadata,
    Column("customer", Key, primary_key=True),
    Column("identity", Key, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""Identities of others that a customer was said to have: suggestions to link, see resolver."""
