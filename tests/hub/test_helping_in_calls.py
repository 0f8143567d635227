"""Colleagues and supervisors in a call: they are busy meanwhile, and may be lost as others are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.lost import Lost
from madoguchi.clock import ManualClock
from madoguchi.conversations.calls.tables import call_event
from madoguchi.conversations.tables import work_item
from tests.hub.test_opening_hours import rows
from tests.hub.test_turning_away import DAY
from tests.hub.test_web_call import BOTH, Line, answered, joined, lost_ones, visitor
from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for


class Talk:
    """Ann talks with a customer, and Ben is there."""

    def __init__(self, here: Running, line: Line, people: tuple[Person, Person]) -> None:
        self.here, self.line = here, line
        self.ann, self.ben = people
        self.path = f"/calls/{line.id}"

    @classmethod
    async def begin(cls, here: Running) -> tuple[Talk, Stream, Stream]:
        line = Line(here, await visitor(here))
        await line.begin()
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        await answered(ann, desk, line)
        return cls(here, line, (ann, ben)), desk, await ben.available()

    async def consult(self) -> None:
        """Ann asks Ben."""
        await self.ann.call("POST", f"{self.path}/consult", {"agent": self.ben.id})

    def load(self, person: Person) -> Any:
        """What the router has on a person."""
        engine = self.here.hub.router._engine
        assert engine is not None
        return engine.load(person.id)


async def test_who_is_asked_for_advice_has_no_room_meanwhile(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        talk, _, his = await Talk.begin(here)
        await talk.consult()
        await joined(talk.ben, his, talk.line)
        await wait_for(lambda: talk.load(talk.ben).exclusive, "Ben is in a call")
        widget = await Widget(here).start()
        await widget.send("hello")
        await wait_for(lambda: _waiting(here), "it waits")
        assert his.all("offer") == []
        await talk.ann.call("POST", f"{talk.path}/hang_up")
        await his.until(lambda s: s.all("offer"), "then he is asked")
        await widget.close()
        await talk.line.widget.close()


async def _waiting(here: Running) -> bool:
    """Tell whether the router has looked for somebody for a text, and found nobody."""
    items = [one["id"] for one in await rows(here, work_item) if one["kind"] == "text"]
    return any(here.hub.router.position(id) for id in items)


async def test_helping_is_known_after_a_restart(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        talk, _, his = await Talk.begin(here)
        await talk.consult()
        await joined(talk.ben, his, talk.line)
        await wait_for(lambda: talk.load(talk.ben).exclusive, "Ben is in a call")
        here.hub.router._drop()
        await here.hub.router.ready()
        assert talk.load(talk.ben).exclusive
        await talk.line.widget.close()


async def test_a_colleague_who_does_not_come_leaves_the_customer_to_the_agent(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        talk, desk, his = await Talk.begin(here)
        await talk.consult()
        await his.until(lambda s: talk.line.leg(s, talk.ben), "he is rung")
        assert talk.line.leg(desk)["held"]
        lost = lost_ones(here, clock)
        clock.advance(44)
        await lost.look()
        assert talk.line.leg(desk, talk.ben)["state"] == "ringing"
        clock.advance(1)
        await lost.look()
        await wait_for(lambda: len(talk.line.shown["hears"]) == BOTH, "she talks on")
        (gone,) = [leg for leg in _legs(desk, talk) if leg["agent"] == talk.ben.id]
        assert (gone["state"], gone["why"]) == ("ended", "no_answer")
        await talk.line.widget.close()


async def test_a_colleague_whose_desk_is_gone_leaves_the_call(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        talk, desk, his = await Talk.begin(here)
        await talk.consult()
        await joined(talk.ben, his, talk.line)
        await his.close()
        await wait_for(lambda: not here.hub.desk.connected(talk.ben.id), "his desk is gone")
        lost: Lost = lost_ones(here, clock)
        await lost.look()
        clock.advance(29)
        await lost.look()
        assert talk.line.leg(desk)["held"]
        clock.advance(1)
        await lost.look()
        await wait_for(lambda: len(talk.line.shown["hears"]) == BOTH, "she talks on")
        (gone,) = [leg for leg in _legs(desk, talk) if leg["agent"] == talk.ben.id]
        assert gone["why"] == "lost"
        await talk.line.widget.close()


def _legs(desk: Stream, talk: Talk) -> list[dict[str, Any]]:
    return [dict(leg) for leg in desk.of("call", talk.line.id)["legs"]]


async def test_what_happens_once_is_kept_once(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        talk, _, _ = await Talk.begin(here)
        for _ in range(3):
            assert (await talk.line.act("agree"))["ok"]
        assert (await talk.line.act("mute"))["ok"]
        await wait_for(lambda: _kinds(here, "leg.muted"), "all has come")
        assert len(await _kinds(here, "agreed")) == 1
        await talk.line.widget.close()


async def _kinds(here: Running, kind: str) -> list[Any]:
    return [one for one in await rows(here, call_event) if one["kind"] == kind]


async def test_who_chats_with_a_visitor_is_asked_when_they_call(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await visitor(here)
        ann = await here.person("ann")
        desk = await ann.available()
        await widget.send("hello")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "the chat")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        ben = await here.person("ben")
        his = await ben.available()
        line = await Line(here, widget).begin()
        call = await desk.until(
            lambda s: next((o for o in s.all("offer") if o["channel"] == "voice"), None),
            "the call is hers to take",
        )
        assert call["conversation"] == offer["conversation"]
        assert his.all("offer") == []
        await answered(ann, desk, line)
        await widget.close()
