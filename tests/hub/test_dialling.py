"""Calls that agents make: from the click until wrap-up, whatever the other side does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madoguchi.bus import Hints
from madoguchi.clock import Clock, ManualClock
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls.dialling import Dialled, place
from madoguchi.conversations.tables import work_item
from madoguchi.demo.twilio_phone import Phone
from madoguchi.security.tables import audit
from madoguchi.store.opening import open_sqlite
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import CUSTOMER, FLOW, over, waiting
from tests.hub.test_web_call import lost_ones
from tests.support.hubs import NUMBER, Person, Stream, hub_running
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for

JAPAN = '[account.phone.settings]\ndial_countries = ["JP"]\n'


@dataclass
class Asked:
    """A customer's wish to be called back waits, and an agent is there."""

    center: Telephones
    ann: Person
    desk: Stream
    phone: Phone
    conversation: str

    async def dial(self, **body: Any) -> str:
        """Call; return the call's id."""
        body = body or {"number": CUSTOMER}
        answer = await self.ann.call("POST", f"/conversations/{self.conversation}/call", body)
        return str(answer["call"])

    async def refused(self, **body: Any) -> str:
        """Return why a call is refused."""
        path = f"/conversations/{self.conversation}/call"
        status, answer = await self.ann.raw("POST", path, body)
        assert status == 409
        return str(answer["code"])

    async def come_in(self, id: str) -> Phone:
        """Let the agent's browser come into a call as pages let it."""
        leg = await self.desk.until(lambda s: leg_of(s, id, self.ann.id), "the agent is rung")
        found = await self.ann.call("GET", f"/calls/{id}/legs/{leg['id']}/softphone")
        softphone = self.center.phone(f"client:{self.ann.id}")
        softphone.connect(found["token"], {"ticket": found["ticket"]})
        return softphone

    async def state(self, id: str, state: str) -> dict[str, Any]:
        """Return a call once the desk sees it in a state."""
        await self.desk.until(lambda s: s.of("call", id).get("state") == state, state)
        return dict(await self.ann.call("GET", f"/calls/{id}"))

    async def works(self) -> list[tuple[object, object, object]]:
        """Return the kinds, states and owners of all work."""
        found = await rows(self.center.here, work_item)
        return sorted((row["kind"], row["state"], row["owner"]) for row in found)

    async def work(self, state: str) -> None:
        """Return once the call's work is in a state."""

        async def there() -> bool:
            return ("call", state, self.ann.id) in await self.works()

        await wait_for(there, f"the call's work is {state}")


@asynccontextmanager
async def asked(
    folder: Path, database: str = "", clock: Clock | None = None
) -> AsyncIterator[Asked]:
    """Run a center in which a customer has asked to be called back."""
    async with telephones(folder, FLOW + JAPAN, database=database, clock=clock) as center:
        yield await wished(center)


async def wished(center: Telephones) -> Asked:
    """Let a customer ask to be called back by a center with the flow."""
    phone = center.phone(CUSTOMER)
    phone.dial(NUMBER)
    await phone.hear()
    for key in ("3", "1"):
        await phone.press(key)
        await phone.hear()
    (item,) = await waiting(center, 1)
    await over(center)
    ann = await center.here.person("ann")
    desk, conversation = await ann.available(), str(item["conversation"])
    opened = {"conversation": conversation}
    assert (await desk.client.call("open", opened, namespace="/agent"))["ok"]
    return Asked(center, ann, desk, phone, conversation)


async def test_agent_calls_and_both_talk(tmp_path: Path, database: str) -> None:
    async with asked(tmp_path, database) as here:
        id = await here.dial()
        shown = await here.state(id, "waiting")
        assert (shown["direction"], shown["by"]) == ("out", "phone")
        assert ("text", "assigned", here.ann.id) in await here.works()
        await here.work("assigned")
        softphone = await here.come_in(id)
        await here.phone.answer()
        shown = await here.state(id, "talking")
        assert here.phone.hears() == {softphone.address}
        assert softphone.hears() == {CUSTOMER}
        assert await here.refused(number=CUSTOMER) == "in_call"
        await here.phone.hang_up()
        shown = await here.state(id, "ended")
        assert shown["why"] == "hung_up"
        await here.work("wrap_up")
        entries = [row["action"] for row in await rows(here.center.here, audit)]
        assert "call.dial" in entries
        assert here.center.voice.errors == []


@pytest.mark.parametrize(
    ("status", "why"), [("busy", "busy"), ("no-answer", "no_answer"), ("failed", "failed")]
)
async def test_who_is_not_reached_is_called_again(tmp_path: Path, status: str, why: str) -> None:
    async with asked(tmp_path) as here:
        id = await here.dial()
        await here.come_in(id)
        await here.phone.end_ringing(status)
        shown = await here.state(id, "ended")
        assert shown["why"] == why
        assert [leg["why"] for leg in shown["legs"] if leg["party"] == "customer"] == [why]
        await here.work("wrap_up")
        again = await here.dial()
        assert again != id
        await here.work("assigned")
        await here.come_in(again)
        await here.phone.answer()
        await here.state(again, "talking")
        assert len([one for one in await here.works() if one[0] == "call"]) == 1


async def test_agent_who_hangs_up_while_it_rings_stops_the_ringing(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        id = await here.dial()
        softphone = await here.come_in(id)
        await here.phone.ringing()
        await here.ann.call("POST", f"/calls/{id}/hang_up")
        shown = await here.state(id, "ended")
        assert shown["why"] == "hung_up"
        await wait_for(lambda: here.phone.here.state == "ended", "it rings no longer")
        await wait_for(lambda: softphone.here.state == "ended", "the agent is out")
        await here.work("wrap_up")


async def test_number_that_the_provider_refuses_ends_with_the_refusal(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        id = await here.dial()
        await here.desk.until(lambda s: leg_of(s, id, here.ann.id), "the agent is rung")
        here.center.answering(answer="400")
        await here.come_in(id)
        shown = await here.state(id, "ended")
        assert shown["why"] == "refused"
        await here.work("wrap_up")


async def test_provider_of_which_nobody_knows_is_asked_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        id = await here.dial()
        await here.desk.until(lambda s: leg_of(s, id, here.ann.id), "the agent is rung")
        here.center.answering(answer="500", once=True)
        await here.come_in(id)
        await here.desk.until(
            lambda s: any(leg["dialled"] for leg in s.of("call", id).get("legs", [])), "dialled"
        )
        here.center.here.hub.clock.advance(60)  # type: ignore[attr-defined]
        await here.ann.call("POST", f"/calls/{id}/hang_up")
        await here.work("wrap_up")
        called = [c for c in here.center.voice.calls.values() if c.called == CUSTOMER]
        assert len(called) == 1


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("0990-123456", "not_dialled"),
        ("0570-000-000", "not_dialled"),
        ("+1 212 555 0123", "not_dialled"),
        ("110", "not_dialled"),
        ("+882161234567", "not_dialled"),
    ],
)
async def test_numbers_that_are_not_called(tmp_path: Path, number: str, why: str) -> None:
    async with asked(tmp_path) as here:
        assert await here.refused(number=number) == why
        assert [kind for kind, _, _ in await here.works()] == ["text"]


async def test_account_without_browsers_calls_nobody(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        assert await here.refused(number=CUSTOMER, account="web") == "cannot_call"
        await here.center.here.configure('[account.phone.settings]\ntwiml_app_sid = ""')
        assert await here.refused(number=CUSTOMER) == "cannot_call"


async def test_who_may_not_pull_may_not_call(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        await here.dial()
        ben = await here.center.here.person("ben")
        await ben.available()
        status, answer = await ben.raw(
            "POST", f"/conversations/{here.conversation}/call", {"number": CUSTOMER}
        )
        assert (status, answer["code"]) in {(409, "not_your_conversation"), (404, "not_found")}


async def test_call_of_which_the_router_has_not_heard_is_the_agent_s_after_a_start(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with asked(tmp_path, clock=clock) as here:
        conversation, agent = here.conversation, here.ann.id
        account = here.center.connector.account.id
        actor = here.center.here.hub.configuration.catalog.actor(agent)
    assert actor is not None
    store = await open_sqlite(tmp_path / "madoguchi.db", Hints())
    dialled = Dialled(conversation, account, CUSTOMER)
    await store.write(lambda: place(actor, dialled, clock.now(), clock.new_id))
    await store.close()
    async with hub_running(tmp_path, clock=clock) as hub:

        async def theirs() -> bool:
            found = await rows(hub, work_item)
            return ("call", "assigned", agent) in [
                (row["kind"], row["state"], row["owner"]) for row in found
            ]

        await wait_for(theirs, "the call is the agent's")


async def test_two_dials_at_one_moment_are_one_call(tmp_path: Path, database: str) -> None:
    async with telephones(tmp_path, JAPAN, database=database) as center:
        hub, ann = center.here.hub, await center.here.person("ann")
        actor = hub.configuration.catalog.actor(ann.id)
        assert actor is not None
        for n in range(8):
            assert await center.here.sms(f"+8190555001{n:02}", "電話をください") == 204
        waits = [str(item["conversation"]) for item in await waiting(center, 8)]

        async def dialled(conversation: str) -> str:
            to = Dialled(conversation, center.connector.account.id, CUSTOMER)
            now, new_id = hub.clock.now(), hub.clock.new_id
            try:
                await hub.store.write(lambda: place(actor, to, now, new_id))
            except Refusal as why:
                return why.code
            return "made"

        answers = await asyncio.gather(*map(dialled, waits))
        assert sorted(answers) == ["in_call"] * 7 + ["made"]


async def test_call_into_which_its_agent_does_not_come_is_nobodys(tmp_path: Path) -> None:
    clock = ManualClock()
    async with asked(tmp_path, clock=clock) as here:
        id = await here.dial()
        await here.desk.until(lambda s: leg_of(s, id, here.ann.id), "the agent is rung")
        ben = await here.center.here.person("ben")
        his = await ben.available()
        clock.advance(45)
        await lost_ones(here.center.here, clock).look()
        shown = await here.state(id, "ended")
        assert shown["why"] == "no_media"
        await here.work("wrap_up")
        assert his.all("offer") == [], "nobody is on the line"


async def test_who_helps_in_a_call_makes_none(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        id = await here.dial()
        await here.come_in(id)
        await here.phone.answer()
        await here.state(id, "talking")
        ben = await here.center.here.person("ben")
        await ben.available()
        await here.ann.call("POST", f"/calls/{id}/consult", {"agent": ben.id})
        status, answer = await ben.raw("POST", "/calls", {"number": "+819055500999"})
        assert (status, answer["code"]) == (409, "in_call")
