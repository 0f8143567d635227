"""A stage for the fake of Twilio: it, our connector and a webhook, on one loopback server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.base import HookRequest, Ports, Refused
from connectors.twilio_sms import TwilioSms
from madoguchi.clock import ManualClock
from madoguchi.demo.fake_twilio import FakeTwilio, Modes
from madoguchi.model.channels import Account, Channel
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Outbound, ProviderEvent
from madoguchi.model.people import Address, Scheme

SID = "AC" + "5" * 32
SERVICE = "MG" + "6" * 32
TOKEN = "the-account-token"
NUMBER = "+815031234567"
CUSTOMER = "+819055500187"

Serve = Callable[[web.Application], Awaitable[TestServer]]


class SilentInbox:
    """An inbox that nobody reads."""

    async def put(self, account: Id, events: Sequence[ProviderEvent]) -> None:
        """Drop the events."""

    async def kept(self, account: Id, events: Sequence[ProviderEvent]) -> list[ProviderEvent]:
        """Return the events as if they had been stored."""
        return list(events)


@dataclass
class Hook:
    """The webhook: verifies with the connector, keeps what came, answers as it is told."""

    calls: list[tuple[HookRequest, bytes]] = field(default_factory=list)
    events: list[ProviderEvent] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    connector: TwilioSms | None = None
    base: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Take one call."""
        body = await request.read()
        tail = request.match_info.get("tail", "")
        url = self.base + request.raw_path
        hook = HookRequest(request.method, url, tail, request.headers, request.query)
        self.calls.append((hook, body))
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        assert self.connector is not None
        try:
            self.events += self.connector.verify(hook, body)
        except Refused:
            return web.Response(status=403)
        return web.Response(status=204)


@dataclass
class Stage:
    """Everything a test acts on. ``waits`` are the delays that the fake asked for."""

    twilio: FakeTwilio
    clock: ManualClock
    http: aiohttp.ClientSession
    base: str
    hook: Hook
    waits: list[float]
    gate: asyncio.Event

    def connector(self, **settings: Any) -> TwilioSms:
        """Return a connector to the fake, with other settings where given."""
        return connector(self.http, self.clock, self.base, **settings)

    def outbound(self, text: str, to: str = CUSTOMER) -> Outbound:
        """Return a message to the customer."""
        return Outbound(
            message=self.clock.new_id(),
            conversation=self.clock.new_id(),
            channel=Channel.SMS,
            recipient=Address(Scheme.PHONE, to),
            parts=({"type": "text", "text": text},),
        )

    @property
    def statuses(self) -> list[str]:
        """The statuses that callbacks told, in order of arrival."""
        return [e.event_id.partition(":")[2] for e in self.hook.events if e.event_id[34:]]

    def answering(self, **modes: Any) -> None:
        """Set how the fake behaves."""
        self.twilio.behave(Modes(**modes))


def connector(
    http: aiohttp.ClientSession, clock: ManualClock, base: str, **settings: Any
) -> TwilioSms:
    """Return a connector whose provider and public address are at ``base``."""
    wanted: dict[str, Any] = {
        "account_sid": SID,
        "auth_token": TOKEN,
        "number": NUMBER,
        "api_base": f"{base}/demo/twilio",
        "timeout_s": 5.0,
    } | settings
    account = Account(clock.new_id(), "sms", "twilio_sms", Channel.SMS, "SMS", "orders")
    return TwilioSms(account, TwilioSms.Settings(**wanted), Ports(SilentInbox(), http, clock, base))


@asynccontextmanager
async def standing(serve: Serve, journal: Path | None = None) -> AsyncIterator[Stage]:
    """Serve the fake and the webhook; nothing waits unless the gate is closed."""
    clock, hook, waits, gate = ManualClock(), Hook(), list[float](), asyncio.Event()
    gate.set()

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        await gate.wait()

    async with aiohttp.ClientSession() as http:
        twilio = FakeTwilio(
            SID,
            TOKEN,
            NUMBER,
            http,
            services=[SERVICE],
            clock=clock,
            sleep=pause,
            journal=journal,
        )
        app = web.Application()
        app.add_routes(twilio.routes())
        app.router.add_post("/hooks/sms", hook.handle)
        app.router.add_post("/hooks/sms/{tail}", hook.handle)
        server = await serve(app)
        base = str(server.make_url("")).rstrip("/")
        twilio.webhook, hook.base = f"{base}/hooks/sms", base
        stage = Stage(twilio, clock, http, base, hook, waits, gate)
        hook.connector = stage.connector()
        yield stage
        gate.set()
        await twilio.close()
