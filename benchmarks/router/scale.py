"""The router among thousands: rebuild, a changed configuration, and an agent who becomes free.

    .venv/bin/python benchmarks/router/scale.py [--agents 2000] [--waiting 20000] [--queues 100]

The hub runs on PostgreSQL in this process, with its load beside it. All agents are busy. Told are

* ``frees``: an agent's work ends (the order is given) until the next offer is on that agent's
  socket, with a tenth of the agents and of the waiting, beside one commit and one emit of a bare
  stack; forty of the agents have sockets, and works end at a steady rate;
* ``rebuild``: from the start of a hub to the end of its router's first cycle;
* ``change``: one queue asks for another skill: until the router works by it, by how much the loop
  was late, and how long offers took meanwhile; and the same for a change of all queues.

Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import text as sql

sys.path.append(str(Path(__file__).resolve().parent.parent))

from support import percentile, report

from madoguchi.configuration.service import Change
from madoguchi.conversations.ledger import Arrival
from madoguchi.conversations.receive import receive
from madoguchi.memory import settle
from madoguchi.model.inbound import InboundMessage
from madoguchi.model.people import SYSTEM, Address, Scheme
from madoguchi.model.routing import (
    ConnectionChanged,
    OfferAccepted,
    Presence,
    PresenceSet,
    TimePassed,
    WorkEnded,
)
from madoguchi.security.secrets import new_key
from madoguchi.store.tables import log
from madoguchi.store.work import Work
from router.engine.engine import Engine
from router.orders import Order
from tests.support.hubs import PASSWORD, Person, Running, Stream, hub_running
from tests.support.postgres import running_postgres
from tests.support.waiting import wait_for

BATCH = 2_000
CREW = 200
"""So many agents come before their offers are accepted: an offer stands for 20 s."""

SOCKETS = 40
RATE = 20
SERVED = 8
LATE_EVERY_S = 0.005


class Center:
    """A hub at work, seen by somebody who holds all its agents' hands."""

    def __init__(self, here: Running) -> None:
        self.here = here
        self.hub = here.hub
        self.draw = random.Random(7)

    @property
    def engine(self) -> Engine:
        """The engine that decides now."""
        engine = self.hub.router._engine  # noqa: SLF001
        assert engine is not None
        return engine

    async def order(self, command: Any) -> dict[str, Any]:
        """Let the router carry out a command; return its answer."""
        return await self.hub.router.order(Order(command))

    async def orders(self, commands: Sequence[Any]) -> None:
        """Let the router carry out many commands, a batch at a time."""
        for at in range(0, len(commands), BATCH):
            await asyncio.gather(*(self.order(one) for one in commands[at : at + BATCH]))

    async def furnish(self, queues: int, agents: int) -> None:
        """Configure queues with a team each, and agents who serve eight of them."""
        wanted = [Change("skill", f"s{n}", {"name": f"S{n}"}) for n in range(5)]
        for n in range(queues):
            asks = {f"s{n % 5}": 1 + n % 3}
            wanted.append(Change("queue", f"q{n}", {"name": f"Q{n}", "requires": asks}))
            serves = [
                {"queue": f"q{(n + k) % queues}", "level": 1 + k % 2}
                for k in range(min(SERVED, queues))
            ]
            wanted.append(Change("team", f"t{n}", {"name": f"T{n}", "serves": serves}))
        for n in range(agents):
            skills = {f"s{k}": self.draw.randint(3, 5) for k in range(5)}
            body = {"name": f"A{n}", "teams": [f"t{n % queues}"], "units": 1, "skills": skills}
            wanted.append(Change("agent", f"a{n}", body))
        await self.hub.configuration.change(SYSTEM, "benchmark", wanted)

    async def seed(self, number: int, queues: int) -> None:
        """Let customers write, one text each, as fast as they can be stored."""
        line = self.hub.registry.line(self.hub.configuration.catalog.accounts["sms"].id)
        assert line is not None
        topics = {f"q{n}": f"q{n}" for n in range(queues)}
        account = replace(line.account, topics=topics)
        for first in range(0, number, BATCH):
            now = self.hub.clock.now()
            texts = [
                InboundMessage(
                    sender=Address(Scheme.PHONE, f"+8190{n:08d}"),
                    verified=True,
                    thread=f"+8190{n:08d}",
                    parts=({"type": "text", "text": f"message {n}"},),
                    provider_id=f"SM{n:032x}",
                    topic=f"q{self.draw.randrange(queues)}",
                )
                for n in range(first, min(first + BATCH, number))
            ]
            arrivals = [Arrival(account, line.capabilities, one, now) for one in texts]

            def unit(arrivals: Any = arrivals, now: Any = now) -> Work[Any]:
                catalog = self.hub.configuration.catalog
                return (yield from receive(arrivals, now, self.hub.clock.new_id, catalog))

            await self.hub.store.write(unit)
        await wait_for(lambda: len(self.engine.state().items) == number, within=300, every=1)

    async def come(self, agents: Sequence[str]) -> None:
        """Let agents be there, with a desk, and take what they are offered."""
        await self.orders([ConnectionChanged(id, connected=True) for id in agents])
        away = [id for id in agents if self.presence(id) is not Presence.available]
        for at in range(0, len(away), CREW):
            some = away[at : at + CREW]
            await self.orders([PresenceSet(id, Presence.available, "", id) for id in some])
            await self.orders([OfferAccepted(o.id, o.agent) for o in self.engine.state().offers])

    async def quiet(self) -> None:
        """Wait until everybody has been told everything."""
        newest = await self.newest()
        await wait_for(lambda: self.hub.tail.head >= newest, "all is told", within=300)

    async def newest(self) -> int:
        """Return the last position of the log."""

        def unit() -> Work[int]:
            return int((yield select(func.max(log.c.position)))[0][0])

        return await self.hub.store.read(unit)

    def presence(self, agent: str) -> Presence:
        """Return an agent's presence."""
        facts = self.engine.agent(agent)
        assert facts is not None
        return facts.presence

    def agents(self) -> list[str]:
        """Return the ids of those who are there to work."""
        entries = self.hub.configuration.catalog.agents.items()
        return [entry.id for key, entry in entries if key.startswith("a") and key[1:].isdigit()]

    def owned(self) -> dict[str, str]:
        """Return agent → an item that they work on."""
        items = self.engine.state().items
        return {one.owner: one.spec.id for one in items if one.owner is not None}


async def lateness(found: list[float]) -> None:
    """Note by how much the loop is late, until cancelled."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LATE_EVERY_S)
        found.append(time.perf_counter() - before - LATE_EVERY_S)


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """Give the lateness of the loop as it is found."""
    found: list[float] = []
    task = asyncio.create_task(lateness(found))
    try:
        yield found
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum in ms."""
    return {
        "n": len(values),
        "p50_ms": round(percentile(values, 0.5) * 1000, 1),
        "p99_ms": round(percentile(values, 0.99) * 1000, 1),
        "max_ms": round(max(values) * 1000, 1),
    }


# ---------------------------------------------------------------- an agent becomes free


async def desks(center: Center) -> dict[str, Stream]:
    """Sign some agents in with sockets; return agent → stream."""
    found = {}
    for n in range(SOCKETS):
        name = f"a{n}"
        entry = center.hub.configuration.catalog.agents[name]
        await center.hub.sessions.set_password(entry.id, PASSWORD)
        person = Person(center.here, name)
        center.here.people.append(person)
        await person.sign_in()
        found[entry.id] = await person.connect()
    return found


async def frees(center: Center, seconds: float) -> dict[str, Any]:
    """End works of agents with sockets at a steady rate; return how long the next offer took."""
    streams = await desks(center)
    found: list[float] = []
    loop = asyncio.get_running_loop()

    async def one(agent: str, item: str) -> None:
        seen = len(streams[agent].events)
        began = time.perf_counter()
        task = asyncio.create_task(center.order(WorkEnded(item)))

        def offer() -> Any:
            return next((e for e in streams[agent].events[seen:] if _made(e)), None)

        event = await wait_for(offer, "the next offer", every=0.001)
        found.append(time.perf_counter() - began)
        await task
        await center.order(OfferAccepted(event["id"], agent))
        works[agent] = event["view"]["item"]

    works = {agent: item for agent, item in center.owned().items() if agent in streams}
    began, tasks = loop.time(), set()
    for n in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, began + n / RATE - loop.time()))
        if not works:
            continue
        agent = center.draw.choice(sorted(works))
        tasks.add(asyncio.create_task(one(agent, works.pop(agent))))
    await asyncio.gather(*tasks)
    return milliseconds(found)


def _made(event: dict[str, Any]) -> bool:
    return event["type"] == "offer.made" and event["view"] is not None


async def bare(center: Center, seconds: float) -> dict[str, Any]:
    """Return how long one commit and one emit to one socket take, at the same rate."""
    stream = next(iter(center.here.people)).sockets["/agent"]
    got: list[float] = []
    stream.client.on("bare", lambda began: got.append(time.perf_counter() - began), "/agent")
    server = center.hub.desk.server
    for _ in range(int(RATE * seconds)):
        began = time.perf_counter()

        def unit() -> Work[None]:
            yield sql("UPDATE lease SET holder = holder WHERE name = 'nobody'")

        await center.hub.store.write(unit)
        await server.emit("bare", began, namespace="/agent", to=stream.client.get_sid("/agent"))
        await asyncio.sleep(1 / RATE)
    await wait_for(lambda: len(got) == int(RATE * seconds), "all")
    return milliseconds(got)


# ---------------------------------------------------------------- a change of configuration


async def changed(center: Center, keys: Sequence[str]) -> dict[str, Any]:
    """Let queues ask for another skill while works end; return what that did."""
    catalog = center.hub.configuration.catalog
    wanted = []
    for key in keys:
        entry = catalog.queues[key]
        body = entry.object.model_dump(mode="json", exclude={"key"})
        body["requires"] = {"s0": 1 + body["requires"].get("s0", 0) % 3}
        wanted.append(Change("queue", key, body, entry.version))
    took: list[float] = []
    stop = asyncio.Event()

    async def work() -> None:
        works = list(center.owned().values())
        while not stop.is_set():
            began = time.perf_counter()
            await center.order(WorkEnded(works.pop()))
            took.append(time.perf_counter() - began)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1 / RATE)

    async with watched() as late:
        working = asyncio.create_task(work())
        await wait_for(lambda: len(took) >= RATE, "works end")
        del took[:], late[:]
        began = time.perf_counter()
        version = await center.hub.configuration.change(SYSTEM, "benchmark", wanted)
        stored = time.perf_counter()
        await wait_for(
            lambda: center.engine.version == version.number, "the router knows", every=0.002
        )
        known = time.perf_counter()
        await wait_for(lambda: len(took) >= RATE, "works end after it")
        stop.set()
        await working
    return {
        "queues": len(keys),
        "stored_s": round(stored - began, 2),
        "in_force_s": round(known - began, 2),
        "loop_late": milliseconds(late),
        "ends_meanwhile": milliseconds(took),
    }


# ---------------------------------------------------------------- all of it


async def small(folder: Path, dsn: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure an agent who becomes free, at a tenth of the size."""
    agents, waiting = arguments.agents // 10, arguments.waiting // 10
    queues = max(SERVED, arguments.queues // 10)
    key = new_key()
    async with hub(folder, dsn, key) as here:
        center = Center(here)
        await center.furnish(queues, agents)
        await center.seed(waiting + agents, queues)
    async with hub(folder, dsn, key) as here:
        center = Center(here)
        await center.order(TimePassed())
        await center.come(center.agents())
        await center.quiet()
        settle()
        found = await frees(center, arguments.seconds)
        plain = await bare(center, arguments.seconds / 3)
    return {
        "agents": agents,
        "waiting": waiting,
        **found,
        "bare": plain,
        "p99_ratio": round(found["p99_ms"] / plain["p99_ms"], 1),
    }


async def large(folder: Path, dsn: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure rebuild and change at full size."""
    key = new_key()
    async with hub(folder, dsn, key) as here:
        center = Center(here)
        await center.furnish(arguments.queues, arguments.agents)
        await center.seed(arguments.waiting + arguments.agents, arguments.queues)
    async with hub(folder, dsn, key) as here:
        center = Center(here)
        await center.order(TimePassed())
        await center.come(center.agents())
    began = time.perf_counter()
    async with hub(folder, dsn, key) as here:
        ready = time.perf_counter()
        center = Center(here)
        await center.order(TimePassed())
        rebuilt = time.perf_counter()
        state = center.engine.state()
        facts = {
            "waiting": sum(1 for one in state.items if one.owner is None),
            "busy_agents": len({one.owner for one in state.items if one.owner}),
            "hub_ready_s": round(ready - began, 2),
            "first_cycle_s": round(rebuilt - began, 2),
        }
        del state
        settle()
        await center.come(center.agents())
        await center.quiet()
        one = await changed(center, ["q0"])
        all_ = await changed(center, [f"q{n}" for n in range(arguments.queues)])
    return {"rebuild": facts, "change_of_one_queue": one, "change_of_all_queues": all_}


def hub(folder: Path, dsn: str, key: str) -> AbstractAsyncContextManager[Running]:
    """Run a hub that can open what an earlier one has stored."""
    return hub_running(folder, database=dsn, secret_keys=key)


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure both sizes, each in a database of its own."""
    with running_postgres() as postgres, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with postgres.database() as dsn:
            free = await small(place / "small", dsn, arguments)
        with postgres.database() as dsn:
            rest = await large(place / "large", dsn, arguments)
    return {"frees": free, **rest}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=2_000)
    parser.add_argument("--waiting", type=int, default=20_000)
    parser.add_argument("--queues", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    report("router/scale", asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
