"""Identifiers: UUID version 7 (RFC 9562), ordered by time, unguessable in their last 62 bits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

Id = str
"""A UUIDv7 in canonical text form, 36 characters."""

NIL: Id = "00000000-0000-0000-0000-000000000000"
"""The system itself, where an author is asked for."""

DOMAIN = 1
"""The only routing domain of a small deployment."""


def uuid7(millis: int, counter: int, random: int) -> Id:
    """Return the UUIDv7 of a moment.

    ``millis`` since the Unix epoch (48 bits), ``counter`` 12 bits that order ids of one
    millisecond, ``random`` 62 bits from a cryptographic source.
    """
    value = (millis & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76
    value |= (counter & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random & 0x3FFF_FFFF_FFFF_FFFF
    return str(UUID(int=value))


def is_id(text: object) -> bool:
    """Tell whether a text is a UUID in canonical form."""
    if not isinstance(text, str) or len(text) != 36:
        return False
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def written_at(id: Id) -> datetime:
    """Return when a UUIDv7 was made, aware, UTC, to the millisecond. Raises ValueError."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=UUID(id).int >> 80)
