"""The Phone page's part of the hub: who called whom, who is called by number alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hub.test_dialling import JAPAN
from tests.hub.test_phone_call import CUSTOMER, FLOW, over
from tests.support.hubs import NUMBER, Person, Stream
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for

OTHERS = """
[queue.elsewhere]
name = "Elsewhere"
[team.apart]
name = "Apart"
serves = [{ queue = "elsewhere" }]
[agent.otto]
name = "Otto"
teams = ["apart"]
"""


async def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    """Return calls as a person's page shows them."""
    return list((await person.call("GET", f"/calls{query}"))["calls"])


async def talked(center: Telephones, ann: Person, desk: Stream) -> None:
    """Let a customer call, talk with Ann and hang up."""
    phone = center.phone(CUSTOMER)
    line = phone.dial(NUMBER, name="サトウ ミサキ")
    await phone.hear()
    await phone.press("1")
    await phone.hear()
    offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    await ann.call("POST", f"/offers/{offer['id']}/accept")
    await center.join(ann, desk, line)
    await desk.until(lambda s: [c for c in s.all("call") if c["state"] == "talking"], "they talk")
    await phone.hang_up()
    await over(center)


async def missed(center: Telephones) -> None:
    """Let a customer call whom nobody answers."""
    phone = center.phone("+819055500999")
    phone.dial(NUMBER)
    await phone.hear()
    await phone.press("1")
    await phone.hear()
    await phone.hang_up()
    await wait_for(lambda: ended(center, 2), "both are over")


async def ended(center: Telephones, count: int) -> bool:
    """Tell whether so many calls are over."""
    return [row["state"] for row in await center.calls()] == ["ended"] * count


async def test_recent_calls_are_those_that_one_had_or_may_know(
    tmp_path: Path, database: str
) -> None:
    async with telephones(tmp_path, FLOW, database=database) as center:
        await center.here.configure(OTHERS)
        ann, ben = await center.here.person("ann"), await center.here.person("ben")
        otto, sue = await center.here.person("otto"), await center.here.person("sue")
        desk = await ann.available()
        await talked(center, ann, desk)
        await ann.call("PUT", "/agents/me/presence", {"presence": "away"})
        center.here.hub.clock.advance(60)  # type: ignore[attr-defined]
        await missed(center)

        (mine,) = await listed(ann)
        assert (mine["direction"], mine["why"], mine["by"]) == ("in", "hung_up", "phone")
        assert (mine["address"], mine["agents"]) == (CUSTOMER, ["Ann"])
        assert mine["customer"]["name"] == "サトウ ミサキ"
        assert mine["answered_at"] is not None
        assert await listed(ben) == []
        (lost,) = await listed(ben, "?of=missed")
        assert (lost["address"], lost["answered_at"]) == ("+819055500999", None)
        assert [one["id"] for one in await listed(sue, "?of=all")] == [lost["id"], mine["id"]]
        for of in ("mine", "missed", "all"):
            assert await listed(otto, f"?of={of}") == []

        first = await ben.call("GET", "/calls?of=all&limit=1")
        second = await ben.call("GET", f"/calls?of=all&limit=1&before={first['before']}")
        assert [one["id"] for one in first["calls"] + second["calls"]] == [lost["id"], mine["id"]]
        third = await ben.call("GET", f"/calls?of=all&limit=1&before={second['before']}")
        assert third == {"calls": [], "before": None}
        for cursor in ("nonsense", "WzEsICJ4Il0="):
            status, answer = await ben.raw("GET", f"/calls?before={cursor}")
            assert (status, answer["code"]) == (422, "bad_cursor")


async def test_number_is_called_that_has_no_conversation_yet(tmp_path: Path, database: str) -> None:
    async with telephones(tmp_path, FLOW + JAPAN, database=database) as center:
        ann = await center.here.person("ann")
        status, answer = await ann.raw("POST", "/calls", {"number": "090-5550-0187"})
        assert (status, answer["code"]) == (409, "signed_out")
        desk = await ann.available()
        whom = await ann.call("GET", "/calls/whom?number=090-5550-0187")
        assert whom == {
            "number": CUSTOMER,
            "shown": "090-5550-0187",
            "country": "JP",
            "zone": "",
            "customer": None,
        }
        for number in ("110", "+12125550123"):
            status, answer = await ann.raw("POST", "/calls", {"number": number})
            assert (status, answer["code"]) == (409, "not_dialled")
        made = await ann.call("POST", "/calls", {"number": "090-5550-0187"})
        leg = await desk.until(lambda s: leg_of(s, made["call"], ann.id), "Ann is rung")
        assert leg["party"] == "agent"
        shown = await ann.call("GET", f"/conversations/{made['conversation']}")
        assert (shown["queue"], shown["state"]) == ("orders", "open")
        status, answer = await ann.raw("POST", "/calls", {"number": "090-5550-0188"})
        assert (status, answer["code"]) == (409, "in_call")
        await ann.call("POST", f"/calls/{made['call']}/hang_up")
        await wait_for(lambda: ended(center, 1), "it is over")
        (one,) = await listed(ann)
        assert (one["direction"], one["address"]) == ("out", CUSTOMER)
        again = await ann.call("POST", "/calls", {"number": CUSTOMER})
        assert again["conversation"] == made["conversation"], "the same matter, in wrap-up"


async def test_number_of_a_known_customer_is_called_in_their_conversation(
    tmp_path: Path, database: str
) -> None:
    async with telephones(tmp_path, FLOW + JAPAN, database=database) as center:
        await center.here.configure(OTHERS)
        assert await center.here.sms(CUSTOMER, "ご連絡ください") < 300
        ann, otto = await center.here.person("ann"), await center.here.person("otto")
        desk, _ = await ann.connect(), await otto.available()
        await ann.call("PUT", "/agents/me/presence", {"presence": "away"})
        (item,) = await desk.until(lambda s: s.all("item"), "it waits")
        path = f"/calls/whom?number={CUSTOMER.replace('+', '%2B')}"
        assert (await ann.call("GET", path))["customer"] is not None
        assert (await otto.call("GET", path))["customer"] is None
        made = await ann.call("POST", "/calls", {"number": CUSTOMER})
        assert made["conversation"] == item["conversation"]
        await desk.until(lambda s: s.of("item", item["id"]).get("owner") == ann.id, "it is Ann's")
        status, answer = await otto.raw("POST", "/calls", {"number": CUSTOMER})
        assert status == 200, answer
        assert answer["conversation"] != item["conversation"], "Otto knows nothing of the other"
