"""An outbox alone: rows, a provider whose answers a test writes down, and deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
from pydantic import SecretStr
from sqlalchemy import select

from connectors.base import Connector, ConnectorSettings, HookRequest, Ports, Refused
from connectors.delivery import Delivery
from connectors.registry import Registry
from madoguchi.bus import Hints
from madoguchi.clock import Clock, ManualClock
from madoguchi.conversations.tables import conversation, message
from madoguchi.conversations.views import ConversationViews
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Inbound, Outbound, ProviderEvent, Receipt
from madoguchi.security.secrets import Vault, new_key, parse_keys
from madoguchi.store.tables import log, outbox
from madoguchi.store.work import Many, Store, Work
from unified_profile.tables import identity

D = TypeVar("D", bound=Delivery)


class NoInbox:
    """Takes no events."""

    async def put(self, account: Id, events: Sequence[ProviderEvent]) -> None:
        """Refuse."""
        raise AssertionError("nothing comes in here")

    async def kept(self, account: Id, events: Sequence[ProviderEvent]) -> list[ProviderEvent]:
        """Refuse."""
        raise AssertionError("nothing comes in here")


class Credentials(ConnectorSettings):
    """What a provider knows the account by."""

    token: SecretStr


class Scripted(Connector):
    """A provider: ``answers`` say what a sending does, in turn; without one it is taken."""

    name = "scripted"
    channel = Channel.SMS
    capabilities = Capabilities()
    Settings = Credentials

    def __init__(self, account: Account, ports: Ports, number: int = 1) -> None:
        super().__init__(account, Credentials(token=SecretStr(f"token {number}")), ports)
        self.sent: list[str] = []
        self.looked: list[str] = []
        self.answers: list[Callable[[], Any]] = []
        self.trace: Receipt | None = None

    def verify(self, request: HookRequest, body: bytes) -> list[ProviderEvent]:
        """Refuse."""
        raise Refused("nothing comes in here")

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Nothing."""
        return []

    async def send(self, outbound: Outbound) -> Receipt:
        """Answer as written down."""
        self.sent.append(outbound.text)
        if self.answers:
            answer = self.answers.pop(0)()
            if isinstance(answer, Exception):
                raise answer
            if not isinstance(answer, Receipt):
                answer = await answer
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[no-any-return]
        return Receipt(f"sid-{self.account.key}-{len(self.sent)}")

    async def settle(self, outbound: Outbound) -> Receipt | None:
        """Show the trace."""
        self.looked.append(outbound.text)
        return self.trace


class Accounts(Registry):
    """The accounts of the test."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, Vault(parse_keys(new_key())))
        self.found: dict[Id, Scripted] = {}

    def by_id(self, id: Id) -> Connector | None:
        """Return an account of the test."""
        return self.found.get(id)

    def __iter__(self) -> Iterator[Connector]:
        return iter(list(self.found.values()))


@dataclass
class Outbox:
    """What several deliveries share."""

    store: Store
    http: aiohttp.ClientSession
    clock: Clock = field(default_factory=ManualClock)
    accounts: Accounts = field(init=False)
    ports: Ports = field(init=False)
    number: int = 0

    def __post_init__(self) -> None:
        self.ports = Ports(NoInbox(), self.http, self.clock, "http://hub")
        self.accounts = Accounts(self.ports)

    def account(self, key: str, paused: bool = False) -> Scripted:
        """Add an account."""
        id = self.clock.new_id()
        made = Scripted(
            Account(id, key, "scripted", Channel.SMS, key, "orders", paused=paused), self.ports
        )
        self.accounts.found[id] = made
        return made

    def corrected(self, one: Scripted) -> Scripted:
        """Replace an account's connector, as other credentials do."""
        made = Scripted(one.account, self.ports, number=2)
        self.accounts.found[one.account.id] = made
        return made

    def delivery(
        self,
        kind: type[D] = Delivery,  # type: ignore[assignment]
        holder: str = "a.1",
        store: Store | None = None,
    ) -> D:
        """Return a delivery that has not begun."""
        return kind(
            store or self.store, self.clock, Hints(), self.accounts, holder, lambda *_: None
        )

    async def put(self, on: Connector, *texts: str, due_at: datetime | None = None) -> list[Id]:
        """Add a message for each text, each to a recipient of its own; return their ids."""
        now = self.clock.now()
        ids = [self.clock.new_id() for _ in texts]
        first, self.number = self.number, self.number + len(ids)
        account = on.account.id
        base = {"domain": 1, "account": account, "channel": "sms"}

        def unit() -> Work[None]:
            yield Many(identity.insert(), [_person(id, now) for id in ids])
            rows = [{**base, **_conversation(id, first + n, now)} for n, id in enumerate(ids)]
            yield Many(conversation.insert(), rows)
            told = zip(ids, texts, strict=True)
            yield Many(message.insert(), [{**base, **_message(id, t, now)} for id, t in told])
            row = {"domain": 1, "account": account, "due_at": due_at or now}
            waiting = [{**row, "lane": f"{account}:{id}", "message": id} for id in ids]
            yield Many(outbox.insert(), waiting)

        await self.store.write(unit)
        return ids

    async def row(self, id: Id) -> Any:
        """Return the outbox row of a message, with the message's state and provider id."""

        def unit() -> Work[Any]:
            rows = yield (
                select(
                    outbox,
                    message.c.state.label("shown"),
                    message.c.provider_id,
                    message.c.reason,
                )
                .join(message, message.c.id == outbox.c.message)
                .where(outbox.c.message == id)
            )
            return rows[0]

        return await self.store.read(unit)

    async def view(self, id: Id) -> dict[str, Any]:
        """Return a message as desks get it."""
        views = ConversationViews(lambda _: "")
        return dict((await self.store.read(lambda: views.messages([id])))[id].body)

    async def told(self, id: Id) -> list[str]:
        """Return the types of a message's log entries, in their order."""

        def unit() -> Work[list[str]]:
            mine = log.c.entity_id == id
            return [r.type for r in (yield select(log).where(mine).order_by(log.c.position))]

        return await self.store.read(unit)

    async def shows(self, id: Id, state: str) -> bool:
        """Tell whether a message is in a state."""
        return bool((await self.row(id)).shown == state)


def _person(id: Id, now: datetime) -> dict[str, Any]:
    row = {"id": id, "scheme": "phone", "value": f"+81{id}", "verified": False, "name": ""}
    return {**row, "created_at": now, "version": 1}


def _conversation(id: Id, number: int, now: datetime) -> dict[str, Any]:
    texts = dict.fromkeys(("subject", "language", "queue", "preview"), "")
    row = {"id": id, "number": number, "thread": id, "identity": id, "state": "open", **texts}
    moments = {"last_at": now, "created_at": now}
    counts = {"inbound_seq": 0, "seen_seq": 0, "version": 1}
    return {**row, **moments, **counts, "preview_author": "agent", "context": {}}


def _message(id: Id, text: str, now: datetime) -> dict[str, Any]:
    row = {"id": id, "conversation": id, "identity": id, "author": "agent", "direction": "out"}
    parts = [{"type": "text", "text": text}]
    moments = {"received_at": now, "occurred_at": now}
    more = {"visibility": "public", "parts": parts, "state": "queued", "version": 1}
    return {**row, **moments, **more}
