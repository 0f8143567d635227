"""The queues' figures of today: told live to supervisors, and equal to a recount from the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from madoguchi.clock import ManualClock
from router.board.board import Board
from router.board.past import past
from tests.hub.test_chat import accepted
from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
TARGET = "[queue.orders]\nservice_level_s = 30\n"


def board(here: Running) -> Board:
    found = here.hub.router.board
    assert found is not None
    return found


async def recounted(here: Running) -> dict[str, Any]:
    """Return what the store says, read anew."""
    engine, kept = here.hub.router._engine, here.hub.router._kept
    assert engine is not None
    known = await here.hub.store.read(lambda: past(MIDNIGHT, here.hub.clock.now()))
    anew = Board(engine, kept, here.hub.configuration.catalog, known)
    return {queue: anew.figures.of(queue) for queue in ("orders", "returns")}


def shown(here: Running) -> dict[str, Any]:
    return {queue: board(here).figures.of(queue) for queue in ("orders", "returns")}


async def answered(here: Running, clock: ManualClock, waits_s: float) -> None:
    """Let a contact wait for so long, and be taken."""
    number = here.hub.clock.new_id()[-4:]
    await here.sms(f"+8190555{int(number, 16):05d}", "hello")
    ann: Person = here.people[0]
    desk: Stream = ann.sockets["/agent"]
    await desk.until(lambda s: s.all("offer"), "an offer")
    clock.advance(waits_s)
    await accepted(ann, desk)


async def a_morning(here: Running, clock: ManualClock) -> None:
    """Two in time, one late, one who leaves, one who is transferred and taken again."""
    await here.configure(TARGET)
    ann = await here.person("ann")
    desk = await ann.available()
    for waits_s in (1, 5, 15):
        await answered(here, clock, waits_s)
    clock.advance(60)
    await ann.call("PUT", "/agents/me/presence", {"presence": "away", "reason": "lunch"})
    widget = await Widget(here).start()
    await widget.send("hello")
    clock.advance(40)
    await widget.call("leave", {})
    await wait_for(lambda: shown(here)["orders"]["abandoned"], "abandoned")
    await widget.close()
    await here.sms("+819055500100", "hello")
    clock.advance(45)
    await ann.call("PUT", "/agents/me/presence", {"presence": "available"})
    id = await accepted(ann, desk)
    clock.advance(5)
    to = {"queue": "returns", "reason": "x", "summary": "y"}
    await ann.call("POST", f"/conversations/{id}/transfer", to)
    await ann.call("POST", f"/conversations/{id}/take")
    await wait_for(lambda: shown(here)["orders"]["answered"] == 4, "all")


async def test_figures_equal_a_recount_and_outlive_a_restart(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        await a_morning(here, clock)
        found = shown(here)
        assert found == await recounted(here)
        orders = found["orders"]
        assert (orders["answered"], orders["in_time"], orders["abandoned"]) == (4, 3, 1)
        assert orders["service_level"] == 3 / 5
        assert set(orders["channels"]) == {"sms", "chat"}
        assert found["returns"]["answered"] == 0, "a transfer is no second answer"
        await here.configure("[queue.orders]\nservice_level_s = 60\n")
        await wait_for(lambda: shown(here)["orders"]["in_time"] == 4, "judged by the new target")
        assert shown(here) == await recounted(here)
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        assert shown(here)["orders"]["answered"] == 4
        clock.advance(24 * 3600)
        ann = await here.person("ann")
        await ann.available()
        await wait_for(lambda: shown(here)["orders"]["answered"] == 0, "a new day")


async def test_supervisors_hear_what_changed_and_agents_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        await here.configure('[team.back]\nname="Back"\nserves=[{queue="returns"}]')
        await here.configure('[team.front]\nserves=[{queue="orders"}]')
        ann, sue = await here.person("ann"), await here.person("sue")
        desk = await ann.available()
        watching = await sue.connect("/supervisor")
        told: list[dict[str, Any]] = []
        agents: list[Any] = []
        watching.client.on("figures", told.append, namespace="/supervisor")
        desk.client.on("figures", agents.append, namespace="/agent")
        await wait_for(lambda: told, "everything first")
        assert {view["queue"] for view in told[0]["queues"]} == {"orders", "returns"}
        assert ann.id in {view["agent"] for view in told[0]["agents"]}
        told.clear()
        await answered(here, clock, 3)

        def last() -> dict[str, Any]:
            return {q["queue"]: q for body in told for q in body["queues"]}

        await wait_for(lambda: last().get("orders", {}).get("answered"), "what changed")
        assert set(last()) == {"orders"}, "the other queue looks as before"
        assert {one["agent"] for body in told for one in body["agents"]} == {ann.id}
        listed = await sue.call("GET", "/board")
        assert last()["orders"] in listed["queues"]
        assert (await ann.raw("GET", "/board"))[0] == 403
        assert agents == []


async def test_who_is_no_supervisor_any_more_hears_nothing_more(tmp_path: Path) -> None:
    """Their page may keep its socket: what comes over it is no longer theirs."""
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        ann, sue = await here.person("ann"), await here.person("sue")
        await ann.available()
        watching = await sue.connect("/supervisor")
        told: list[Any] = []
        stale: list[Any] = []
        watching.client.on("stale", stale.append, namespace="/supervisor")
        await here.configure("[agent.sue]\nroles = ['agent']")
        await wait_for(lambda: stale, "she is an agent now")
        watching.client.on("figures", told.append, namespace="/supervisor")
        heard = len(watching.events)
        await answered(here, clock, 3)
        await wait_for(lambda: shown(here)["orders"]["answered"] == 1, "answered")
        assert (watching.events[heard:], told) == ([], [])
