"""Supervisors are told while a queue's figure is past a limit: begin, end, and over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.security.tables import audit
from madoguchi.store.work import Work
from tests.support.hubs import Person, Running, hub_running
from tests.support.waiting import wait_for

WATCHED = """
[queue.orders]
alerts = [{ when = "waiting", over = 1 }, { when = "service_level", under = 0.8 }]
"""


async def alerts(sue: Person, query: str = "?open=true") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await sue.call("GET", f"/alerts{query}"))["alerts"]
    return found


async def begins(here: Running, clock: ManualClock, sue: Person) -> dict[str, Any]:
    """Let two wait; return the alert that begins."""
    await here.sms("+819055500100", "hello")
    await here.sms("+819055500101", "hello")

    async def begun() -> list[dict[str, Any]]:
        clock.advance(1)
        return await alerts(sue)

    several: list[dict[str, Any]] = await wait_for(begun, "an alert", every=0.1)
    return several[0]


async def audited(here: Running) -> list[str]:
    def unit() -> Work[list[Any]]:
        query = select(audit.c.action).where(audit.c.action.like("alert.%")).order_by(audit.c.id)
        return list((yield query))

    return [row.action for row in await here.hub.store.read(unit)]


async def ended(clock: ManualClock, sue: Person, step_s: int = 5) -> int:
    """Let time pass until no alert goes on; return how many seconds that took."""
    spent = 0

    async def over() -> bool:
        nonlocal spent
        if await alerts(sue) == []:
            return True
        clock.advance(step_s)
        spent += step_s
        return False

    await wait_for(over, "the alert ends", every=0.15)
    return spent


async def test_an_alert_begins_stays_over_a_restart_and_ends(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(WATCHED)
        sue, ann = await here.person("sue"), await here.person("ann")
        one = await begins(here, clock, sue)
        assert {k: one[k] for k in ("queue", "when", "over", "reached", "ended_at")} == {
            "queue": "orders",
            "when": "waiting",
            "over": 1,
            "reached": 2,
            "ended_at": None,
        }
        board = await sue.call("GET", "/board")
        orders = next(view for view in board["queues"] if view["queue"] == "orders")
        assert [shown["id"] for shown in orders["alerts"]] == [one["id"]]
        assert orders["least_level"] == 0.8
        assert (await ann.raw("GET", "/alerts"))[0] == 403
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        sue, ann = await here.person("sue"), await here.person("ann")
        assert [view["id"] for view in await alerts(sue)] == [one["id"]]
        desk = await ann.available()
        made = await desk.until(lambda s: len(s.all("offer")) == 2 and s.all("offer"), "offers")
        for offer in made:
            await ann.call("POST", f"/offers/{offer['id']}/accept")
        assert await ended(clock, sue) >= 60, "it does not flap"
        assert await audited(here) == ["alert.begun", "alert.ended"]
        (past,) = await alerts(sue, "")
        assert past["id"] == one["id"]
        assert past["ended_at"] is not None
        assert await alerts(sue, f"?before={past['id']}") == []


async def test_what_is_not_watched_any_more_is_no_alert(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        await here.configure(WATCHED)
        sue = await here.person("sue")
        await begins(here, clock, sue)
        await here.configure("[queue.orders]\nalerts = []")
        assert await ended(clock, sue, step_s=1) < 60, "at once, not when it has been back"


async def test_a_closed_queue_gives_no_alert(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        await here.configure(WATCHED)
        sue = await here.person("sue")
        await begins(here, clock, sue)
        await here.configure("[queue.orders]\nclosed = true")
        assert await ended(clock, sue) >= 60


async def test_an_unknown_place_in_the_list(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        sue = await here.person("sue")
        assert (await sue.raw("GET", "/alerts?before=nonsense"))[0] == 404
        assert await alerts(sue, "?before=0195f3f2-0000-7000-8000-000000000000") == []
