"""Closed queues in a whole hub: what customers are told, where contacts go, who may close."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.store.tables import outbox
from madoguchi.store.work import Work
from tests.support.hubs import NUMBER, SID, Running, SilentTwilio, Widget, hub_running
from tests.support.waiting import wait_for

NIGHT = datetime(2026, 11, 26, 12, tzinfo=UTC)
"""Thursday, 21:00 in Tokyo."""
OFFICE = """
[hours.office]
name = "Office"
time_zone = "Asia/Tokyo"
holidays = "JP"
[hours.office.week]
mon = [["9:00", "12:00"], ["13:00", "18:00"]]
tue = [["9:00", "12:00"], ["13:00", "18:00"]]
thu = [["9:00", "12:00"], ["13:00", "18:00"]]
fri = [["9:00", "12:00"], ["13:00", "18:00"]]
[queue.orders]
hours = "office"
"""
HANDS_ON = """
[queue.orders]
outside = { action = "queue", to_queue = "returns" }
"""


async def rows(here: Running, what: Any, *where: Any) -> list[Mapping[str, Any]]:
    """Return rows of the database."""

    def unit() -> Work[list[Any]]:
        return list((yield select(what).where(*where)))

    return [dict(row._mapping) for row in await here.hub.store.read(unit)]


async def test_by_night_an_sms_is_answered_once_and_waits(tmp_path: Path, database: str) -> None:
    clock, twilio = ManualClock(NIGHT), SilentTwilio()
    async with hub_running(tmp_path, database=database, clock=clock, twilio=twilio) as here:
        await here.configure(OFFICE)
        for body in ("hello", "is anybody there?"):
            await here.sms("+819055500100", body)
        await wait_for(lambda: twilio.got, "the answer has gone out")
        ann = await here.person("ann")
        stream = await ann.available()
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "it waits as usual")
        assert made["queue"] == "orders"

        async def both() -> bool:
            return len(await rows(here, message, message.c.direction == "in")) == 2

        await wait_for(both, "both texts")
        (one,) = await rows(here, conversation)
        assert one["unanswered_since"] == NIGHT
        assert (one["state"], one["preview_author"]) == ("open", "customer")
        (said,) = await rows(here, message, message.c.direction == "out")
        assert (said["author"], said["agent"]) == ("system", None)
        assert [sent["To"] for sent in twilio.got] == ["+819055500100"]
        assert "11月27日（金） 9:00" in twilio.got[0]["Body"]


async def test_what_twilio_has_answered_itself_is_not_answered(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock(NIGHT)) as here:
        await here.configure(OFFICE)
        stop = {"MessageSid": f"SM{1:032x}", "AccountSid": SID, "To": NUMBER, "Body": "STOP"}
        await here.hook("/hooks/sms", {**stop, "From": "+819055500100", "OptOutType": "STOP"})
        await wait_for(lambda: rows(here, work_item), "the item")
        assert await rows(here, message, message.c.direction == "out") == []


async def test_by_day_nothing_is_said(tmp_path: Path, database: str) -> None:
    clock = ManualClock(NIGHT + timedelta(hours=12, minutes=30))
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(OFFICE)
        await here.sms("+819055500100", "hello")
        await wait_for(lambda: rows(here, work_item), "the item")
        assert await rows(here, message, message.c.direction == "out") == []
        assert await rows(here, outbox) == []


async def test_contacts_go_to_another_queue_while_theirs_is_closed(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock(NIGHT)) as here:
        await here.configure(OFFICE)
        await here.configure(HANDS_ON)
        ann = await here.person("ann")
        stream = await ann.available()
        await here.sms("+819055500100", "hello")
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert made["queue"] == "returns"
        (one,) = await rows(here, conversation)
        assert one["queue"] == "returns"
        assert await rows(here, message, message.c.direction == "out") == []


async def test_a_supervisor_closes_a_queue_at_once_and_the_history_says_so(
    tmp_path: Path, database: str
) -> None:
    twilio = SilentTwilio()
    async with hub_running(tmp_path, database=database, twilio=twilio) as here:
        sue, ann, adam = [await here.person(name) for name in ("sue", "ann", "adam")]
        closing = {"closed": True, "reason": "台風のため"}
        assert (await ann.raw("PUT", "/queues/orders/closed", closing))[0] == 403
        assert (await sue.raw("PUT", "/queues/nowhere/closed", closing))[0] == 404
        answer = await sue.call("PUT", "/queues/orders/closed", closing)
        assert (answer["open"], answer["why"], answer["opens"]) == (False, "by_hand", None)
        await here.sms("+819055500100", "hello")
        await wait_for(lambda: twilio.got, "the answer has gone out")
        assert "受付を停止しています" in twilio.got[0]["Body"]
        newest = (await adam.call("GET", "/config/versions"))["versions"][0]
        assert (newest["author_name"], newest["reason"]) == ("Sue", "台風のため")
        assert newest["changes"][0]["fields"] == {"closed": [False, True]}
        await adam.call("PUT", "/queues/orders/closed", {"closed": False})
        queues = (await ann.call("GET", "/queues"))["queues"]
        assert {q["key"]: q["open"] for q in queues} == {"orders": True, "returns": True}


async def test_a_visitor_sees_the_hours_and_is_told_in_the_chat(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock(NIGHT)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        widget = Widget(here)
        _, about = await widget.rest("GET", "")
        assert (about["open"], about["opens"]) == (True, None)
        await here.configure(OFFICE)
        _, about = await widget.rest("GET", "")
        assert (about["open"], about["time_zone"]) == (False, "Asia/Tokyo")
        assert datetime.fromisoformat(about["opens"]) == datetime(2026, 11, 27, 0, tzinfo=UTC)
        assert [topic["open"] for topic in about["topics"]] == [True]
        await widget.start()
        try:
            await widget.send("hello")
            await wait_for(lambda: len(widget.messages()) == 2, "the answer")
            mine, told = widget.messages()
            assert (mine["author"], told["author"], told["agent"]) == ("customer", "system", "")
            assert "9:00" in told["parts"][0]["text"]
            assert widget.conversation()["state"] == "waiting"
            assert widget.holes == 0
        finally:
            await widget.close()
        clock.advance(13 * 3600)
        assert (await widget.rest("GET", ""))[1]["open"] is True
        await here.configure(f"{HANDS_ON}closed = true")
        assert (await widget.rest("GET", ""))[1]["open"] is True, "another queue answers"


@pytest.mark.parametrize(
    ("body", "why", "day_en"),
    [
        ({}, "weekly", ""),
        ({"days": [{"date": "2026-11-26", "name": "棚卸し", "name_en": "Stock"}]}, "day", "Stock"),
        ({"days": [{"date": "2026-11-26", "hours": [["20:00", "24:00"]]}]}, None, ""),
    ],
)
async def test_hours_are_tried_before_they_are_saved(
    tmp_path: Path, body: dict[str, Any], why: str | None, day_en: str
) -> None:
    async with hub_running(tmp_path, clock=ManualClock(NIGHT)) as here:
        adam = await here.person("adam")
        hours = {"name": "x", "holidays": "JP", **body}
        found = await adam.call("POST", "/hours/preview", {"body": hours})
        assert (found["why"], found["day_en"]) == (why, day_en)
        assert found["holidays"][0] == {
            "date": "2027-01-01",
            "name": "元日",
            "name_en": "New Year's Day",
        }
        wrong = {"body": {**hours, "week": {"mon": [["9", "10:00"]]}}}
        status, problem = await adam.raw("POST", "/hours/preview", wrong)
        assert status == 422
        assert problem["faults"][0]["place"] == "hours.preview.week.mon.0.0"
