"""Every figure of the board equals a recount from the tables: after random acts, over midnight
where the company is, and after a restart.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from madoguchi.clock import ManualClock, to_micros
from tests.hub.test_stream import (
    GENERATORS,
    World,
    accept,
    call_back,
    end,
    say,
    want_call,
    wrap_up,
    write_in,
)
from tests.support.hubs import Running, Widget, hub_running
from tests.support.recount import recounted, told
from tests.support.waiting import wait_for

TOKYO = "Asia/Tokyo"
BEFORE_MIDNIGHT = datetime(2026, 11, 22, 14, 52, tzinfo=UTC)
MIDNIGHTS = (datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))
COUNTED = ("alerts", "waiting", "callbacks", "answered", "abandoned", "handled")
WATCHED = """
[queue.orders]
alerts = [
  { when = "waiting", over = 0 }, { when = "longest_wait", over = 20 },
  { when = "abandoned", over = 0 }, { when = "service_level", under = 0.9 },
]
"""

CALLS = """
[queue.orders]
callback = { after = 10, retry_s = 20 }
[queue.returns]
callback = { after = 10, retry_s = 20 }
"""


async def come_and_leave(world: World) -> None:
    """A visitor asks, and gives up unless somebody is faster."""
    widget = await Widget(world.here).start()
    await widget.send("hello")
    advance(world.here, world.dice.uniform(0, 30))
    await widget.call("leave", {})
    await widget.close()


async def serve(world: World) -> None:
    """Somebody is there, is asked, and works; perhaps until it is over."""
    stream = world.desk()
    me = stream.person
    await world.ask(me, "PUT", "/agents/me/presence", {"presence": "available"})
    await world.ask(me, "DELETE", "/agents/me/away-after-work")
    await write_in(world)
    await wait_for(lambda: caught_up(world.here), "the router has heard of it")
    if offer := world.one(stream, "offer"):
        advance(world.here, world.dice.uniform(0, 10))
        await world.ask(me, "POST", f"/offers/{offer['id']}/accept")
    if one := world.one(stream, "conversation", owner=me.id):
        advance(world.here, world.dice.uniform(0, 40))
        path = f"/conversations/{one['id']}"
        await world.ask(me, "POST", f"{path}/end", {"inbound_seq": one["inbound_seq"]})
        advance(world.here, world.dice.uniform(0, 20))
        if world.dice.random() < 0.7:
            await world.ask(me, "POST", f"{path}/wrap-up", {"code": "solved", "note": ""})


NUMBERS = ("POST /api/v1/calls", "POST /api/v1/calls/{id}/number")
OTHERS = [step for name, step in GENERATORS.items() if name not in NUMBERS]
"""Whatever people do; nobody here has a telephone."""


async def be_called(world: World) -> None:
    """While everybody is away a visitor asks to be called; perhaps somebody comes and does."""
    await world.here.configure(CALLS)
    for agent in world.agents:
        away = {"presence": "away", "reason": "lunch"}
        await world.ask(agent, "PUT", "/agents/me/presence", away)
    widget = await Widget(world.here).start()
    await widget.send("hello")
    await wait_for(lambda: bool(widget.views), "it waits")
    advance(world.here, 10)
    await wait_for(lambda: "'state': 'offered'" in str(widget.views), "a call is offered")
    await widget.call("callback", {"act": "ask", "number": "090-1234-5678"})
    await wait_for(lambda: "'state': 'asked'" in str(widget.views), "it is asked for")
    await wait_for(lambda: caught_up(world.here), "the router has heard of it")
    await widget.close()
    if world.dice.random() < 0.7:
        await serve(world)
        await call_back(world)


def caught_up(here: Running) -> bool:
    """Tell whether the router has seen this moment, and all that was stored before it."""
    router = here.hub.router
    engine = router._engine
    seen = engine is not None and engine.clock >= to_micros(here.hub.clock.now())
    return seen and router._kept.cursor >= here.hub.tail.head


def advance(here: Running, seconds: float) -> None:
    """Let time pass."""
    clock = here.hub.clock
    assert isinstance(clock, ManualClock)
    clock.advance(round(seconds, 3))


def totals(here: Running) -> dict[str, int]:
    """Return how often everything has happened today."""
    views = told(here).values()
    counts = {name: sum(view.get(name, 0) for view in views) for name in COUNTED[1:]}
    return {"alerts": sum(len(view.get("alerts", ())) for view in views), **counts}


async def compare(here: Running) -> None:
    """Fail unless the board comes to equal the tables."""
    now = here.hub.clock.now()
    midnight = max(one for one in MIDNIGHTS if one <= now)

    async def equal() -> bool:
        return told(here) == await recounted(here, midnight)

    try:
        await wait_for(equal, "the board equals the tables", every=0.1)
    except AssertionError:
        assert told(here) == await recounted(here, midnight)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_board_equals_a_recount(tmp_path: Path, database: str, seed: int) -> None:
    clock = ManualClock(BEFORE_MIDNIGHT)
    async with hub_running(tmp_path, database=database, clock=clock, time_zone=TOKYO) as here:
        await here.configure(WATCHED)
        world = World(here, seed)
        await world.gather()
        often = [write_in, write_in, accept, accept, accept, say, end, end, wrap_up, wrap_up]
        calls = [*[be_called] * 3, want_call, *[call_back] * 4]
        steps = [*often, *[serve] * 8, *[come_and_leave] * 2, *calls, *OTHERS]
        most = dict.fromkeys(COUNTED, 0)
        for number in range(80):
            await world.dice.choice(steps)(world)
            advance(here, world.dice.choice([0, 1, 5, 25]))
            if number % 10 == 9:
                await compare(here)
            most = {name: max(n, totals(here)[name]) for name, n in most.items()}
        assert clock.now() > MIDNIGHTS[1], "it is another day"
        assert all(most.values()), f"too little happened: {most}"
    async with hub_running(tmp_path, database=database, clock=clock, time_zone=TOKYO) as here:
        await compare(here)
        advance(here, 90)
        await compare(here)
