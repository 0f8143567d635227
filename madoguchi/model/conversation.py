"""Conversations, messages and work items: what every channel becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, TypedDict

from madoguchi.model.channels import Channel
from madoguchi.model.ids import Id
from madoguchi.model.routing import ItemState


class ConversationState(StrEnum):
    """Where a conversation stands."""

    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"
    NOTICE = "notice"


class Direction(StrEnum):
    """Into the center or out of it."""

    IN = "in"
    OUT = "out"


class Visibility(StrEnum):
    """Seen by the customer, or by the center only."""

    PUBLIC = "public"
    INTERNAL = "internal"


class MessageState(StrEnum):
    """The life of a message; an inbound one is ``received`` and stays so."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNKNOWN = "unknown"
    FAILED = "failed"


_PROGRESS = {
    MessageState.QUEUED: 0,
    MessageState.SENDING: 1,
    MessageState.UNKNOWN: 2,
    MessageState.SENT: 3,
    MessageState.DELIVERED: 5,
    MessageState.READ: 6,
}


def advance(now: MessageState, told: MessageState) -> MessageState:
    """Return the state after a receipt, whatever order receipts come in.

    Progress never goes back; a failure ends a message that was not yet delivered, and a
    delivery that the provider reports after a failure wins, because the customer has it.
    """
    if now is MessageState.RECEIVED:
        return now
    if told is MessageState.FAILED:
        return now if _PROGRESS.get(now, 9) >= _PROGRESS[MessageState.DELIVERED] else told
    if now is MessageState.FAILED:
        return told if _PROGRESS[told] >= _PROGRESS[MessageState.DELIVERED] else now
    return told if _PROGRESS[told] > _PROGRESS[now] else now


class Part(TypedDict, total=False):
    """One piece of a message as it is stored and sent to pages. A file has ``url`` while it lies at
    a provider, ``fetch`` where it is to be fetched from there; ``lost``: it is not to be had.
    ``asked_for``: a text message that a caller wants.
    """

    type: Literal["text", "file", "location", "card", "reply_to", "system"]
    text: str
    file: Id
    name: str
    media_type: str
    size: int
    url: str
    fetch: bool
    lost: bool
    asked_for: bool
    code: str
    data: dict[str, Any]


UNFINISHED = (ItemState.waiting, ItemState.offered, ItemState.assigned, ItemState.wrap_up)


class ItemKind(StrEnum):
    """Text items are shared by all text channels of a conversation; a call has its own."""

    TEXT = "text"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation's timeline."""

    id: Id
    conversation: Id
    author: Author
    direction: Direction
    visibility: Visibility
    channel: Channel
    account: Id | None
    identity: Id | None
    agent: Id | None
    parts: tuple[Part, ...]
    state: MessageState
    provider_at: datetime | None
    received_at: datetime
    provider_id: str | None = None
    reason: str | None = None
    late: bool = False
    version: int = 1

    @property
    def text(self) -> str:
        """All text parts as one line for previews."""
        return " ".join(p.get("text", "") for p in self.parts if p.get("type") == "text").strip()


def occurred_at(provider_at: datetime | None, received_at: datetime) -> datetime:
    """Return the time that orders the timeline.

    The provider's word counts when it lies within the 24 hours before the receipt.
    """
    if provider_at is None:
        return received_at
    return min(max(provider_at, received_at - timedelta(hours=24)), received_at)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The one thread of contact about a matter.

    ``thread`` is its scope within the account (one open conversation per thread); ``seen_to``
    is up to when the owner's visible desk has shown the customer's messages (their "read" mark)
    and ``seen_seq`` how many of ``inbound_seq`` that were; ``delivered_to`` and ``read_to`` are
    the same for the customer's client.
    """

    id: Id
    number: int
    account: Id
    channel: Channel
    thread: str
    identity: Id
    state: ConversationState
    queue: str
    language: str
    created_at: datetime
    last_at: datetime
    subject: str = ""
    owner: Id | None = None
    last_owner: Id | None = None
    continues: Id | None = None
    preview: str = ""
    preview_author: Author = Author.CUSTOMER
    inbound_at: datetime | None = None
    inbound_seq: int = 0
    unanswered_since: datetime | None = None
    delivered_to: datetime | None = None
    read_to: datetime | None = None
    seen_to: datetime | None = None
    seen_seq: int = 0
    wrap_up: dict[str, Any] | None = None
    context: dict[str, Any] = field(default_factory=dict)
    closed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class NewItem:
    """A work item to be born; `preferred` is the agent who shall get the first offer, and why.

    `came_to` is the queue that was asked for; its hours may have put the item into another one.
    `priority` and `requires` stand for the queue's; `rule` chose the queue: its key and version.
    `owner`: it is theirs from the start, and waits for nobody.
    """

    id: Id
    conversation: Id
    queue: str
    came_to: str
    channel: Channel
    enqueued_at: datetime
    preferred: Id | None
    preference: str | None
    topic: str | None = None
    priority: int | None = None
    requires: Mapping[str, int] | None = None
    rule: tuple[str, int] | None = None
    kind: ItemKind = ItemKind.TEXT
    owner: Id | None = None
