"""One table for every kind of configuration object, one for the versions."""

from sqlalchemy import Column, Integer, SmallInteger, String, Table, Text, UniqueConstraint

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key, Serial

config_object = Table(
    "config_object",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("key", String(64), nullable=False),
    Column("body", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_in", Serial, nullable=False),
    UniqueConstraint("domain", "kind", "key"),
)

config_version = Table(
    "config_version",
    metadata,
    Column("domain", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("author", Key, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", Json, nullable=False),
)
