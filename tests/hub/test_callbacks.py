"""Customers who are called instead of waiting: offered, asked for, tried again, reached or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from madoguchi.clock import ManualClock
from madoguchi.conversations.callbacks import ASKED
from madoguchi.conversations.closing import close
from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.i18n import catalogue
from madoguchi.security.secrets import new_key
from madoguchi.security.tables import audit
from madoguchi.store.inbox import InboxState
from madoguchi.store.tables import inbox, log
from madoguchi.store.work import Work
from tests.hub.test_board_tables import table
from tests.hub.test_opening_hours import NIGHT, OFFICE, rows
from tests.hub.test_turning_away import DAY, PHONES, ended, filled
from tests.support.hubs import Person, Running, SilentTwilio, Stream, Widget, hub_running
from tests.support.ports import free_port
from tests.support.waiting import wait_for

WORDS = catalogue("ja")["callback"]
CALLS = """
[queue.orders]
callback = { after = 120, retry_s = 600 }
wrap_up = []
"""
NUMBER, SHOWN = "+819012345678", "090-1234-5678"


def bodies(twilio: SilentTwilio, to: str) -> list[str]:
    """Return what a telephone was sent."""
    return [sent["Body"] for sent in twilio.got if sent["To"] == to]


def offered(widget: Widget) -> Mapping[str, Any]:
    """Return what the visitor sees of a call."""
    views = [one for (entity, _), one in widget.views.items() if entity == "conversation"]
    return (views[0].get("callback") or {}) if views else {}


async def item_of(here: Running) -> Mapping[str, Any]:
    """Return the only work item."""
    (item,) = await rows(here, work_item)
    return item


async def wishes(here: Running, wish: str) -> bool:
    """Tell whether the router has stored that the only item stands so with a call."""
    item = await item_of(here)
    return bool((item["routing"] or {}).get("callback") == wish)


async def waited(here: Running, clock: ManualClock, widget: Widget) -> tuple[str, int]:
    """Let a visitor wait until a call is offered; return their item and how far the log is."""
    await widget.send("hello")
    await wait_for(lambda: rows(here, work_item, work_item.c.routing.is_not(None)), "it waits")
    clock.advance(120)
    await wait_for(lambda: offered(widget).get("state") == "offered", "the offer")
    return (await item_of(here))["id"], here.hub.tail.head


async def end_stored(here: Running, clock: ManualClock, item: str, place: int) -> None:
    """Store the end of a wait as the router does that has read the log as far as ``place``."""
    (one,) = await rows(here, conversation)

    def end() -> Work[None]:
        over = {"state": "abandoned", "closed_at": clock.now()}
        yield update(work_item).where(work_item.c.id == item).values(over)
        yield from close({one["id"]: place}, clock.now(), clock.new_id, {}, {})

    await here.hub.store.write(end)


async def called_anew(here: Running, before: str) -> None:
    """Wait until new work is there for the call, as old as the wait of ``before``."""

    async def wanted() -> Any:
        known = await rows(here, work_item, work_item.c.id != before)
        return [one for one in known if (one["routing"] or {}).get("callback") == "asked"]

    (item,) = await wait_for(wanted, "new work waits for the call")
    (one,) = await rows(here, conversation)
    assert (one["state"], one["closed_at"]) == ("open", None)
    assert one["context"]["callback"]["item"] == item["id"]
    assert item["enqueued_at"] == DAY, "and is as old as the wait"


async def asked(here: Running, clock: ManualClock, widget: Widget) -> None:
    """Let a visitor wait until a call is offered, and ask for it."""
    await waited(here, clock, widget)
    answer = await widget.call("callback", {"act": "ask", "number": "090-1234-5678"})
    assert answer == {"ok": True}
    await wait_for(lambda: wishes(here, "asked"), "the router has heard of it")


async def taken(person: Person, stream: Stream) -> str:
    """Let an agent accept the next offer; return the conversation."""
    offer = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    await person.call("POST", f"/offers/{offer['id']}/accept")
    id = str(offer["conversation"])
    await stream.until(lambda s: s.of("conversation", id).get("owner") == person.id, "it is hers")
    return id


async def test_a_visitor_is_called_after_the_page_is_closed(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        await asked(here, clock, widget)
        await wait_for(lambda: offered(widget).get("state") == "asked", "they see it")
        assert (offered(widget)["number"], offered(widget)["shown"]) == (NUMBER, SHOWN)
        said = WORDS["asked"].format(number=SHOWN)
        await wait_for(lambda: said in str(widget.views), "they are told so")
        assert (await widget.call("leave", {}))["ok"]
        await widget.close()
        clock.advance(3600)

        ann = await here.person("ann")
        desk = await ann.available()
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert offer["callback"]["number"] == NUMBER
        assert offer["enqueued_at"] == f"{DAY:%Y-%m-%dT%H:%M:%S}Z", "its place is kept"
        id = await taken(ann, desk)
        assert await ended(here) == []
        status, refused = await ann.raw("POST", f"/conversations/{id}/end", {"inbound_seq": 1})
        assert (status, refused["code"]) == (409, "callback_open")
        assert (await item_of(here))["assigned_at"] is None, "nobody was reached yet"

        await ann.call("POST", f"/conversations/{id}/callback", {"outcome": "missed"})
        await desk.until(lambda s: s.all("item")[0]["state"] == "waiting", "it waits again")
        item = desk.all("item")[0]
        again = clock.now() + timedelta(seconds=600)
        assert (item["calls"], item["not_before"]) == (1, f"{again:%Y-%m-%dT%H:%M:%S}Z")


async def test_in_vain_then_reached(tmp_path: Path, database: str) -> None:
    clock, port = ManualClock(DAY), free_port()
    same: dict[str, Any] = {"clock": clock, "port": port, "secret_keys": new_key()}
    async with hub_running(tmp_path, database=database, **same) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        await asked(here, clock, widget)
        ann = await here.person("ann")
        id = await taken(ann, await ann.available())
        clock.advance(60)
        await ann.call("POST", f"/conversations/{id}/callback", {"outcome": "missed"})
        told = WORDS["missed"].format(number=SHOWN, minutes=10)
        await wait_for(lambda: told in str(widget.views), "the visitor is told")
        await wait_for(lambda: offered(widget).get("calls") == 1, "and sees it")
        await widget.close()
    async with hub_running(tmp_path, database=database, **same) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        clock.advance(599)
        await here.sms(PHONES[0], "a later one")
        await desk.until(lambda s: len(s.all("offer")) == 1, "the later one is offered")
        assert desk.all("offer")[0]["callback"] is None
        clock.advance(1)
        offers = await desk.until(lambda s: len(s.all("offer")) == 2 and s.all("offer"), "again")
        (again,) = [one for one in offers if one["callback"]]
        assert again["callback"]["calls"] == 1
        await ann.call("POST", f"/offers/{again['id']}/accept")
        clock.advance(30)
        await ann.call("POST", f"/conversations/{id}/callback", {"outcome": "reached"})
        await desk.until(lambda s: s.of("conversation", id)["context"]["callback"]["state"], "kept")
        (item,) = await rows(here, work_item, work_item.c.conversation == id)
        assert item["waited_us"] == (120 + 60 + 600 + 30) * 10**6
        sue = await here.person("sue")
        board = await sue.call("GET", "/board")
        (orders,) = [one for one in board["queues"] if one["queue"] == "orders"]
        assert (orders["answered"], orders["abandoned"]) == (1, 0)
        await ann.call("POST", f"/conversations/{id}/end", {"inbound_seq": 1})
        done = await rows(here, audit, audit.c.object == f"item:{item['id']}")
        actions = {one["action"].removeprefix("conversation.") for one in done}
        assert {
            "callback_offered",
            "callback_asked",
            "callback_missed",
            "callback_reached",
        } <= actions


async def test_by_text_the_address_is_called(tmp_path: Path, database: str) -> None:
    clock, twilio = ManualClock(DAY), SilentTwilio()
    me = PHONES[0]
    async with hub_running(tmp_path, database=database, clock=clock, twilio=twilio) as here:
        await here.configure(CALLS)
        await here.configure("[queue.orders]\nmax_wait_s = 300")
        await filled(here, 1)
        await here.sms(me, "電話")
        clock.advance(120)
        await wait_for(lambda: twilio.got, "the offer has gone out")
        how = WORDS["howKnown"].format(number="090-5550-0000")
        assert bodies(twilio, me) == [f"{WORDS['offer']}\n{how}"]

        await here.sms(me, "電話 110")
        await wait_for(lambda: WORDS["wrong"] in bodies(twilio, me), "kindly refused")
        await here.sms(me, "電話")
        await wait_for(lambda: wishes(here, "asked"), "the router has heard of it")
        await here.sms(me, "電話 03-1234-5678")
        changed = WORDS["changed"].format(number="03-1234-5678")
        await wait_for(lambda: any(changed in one for one in bodies(twilio, me)), "changed")
        clock.advance(400)
        sue = await here.person("sue")
        board = await sue.call("GET", "/board")
        (orders,) = [one for one in board["queues"] if one["queue"] == "orders"]
        assert (orders["waiting"], orders["callbacks"], orders["abandoned"]) == (1, 1, 0)

        rows_told = await table(sue, "/board/table?of=queues&language=en")
        assert rows_told[0]["To call back"] == "1"

        await here.sms(me, "電話不要")
        await wait_for(lambda: wishes(here, "offered"), "the wish is taken back")
        await wait_for(lambda: WORDS["cancelled"] in bodies(twilio, me), "and they know")
        clock.advance(301)
        await wait_for(lambda: ended(here), "it waits as others do")


async def test_nobody_is_reached_and_they_are_told(tmp_path: Path, database: str) -> None:
    clock, twilio = ManualClock(DAY), SilentTwilio()
    async with hub_running(tmp_path, database=database, clock=clock, twilio=twilio) as here:
        await here.configure(CALLS)
        await here.configure("[queue.orders]\ncallback = { after = 120, attempts = 1 }")
        await filled(here, 1)
        clock.advance(120)
        await wait_for(lambda: twilio.got, "the offer has gone out")
        await here.sms(PHONES[0], "電話")
        await wait_for(lambda: wishes(here, "asked"), "the router has heard of it")
        ann = await here.person("ann")
        id = await taken(ann, await ann.available())
        path = f"/conversations/{id}/callback"
        status, refused = await ann.raw("POST", path, {"outcome": "missed"})
        assert (status, refused["code"]) == (409, "no_more_calls")
        await ann.call("POST", path, {"outcome": "given_up"})
        sorry = catalogue("ja")["turnedAway"]["callback_given_up"]
        await wait_for(lambda: sorry in bodies(twilio, PHONES[0]), "the customer is told")
        item = await item_of(here)
        assert (item["state"], item["assigned_at"]) == ("done", None)
        (one,) = await rows(here, conversation)
        assert (one["state"], one["context"]["callback"]["state"]) == ("closed", "given_up")
        sue = await here.person("sue")
        board = await sue.call("GET", "/board")
        (orders,) = [one for one in board["queues"] if one["queue"] == "orders"]
        assert (orders["answered"], orders["abandoned"], orders["waiting"]) == (0, 0, 0)
        by = await rows(here, audit, audit.c.action == "conversation.callback_given_up")
        assert [row["actor"] for row in by] == [ann.id]


async def test_by_night_a_call_is_offered_at_once(tmp_path: Path, database: str) -> None:
    clock = ManualClock(NIGHT)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(OFFICE)
        await here.configure('[queue.orders]\noutside = { action = "callback" }')
        widget = await Widget(here).start()
        await widget.send("hello")
        await wait_for(lambda: offered(widget).get("state") == "offered", "offered")
        told = await rows(here, message, message.c.direction == "out")
        assert WORDS["offerClosed"] in told[0]["parts"][0]["text"]
        await widget.call("callback", {"act": "decline"})
        await wait_for(lambda: offered(widget).get("state") == "declined", "not now")
        answer = await widget.call("callback", {"act": "ask", "number": "+1 415 555 2671"})
        assert answer["ok"]
        await wait_for(lambda: wishes(here, "asked"), "then after all")
        (one,) = await rows(here, conversation)
        mark = one["context"]["callback"]
        assert (mark["country"], mark["zone"]) == ("US", "America/Los_Angeles")
        await widget.call("callback", {"act": "cancel"})
        await wait_for(lambda: wishes(here, "offered"), "and not")
        await widget.close()


async def test_what_cannot_be_called_is_refused(tmp_path: Path) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, clock=clock) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        for number in ("119", "0990-123456", "0570-000-000", "hello", ""):
            answer = await widget.call("callback", {"act": "ask", "number": number})
            assert answer["code"] == "wrong_number", number
        assert (await widget.call("callback", {"act": "shout"}))["code"] == "invalid"
        assert (await widget.call("callback", {"act": "ask", "number": 7}))["code"] == "invalid"
        await widget.send("hello")
        await wait_for(lambda: rows(here, work_item), "it waits")
        assert (await widget.call("callback", {"act": "ask", "number": NUMBER}))["ok"]
        known = await rows(here, log, log.c.type == "conversation.callback_asked")
        assert known == [], "nothing was offered"
        await widget.close()


async def test_who_is_served_is_offered_nothing(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(CALLS)
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms(PHONES[0], "hello")
        await taken(ann, desk)
        clock.advance(121)
        await here.sms(PHONES[1], "電話")
        await desk.until(lambda s: s.all("offer"), "the next one")
        assert await rows(here, message, message.c.direction == "out") == []


async def test_who_asks_at_the_moment_when_the_wait_ends_is_called(
    tmp_path: Path, database: str
) -> None:
    """The router has decided to end the wait, and stores so behind the click."""
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        before, place = await waited(here, clock, widget)
        await widget.call("callback", {"act": "ask", "number": "090-1234-5678"})
        await wait_for(lambda: rows(here, log, log.c.type == ASKED), "the click is stored")
        await end_stored(here, clock, before, place)
        await called_anew(here, before)
        await widget.close()


async def test_who_asks_just_after_the_wait_has_ended_is_called(
    tmp_path: Path, database: str
) -> None:
    """The page still showed the offer: the click met the news of the end on its way."""
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        before, place = await waited(here, clock, widget)
        await end_stored(here, clock, before, place)
        clock.advance(3)
        await widget.call("callback", {"act": "ask", "number": "090-1234-5678"})
        await called_anew(here, before)
        await widget.close()


async def test_a_click_long_after_the_end_begins_nothing(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(CALLS)
        widget = await Widget(here).start()
        before, place = await waited(here, clock, widget)
        await end_stored(here, clock, before, place)
        clock.advance(60)
        await widget.call("callback", {"act": "ask", "number": "090-1234-5678"})

        async def read() -> bool:
            return not await rows(here, inbox, inbox.c.state == InboxState.WAITING)

        await wait_for(read, "the click was read")
        assert [one["id"] for one in await rows(here, work_item)] == [before]
        await widget.close()
