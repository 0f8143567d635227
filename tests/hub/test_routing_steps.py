"""Rings, overflow and reserves through the whole hub: configured as text, changed live, kept over a
restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.configuration import text
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.people import SYSTEM
from madoguchi.store.work import Work
from router import rebuild
from router.tables import agent_status
from tests.support.hubs import PASSWORD, Running, hub_running
from tests.support.waiting import wait_for

WIDENING = """
[queue.orders]
name = "Orders"
requires = { order = 5 }
rings = [{ after = 30, relax = { order = 3 } }, { after = 60, add_groups = ["night"] }]
overflow = [{ after = 90, to_queue = "returns" }]
[team.night]
name = "Night"
[agent.nick]
name = "Nick"
teams = ["night"]
skills = { order = 4 }
"""


async def configure(here: Running, toml: str) -> None:
    """Change the configuration; new agents get the password."""
    hub = here.hub
    before = set(hub.configuration.catalog.agents)
    await hub.configuration.change(SYSTEM, "test", text.changes(toml, hub.configuration.catalog))
    for key, entry in hub.configuration.catalog.agents.items():
        if key not in before:
            await hub.sessions.set_password(entry.id, PASSWORD)
    await hub.router.ready()


async def item(here: Running) -> Mapping[str, Any]:
    """Return the row of the one item, with its conversation's queue."""

    def unit() -> Work[list[Any]]:
        return list(
            (
                yield select(work_item, conversation.c.queue.label("conversation_queue")).join(
                    conversation, conversation.c.id == work_item.c.conversation
                )
            )
        )

    rows = await here.hub.store.read(unit)
    return dict(rows[0]._mapping) if rows else {}


async def test_a_ring_lets_in_who_was_not_skilled_enough(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await configure(here, WIDENING)
        ann = await here.person("ann")
        stream = await ann.available()
        await here.sms("+819055500100", "hello")
        await wait_for(lambda: item(here), "the item")
        clock.advance(29)
        assert stream.all("offer") == []
        clock.advance(1.1)
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert made["queue"] == "orders"
        assert "skill:order:3" in made["facts"]


async def test_what_nobody_takes_overflows_with_its_age_also_after_a_restart(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await configure(here, WIDENING)
        await here.sms("+819055500100", "hello")
        first = await wait_for(lambda: item(here), "the item")
        assert first["queue"] == "orders"
    clock.advance(120)
    async with hub_running(tmp_path, database=database, clock=clock) as here:

        async def moved() -> Mapping[str, Any] | None:
            row = await item(here)
            return row if row["queue"] == "returns" else None

        row = await wait_for(moved, "it has overflowed")
        assert row["conversation_queue"] == "returns"
        assert row["enqueued_at"] == first["enqueued_at"]


async def test_a_change_of_the_rings_counts_for_what_waits_already(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await configure(here, WIDENING)
        nick = await here.person("nick")
        stream = await nick.available()
        await here.sms("+819055500100", "hello")
        await wait_for(lambda: item(here), "the item")
        clock.advance(10)
        assert stream.all("offer") == []
        sooner = "rings = [{ after = 5, relax = { order = 1 }, add_groups = ['night'] }]"
        await configure(here, f"[queue.orders]\n{sooner}")
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert made["agent"] == nick.id


async def test_what_a_choice_remembers_is_stored(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        stream = await ann.available()
        await here.sms("+819055500100", "hello")
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{made['id']}/accept")

        def unit() -> Work[Any]:
            rows = yield select(agent_status.c.routing).where(agent_status.c.agent == ann.id)
            return rows[0].routing

        async def taken() -> Any:
            kept = await here.hub.store.read(unit)
            return kept if kept["taken"] else None

        kept = await wait_for(taken, "the assignment")
        assert kept["taken"] == 1
        assert set(kept["given"]) == {"orders"}
        catalog, now = here.hub.configuration.catalog, here.hub.clock.now()
        state, _ = await here.hub.store.read(lambda: rebuild.load(catalog, now))
        facts = next(one for one in state.agents if one.spec.id == ann.id)
        assert (facts.taken, facts.given) == (1, kept["given"])
