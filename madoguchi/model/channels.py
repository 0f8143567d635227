"""Channels, accounts and what a channel can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import Scheme


class Channel(StrEnum):
    """A kind of contact."""

    VOICE = "voice"
    VIDEO = "video"
    CHAT = "chat"
    SMS = "sms"
    EMAIL = "email"
    SOCIAL = "social"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry; richer content is degraded to it once, in the connector base.

    ``text_limit`` counts characters of one message, None: no limit. ``weight`` is in capacity
    units. ``release_after_s``: an agent's units are released so many seconds after a reply.
    ``stream``: the customer's client reads the log itself, so replies need no outbox row.
    ``reaches``: schemes of the addresses to which an account may write first; a visitor of a chat
    is reached in the own thread only. ``records``: its calls can be recorded. ``by_browser``: its
    calls go from browser to browser; each customer has one at a time.
    """

    text_limit: int | None = None
    files: bool = False
    typing: bool = False
    delivery_receipts: bool = False
    read_receipts: bool = False
    edits: bool = False
    reactions: bool = False
    weight: int = 1
    exclusive: bool = False
    release_after_s: float = 0.0
    reopen_window_s: float = 72 * 3600.0
    stream: bool = False
    by_browser: bool = False
    records: bool = False
    reaches: frozenset[Scheme] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """One configured connection of a channel: a Twilio number, a web site's widget.

    ``topics``: what a customer may choose before writing → the queue that it leads to.
    ``flow``: what callers hear first, "" for none.
    """

    id: Id
    key: str
    connector: str
    channel: Channel
    name: str
    queue: str
    language: str = "ja"
    paused: bool = False
    topics: Mapping[str, str] = field(default_factory=dict)
    domain: int = DOMAIN
    name_en: str = ""
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An account that works, and what it can do."""

    account: Account
    capabilities: Capabilities
