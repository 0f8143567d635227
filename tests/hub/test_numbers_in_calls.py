"""Numbers that an agent calls into a call: asked for advice, talked with together, handed to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madoguchi.conversations.tables import work_item
from madoguchi.demo.twilio_phone import Phone
from madoguchi.security.tables import audit
from tests.hub.test_dialling import JAPAN
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import CUSTOMER, FLOW
from tests.hub.test_web_call import Line, answered, visitor
from tests.support.hubs import NUMBER, Person, Stream, hub_running
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for

MAKER = "+81311112222"


@dataclass
class Talk:
    """Ann talks with a customer by telephone; the maker has a telephone, too."""

    center: Telephones
    ann: Person
    desk: Stream
    customer: Phone
    softphone: Phone
    maker: Phone
    id: str

    async def bring_in(self, **more: Any) -> None:
        """Have the maker's telephone ring."""
        await self.ann.call("POST", f"/calls/{self.id}/number", {"number": MAKER, **more})

    async def act(self, act: str) -> None:
        """Do something in the call."""
        await self.ann.call("POST", f"/calls/{self.id}/{act}")

    def leg(self) -> dict[str, Any]:
        """Return the maker's leg as the desk sees it."""
        legs = self.desk.of("call", self.id)["legs"]
        return next((dict(one) for one in legs if one["party"] == "number"), {})

    async def refused(self, **body: Any) -> str:
        """Return why a number is not called in."""
        status, answer = await self.ann.raw("POST", f"/calls/{self.id}/number", body)
        assert status == 409, answer
        return str(answer["code"])

    async def work(self) -> str:
        """Return the state of the call's work."""
        (item,) = [one for one in await rows(self.center.here, work_item) if one["kind"] == "call"]
        return str(item["state"])


@asynccontextmanager
async def talking(folder: Path, database: str = "") -> AsyncIterator[Talk]:
    async with telephones(folder, FLOW + JAPAN, database=database) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        customer = center.phone(CUSTOMER)
        line = customer.dial(NUMBER)
        await customer.hear()
        await customer.press("1")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        softphone = await center.join(ann, desk, line)
        id = await center.call_of(line)
        await desk.until(lambda s: s.of("call", id)["state"] == "talking", "they talk")
        yield Talk(center, ann, desk, customer, softphone, center.phone(MAKER), id)
        assert center.voice.errors == []


async def test_number_is_asked_talks_with_all_and_leaves(tmp_path: Path, database: str) -> None:
    async with talking(tmp_path, database) as talk:
        await talk.bring_in()
        await talk.maker.answer()
        await wait_for(lambda: talk.maker.hears() == {talk.softphone.address}, "she asks")
        assert talk.customer.hears() == set()
        await talk.desk.until(lambda _: talk.leg().get("state") == "connected", "it is there")
        await talk.act("conference")
        await wait_for(lambda: talk.customer.hears() == {talk.softphone.address, MAKER}, "all talk")
        await talk.act(f"legs/{talk.leg()['id']}/end")
        await wait_for(lambda: talk.maker.here.state == "ended", "the maker is out")
        assert talk.customer.hears() == {talk.softphone.address}
        await talk.customer.hang_up()
        noted = [row["action"] for row in await rows(talk.center.here, audit)]
        assert "call.number" in noted


async def test_call_is_handed_to_who_was_asked(tmp_path: Path, database: str) -> None:
    async with talking(tmp_path, database) as talk:
        await talk.bring_in()
        await talk.maker.answer()
        await talk.desk.until(lambda _: talk.leg().get("state") == "connected", "it is there")
        await talk.act("transfer")
        await wait_for(lambda: talk.customer.hears() == {MAKER}, "customer and maker talk")
        await wait_for(lambda: talk.softphone.here.state == "ended", "the agent is out")
        assert talk.desk.of("call", talk.id)["handed"]

        async def wraps_up() -> bool:
            return await talk.work() == "wrap_up"

        await wait_for(wraps_up, "her work is to be wrapped up")
        matter = talk.desk.of("call", talk.id)["conversation"]
        await talk.ann.call("POST", f"/conversations/{matter}/wrap-up", {"code": "solved"})
        assert talk.customer.hears() == {MAKER}, "the call outlives her work"
        await talk.maker.hang_up()
        await wait_for(lambda: talk.customer.here.state == "ended", "then it is over")
        shown = await talk.ann.call("GET", f"/calls/{talk.id}")
        assert (shown["state"], shown["why"]) == ("ended", "hung_up")


async def test_call_is_theirs_as_soon_as_they_answer(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.bring_in(hand_over=True)
        await talk.desk.until(lambda _: talk.leg().get("dialled"), "it rings")
        assert leg_of(talk.desk, talk.id, talk.ann.id), "until then she has the customer"
        await talk.maker.answer()
        await wait_for(lambda: talk.customer.hears() == {MAKER}, "customer and maker talk")
        await wait_for(lambda: talk.softphone.here.state == "ended", "the agent is out")
        await talk.customer.hang_up()
        await wait_for(lambda: talk.maker.here.state == "ended", "the maker's line, too")


async def test_end_of_what_was_handed_over_leaves_the_next_call_alone(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.bring_in(hand_over=True)
        await talk.maker.answer()
        await wait_for(lambda: talk.customer.hears() == {MAKER}, "customer and maker talk")

        async def wraps_up() -> bool:
            return await talk.work() == "wrap_up"

        await wait_for(wraps_up, "her work is to be wrapped up")
        matter = talk.desk.of("call", talk.id)["conversation"]
        body = {"number": "+81322223333"}
        next = (await talk.ann.call("POST", f"/conversations/{matter}/call", body))["call"]
        await talk.maker.hang_up()
        await wait_for(lambda: talk.customer.here.state == "ended", "the other one is over")
        shown = await talk.ann.call("GET", f"/calls/{next}")
        assert shown["state"] == "waiting"
        assert await talk.work() == "assigned"
        await talk.ann.call("POST", f"/calls/{next}/hang_up")


@pytest.mark.parametrize("hand_over", [False, True])
async def test_customer_of_whom_nobody_takes_over_stays_with_the_agent(
    tmp_path: Path, hand_over: bool
) -> None:
    async with talking(tmp_path) as talk:
        await talk.bring_in(hand_over=hand_over)
        await talk.maker.end_ringing("busy")
        await talk.desk.until(lambda _: talk.leg().get("why") == "busy", "she is told why")
        await wait_for(lambda: talk.customer.hears() == {talk.softphone.address}, "they talk on")
        assert await talk.work() == "assigned"
        await talk.customer.hang_up()


async def test_what_is_refused(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        assert await talk.refused(number="0990-123456") == "not_dialled"
        assert await talk.refused(number="+1 212 555 0123") == "not_dialled"
        await talk.bring_in()
        assert await talk.refused(number=MAKER) == "call_full"
        ben = await talk.center.here.person("ben")
        path = f"/calls/{talk.id}/consult"
        status, answer = await talk.ann.raw("POST", path, {"agent": ben.id})
        assert (status, answer["code"]) == (409, "call_full")
        await talk.customer.hang_up()


async def test_calls_of_a_web_site_take_no_numbers(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        await answered(ann, await ann.available(), line)
        status, answer = await ann.raw("POST", f"/calls/{line.id}/number", {"number": MAKER})
        assert (status, answer["code"]) == (409, "cannot_call")
        await line.widget.close()
