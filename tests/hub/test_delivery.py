"""Replies on their way out: every answer that Twilio may give, and never two SMS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from madoguchi.clock import ManualClock
from madoguchi.demo.fake_twilio import BASE, FakeTwilio
from madoguchi.demo.twilio_rules import Modes
from tests.hub.test_chat import accepted
from tests.support.hubs import NUMBER, SID, TOKEN, Person, Running, Stream, hub_running

CUSTOMER = "+819055500187"


async def at_once(_: float) -> None:
    """Do not wait."""


class Fake:
    """The demo's Twilio as the hub's provider."""

    base = BASE

    def __init__(self, http: aiohttp.ClientSession, clock: ManualClock) -> None:
        self.twilio = FakeTwilio(SID, TOKEN, NUMBER, http, clock=clock, sleep=at_once)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return its routes."""
        return self.twilio.routes()


class Scene:
    """An agent who owns an SMS conversation, and the provider behind it."""

    def __init__(self, here: Running, twilio: FakeTwilio, clock: ManualClock) -> None:
        self.here = here
        self.twilio = twilio
        self.clock = clock
        self.ann: Person
        self.desk: Stream
        self.conversation = ""

    async def begin(self) -> None:
        """Let a customer write and Ann accept."""
        self.ann = await self.here.person("ann")
        self.desk = await self.ann.available()
        await self.here.sms(CUSTOMER, "hello")
        self.conversation = await accepted(self.ann, self.desk)

    async def reply(self, text: str = "an answer") -> str:
        """Send a reply; return its id."""
        body = {"mode": "reply", "text": text}
        path = f"/conversations/{self.conversation}/messages"
        return str((await self.ann.call("POST", path, body))["id"])

    async def comes_to(self, message: str, state: str) -> dict[str, Any]:
        """Wait until a message is in a state; return its view."""
        await self.desk.until(lambda s: s.of("message", message).get("state") == state, state)
        return self.desk.of("message", message)

    def sent(self, text: str = "an answer") -> int:
        """Return how often the provider has taken this text."""
        return sum(
            m.body == text for m in self.twilio.messages.values() if m.direction == "outbound-api"
        )


@asynccontextmanager
async def scene(folder: Path, database: str) -> AsyncIterator[Scene]:
    """Set the scene."""
    clock = ManualClock()
    async with aiohttp.ClientSession() as http:
        fake = Fake(http, clock)
        async with hub_running(folder, database=database, clock=clock, twilio=fake) as here:
            found = Scene(here, fake.twilio, clock)
            await found.begin()
            try:
                yield found
            finally:
                await fake.twilio.close()


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
async def test_callbacks_in_any_order_and_number(
    tmp_path: Path, doubled: bool, shuffled: bool
) -> None:
    async with scene(tmp_path, "") as s:
        s.twilio.behave(Modes(doubled=doubled, shuffled=shuffled))
        message = await s.reply()
        await s.comes_to(message, "delivered")
        await s.twilio.quiet()
        assert (await s.comes_to(message, "delivered"))["reason"] is None
        assert s.sent() == 1


async def test_a_refusal_shows_its_reason(tmp_path: Path, database: str) -> None:
    async with scene(tmp_path, database) as s:
        s.twilio.behave(Modes(answer="400", code=21610))
        view = await s.comes_to(await s.reply(), "failed")
        assert "21610" in view["reason"]
        s.twilio.behave(Modes(outcome="undelivered"))
        view = await s.comes_to(await s.reply("second"), "failed")
        assert view["reason"]


async def test_too_many_requests_wait_as_told_and_send_once(tmp_path: Path, database: str) -> None:
    async with scene(tmp_path, database) as s:
        s.twilio.behave(Modes(answer="429", retry_after_s=30, once=True))
        message = await s.reply()
        await s.desk.until(
            lambda _: any(e.status == 429 for e in s.twilio.log), "the provider said 429"
        )
        await s.here.hub.delivery.idle()
        s.clock.advance(29)
        assert s.sent() == 0
        s.clock.advance(2)
        await s.comes_to(message, "delivered")
        assert s.sent() == 1


async def test_a_message_that_is_tried_again_later_says_so(tmp_path: Path, database: str) -> None:
    async with scene(tmp_path, database) as s:
        s.twilio.behave(Modes(answer="429", retry_after_s=30, once=True))
        message = await s.reply()
        view = await s.desk.until(
            lambda d: (m := d.of("message", message)).get("retry") and m, "it says so"
        )
        due = s.clock.now() + timedelta(seconds=30)
        assert view["state"] == "sending"
        assert (datetime.fromisoformat(view["retry"]["at"]), view["retry"]["attempts"]) == (due, 1)
        path = f"/conversations/{s.conversation}/timeline"
        assert (await s.ann.call("GET", path))["entries"][-1] == view
        s.clock.advance(31)
        view = await s.comes_to(message, "delivered")
        assert view["retry"] is None


@pytest.mark.parametrize("answer", ["500", "garbage", "cut"])
async def test_an_unknown_outcome_is_settled_by_the_callback(tmp_path: Path, answer: str) -> None:
    async with scene(tmp_path, "") as s:
        s.twilio.behave(Modes.model_validate({"answer": answer, "taken": True, "once": True}))
        message = await s.reply()
        await s.comes_to(message, "delivered")
        assert s.sent() == 1


async def test_an_unknown_outcome_is_settled_by_one_look(tmp_path: Path, database: str) -> None:
    async with scene(tmp_path, database) as s:
        s.twilio.behave(Modes(answer="cut", taken=True, callbacks=False, once=True))
        message = await s.reply()
        view = await s.comes_to(message, "unknown")
        assert view["reason"]
        s.clock.advance(25)
        await s.desk.until(
            lambda d: d.of("message", message)["state"] in {"sent", "delivered"}, "settled"
        )
        assert s.sent() == 1


async def test_what_nobody_knows_stays_unknown_and_is_never_sent_again(
    tmp_path: Path, database: str
) -> None:
    async with scene(tmp_path, database) as s:
        first = await s.reply("same words")
        await s.comes_to(first, "delivered")
        s.twilio.behave(Modes(answer="500", taken=False, once=True))
        second = await s.reply("same words")
        await s.comes_to(second, "unknown")
        s.clock.advance(25)
        await s.desk.until(lambda _: any(e.what == "list" for e in s.twilio.log), "one look")
        third = await s.reply("later words")
        await s.comes_to(third, "delivered")
        assert s.desk.of("message", second)["state"] == "unknown"
        assert s.sent("same words") == 1


async def test_wrong_credentials_pause_the_account_and_tell(tmp_path: Path) -> None:
    async with scene(tmp_path, "") as s:
        s.twilio.token = "another token"
        message = await s.reply()
        await s.desk.until(lambda _: s.here.hub.registry.broken.get("sms"), "the account is shown")
        s.twilio.token = TOKEN
        s.clock.advance(301)
        await s.comes_to(message, "delivered")
        assert s.sent() == 1


async def test_a_broken_provider_slows_no_other_recipient_and_keeps_order(tmp_path: Path) -> None:
    async with scene(tmp_path, "") as s:
        s.twilio.behave(Modes(answer="hang", taken=True, once=True))
        hanging = await s.reply("first")
        await s.comes_to(hanging, "sending")
        behind = await s.reply("second")
        await s.here.sms("+819055500199", "another customer")
        other = Scene(s.here, s.twilio, s.clock)
        other.ann, other.desk = s.ann, s.desk
        other.conversation = await accepted(s.ann, s.desk)
        await other.comes_to(await other.reply("to the other"), "delivered")
        assert s.desk.of("message", behind)["state"] == "queued"
