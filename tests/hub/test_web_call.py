"""Calls from a web site, as the hub sees them: from the first ring to the wrap-up."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from connectors.lost import Lost
from connectors.web_chat import WebChat
from madoguchi.clock import ManualClock
from madoguchi.conversations.calls.tables import call as calls
from madoguchi.conversations.calls.tables import call_event
from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.model.routing import Command
from madoguchi.security.secrets import new_key
from madoguchi.security.tables import audit
from madoguchi.store.inbox import InboxState
from madoguchi.store.tables import inbox
from router.orders import Order
from router.tables import agent_status
from tests.hub.test_opening_hours import rows
from tests.hub.test_turning_away import DAY
from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for

CALLS = """
[account.shop.settings]
calls = "video"
"""
BOTH = 2


class Line:
    """A visitor's call as they and the center see it."""

    def __init__(self, here: Running, widget: Widget) -> None:
        self.here = here
        self.widget = widget
        self.id = here.hub.clock.new_id()

    async def begin(self, media: str = "voice") -> Line:
        """Press the button."""
        answer = await self.act("start", media=media)
        assert answer == {"ok": True}, answer
        await wait_for(lambda: self.shown.get("state"), "the call is there")
        return self

    async def act(self, act: str, **more: Any) -> Any:
        """Do something in the call."""
        return await self.widget.call("call", {"id": self.id, "act": act, **more})

    @property
    def shown(self) -> dict[str, Any]:
        """What the visitor sees of the call."""
        return dict(self.widget.views.get(("call", self.id), {}))

    def leg(self, desk: Stream, person: Person | None = None) -> dict[str, Any]:
        """Return the living leg of a person, or of the customer."""
        for one in desk.of("call", self.id).get("legs", []):
            mine = one["agent"] == person.id if person else one["party"] == "customer"
            if mine and one["state"] != "ended":
                return dict(one)
        return {}


async def visitor(here: Running) -> Widget:
    """Let visitors call, and one come."""
    await here.configure(CALLS)
    return await Widget(here).start()


async def joined(person: Person, desk: Stream, line: Line) -> None:
    """Let the media of a person's leg come up."""
    await desk.until(lambda s: line.leg(s, person), "they are rung")
    leg = line.leg(desk, person)["id"]
    await person.call("POST", f"/calls/{line.id}/legs/{leg}/connected")
    await desk.until(lambda s: line.leg(s, person)["state"] == "connected", "they are there")


async def answered(person: Person, desk: Stream, line: Line) -> str:
    """Let a person accept the call's offer and be connected; return the conversation."""
    offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    assert offer["channel"] in {"voice", "video"}
    await person.call("POST", f"/offers/{offer['id']}/accept")
    await joined(person, desk, line)
    opened = {"conversation": offer["conversation"]}
    assert (await desk.client.call("open", opened, namespace="/agent"))["ok"]
    return str(offer["conversation"])


async def test_a_call_is_answered_held_and_ended(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        assert (line.shown["state"], line.shown["hears"]) == ("waiting", [])
        ann = await here.person("ann")
        desk = await ann.available()
        matter = await answered(ann, desk, line)
        await wait_for(lambda: len(line.shown["hears"]) == BOTH, "they hear each other")
        assert desk.of("conversation", matter)["owner"] == ann.id
        path, customer = f"/calls/{line.id}", line.leg(desk)["id"]

        await ann.call("POST", f"{path}/legs/{customer}/hold")
        await wait_for(lambda: line.shown["hears"] == [], "nobody hears the other")
        clock.advance(30)
        await ann.call("POST", f"{path}/legs/{customer}/resume")
        await wait_for(lambda: len(line.shown["hears"]) == BOTH, "they hear each other again")
        assert line.leg(desk)["held_s"] == 30.0
        assert (await line.act("mute"))["ok"]
        await desk.until(lambda s: line.leg(s)["muted"], "the customer is silent")

        assert (await line.act("end"))["ok"]
        ended = await desk.until(
            lambda s: s.of("call", line.id).get("state") == "ended", "the call is over"
        )
        assert ended
        assert line.shown["why"] == "hung_up"
        (item,) = await rows(here, work_item)
        await wait_for(lambda: _state(here, "wrap_up"), "wrap-up begins")
        assert (item["kind"], item["channel"]) == ("call", "voice")
        await ann.call("POST", f"/conversations/{matter}/wrap-up", {"code": "solved"})
        await wait_for(lambda: _closed(here), "and ends")
        page = await ann.call("GET", f"/conversations/{matter}/timeline")
        assert [one["state"] for one in page["calls"]] == ["ended"]
        lines = [one["parts"] for one in await rows(here, message)]
        assert lines == [[{"type": "system", "code": "call", "data": {"call": line.id}}]]
        await line.widget.close()


async def refused(person: Person, path: str) -> str:
    """Return the code with which an act is refused."""
    status, answer = await person.raw("POST", path)
    assert status == 409, answer
    return str(answer["code"])


async def _state(here: Running, state: str) -> bool:
    return [one["state"] for one in await rows(here, work_item)] == [state]


async def _closed(here: Running) -> bool:
    return [one["state"] for one in await rows(here, conversation)] == ["closed"]


async def test_who_hangs_up_while_waiting_has_abandoned(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        await line.act("end")
        await wait_for(lambda: line.shown["state"] == "ended", "the call is over")
        assert line.shown["why"] == "abandoned"
        await wait_for(lambda: _state(here, "abandoned"), "its work, too")
        await wait_for(lambda: _closed(here), "and the conversation")
        await line.widget.close()


async def test_a_call_outlives_a_reload_but_not_its_browser(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        lost = lost_ones(here, clock)
        await line.widget.client.disconnect()
        await wait_for(lambda: _gone(here, line), "the socket is gone")
        await lost.look()
        clock.advance(29)
        await lost.look()
        again = Widget(here)
        again.token, again.visitor = line.widget.token, line.widget.visitor
        line.widget = await again.start()
        assert line.shown["state"] == "waiting", "the page that is loaded again has the call"
        clock.advance(60)
        await lost.look()
        assert [one["state"] for one in await rows(here, calls)] == ["waiting"]
        await again.client.disconnect()
        await wait_for(lambda: _gone(here, line), "the socket is gone")
        await lost.look()
        clock.advance(30)
        await lost.look()
        assert [one["state"] for one in await rows(here, calls)] == ["ended"]
        await wait_for(lambda: _state(here, "abandoned"), "nobody is asked to answer it")


def lost_ones(here: Running, clock: ManualClock) -> Lost:
    """Return what looks for calls that nobody is in any more."""
    hub = here.hub

    async def ask(command: Command) -> Any:
        return await hub.client.ask(Order(command))

    return Lost(hub.store, hub.relay, clock, lambda: True, hub.registry.by_browser, ask)


async def test_who_takes_a_call_and_does_not_come_in_loses_it(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        await desk.until(lambda s: line.leg(s, ann), "she is rung")
        his = await ben.available()
        lost = lost_ones(here, clock)
        clock.advance(44)
        await lost.look()
        assert line.leg(desk, ann)["state"] == "ringing"
        clock.advance(1)
        await lost.look()
        await answered(ben, his, line)
        await wait_for(lambda: len(line.shown["hears"]) == BOTH, "Ben and the customer talk")
        await line.widget.close()


async def _gone(here: Running, line: Line) -> bool:
    account = here.hub.configuration.catalog.accounts["shop"].id
    return not await here.hub.relay.there(f"visitor:{account}:{line.widget.visitor}")


async def test_a_desk_that_dies_in_a_call_gives_it_to_the_next(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        await answered(ann, desk, line)
        await desk.close()
        await wait_for(lambda: not here.hub.desk.connected(ann.id), "her desk is gone")
        await wait_for(lambda: _agent_gone(here, ann), "the router has heard so")
        his = await ben.available()
        clock.advance(30)
        await answered(ben, his, line)
        legs = {leg["agent"]: leg["why"] for leg in his.of("call", line.id)["legs"]}
        assert legs[ann.id] in {"requeued", "transferred"}
        await wait_for(lambda: len(line.shown["hears"]) == BOTH, "Ben and the customer talk")
        await line.widget.close()


async def _agent_gone(here: Running, person: Person) -> bool:
    found = [one for one in await rows(here, agent_status) if one["agent"] == person.id]
    return found[0]["disconnected_since"] is not None


async def test_a_colleague_is_asked_and_takes_over(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        desk = await ann.available()
        matter = await answered(ann, desk, line)
        ben = await here.person("ben")
        his = await ben.available()
        path = f"/calls/{line.id}"
        assert await refused(ann, f"{path}/transfer") == "nobody_consulted"
        await ann.call("POST", f"{path}/consult", {"agent": ben.id})
        await joined(ben, his, line)
        assert line.leg(desk)["held"], "the customer hears music"
        pairs = {tuple(pair) for pair in his.of("call", line.id)["hears"]}
        mine, theirs = line.leg(desk, ann)["id"], line.leg(desk, ben)["id"]
        assert pairs == {(mine, theirs), (theirs, mine)}
        assert await refused(ben, f"{path}/hang_up") == "not_your_call"

        await ann.call("POST", f"{path}/transfer")
        await his.until(lambda s: line.leg(s, ben).get("party") == "agent", "it is Ben's")
        await wait_for(lambda: len(line.shown["hears"]) == BOTH, "Ben and the customer talk")
        assert not line.leg(his)["held"]
        gone = [one for one in his.of("call", line.id)["legs"] if one["agent"] == ann.id]
        assert [one["why"] for one in gone] == ["transferred"]
        await his.until(lambda s: s.of("conversation", matter).get("owner") == ben.id, "all of it")
        await ben.call("POST", f"{path}/hang_up")
        await wait_for(lambda: _state(here, "wrap_up"), "Ben wraps up")
        await line.widget.close()


async def test_of_two_who_accept_at_once_one_has_the_call(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure("[queue.orders]\noffer_to = 2\n")
        people = [await here.person("ann"), await here.person("ben")]
        desks = [await person.available() for person in people]
        line = Line(here, await visitor(here))
        await line.begin()
        offers = [
            await desk.until(lambda s: next(iter(s.all("offer")), None), "both are asked")
            for desk in desks
        ]
        answers = await asyncio.gather(
            *(
                person.raw("POST", f"/offers/{offer['id']}/accept")
                for person, offer in zip(people, offers, strict=True)
            )
        )
        assert sorted(status for status, _ in answers) == [200, 409]
        assert [body["code"] for status, body in answers if status == 409] == ["taken"]
        first = next(n for n, (status, _) in enumerate(answers) if status == 200)
        await joined(people[first], desks[first], line)
        legs = [leg for leg in line.shown["legs"] if leg["party"] == "agent"]
        assert len(legs) == 1
        await line.widget.close()


async def test_a_call_is_parked_and_picked_up(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        desk = await ann.available()
        matter = await answered(ann, desk, line)
        ben = await here.person("ben")
        his = await ben.available()
        await ann.call("POST", f"/calls/{line.id}/park", {"seconds": 600})
        await wait_for(lambda: line.shown["state"] == "waiting", "the customer hears music")
        assert his.all("offer") == [], "nobody is asked"
        await ben.call("POST", f"/conversations/{matter}/take")
        await joined(ben, his, line)
        await wait_for(lambda: line.shown["state"] == "talking", "Ben has it")
        await line.widget.close()


async def test_the_customer_is_asked_how_it_was(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure("[queue.orders.survey]\nscale = 5\ntext = '応対はいかがでしたか。'\n")
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        desk = await ann.available()
        await answered(ann, desk, line)
        assert line.shown["survey"] is None
        await line.act("end")
        await wait_for(lambda: line.shown["survey"], "they are asked")
        asked = {"from": 1, "to": 5, "text": "応対はいかがでしたか。", "text_en": ""}
        assert line.shown["survey"] == asked
        told = await line.widget.hello(None)
        assert [one["survey"] for one in told["calls"]] == [asked], "after a reload, too"
        assert (await line.act("score", value=11))["code"] == "invalid"
        await line.act("score", value=9)
        assert (await line.act("score"))["code"] == "invalid"
        assert (await line.act("score", value=4))["ok"]
        await wait_for(lambda: line.shown["survey"] is None, "the answer is there")
        await line.act("score", value=1)
        told = {"step": "survey", "name": "score", "value": "4"}
        shown = await ann.call("GET", f"/calls/{line.id}")
        assert shown["answers"] == [told]
        assert (await line.widget.hello(None))["calls"] == []
        await line.widget.close()


async def test_a_supervisor_whispers_and_is_not_shown(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann, sue = await here.person("ann"), await here.person("sue")
        desk = await ann.available()
        await answered(ann, desk, line)
        board = await sue.connect("/supervisor")
        await board.until(lambda s: s.of("call", line.id), "she sees the call")
        path = f"/calls/{line.id}/supervise"
        assert (await ann.raw("POST", path, {"mode": "listen"}))[0] == 403
        await sue.call("POST", path, {"mode": "listen"})
        await joined(sue, board, line)
        hers, customer = line.leg(board, sue)["id"], line.leg(board)["id"]
        assert not any(one == hers for one, _ in board.of("call", line.id)["hears"])
        await sue.call("POST", path, {"mode": "whisper"})
        await board.until(lambda s: line.leg(s, sue)["mode"] == "whisper", "she whispers")
        heard = [to for one, to in board.of("call", line.id)["hears"] if one == hers]
        assert heard == [line.leg(desk, ann)["id"]]
        assert hers not in {leg["id"] for leg in line.shown["legs"]}
        await sue.call("POST", path, {"mode": "barge"})
        await wait_for(lambda: [hers, customer] in line.shown["hears"], "all hear her")
        acts = [r["action"] for r in await rows(here, audit) if r["action"].startswith("call.")]
        assert acts == ["call.listen", "call.whisper", "call.barge"]
        await line.widget.close()


async def test_a_call_beside_a_chat_is_one_conversation(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await visitor(here)
        ann = await here.person("ann")
        desk = await ann.available()
        await widget.send("hello")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        matter = offer["conversation"]
        await desk.until(lambda s: s.of("conversation", matter).get("owner") == ann.id, "hers")
        await ann.call("POST", f"/conversations/{matter}/messages", {"mode": "reply", "text": "hi"})
        line = Line(here, widget)
        await line.begin()
        assert (await rows(here, conversation))[0]["id"] == matter
        assert desk.of("conversation", matter)["owner"] == ann.id
        items = {one["kind"]: one["state"] for one in await rows(here, work_item)}
        assert set(items) == {"text", "call"}
        await line.act("end")
        await wait_for(lambda: line.shown["state"] == "ended", "the call is over")

        async def abandoned() -> bool:
            found = {one["kind"]: one["state"] for one in await rows(here, work_item)}
            return found == {"text": "assigned", "call": "abandoned"}

        await wait_for(abandoned, "the chat goes on")
        (one,) = await rows(here, conversation)
        assert (one["owner"], one["closed_at"]) == (ann.id, None)
        await widget.close()


async def test_a_text_during_a_call_is_its_agents(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        desk = await ann.available()
        matter = await answered(ann, desk, line)
        await line.widget.send("here is the number: 12")

        async def come() -> bool:
            (one,) = await rows(here, conversation)
            return bool(one["inbound_seq"] == 1)

        await wait_for(come, "the text is there")
        assert [one["kind"] for one in await rows(here, work_item)] == ["call"]
        assert (await rows(here, conversation))[0]["id"] == matter
        await line.widget.close()


async def test_signals_go_between_the_legs_of_a_call_only(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        stranger = await Widget(here).start()
        ann = await here.person("ann")
        desk = await ann.available()
        await answered(ann, desk, line)
        mine, customer = line.leg(desk, ann)["id"], line.leg(desk)["id"]
        signal = {
            "call": line.id,
            "from": customer,
            "to": mine,
            "session": "s",
            "seq": 1,
            "data": {"type": "join"},
        }
        assert await line.widget.call("signal", signal) == {"ok": True}
        await wait_for(lambda: desk.signals == [signal], "the desk has it")
        assert line.widget.signals == [signal], "other pages of the visitor hear who has the leg"
        back = {**signal, "from": mine, "to": customer, "data": {"type": "answer"}}
        assert await desk.client.call("signal", back, namespace="/agent") == {"ok": True}
        await wait_for(lambda: line.widget.signals[1:] == [back], "the visitor has it")
        assert desk.signals == [signal], "nothing but a join comes back"
        for wrong in (signal, back):
            assert (await stranger.call("signal", wrong))["code"] == "not_in_call"
        assert (await line.widget.call("signal", back))["code"] == "not_in_call"
        assert (await line.widget.call("signal", {**signal, "seq": "1"}))["code"] == "invalid"
        large = {**signal, "data": {"sdp": "x" * 70_000}}
        assert (await line.widget.call("signal", large))["code"] == "invalid"
        await desk.close()
        assert (await line.widget.call("signal", signal))["code"] == "not_there"
        await line.act("end")
        await wait_for(lambda: line.shown["state"] == "ended", "the call is over")
        assert (await line.widget.call("signal", signal))["code"] == "not_in_call"
        await stranger.close()
        await line.widget.close()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"act": "start", "id": "no"}, "invalid"),
        ({"act": "shout"}, "invalid"),
        ({"act": "start", "media": "smell"}, "invalid"),
        ({"act": "mute", "on": "yes"}, "invalid"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    tmp_path: Path, wrong: dict[str, Any], code: str
) -> None:
    async with hub_running(tmp_path) as here:
        widget = await visitor(here)
        body = {"id": here.hub.clock.new_id(), **wrong}
        assert (await widget.call("call", body))["code"] == code
        assert await rows(here, calls) == []
        await widget.close()


async def test_a_site_without_calls_takes_none(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        widget = await Widget(here).start()
        body = {"id": here.hub.clock.new_id(), "act": "start"}
        assert (await widget.call("call", body))["code"] == "no_calls"
        await here.configure('[account.shop.settings]\ncalls = "voice"\n')
        assert (await widget.call("call", {**body, "media": "video"}))["code"] == "no_calls"
        await widget.close()


async def test_who_calls_again_in_the_wrap_up_is_heard(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        await answered(ann, desk, line)
        await line.act("end")
        await wait_for(lambda: _state(here, "wrap_up"), "wrap-up begins")
        again = await Line(here, line.widget).begin()
        await answered(ben, await ben.available(), again)
        await wait_for(lambda: again.shown["state"] == "talking", "they talk")
        third = Line(here, line.widget)
        assert (await third.act("start"))["ok"]
        await wait_for(lambda: third.shown.get("why") == "busy", "one call at a time")
        await line.widget.close()


async def test_a_text_that_nobody_answered_is_new_work_after_the_call(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        desk = await ann.available()
        matter = await answered(ann, desk, line)
        await line.act("end")
        await wait_for(lambda: _state(here, "wrap_up"), "wrap-up begins")
        await line.widget.send("one more thing")

        async def come() -> bool:
            (one,) = await rows(here, conversation)
            return bool(one["inbound_seq"] == 1)

        await wait_for(come, "the text is there")
        await ann.call("POST", f"/conversations/{matter}/wrap-up", {"code": "solved"})

        async def works() -> bool:
            found = {one["kind"]: one["state"] for one in await rows(here, work_item)}
            return found.get("call") == "done" and found.get("text") in {"waiting", "offered"}

        await wait_for(works, "the text waits for an agent")
        assert [one["state"] for one in await rows(here, conversation)] == ["open"]
        await line.widget.close()


async def test_signs_without_end_are_not_kept(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        account = here.hub.configuration.catalog.accounts["shop"].id
        connector = here.hub.registry.by_id(account)
        assert isinstance(connector, WebChat)
        for burst in range(60):
            events = [
                connector.event(
                    line.widget.visitor, "call", f"m{burst}.{n}", {"call": line.id, "act": act}
                )
                for n, act in enumerate(["mute", "unmute"] * 5)
            ]
            await here.hub.inbox.put(account, events)

        async def read() -> bool:
            return not await rows(here, inbox, inbox.c.state == InboxState.WAITING)

        await wait_for(read, "all was read")
        assert len(await rows(here, call_event)) < 520
        assert (await line.act("end"))["ok"]
        await wait_for(lambda: line.shown["state"] == "ended", "the end counts all the same")
        await line.widget.close()


@pytest.mark.parametrize(
    "odd", [{"act": []}, {"act": {}}, {"media": []}, {"media": {}}, {"on": []}, {"id": {}}]
)
async def test_odd_values_are_answered(tmp_path: Path, odd: dict[str, Any]) -> None:
    async with hub_running(tmp_path) as here:
        widget = await visitor(here)
        body = {"id": here.hub.clock.new_id(), "act": "start", **odd}
        assert (await widget.call("call", body))["code"] == "invalid"
        signal = {"call": here.hub.clock.new_id(), "from": "a", "to": "b", "seq": 1, "data": {}}
        assert (await widget.call("signal", {**signal, "session": "s" * 65}))["code"] == "invalid"
        await widget.close()


async def test_another_visitor_cannot_touch_a_call(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        stranger = Line(here, await Widget(here).start())
        stranger.id = line.id
        assert (await stranger.act("end"))["ok"]
        assert (await stranger.act("start"))["ok"]
        await line.act("mute")
        await wait_for(lambda: _muted(line), "the own act counts")
        assert line.shown["state"] == "waiting"
        assert len(await rows(here, calls)) == 1
        assert not [e for e in await rows(here, call_event) if e["kind"] == "ended"]
        assert not await rows(here, inbox, inbox.c.state == InboxState.DEAD)
        await stranger.widget.close()
        await line.widget.close()


def _muted(line: Line) -> bool:
    return any(leg["muted"] for leg in line.shown.get("legs", []))


@pytest.mark.postgres
async def test_a_call_between_two_processes(tmp_path: Path, pg_database: str) -> None:
    """The visitor's socket is on one process, the agent's on another, the router on either."""
    keys = new_key()
    async with (
        hub_running(tmp_path / "one", database=pg_database, secret_keys=keys) as here,
        hub_running(
            tmp_path / "two", database=pg_database, secret_keys=keys, standby=True
        ) as there,
    ):
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await there.person("ann")
        desk = await ann.available()
        await answered(ann, desk, line)
        mine, customer = line.leg(desk, ann)["id"], line.leg(desk)["id"]
        signal = {
            "call": line.id,
            "from": customer,
            "to": mine,
            "session": "s",
            "seq": 1,
            "data": {"type": "offer", "sdp": str(hashlib.sha512(b"").hexdigest()) * 200},
        }
        assert await line.widget.call("signal", signal) == {"ok": True}
        await wait_for(lambda: desk.signals == [signal], "the desk of the other process has it")
        back = {**signal, "from": mine, "to": customer, "data": {"type": "answer"}}
        assert await desk.client.call("signal", back, namespace="/agent") == {"ok": True}
        await wait_for(lambda: line.widget.signals == [back], "the visitor of the first has it")
        await desk.close()
        assert (await line.widget.call("signal", signal))["code"] == "not_there"
        await line.widget.close()
