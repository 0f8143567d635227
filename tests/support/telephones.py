"""A hub whose telephone number is at our fake of Twilio, and people who call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from connectors.twilio_voice import TwilioVoice
from madoguchi.clock import Clock, ManualClock
from madoguchi.conversations.calls.tables import call as calls
from madoguchi.demo.fake_twilio import FakeTwilio, Modes
from madoguchi.demo.fake_voice import FakeVoice
from madoguchi.demo.twilio_line import Line
from madoguchi.demo.twilio_phone import Phone
from tests.demo.voice_stage import at_once, never
from tests.hub.test_opening_hours import rows
from tests.support.hubs import NUMBER, SID, TOKEN, Person, Running, Stream, hub_running
from tests.support.waiting import wait_for

BASE = "/twilio"
KEY, SECRET, APP = "SK" + "2" * 32, "secret-of-the-key-of-32-characters", "AP" + "3" * 32
ACCOUNT = f"""
[account.phone]
name = "代表電話"
connector = "twilio_voice"
queue = "orders"
[account.phone.settings]
account_sid = "{SID}"
auth_token = "{TOKEN}"
number = "{NUMBER}"
api_key_sid = "{KEY}"
api_key_secret = "{SECRET}"
twiml_app_sid = "{APP}"
timeout_s = 5
"""


class PointedTwilio(FakeTwilio):
    """The fake where hubs of tests look for it."""

    base = BASE


@dataclass
class Telephones:
    """A hub, its provider, and what tests ask of both."""

    here: Running
    twilio: PointedTwilio

    @property
    def voice(self) -> FakeVoice:
        """The provider's calls."""
        return self.twilio.voice

    @property
    def connector(self) -> TwilioVoice:
        """The hub's side of the number."""
        found = self.here.hub.registry.by_key("phone")
        assert isinstance(found, TwilioVoice)
        return found

    def phone(self, address: str) -> Phone:
        """Return somebody's telephone."""
        return Phone(self.voice, address)

    def answering(self, **modes: Any) -> None:
        """Set how the provider behaves."""
        self.twilio.behave(Modes(**modes))

    async def calls(self) -> list[dict[str, Any]]:
        """Return the rows of calls."""
        return [dict(row) for row in await rows(self.here, calls)]

    async def call_of(self, line: Line) -> str:
        """Return the id of the hub's call of a line, once it is there."""

        async def there() -> str | None:
            found = [row["id"] for row in await self.calls() if row["name"] == line.call.sid]
            return found[0] if found else None

        return str(await wait_for(there, "the call is there"))

    async def join(self, person: Person, desk: Stream, line: Line, **how: Any) -> Phone:
        """Let an agent who is rung come in by their browser."""
        id = await self.call_of(line)
        leg = await desk.until(lambda s: leg_of(s, id, person.id), "they are rung")
        opened = {"conversation": desk.of("call", id)["conversation"]}
        assert (await desk.client.call("open", opened, namespace="/agent"))["ok"]
        number = "" if not line.call.caller.startswith("+") else line.call.caller
        ticket = self.connector.tickets.issue(
            id, line.call.sid, number, leg["id"], person.id, **how
        )
        softphone = self.phone(f"client:{person.id}")
        softphone.connect(self.connector.controls.access_token(person.id), {"ticket": ticket})
        await softphone.hear()
        return softphone


def leg_of(desk: Stream, call: str, agent: str | None) -> dict[str, Any]:
    """Return the living leg of an agent, or the customer's for None."""
    for one in desk.of("call", call).get("legs", []):
        if one["agent"] == agent and one["state"] != "ended":
            return dict(one)
    return {}


@asynccontextmanager
async def telephones(
    folder: Path, toml: str = "", *, database: str = "", clock: Clock | None = None
) -> AsyncIterator[Telephones]:
    """Run a hub with a telephone number; people wait unless they are told otherwise."""
    clock = clock or ManualClock()
    async with (
        provider(clock) as twilio,
        hub_running(folder, database=database, clock=clock, twilio=twilio) as here,
    ):
        yield await connected(here, twilio, toml)
        await twilio.close()


@asynccontextmanager
async def provider(clock: Clock) -> AsyncIterator[PointedTwilio]:
    """Run the fake, which outlives the hubs that serve it."""
    async with aiohttp.ClientSession() as http:
        twilio = PointedTwilio(SID, TOKEN, NUMBER, http, clock=clock, sleep=at_once, base=BASE)
        twilio.voice.patience = never
        twilio.voice.app_sid, twilio.voice.keys = APP, {KEY: SECRET}
        try:
            yield twilio
        finally:
            await twilio.close()


async def connected(here: Running, twilio: PointedTwilio, toml: str = "") -> Telephones:
    """Give a hub its telephone number."""
    await here.configure(f'{ACCOUNT}api_base = "{here.url}{BASE}"\n')
    if toml:
        await here.configure(toml)
    hook = f"{here.url}/hooks/phone"
    twilio.voice.url, twilio.voice.app_url = f"{hook}/voice", f"{hook}/agent"
    twilio.voice.status_url = f"{hook}/status"
    return Telephones(here, twilio)
