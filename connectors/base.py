"""The contract of a channel: what a connector is asked, and what it may use.

A new channel is one module in this folder with a subclass of :class:`Connector`; nothing else
changes. ``parse`` is pure and never raises for content; ``verify`` cannot be forgotten; failures
of ``send`` are typed, and what follows from each is decided once, in :mod:`connectors.delivery`.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, ClassVar, Literal, Protocol

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.calls.present import Present
from madoguchi.conversations.calls.repository import Call
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.conversation import Part
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Inbound, Outbound, ProviderEvent, Receipt, Rejected
from unified_profile.identity import Called


class Refused(Exception):
    """A request that is not from the provider, or not for this account: 403, nothing stored."""


class ConnectorSettings(BaseModel):
    """Base of an account's settings. Secrets are ``SecretStr`` fields; unknown ones are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A webhook call as the provider signed it.

    ``url`` is the public URL, built from the configured address and never from forwarded headers;
    ``tail`` is what follows the account in the path.
    """

    method: str
    url: str
    tail: str
    headers: Mapping[str, str]
    query: Mapping[str, str]


Take = Literal["on", "paused", "off"]
"""Whether a provider records a call."""


class InboxPort(Protocol):
    """Where verified events go."""

    async def put(self, account: Id, events: Sequence[ProviderEvent]) -> None:
        """Store events; returns when they are durable."""
        ...

    async def kept(self, account: Id, events: Sequence[ProviderEvent]) -> list[ProviderEvent]:
        """Return events as they are stored: an earlier one of the same id stays as it was."""
        ...


def nothing_configured() -> Catalog:
    """Return an empty configuration."""
    return Catalog(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a call stands in its line: its place, None: nobody is there who could take it; for how
    many seconds it still waits, None: nobody can tell; whether its caller is offered a call.
    """

    position: int | None
    expected_s: float | None = None
    callback: bool = False


async def no_call(call: Id) -> Call | None:
    """Find no call."""
    return None


async def nobody_knows(call: Id) -> Standing | None:
    """Tell nothing of a call's place."""
    return None


@dataclass(frozen=True, slots=True)
class Ports:
    """What a connector may use of the hub. ``link``: a file's token in links that work for some
    minutes; ``zone``: where rules' times are told, None: where the machine is; ``standing``: how a
    call stands in its line, None: it does not wait, or nobody knows here; ``call``: a call by id.
    """

    inbox: InboxPort
    http: aiohttp.ClientSession
    clock: Clock
    public_url: str
    catalog: Callable[[], Catalog] = nothing_configured
    link: Callable[[Id], str] = str
    zone: tzinfo | None = None
    standing: Callable[[Id], Awaitable[Standing | None]] = nobody_knows
    call: Callable[[Id], Awaitable[Call | None]] = no_call


class Controls(Protocol):
    """What a provider can do to a call whose sound is at it; legs have the names that they have
    with us. All raise RetryLater, AuthFailed, Rejected, UnknownOutcome, and may be repeated.
    """

    async def hold(self, call: Id, leg: str) -> None:
        """Let a leg neither hear nor be heard."""
        ...

    async def resume(self, call: Id, leg: str) -> None:
        """Let a leg that was held talk again."""
        ...

    async def mute(self, call: Id, leg: str, *, muted: bool) -> None:
        """Let nobody hear a leg, or everybody again."""
        ...

    async def coach(self, call: Id, leg: str, coached: str | None) -> None:
        """Let only one other leg hear a leg, or all of them."""
        ...

    async def announce(self, call: Id, leg: str) -> None:
        """Let a leg hear that the call is recorded."""
        ...

    async def record(self, call: Id, name: str, number: str, leg: str, how: Take) -> None:
        """Let what the customer's leg says and hears be recorded, not for a while, or no more;
        ``name`` and ``number`` are the caller's. What is so already stays.
        """
        ...

    async def ring(self, call: Id, name: str, number: str, leg: str, to: str) -> str:
        """Call a number into a call; ``name`` and ``number`` are the caller's. Return the
        provider's name of the call to that number.
        """
        ...

    def dialled(self, text: str) -> Called:
        """Return a number as it is called from this account, ``text`` as people write it. Raises
        Rejected: the account does not call there.
        """
        ...

    async def let_go(self, call: Id, leg: str, rung: str = "") -> None:
        """Let one leg leave, or ring no longer; who is gone is no fault. ``rung``: what
        :meth:`ring` has returned.
        """
        ...

    async def present(self, call: Id, name: str) -> Present:
        """Return who is in a call now; ``name`` is the caller's."""
        ...

    async def end(self, call: Id) -> None:
        """End a call for all who are in it."""
        ...

    async def send_away(self, name: str) -> None:
        """Let a caller hear that nobody can talk with them now."""
        ...

    def pass_for(self, call: Id, name: str, number: str, leg: str, agent: Id, muted: bool) -> Any:
        """Return what an agent's browser needs to come into a call as one leg. Raises Rejected."""
        ...


class Connector(ABC):
    """One account of one channel; replaced by a new instance when its settings change."""

    name: ClassVar[str]
    channel: ClassVar[Channel]
    capabilities: ClassVar[Capabilities]
    recalls: ClassVar[bool] = False
    """Whether answers hold decisions: they are told from what is stored, so that an event that is
    sent again is told the same.
    """
    Settings: ClassVar[type[ConnectorSettings]]

    def __init__(self, account: Account, settings: Any, ports: Ports) -> None:
        self.account = account
        self.settings = settings
        self.ports = ports

    @property
    def calls_at(self) -> Controls | None:
        """Return what is done to calls of this account; None: browsers do it among themselves."""
        return None

    @property
    def takes_calls(self) -> bool:
        """Whether customers call by this account: who serves them needs a microphone."""
        return self.channel is Channel.VOICE

    @property
    def makes_calls(self) -> bool:
        """Whether agents call customers by this account."""
        return False

    @property
    def hook_url(self) -> str:
        """The public address of this account's webhooks."""
        return f"{self.ports.public_url}/hooks/{self.account.key}"

    @abstractmethod
    def verify(self, request: HookRequest, body: bytes) -> list[ProviderEvent]:
        """Return the events of a call from the provider. Raises Refused.

        Checks the signature over the raw body and reads no more than ids and the lane.
        """

    @abstractmethod
    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return what an event means. Pure; content that makes no sense yields InboundUnknown."""

    @abstractmethod
    async def send(self, outbound: Outbound) -> Receipt:
        """Send one message. Raises RetryLater, AuthFailed, Rejected or UnknownOutcome."""

    async def handshake(self, request: HookRequest, body: bytes) -> web.Response | None:
        """Answer what tells nothing, such as a provider's address check, before ``verify``; None:
        it is no such thing. Raises Refused.
        """
        return None

    def answer(self, events: Sequence[ProviderEvent]) -> web.Response:
        """Return what the provider is told after the events are durable."""
        return web.Response(status=204)

    async def settle(self, outbound: Outbound) -> Receipt | None:
        """Ask the provider what became of a message of unknown outcome; None: still unknown."""
        return None

    async def fetch(self, url: str) -> AsyncIterator[bytes]:
        """Yield a file that lies at the provider. Raises RetryLater, AuthFailed, Rejected,
        UnknownOutcome.
        """
        raise Rejected("this channel has no files at its provider")
        yield b""

    async def discard(self, url: str) -> None:
        """Let a file that is ours now be gone at the provider; what is gone is no fault. Raises
        RetryLater, AuthFailed, Rejected, UnknownOutcome.
        """
        raise Rejected("this channel has no files at its provider")

    def routes(self) -> Iterable[web.RouteDef]:
        """Return routes of this account besides its webhook; few channels have any."""
        return ()


def degrade(parts: Sequence[Part], capabilities: Capabilities, link: str) -> tuple[Part, ...]:
    """Return parts that a channel can carry: files become signed links where it has none.

    ``link`` is the address under which files can be fetched, with ``{id}``.
    """
    found: list[Part] = []
    for part in parts:
        if part.get("type") == "file" and not capabilities.files:
            address = link.format(id=part.get("file", ""))
            found.append({"type": "text", "text": f"{part.get('name', '')}\n{address}".strip()})
        elif part.get("type") in {"text", "file", "location", "card"}:
            found.append(part)
    return tuple(found)
