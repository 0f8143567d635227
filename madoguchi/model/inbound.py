"""What comes in from a provider, before and after it is understood, and what goes out to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from madoguchi.model.calls import CallEvent
from madoguchi.model.channels import Channel
from madoguchi.model.conversation import MessageState, Part
from madoguchi.model.ids import Id
from madoguchi.model.people import Address


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One verified event as bytes; ``event_id`` is unique per account, ``lane`` orders it."""

    event_id: str
    lane: str
    kind: str
    body: bytes
    received_at: datetime


def text_of(parts: Iterable[Part]) -> str:
    """Return the text parts, joined by new lines."""
    return "\n".join(p.get("text", "") for p in parts if p.get("type") == "text")


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A customer wrote. ``thread`` names the conversation's scope within the account.

    ``automatic``: a machine wrote it, or one has answered it already; none of ours answers it.
    ``queue``: where it waits if it needs an agent, None: as any contact is led. ``instead``: the
    call whose place in the line it takes, by its name.
    """

    sender: Address
    verified: bool
    thread: str
    parts: tuple[Part, ...]
    provider_id: str
    provider_at: datetime | None = None
    name: str = ""
    language: str = ""
    topic: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    automatic: bool = False
    queue: str | None = None
    instead: str = ""

    @property
    def text(self) -> str:
        """The text parts, joined by new lines."""
        return text_of(self.parts)


@dataclass(frozen=True, slots=True)
class InboundReceipt:
    """The provider tells how far one of our messages has come."""

    state: MessageState
    message: Id | None
    provider_id: str | None
    reason: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundIdentity:
    """A visitor became known: these addresses are verified to be the same person, and what the
    business says of them is true.
    """

    sender: Address
    claims: tuple[Address, ...]
    name: str = ""
    language: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboundSeen:
    """The customer's client has shown our messages up to a moment."""

    sender: Address
    thread: str
    delivered: tuple[Id, ...] = ()
    read_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundEnd:
    """The customer left; a waiting item is abandoned, an assigned one is told."""

    sender: Address
    thread: str


@dataclass(frozen=True, slots=True)
class InboundCallback:
    """The customer's client asks for a call to a number, keeps waiting instead, or takes the wish
    back. ``number``: as it was written, checked by the channel.
    """

    sender: Address
    thread: str
    act: Literal["ask", "decline", "cancel"]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of a call and lies at its provider under a name: since when, how long."""

    name: str
    began_at: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class InboundCall:
    """Something happened in a call. ``call`` is its name at the provider or the client, unique in
    the account; a call that is not known begins by the first that is heard of it, if it ``begins``
    one.

    ``id``: the call's own id, where its client has made it. ``wants``: it needs an agent from now
    on, in ``queue`` where that is given, else as any contact is led. ``recorded``: it is to be
    fetched. ``asks_for``: the text message that the caller wants.
    """

    sender: Address
    verified: bool
    thread: str
    call: str
    events: tuple[CallEvent, ...]
    channel: Channel = Channel.VOICE
    id: Id | None = None
    begins: bool = True
    wants: bool = False
    queue: str | None = None
    priority: int | None = None
    name: str = ""
    language: str = ""
    topic: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    recorded: Recorded | None = None
    asks_for: str = ""

    @property
    def text(self) -> str:
        """What rules read of it: nothing was written."""
        return ""


@dataclass(frozen=True, slots=True)
class InboundUnknown:
    """An event that is kept and accepted but has no meaning for us (yet)."""

    why: str


Inbound = (
    InboundMessage
    | InboundReceipt
    | InboundIdentity
    | InboundSeen
    | InboundEnd
    | InboundCallback
    | InboundCall
    | InboundUnknown
)


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to one recipient, already degraded to what the channel carries.

    ``since``: when the attempt began whose outcome is unknown; for ``settle``.
    """

    message: Id
    conversation: Id
    channel: Channel
    recipient: Address
    parts: tuple[Part, ...]
    attempt: int = 1
    since: datetime | None = None

    @property
    def text(self) -> str:
        """The text parts, joined by new lines."""
        return text_of(self.parts)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider said at once: its id for the message and how far it is."""

    provider_id: str | None
    state: MessageState = MessageState.SENT


class RetryLater(Exception):
    """The provider asks to come back after ``after_s`` seconds (None: our own back-off)."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class AuthFailed(Exception):
    """The provider refuses our credentials: the account is paused until somebody mends it."""


class Rejected(Exception):
    """The provider refuses this message for good; the reason is shown on the message."""


class UnknownOutcome(Exception):
    """The request was sent and no usable answer came: the message may be out there."""
