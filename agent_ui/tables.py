"""Tables of the desk itself."""

from sqlalchemy import Column, Integer, Table, text

from madoguchi.store.tables import metadata
from madoguchi.store.types import Instant, Json, Key

preference = Table(
    "preference",
    metadata,
    Column("agent", Key, primary_key=True),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
)
