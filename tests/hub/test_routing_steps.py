"""Rings, overflow and reserves through the whole hub: configured as text, changed live, kept over a
restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.store.work import Work
from router import rebuild
from router.configured import Configured
from router.service import RouterService
from router.tables import agent_status
from tests.support.hubs import Person, Running, Stream, hub_running
from tests.support.waiting import wait_for

HOUR = 3600 * 1_000_000
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


async def watching(here: Running, name: str) -> tuple[Person, Stream]:
    """Return somebody available, with the live stream, while an item waits."""
    person = await here.person(name)
    stream = await person.available()
    await here.sms("+819055500100", "hello")
    await wait_for(lambda: item(here), "the item")
    return person, stream


async def test_a_ring_lets_in_who_was_not_skilled_enough(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(WIDENING)
        _, stream = await watching(here, "ann")
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
        await here.configure(WIDENING)
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
        await here.configure(WIDENING)
        nick, stream = await watching(here, "nick")
        clock.advance(10)
        assert stream.all("offer") == []
        sooner = "rings = [{ after = 5, relax = { order = 1 }, add_groups = ['night'] }]"
        await here.configure(f"[queue.orders]\n{sooner}")
        made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert made["agent"] == nick.id


async def test_weights_are_kept_over_a_restart(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure("[queue.orders]\nweights = { sms = 2 }")
        ann = await taking(here)
        engine = here.hub.router._engine
        assert engine is not None
        assert engine.load(ann.id).used == 2
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        engine = here.hub.router._engine
        assert engine is not None
        assert engine.load(ann.id).used == 2


async def memory(here: Running, agent: str) -> dict[str, Any]:
    """Return what is stored of an agent for the choices that remember."""

    def unit() -> Work[Any]:
        rows = yield select(agent_status.c.routing).where(agent_status.c.agent == agent)
        return rows[0].routing

    return dict(await here.hub.store.read(unit))


async def taking(here: Running) -> Person:
    """Return somebody who has taken an item."""
    ann = await here.person("ann")
    stream = await ann.available()
    await here.sms("+819055500100", "hello")
    made = await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    await ann.call("POST", f"/offers/{made['id']}/accept")

    async def stored() -> bool:
        return bool((await memory(here, ann.id))["taken"])

    await wait_for(stored, "the assignment")
    return ann


async def test_what_a_choice_remembers_is_stored(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await taking(here)
        kept = await memory(here, ann.id)
        assert kept["taken"] == 1
        assert set(kept["given"]) == {"orders"}
        catalog, now = here.hub.configuration.catalog, here.hub.clock.now()
        state, _ = await here.hub.store.read(lambda: rebuild.load(Configured.of(catalog), now))
        facts = next(one for one in state.agents if one.spec.id == ann.id)
        assert (facts.taken, facts.given) == (1, kept["given"])


@pytest.mark.parametrize("restarts", [0, 1, 2])
async def test_the_count_of_a_day_begins_at_the_companys_midnight(
    tmp_path: Path, restarts: int
) -> None:
    clock = ManualClock(datetime(2026, 11, 22, 14, 30, tzinfo=UTC))

    def hub() -> AbstractAsyncContextManager[Running]:
        return hub_running(tmp_path, clock=clock, time_zone="Asia/Tokyo")

    async with hub() as here:
        id = (await taking(here)).id
        clock.advance(29 * 60)
        ben = await here.person("ben")
        await ben.available()
        assert taken(here, id) == 1
        if not restarts:
            clock.advance(2 * 60)
            await ben.call("PUT", "/agents/me/presence", {"presence": "away"})
            assert taken(here, id) == 0
    clock.advance(2 * 60)
    for _ in range(restarts):
        async with hub() as here:
            ben = await here.person("ben")
            await ben.available()
            assert taken(here, id) == 0


def taken(here: Running, agent: str) -> int:
    """Return how many items the engine knows an agent to have taken today."""
    engine = here.hub.router._engine
    assert engine is not None
    facts = engine.agent(agent)
    assert facts is not None
    return facts.taken


async def test_midnight_follows_summer_time(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 10, 31, 12, tzinfo=UTC))
    async with hub_running(tmp_path, clock=clock, time_zone="America/New_York") as here:
        service = here.hub.router
        assert midnight(service) == 4 * HOUR
        clock.advance(24 * 3600)
        ann = await here.person("ann")
        await ann.call("PUT", "/agents/me/presence", {"presence": "available"})
        assert midnight(service) == 5 * HOUR


def midnight(service: RouterService) -> int:
    assert service._engine is not None
    return service._engine.state().midnight
