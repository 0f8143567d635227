"""Entries of the domain's log: what everybody else reads.

An entry names an entity that changed, its version and its audience; the payload is the
entity's current view, rendered when it is delivered.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from madoguchi.model.ids import Id


class Entity(StrEnum):
    """The kinds of things whose changes are told."""

    CONVERSATION = "conversation"
    MESSAGE = "message"
    ITEM = "item"
    OFFER = "offer"
    AGENT = "agent"
    CUSTOMER = "customer"
    DRAFT = "draft"
    CONFIG = "config"
    PREFERENCES = "preferences"
    CALL = "call"


def agent(id: Id) -> str:
    """Audience: one agent."""
    return f"agent:{id}"


def queue(id: str) -> str:
    """Audience: all who serve a queue."""
    return f"queue:{id}"


def conversation(id: Id) -> str:
    """Audience: those who have this conversation open on their desk."""
    return f"conversation:{id}"


def visitor(account: Id, thread: str) -> str:
    """Audience: the customer's own client of one thread, where the channel has one."""
    return f"visitor:{account}:{thread}"


SUPERVISORS = "supervisors"
"""Audience: supervisors of the domain."""

EVERYONE = "everyone"
"""Audience: every signed-in desk."""

NOBODY = "nobody"
"""Audience: consumers inside the hub only."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change: what (past tense), of which entity, at which version, for whom."""

    type: str
    entity: Entity
    entity_id: str
    version: int
    audience: tuple[str, ...]
    at: datetime
    data: dict[str, Any] | None = None
    domain: int = 1


@dataclass(frozen=True, slots=True)
class NumberedEntry:
    """A log entry with its place in the domain's order."""

    position: int
    entry: LogEntry
