"""Away after this work, wrap-up that ends by itself, preferences: through REST and a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from madoguchi.clock import ManualClock
from madoguchi.configuration.service import Change, body_of
from madoguchi.model.people import SYSTEM
from tests.hub.test_chat import accepted
from tests.support.hubs import Person, Running, Stream, hub_running
from tests.support.ports import free_port

CUSTOMER = "+819055500187"


def me(stream: Stream) -> dict[str, Any]:
    """Return how the desk shows its own agent."""
    return stream.of("agent", stream.person.id)


def item_of(stream: Stream, conversation: str) -> dict[str, Any]:
    """Return the unfinished item of a conversation."""
    mine = [i for i in stream.all("item") if i["conversation"] == conversation]
    return next((i for i in mine if i["state"] != "done"), {})


async def limited(here: Running, seconds: float) -> None:
    """Give the queue a limit for wrap-up."""
    body = {"name": "Orders", "wrap_up": [{"key": "solved", "name": "Solved"}]}
    change = Change("queue", "orders", {**body, "wrap_up_s": seconds})
    await here.hub.configuration.change(SYSTEM, "limit", [change])


async def wrapping(here: Running, ann: Person, desk: Stream, customer: str = CUSTOMER) -> str:
    """Let a customer write, Ann accept and end; return the conversation in wrap-up."""
    await here.sms(customer, "hello")
    conversation = await accepted(ann, desk)
    await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
    await desk.until(lambda s: item_of(s, conversation).get("state") == "wrap_up", "wrap-up")
    return conversation


async def test_away_after_this_work_is_stored_and_told(tmp_path: Path, database: str) -> None:
    port = free_port()
    async with hub_running(tmp_path, database=database, port=port) as here:
        ann, sue = await here.person("ann"), await here.person("sue")
        desk, board = await ann.available(), await sue.connect("/supervisor")
        await here.sms(CUSTOMER, "hello")
        conversation = await accepted(ann, desk)
        await ann.call("PUT", "/agents/me/away-after-work", {"reason": "lunch"})
        await desk.until(lambda s: me(s).get("away_after") == "lunch", "reserved")
        await board.until(lambda s: s.of("agent", ann.id)["away_after"] == "lunch", "on the board")
        await ann.call("DELETE", "/agents/me/away-after-work")
        await desk.until(lambda s: me(s)["away_after"] is None, "taken back")
        await ann.call("PUT", "/agents/me/away-after-work", {"reason": "break"})
        await here.sms("+819055500199", "and me?")
        waiting = await desk.until(
            lambda s: next((c for c in s.all("conversation") if not c["owner"]), None), "it waits"
        )
        explained = await sue.call("GET", f"/conversations/{waiting['id']}/explain")
        obstacles = {c["agent_name"]: c["obstacle"] for c in explained["candidates"]}
        assert obstacles["Ann"] == "leaving"
    async with hub_running(tmp_path, database=database, port=port) as here:
        ann = await here.person("ann")
        desk = await ann.connect()
        assert me(desk)["away_after"] == "break"
        assert desk.all("offer") == []
        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
        done = {"code": "solved"}
        await ann.call("POST", f"/conversations/{conversation}/wrap-up", done)
        await desk.until(lambda s: me(s)["presence"] == "away", "away")
        assert (me(desk)["reason"], me(desk)["away_after"]) == ("break", None)
        status, answer = await ann.raw("PUT", "/agents/me/away-after-work", {"reason": ""})
        assert (status, answer["code"]) == (409, "not_receiving")


async def test_offline_has_a_since_only_when_somebody_went(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        ann = await here.person("ann")
        desk = await ann.connect()
        stands = desk.of("agent", ann.id)
        assert (stands["presence"], stands["since"]) == ("offline", None)
        for presence in ("available", "offline"):
            await ann.call("PUT", "/agents/me/presence", {"presence": presence})
            await desk.until(lambda s, p=presence: me(s)["presence"] == p, presence)  # type: ignore[misc]
            assert me(desk)["since"]


async def test_wrap_up_counts_down_is_extended_and_ends_by_itself(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await limited(here, 60)
        ann, adam = await here.person("ann"), await here.person("adam")
        desk = await ann.available()
        conversation = await wrapping(here, ann, desk)
        first = item_of(desk, conversation)["wrap_up_until"]
        clock.advance(59)
        await ann.call("POST", f"/conversations/{conversation}/wrap-up/extend")
        await desk.until(lambda s: item_of(s, conversation)["wrap_up_until"] > first, "30 s more")
        clock.advance(30)
        assert item_of(desk, conversation)["state"] == "wrap_up"
        clock.advance(2)
        await desk.until(lambda s: not item_of(s, conversation), "it is over")
        await desk.until(lambda s: me(s)["activity"] == "idle", "free again")
        shown = await ann.call("GET", f"/conversations/{conversation}")
        assert (shown["state"], shown["wrap_up"]) == ("closed", None)
        items = (await ann.call("GET", f"/conversations/{conversation}/timeline"))["items"]
        assert items[0]["history"][-1]["why"] == "item.wrap_up_over"
        acts = (await adam.call("GET", "/audit"))["acts"]
        assert "conversation.wrap_up_over" in {act["action"] for act in acts}


async def test_a_text_stops_the_countdown(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await limited(here, 60)
        ann = await here.person("ann")
        desk = await ann.available()
        conversation = await wrapping(here, ann, desk)
        await here.sms(CUSTOMER, "one more thing")
        await desk.until(lambda s: item_of(s, conversation)["state"] == "assigned", "assigned")
        assert item_of(desk, conversation)["wrap_up_until"] is None
        path = f"/conversations/{conversation}/wrap-up/extend"
        status, answer = await ann.raw("POST", path)
        assert (status, answer["code"]) == (409, "not_in_wrap_up")


async def test_the_countdown_goes_on_over_a_restart(tmp_path: Path, database: str) -> None:
    clock, port = ManualClock(), free_port()
    async with hub_running(tmp_path, database=database, clock=clock, port=port) as here:
        await limited(here, 60)
        ann = await here.person("ann")
        desk = await ann.available()
        conversation = await wrapping(here, ann, desk)
        until = item_of(desk, conversation)["wrap_up_until"]
    clock.advance(30)
    async with hub_running(tmp_path, database=database, clock=clock, port=port) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.connect()
        assert item_of(desk, conversation)["wrap_up_until"] == until
        path = f"/conversations/{conversation}/wrap-up/extend"
        assert (await ben.raw("POST", path))[0] == 403
        clock.advance(31)
        await desk.until(lambda s: not item_of(s, conversation), "it is over")


async def test_the_wrap_up_of_an_agent_who_is_gone_ends(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann, sue = await here.person("ann"), await here.person("sue")
        board = await sue.connect("/supervisor")
        conversation = await wrapping(here, ann, await ann.available())
        body = body_of(here.hub.configuration.catalog.agents["ann"].object)
        change = Change("agent", "ann", {**body, "active": False})
        await here.hub.configuration.change(SYSTEM, "gone", [change])
        await board.until(lambda s: not item_of(s, conversation), "it is over")
        shown = await sue.call("GET", f"/conversations/{conversation}")
        assert shown["state"] == "closed"


async def test_without_a_limit_there_is_nothing_to_extend(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        conversation = await wrapping(here, ann, desk)
        assert item_of(desk, conversation)["wrap_up_until"] is None
        path = f"/conversations/{conversation}/wrap-up/extend"
        status, answer = await ann.raw("POST", path)
        assert (status, answer["code"]) == (409, "no_limit")


async def test_preferences_follow_a_person_and_only_what_is_given_changes(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        assert (await ann.call("GET", "/session"))["preferences"] == {}
        keys = {"reply": "q", "accept": "Shift+F4", "take": ""}
        await ann.call("PUT", "/agents/me/preferences", {"keys": keys, "letter_keys": False})
        await ann.call("PUT", "/agents/me/preferences", {"order": ["page", "identities"]})
        elsewhere = await here.person("ann")
        assert (await elsewhere.call("GET", "/session"))["preferences"] == {
            "keys": keys,
            "letter_keys": False,
            "order": ["page", "identities"],
        }
        assert (await ben.call("GET", "/session"))["preferences"] == {}
        for bad in ({"keys": {"a b": "q"}}, {"keys": {"reply": "x" * 25}}, {"colour": "red"}):
            status, _ = await ann.raw("PUT", "/agents/me/preferences", bad)
            assert status == 422


async def test_preferences_reach_the_persons_other_open_desks_and_nobody_else(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        one, there = await here.person("sue"), await here.person("sue")
        ann = await here.person("ann")
        desk, foreign = await there.connect(), await ann.connect()
        board = await (await here.person("sue")).connect("/supervisor")
        assert desk.all("preferences") == []
        wanted = {"theme": "dark", "language": "en", "keys": {"reply": "q"}}
        await one.call("PUT", "/agents/me/preferences", wanted)
        shown = await desk.until(lambda s: s.of("preferences", there.id), "it is told")
        assert shown["preferences"] == wanted
        await one.call("PUT", "/agents/me/preferences", {"theme": "light"})
        await desk.until(
            lambda s: s.of("preferences", there.id)["preferences"] == {**wanted, "theme": "light"},
            "the second as well",
        )
        await ann.call("PUT", "/agents/me/preferences", {"order": ["page"]})
        own = await foreign.until(lambda s: s.of("preferences", ann.id), "ann's own")
        assert own["preferences"] == {"order": ["page"]}
        assert len(foreign.all("preferences")) == 1
        assert [v["id"] for v in desk.all("preferences")] == [there.id]
        assert board.all("preferences") == []
        assert (await ann.raw("PUT", "/agents/me/preferences", {"theme": "pink"}))[0] == 422
        again = await (await here.person("sue")).connect()
        assert again.of("preferences", there.id)["preferences"] == {**wanted, "theme": "light"}


async def test_the_next_draft_is_newer_than_the_one_that_was_sent(
    tmp_path: Path, database: str
) -> None:
    """A desk ignores what is older than what it has seen."""
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        id = await accepted(ann, desk)
        path = f"/conversations/{id}/draft"
        first = await ann.call("PUT", path, {"mode": "reply", "text": "one"})
        await desk.until(lambda s: s.all("draft"), "the draft")
        await ann.call("POST", f"/conversations/{id}/messages", {"mode": "reply", "text": "one"})
        await desk.until(lambda s: not s.all("draft"), "gone")
        second = await ann.call("PUT", path, {"mode": "reply", "text": "two"})
        assert second["version"] > first["version"] + 1
        shown = await desk.until(lambda s: s.all("draft"), "the next draft")
        assert shown[0]["text"] == "two"
        again = await ann.connect("/agent")
        assert [one["text"] for one in again.all("draft")] == ["two"]
