"""A stage for the fake of Twilio's calls: it, people at telephones, and a hub by script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from connectors.twilio_api import SdkTransport
from madoguchi.clock import ManualClock
from madoguchi.demo.fake_twilio import FakeTwilio, Modes
from madoguchi.demo.fake_voice import FakeVoice
from madoguchi.demo.twilio_phone import Phone
from tests.demo.stage import CUSTOMER, NUMBER, SID, TOKEN

Serve = Callable[[web.Application], Awaitable[TestServer]]
Form = dict[str, str]


async def never(_: float) -> None:
    """Wait as people do in tests: for ever, unless told otherwise."""
    await asyncio.Event().wait()


async def at_once(_: float) -> None:
    """Let time pass at once."""
    await asyncio.sleep(0)


@dataclass
class Script:
    """Answers by path: TwiML, one document after the other; the last one stays. Keeps what came,
    after a check of its signature.
    """

    documents: dict[str, list[str]] = field(default_factory=dict)
    came: list[tuple[str, Form]] = field(default_factory=list)
    base: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Take one webhook."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        url = self.base + request.raw_path
        signature = request.headers["X-Twilio-Signature"]
        assert RequestValidator(TOKEN).validate(url, form, signature)
        name = request.match_info["name"]
        self.came.append((name, form))
        waiting = self.documents.get(name)
        if waiting is None:
            return web.Response(status=204)
        document = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        text = f"<Response>{document}</Response>"
        return web.Response(text=text, content_type="text/xml")

    def forms(self, name: str) -> list[Form]:
        """Return what came to a path."""
        return [form for each, form in self.came if each == name]


@dataclass
class VoiceStage:
    """Everything a test acts on."""

    twilio: FakeTwilio
    voice: FakeVoice
    script: Script
    clock: ManualClock
    http: aiohttp.ClientSession
    base: str

    def phone(self, address: str = CUSTOMER) -> Phone:
        """Return somebody's telephone."""
        return Phone(self.voice, address)

    @property
    def api(self) -> Client:
        """Return the official SDK."""
        transport = SdkTransport(self.http, f"{self.base}/demo/twilio", 5.0)
        return Client(SID, TOKEN, http_client=transport)

    def answering(self, **modes: Any) -> None:
        """Set how the fake behaves."""
        self.twilio.behave(Modes(**modes))

    def url(self, name: str) -> str:
        """Return the address of a part of the script."""
        return f"{self.base}/script/{name}"


@asynccontextmanager
async def talking(
    serve: Serve, more: Callable[[web.Application], None] | None = None
) -> AsyncIterator[VoiceStage]:
    """Serve the fake and the script; people wait as long as they are not told otherwise."""
    clock, script = ManualClock(), Script()
    async with aiohttp.ClientSession() as http:
        twilio = FakeTwilio(SID, TOKEN, NUMBER, http, clock=clock, sleep=at_once)
        voice = twilio.voice
        voice.patience = never
        app = web.Application()
        app.add_routes(twilio.routes())
        app.router.add_route("*", "/script/{name}", script.handle)
        if more is not None:
            more(app)
        server = await serve(app)
        base = str(server.make_url("")).rstrip("/")
        script.base = base
        stage = VoiceStage(twilio, voice, script, clock, http, base)
        voice.url = stage.url("voice")
        voice.status_url = stage.url("status")
        try:
            yield stage
        finally:
            await twilio.close()
