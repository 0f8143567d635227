"""Who waits on the telephone may press a key to be called back, and keeps their place."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import message, work_item
from madoguchi.demo.twilio_phone import Phone
from madoguchi.flows.words import words
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import CUSTOMER, over
from tests.hub.test_phone_carrying import talking
from tests.hub.test_phone_line import heard
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, telephones
from tests.support.waiting import wait_for

OFFERS = "[queue.orders.callback]\nafter = 60\n"
SPOKEN = "0 9 0 5 5 5 0 0 1 8 7"


async def in_line(center: Telephones) -> tuple[Phone, str]:
    """Let somebody wait; return their telephone and their call."""
    phone = center.phone(CUSTOMER)
    line = phone.dial(NUMBER)
    await phone.hear()
    call = await center.call_of(line)
    await items(center, "waiting")
    return phone, call


async def items(center: Telephones, *states: str) -> list[dict[str, object]]:
    """Return the items once their states are these, in the order of their age."""

    async def there() -> list[dict[str, object]]:
        found = [dict(row) for row in await rows(center.here, work_item)]
        found.sort(key=lambda row: (str(row["enqueued_at"]), str(row["id"])))
        return found if [row["state"] for row in found] == list(states) else []

    return await wait_for(there, f"items that are {states}")


async def test_wish_keeps_the_place(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, OFFERS, clock=clock, database=database) as center:
        phone, _ = await in_line(center)
        (first,) = await items(center, "waiting")
        clock.advance(100)
        await phone.press("*")
        (asked,) = await phone.hear()
        assert SPOKEN in asked
        await phone.press("1")
        (noted,) = await phone.hear()
        assert SPOKEN in noted
        assert phone.here.state == "ended"
        assert await over(center) == ["ended"]
        called, wish = await items(center, "cancelled", "waiting")
        assert (called["kind"], wish["kind"]) == ("call", "text")
        assert wish["enqueued_at"] == first["enqueued_at"]
        assert (wish["queue"], wish["conversation"]) == ("orders", first["conversation"])
        texts = [p.get("text", "") for r in await rows(center.here, message) for p in r["parts"]]
        assert any("090-5550-0187" in text for text in texts)
        assert center.voice.errors == []


async def test_who_thinks_better_of_it_is_back_in_the_same_place(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, OFFERS, clock=clock) as center:
        phone, call = await in_line(center)
        for _ in range(2):
            clock.advance(5)
            await phone.press("*")
            assert len(await phone.hear()) == 1
            for _ in range(2):
                clock.advance(5)
                await phone.stay_silent()
                await phone.hear()
            assert phone.here.state == "conference"
        ann = await center.here.person("ann")
        desk = await ann.available()
        await items(center, "offered")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        clock.advance(5)
        softphone = await center.join(ann, desk, phone.here)
        await desk.until(lambda s: s.of("call", call)["state"] == "talking", "they talk")
        assert phone.hears() == {softphone.address}
        clock.advance(5)
        await phone.hang_up()
        await wait_for(lambda: softphone.here.state == "ended", "the agent is out, too")
        assert await over(center) == ["ended"]
        assert (await ann.call("GET", f"/calls/{call}"))["why"] == "hung_up"


async def test_key_on_hold_leads_back_when_the_hold_is_over(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, OFFERS, clock=clock) as center:
        customer, mine, ann, desk, call = await talking(center)
        theirs = next(leg["id"] for leg in desk.of("call", call)["legs"] if not leg["agent"])
        clock.advance(5)
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/hold")
        await wait_for(lambda: not customer.hears(), "the customer is held")
        clock.advance(5)
        silences: asyncio.Queue[None] = asyncio.Queue()

        async def silence(_: float) -> None:
            await silences.get()

        center.voice.pause = silence
        await customer.press("*")
        for _ in range(3):
            assert not customer.hears(), "nothing of what is talked about meanwhile"
            silences.put_nowait(None)
        assert mine.here.state == "conference"
        clock.advance(5)
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/resume")
        silences.put_nowait(None)
        await wait_for(lambda: customer.hears() == {mine.address}, "they talk on")
        assert (await ann.call("GET", f"/calls/{call}"))["state"] == "talking"
        assert center.voice.errors == []


async def test_key_is_named_where_a_call_is_offered(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, OFFERS, clock=clock) as center:
        _, call = await in_line(center)
        assert words("ja")["star"] not in await heard(center, call, "ja")
        clock.advance(61)
        assert words("ja")["star"] in await heard(center, call, "ja")


async def test_key_is_none_where_no_call_is_offered(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        phone, call = await in_line(center)
        clock.advance(61)
        assert words("ja")["star"] not in await heard(center, call, "ja")
        await phone.press("*")
        assert (phone.lost, phone.here.state) == (["*"], "conference")


@pytest.mark.parametrize("seed", range(3))
async def test_callbacks_in_any_order_end_in_the_same(tmp_path: Path, seed: int) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, OFFERS, clock=clock) as center:
        center.answering(shuffled=True, doubled=True, seed=seed)
        phone, _ = await in_line(center)
        for _ in range(2):
            clock.advance(3)
            await phone.press("*")
            await phone.hear()
        clock.advance(3)
        for _ in range(2):
            await phone.stay_silent()
            await phone.hear()
        clock.advance(3)
        await phone.hang_up()
        await center.voice.quiet()
        assert await over(center) == ["ended"]
        await items(center, "abandoned")
