"""Column types that mean the same on both engines."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from madoguchi.clock import from_micros, to_micros

Key = Uuid(as_uuid=False)
"""A UUID: native on PostgreSQL, 32 hex characters on SQLite, canonical text in Python."""

Serial = BigInteger().with_variant(Integer, "sqlite")
"""An ever growing row number."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, microseconds as INTEGER on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the engine."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive moments; a time without a zone is a bug, not a value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the store")
        return value if dialect.name == "postgresql" else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return from_micros(value)


class Json(TypeDecorator[Any]):
    """A JSON document: jsonb on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the engine."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Encode; None is SQL NULL."""
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Decode."""
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.loads(value)


def _canonical(value: str | None) -> str | None:
    return value and f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _document(value: str | None) -> Any:
    return None if value is None else orjson.loads(value)


def unpacker(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes a driver's value a Python value; None: it is one already.

    The same as the type's own result processor, by a shorter way for the types that every row of
    ours has.
    """
    if dialect.name == "sqlite":
        for kind, short in ((Uuid, _canonical), (Instant, _moment), (Json, _document)):
            if isinstance(type_, kind):
                return short
    if dialect.name == "postgresql" and isinstance(type_, Instant):
        return None
    process: Callable[[Any], Any] | None = type_.dialect_impl(dialect).result_processor(
        dialect, None
    )
    return process
