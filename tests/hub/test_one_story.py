"""One customer on one day: a text at 10:00, a chat at 13:00, a call at 15:00, with three agents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.web_chat import sign_identity
from madoguchi.clock import ManualClock
from tests.hub.test_chat import accepted
from tests.support.hubs import NUMBER, Person, Running, Stream, Widget
from tests.support.telephones import telephones

CUSTOMER = "+819055500187"
CAT = """
[agent.cat]
name = "Cat"
skills = { order = 3 }
teams = ["front"]
"""
TEN, ONE, THREE = (datetime(2026, 11, 25, hour, tzinfo=UTC) for hour in (1, 4, 6))
"""In Tokyo: 10:00, 13:00 and 15:00."""


async def reply(person: Person, conversation: str, text: str) -> None:
    path = f"/conversations/{conversation}/messages"
    await person.call("POST", path, {"mode": "reply", "text": text})


async def leave(person: Person) -> None:
    """Go off shift."""
    await person.call("PUT", "/agents/me/presence", {"presence": "offline"})


async def story(person: Person, conversation: str) -> list[str]:
    """Return what a person reads of the customer, oldest first: texts, and calls as their sign."""
    page = await person.call("GET", f"/conversations/{conversation}/timeline")
    return [_read(one["parts"][0]) for one in page["entries"]]


def _read(part: dict[str, Any]) -> str:
    return "☎" if part["type"] == "system" and part["code"] == "call" else str(part.get("text"))


async def identified(here: Running, name: str) -> Widget:
    """Let the customer come to the shop's page, signed in there."""
    widget = await Widget(here).start()
    now = here.hub.clock.now().isoformat()
    claim = {"id": "c-1", "name": name, "phone": "090-5550-0187", "mail": "", "issued_at": now}
    signature = sign_identity("shop-secret", "c-1", name, claim["phone"], "", now)
    assert await widget.call("identify", {**claim, "signature": signature}) == {"ok": True}
    return widget


async def test_each_agent_sees_everything_before(tmp_path: Path, database: str) -> None:
    clock = ManualClock(TEN)
    async with telephones(tmp_path, CAT, database=database, clock=clock) as center:
        here = center.here
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms(CUSTOMER, "配送を明日に変えられますか")
        by_text = await accepted(ann, desk)
        await reply(ann, by_text, "承りました。")
        await leave(ann)

        clock.advance((ONE - TEN).total_seconds())
        ben = await here.person("ben")
        desk = await ben.available()
        widget = await identified(here, "佐藤 美咲")
        await widget.send("やはり今日に戻せますか")
        by_chat = await accepted(ben, desk)
        before = ["配送を明日に変えられますか", "承りました。", "やはり今日に戻せますか"]
        assert await story(ben, by_chat) == before
        await reply(ben, by_chat, "お調べしてお電話します。")
        await widget.close()
        await leave(ben)

        clock.advance((THREE - ONE).total_seconds())
        cat = await here.person("cat")
        desk = await cat.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        offer = await rings(desk)
        assert offer["customer"]["name"] == "佐藤 美咲"
        seen = {one["preview"] for one in offer["open"]} | {offer["preview"]}
        assert {"承りました。", "お調べしてお電話します。"} <= seen, "before she takes it"
        await cat.call("POST", f"/offers/{offer['id']}/accept")
        softphone = await center.join(cat, desk, line)
        assert phone.hears() == {softphone.address}
        told = [*before, "お調べしてお電話します。", "☎"]
        assert await story(cat, offer["conversation"]) == told
        await phone.hang_up()


async def rings(desk: Stream) -> dict[str, Any]:
    """Wait for a call's offer, which has the whole customer with it."""
    found = await desk.until(
        lambda s: next((one for one in s.all("offer") if one["channel"] == "voice"), None), "a call"
    )
    return dict(found)
