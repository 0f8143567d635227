"""Table of stored files; the bytes lie in a folder or an object store."""

from sqlalchemy import Column, Index, SmallInteger, String, Table, Text, text

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Key, Serial

file = Table(
    "file",
    metadata,
    Column("id", Key, primary_key=True),
    Column("domain", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size", Serial, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_by", String(80), nullable=False),
    Column("conversation", Key),
    Column("created_at", Instant, nullable=False),
    Index("ix_file_created", "created_at"),
    Index(
        "ix_file_unbound",
        "created_at",
        sqlite_where=text("conversation IS NULL"),
        postgresql_where=text("conversation IS NULL"),
    ),
)
