"""Queues that are full, and waits that are over: what becomes of texts and of who wrote them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.i18n import catalogue
from madoguchi.security.secrets import new_key
from madoguchi.security.tables import audit
from tests.hub.test_opening_hours import OFFICE, rows
from tests.support.hubs import NUMBER, SID, Running, SilentTwilio, Widget, hub_running
from tests.support.ports import free_port
from tests.support.waiting import wait_for

PHONES = [f"+81905550{n:04d}" for n in range(20)]
DAY = datetime(2026, 11, 26, 2, tzinfo=UTC)
"""Thursday, 11:00 in Tokyo."""
OURS = catalogue("ja")["turnedAway"]


async def ended(here: Running, state: str = "abandoned") -> list[Any]:
    """Return the items that ended so."""
    return list(await rows(here, work_item, work_item.c.state == state))


async def filled(here: Running, number: int) -> None:
    """Let so many texts wait."""
    for phone in PHONES[:number]:
        await here.sms(phone, "hello")

    async def stored() -> bool:
        known = await rows(here, work_item, work_item.c.routing.is_not(None))
        return len(known) == number == waiting(here)

    await wait_for(stored, "they wait, and the router has written so")


def waiting(here: Running) -> int:
    """Return how many wait as the router knows them."""
    engine = here.hub.router._engine
    return sum(map(engine.number_waiting, ("orders", "returns"))) if engine is not None else 0


async def test_who_finds_no_place_is_told_so_once(tmp_path: Path, database: str) -> None:
    clock, twilio = ManualClock(DAY), SilentTwilio()
    async with hub_running(tmp_path, database=database, clock=clock, twilio=twilio) as here:
        await here.configure("[queue.orders]\nmax_waiting = 2")
        await filled(here, 2)
        await here.sms(PHONES[7], "is anybody there?")
        await wait_for(lambda: twilio.got, "the answer has gone out")
        assert [(sent["To"], sent["Body"]) for sent in twilio.got] == [(PHONES[7], OURS["full"])]
        (item,) = await ended(here)
        (one,) = await rows(here, conversation, conversation.c.id == item["conversation"])
        assert (one["state"], one["unanswered_since"]) == ("closed", None)
        said = await rows(here, message, message.c.conversation == one["id"])
        assert sorted((m["direction"], m["author"]) for m in said) == [
            ("in", "customer"),
            ("out", "system"),
        ]
        (noted,) = await rows(here, audit, audit.c.action == "conversation.full")
        assert noted["object"] == f"item:{item['id']}"

        await here.sms(PHONES[7], "hello?")

        async def again() -> bool:
            return len(await ended(here)) == 2

        await wait_for(again, "the second text")
        assert len(twilio.got) == 1, "told twice within ten minutes"
        clock.advance(601)
        await here.sms(PHONES[7], "hello??")
        await wait_for(lambda: len(twilio.got) == 2, "told again")

        sue = await here.person("sue")
        (orders,) = [
            one for one in (await sue.call("GET", "/board"))["queues"] if one["queue"] == "orders"
        ]
        assert (orders["abandoned"], orders["service_level"]) == (3, 0.0), (
            "they have not been served"
        )

        ann = await here.person("ann")
        desk = await ann.available()
        await desk.until(lambda s: len(s.all("offer")) == 2, "those who wait are served")
        await here.sms(PHONES[7], "and now?")
        await desk.until(lambda s: len(s.all("offer")) == 3, "there is place again")


async def test_a_full_queue_passes_on_and_says_nothing(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock(DAY)) as here:
        await here.configure(
            '[queue.orders]\nmax_waiting = 1\nfull = { to_queue = "returns" }\n'
            "[queue.returns]\nmax_waiting = 1"
        )
        await filled(here, 2)
        waiting = await rows(here, work_item, work_item.c.state == "waiting")
        assert sorted(one["queue"] for one in waiting) == ["orders", "returns"]
        assert await rows(here, message, message.c.direction == "out") == []
        await here.sms(PHONES[9], "and I?")
        await wait_for(lambda: ended(here), "both are full")
        assert len(await rows(here, message, message.c.direction == "out")) == 1


async def test_a_visitor_reads_why_in_the_queues_words(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock(DAY)) as here:
        await here.configure(
            "[queue.orders]\nmax_waiting = 0\n"
            'full = { text = "ただいま満席です。", text_en = "We are full." }'
        )
        widget = await Widget(here).start()
        try:
            await widget.send("hello")

            def read() -> bool:
                return any("満席" in str(one) for one in widget.views.values())

            await wait_for(read, "the words")
        finally:
            await widget.close()


async def test_a_wait_ends_and_is_excused(tmp_path: Path, database: str) -> None:
    clock, twilio, port = ManualClock(DAY), SilentTwilio(), free_port()
    same: dict[str, Any] = {"clock": clock, "port": port, "secret_keys": new_key()}
    async with hub_running(tmp_path, database=database, twilio=twilio, **same) as here:
        await here.configure("[queue.orders]\nmax_wait_s = 300")
        await filled(here, 1)
        clock.advance(299)
    async with hub_running(tmp_path, database=database, twilio=twilio, **same) as here:
        await wait_for(lambda: waiting(here) == 1, "it waits again")
        clock.advance(30)
        await wait_for(lambda: waiting(here) == 1, "desks have time to connect again")
        assert await ended(here) == []
        clock.advance(31)
        await wait_for(lambda: ended(here), "the wait is over")
        (sent,) = await wait_for(lambda: twilio.got, "the customer is told")
        assert sent["Body"] == OURS["waited_too_long"]


async def test_a_wait_that_ends_after_closing_time_says_so(tmp_path: Path, database: str) -> None:
    clock, twilio = ManualClock(DAY.replace(hour=2, minute=57)), SilentTwilio()
    async with hub_running(tmp_path, database=database, clock=clock, twilio=twilio) as here:
        await here.configure(f"{OFFICE}max_wait_s = 300\nfull = {{ text = '混雑' }}")
        await filled(here, 1)
        clock.advance(301)
        await wait_for(lambda: ended(here), "the wait is over")
        (sent,) = await wait_for(lambda: twilio.got, "the customer is told")
        assert sent["Body"] == OURS["closed"].format(opens="11月26日（木） 13:00")


async def test_a_shorter_limit_ends_nothing_that_waits(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure("[queue.orders]\nmax_wait_s = 3600")
        await filled(here, 1)
        clock.advance(1800)
        await here.configure("[queue.orders]\nmax_wait_s = 60")
        await here.sms(PHONES[5], "later")
        await wait_for(lambda: waiting(here) == 2, "both wait")
        clock.advance(61)
        (item,) = await wait_for(lambda: ended(here), "the later one")
        assert item["enqueued_at"] > DAY.replace(minute=20)


async def test_by_night_everybody_may_wait(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY.replace(hour=12))
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(OFFICE)
        await here.configure("[queue.orders]\nmax_wait_s = 60\nmax_waiting = 1")
        await filled(here, 2)
        clock.advance(6 * 3600)
        ann = await here.person("ann")
        desk = await ann.available()
        await desk.until(lambda s: len(s.all("offer")) == 2, "they are there in the morning")
        assert await ended(here) == []


async def test_a_machine_is_told_nothing(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock(DAY)) as here:
        await here.configure("[queue.orders]\nmax_waiting = 0")
        stop = {"MessageSid": f"SM{1:032x}", "AccountSid": SID, "To": NUMBER, "Body": "STOP"}
        await here.hook("/hooks/sms", {**stop, "From": PHONES[0], "OptOutType": "STOP"})
        await wait_for(lambda: ended(here), "the item")
        assert await rows(here, message, message.c.direction == "out") == []
