"""Moves, delays and automatic accepts through the whole hub, kept over a restart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import work_item
from madoguchi.security.tables import audit
from madoguchi.store.work import Work
from router.tables import offer
from tests.hub.test_chat import accepted
from tests.support.hubs import Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for

PHONES = ("+819055500101", "+819055500102", "+819055500103")


async def waiting(here: Running) -> list[str]:
    """Let three texts wait; return their items in the order in which they came."""

    def unit() -> Work[Sequence[Any]]:
        return (yield select(work_item).order_by(work_item.c.enqueued_at))

    for number, phone in enumerate(PHONES, 1):
        await here.sms(phone, "hello")

        async def come(wanted: int = number) -> bool:
            return len(await here.hub.store.read(unit)) == wanted

        await wait_for(come, "the item")
    return [row.id for row in await here.hub.store.read(unit)]


def line(here: Running) -> list[str]:
    engine = here.hub.router._engine
    assert engine is not None
    return engine.waiting("orders")


async def test_a_supervisor_moves_what_waits(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        first, second, third = await waiting(here)
        sue, ann = await here.person("sue"), await here.person("ann")
        board = await sue.connect("/supervisor")
        path = f"/items/{third}/move"
        assert (await ann.raw("POST", path, {"place": 1}))[0] == 403
        assert (await sue.raw("POST", path, {"place": 0}))[0] == 422
        await sue.call("POST", path, {"place": 1})
        await board.until(lambda s: s.of("item", third).get("moved"), "it is told")
        assert not board.of("item", first)["moved"]
        assert line(here) == [third, first, second]

        def unit() -> Work[Sequence[Any]]:
            return (yield select(audit).where(audit.c.action == "item.move"))

        (row,) = await here.hub.store.read(unit)
        assert (row.actor, row.detail["place"]) == (sue.id, 1)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.person("sue")
        await wait_for(lambda: len(line(here)) == 3, "the router is back")
        assert line(here) == [third, first, second]
        sue, ann = await here.person("sue"), await here.person("ann")
        desk = await ann.available()
        made = await desk.until(lambda s: s.all("offer"), "offers")
        assert made[0]["item"] == third
        status, problem = await sue.raw("POST", f"/items/{third}/move", {"place": 2})
        assert (status, problem["code"]) == (409, "not_waiting")


async def test_who_is_chosen_has_it_at_once(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure("[queue.orders]\nauto_accept = true")
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms(PHONES[0], "hello")

        def mine(stream: Stream) -> Any:
            return next((one for one in stream.all("item") if one["owner"] == ann.id), None)

        item = await desk.until(mine, "it is mine")
        assert item["state"] == "assigned"
        assert [turn["agent"] for turn in item["history"]] == [ann.id]
        assert item["history"][0]["offer"]
        assert all(one["state"] != "pending" for one in desk.all("offer"))

        def unit() -> Work[Sequence[Any]]:
            return (yield select(offer))

        (row,) = await here.hub.store.read(unit)
        assert (row.state, row.agent) == ("accepted", ann.id)


async def test_a_team_that_helps_late_is_asked_when_it_is_time(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(
            """
            [queue.orders]
            requires = {}
            [team.helpers]
            name = "Helpers"
            serves = [{ queue = "orders", after = 45 }]
            [agent.hana]
            name = "Hana"
            teams = ["helpers"]
            """
        )
        hana = await here.person("hana")
        desk = await hana.available()
        await here.sms(PHONES[0], "hello")
        sue = await here.person("sue")
        board = await sue.connect("/supervisor")
        item = await board.until(lambda s: next(iter(s.all("item")), None), "the item")
        found = await sue.call("GET", f"/conversations/{item['conversation']}/explain")
        why = {each["agent"]: each["obstacle"] for each in found["candidates"]}
        assert why[hana.id] == "too_early:45"
        clock.advance(44)
        assert desk.all("offer") == []
        clock.advance(1.5)
        await desk.until(lambda s: s.all("offer"), "an offer")


async def test_a_returning_customer_waits_for_who_knows_them(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure("[queue.orders]\npreferred_wait_s = 60\n[agent.ann]\nunits = 1")
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        await here.sms(PHONES[0], "first")
        conversation = await accepted(ann, desk)
        reply = {"mode": "reply", "text": "Done."}
        await ann.call("POST", f"/conversations/{conversation}/messages", reply)
        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
        await ann.call("POST", f"/conversations/{conversation}/wrap-up", {"code": "solved"})
        await here.sms(PHONES[1], "somebody else")
        await accepted(ann, desk)
        other = await ben.available()
        await here.sms(PHONES[0], "once more")
        sue = await here.person("sue")

        async def obstacles() -> dict[str, str]:
            found = await sue.call("GET", f"/conversations/{conversation}/explain")
            return {one["agent"]: one["obstacle"] for one in found["candidates"]}

        why = await wait_for(obstacles, "it waits")
        assert (why[ann.id], why[ben.id]) == ("no_room", "kept_for:Ann")
    clock.advance(30)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        await ann.connect()
        other = await ben.connect()
        clock.advance(29)
        assert other.all("offer") == []
        clock.advance(2)
        await other.until(lambda s: s.all("offer"), "an offer")


async def test_the_first_of_several_to_accept_has_it(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure("[queue.orders]\noffer_to = 2")
        ann, ben, sue = [await here.person(name) for name in ("ann", "ben", "sue")]
        desks = {ann.id: await ann.available(), ben.id: await ben.available()}
        board = await sue.connect("/supervisor")
        await here.sms(PHONES[0], "hello")
        offers = {
            agent: (await desk.until(lambda s: s.all("offer"), "an offer"))[0]
            for agent, desk in desks.items()
        }
        item = await board.until(lambda s: next(iter(s.all("item")), None), "the item")
        assert item["offer"]["others"] == 1
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        first, second = await ann.connect(), await ben.connect()
        await ben.call("POST", f"/offers/{offers[ben.id]['id']}/accept")

        def over(stream: Stream) -> Any:
            told = [e["view"] for e in stream.events if e["type"] == "offer.withdrawn"]
            return next(iter(told), None)

        lost = await first.until(over, "the other is told")
        assert lost["winner_name"] == "Ben"
        status, problem = await ann.raw("POST", f"/offers/{offers[ann.id]['id']}/accept")
        assert (status, problem["code"], problem["agent_name"]) == (409, "taken", "Ben")
        await second.until(lambda s: s.of("item", item["id"]).get("owner") == ben.id, "it is Ben's")


async def test_whom_a_rule_names_is_asked_first_and_waited_for(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(
            """
            [queue.orders]
            preferred_wait_s = 60
            [agent.nao]
            name = "Nao"
            units = 1
            [routing_rule.nao]
            name = "Nao"
            order = 10
            when = 'text.contains("Nao")'
            queue = "orders"
            agent = "nao"
            """
        )
        nao, ann = await here.person("nao"), await here.person("ann")
        desk, other = await nao.available(), await ann.available()
        await here.sms(PHONES[0], "Nao, please")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert offer["facts"][0] == "named"
        await accepted(nao, desk)
        assert other.all("offer") == []
        await here.sms(PHONES[1], "Nao, please")
        await wait_for(lambda: len(line(here)) == 1, "it is kept")
        assert other.all("offer") == []
        clock.advance(61)
        await other.until(lambda s: s.all("offer"), "the queue is the backup")


async def test_who_is_responsible_for_a_customer_is_asked_first(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        desks = [await person.available() for person in (ann, ben)]
        for number, owner in enumerate(("ben", "ann", "ben")):
            widget = await Widget(here).start()
            await widget.identify(f"customer-{number}", attributes={"owner": owner})
            await widget.send("hello")
            wanted = desks[owner == "ben"]
            offer = await wanted.until(
                lambda s, n=number: next(
                    (o for o in s.all("offer") if o["facts"][0] == "account_owner"), None
                ),
                f"offer {number} at {owner}",
            )
            await (ben if owner == "ben" else ann).call("POST", f"/offers/{offer['id']}/accept")
            await wanted.until(lambda s: not s.all("offer"), "accepted")
            await widget.close()
