"""A team helps a queue while its figures ask for it, through the whole hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.security.tables import audit
from madoguchi.store.work import Work
from tests.support.hubs import Running, hub_running
from tests.support.waiting import wait_for

HELPED = """
[queue.orders]
requires = {}
help = [{ when = "longest_wait", over = 90, add_groups = ["back"] }]
[team.back]
name = "Back office"
[agent.bob]
name = "Bob"
teams = ["back"]
"""


async def text(here: Running, phone: str) -> None:
    """Let one more item wait, or be on offer."""
    engine = here.hub.router._engine
    assert engine is not None
    before = len(engine.state().items)
    await here.sms(phone, "hello")
    await wait_for(lambda: len(engine.state().items) > before, "the item")


async def helpers(here: Running) -> list[list[str]]:
    """Return which teams helped the queue, in the order in which that changed."""

    def unit() -> Work[Sequence[Any]]:
        return (
            yield select(audit.c.detail)
            .where(audit.c.action == "queue.helped")
            .order_by(audit.c.id)
        )

    return [row.detail["teams"] for row in await here.hub.store.read(unit)]


async def test_a_team_comes_and_goes_with_the_wait(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(HELPED)
        bob, sue = await here.person("bob"), await here.person("sue")
        desk = await bob.available()
        await text(here, "+819055500100")
        clock.advance(89)
        assert desk.all("offer") == []
        clock.advance(3)
        made = (await desk.until(lambda s: s.all("offer"), "an offer"))[0]
        assert await helpers(here) == [["back"]]

        async def shown() -> list[str]:
            board = await sue.call("GET", "/board")
            orders = next(one for one in board["queues"] if one["queue"] == "orders")
            return [team["name"] for team in orders["helped_by"]]

        assert await shown() == ["Back office"]
        await bob.call("POST", f"/offers/{made['id']}/accept")
        clock.advance(55)
        await text(here, "+819055500101")
        await desk.until(lambda s: s.all("offer"), "they are still there")
        clock.advance(10)

        async def gone() -> bool:
            clock.advance(1)
            return len(await helpers(here)) == 2

        await wait_for(gone, "the team goes", every=0.1)
        assert await helpers(here) == [["back"], []]
        assert await shown() == []


async def test_nobody_helps_any_more_when_the_queue_asks_for_nobody(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(HELPED)
        await text(here, "+819055500100")
        clock.advance(95)
        await wait_for(lambda: _once(here), "the team comes")
        await here.configure("[queue.orders]\nhelp = []")
        bob = await here.person("bob")
        desk = await bob.available()
        clock.advance(5)
        sue = await here.person("sue")

        async def nobody() -> bool:
            board = await sue.call("GET", "/board")
            return all(one["helped_by"] == [] for one in board["queues"])

        await wait_for(nobody, "the team goes")
        assert desk.all("offer") == []


async def _once(here: Running) -> bool:
    return len(await helpers(here)) == 1
