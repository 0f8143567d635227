"""How long a trial takes: a recorded day of 20,000 contacts and 200 agents, old and new.

    .venv/bin/python benchmarks/trials.py [--contacts 20000] [--agents 200] [--helped 0]

The day lies in a hub's store (SQLite); the trial is asked for as the page does. So many of the ten
queues are helped by their expected wait, which costs most to look at. Told are the first
answer (reading, fitting, one replication of each side), all 20 replications, by how much the hub's
own loop was late meanwhile, and one side's replay beside a bare loop over as many events: a heap of
arrivals and ends, a queue, a number of free agents. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import tempfile
import time
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any

from support import percentile, report

from madoguchi.clock import Clock
from madoguchi.configuration import text
from madoguchi.configuration.service import Change
from madoguchi.model.people import SYSTEM
from router.trials import reading
from router.trials.day import span_of
from router.trials.replay import replayed
from router.trials.service import REPLICATIONS, Wanted
from router.trials.telling import told
from router.trials.trial import Trial, fits
from router.trials.turns import State
from tests.support.days import Came, record
from tests.support.hubs import Running, hub_running
from tests.support.waiting import wait_for

QUEUES, OPENS_S, CLOSES_S = 10, 8 * 3600.0, 20 * 3600.0
LATE_EVERY_S = 0.01


def company(agents: int, helped: int = 0) -> str:
    """Return ten queues, each with a team that also serves the next one; teams from farther away
    help so many of them by figures.
    """
    lines = []
    for n in range(QUEUES):
        helps = f'{{ queue = "q{(n + 1) % QUEUES}", level = 2 }}'
        lines.append(f'[skill.s{n}]\nname = "S{n}"\n[queue.q{n}]\nname = "Q{n}"')
        lines.append(f"service_level_s = 20\nrequires = {{ s{n} = 1 }}")
        if n < helped:
            far = (n + QUEUES // 2) % QUEUES
            lines.append(
                f'help = [{{ when = "expected_wait", over = 60, add_groups = ["t{far}"] }}]'
            )
        lines.append(f'[team.t{n}]\nname = "T{n}"\nserves = [{{ queue = "q{n}" }}, {helps}]')
    for n in range(agents):
        own, next_one = n % QUEUES, (n + 1) % QUEUES
        lines.append(f'[agent.a{n}]\nname = "A{n}"\nteams = ["t{own}"]\nunits = 1')
        lines.append(f"skills = {{ s{own} = 3, s{next_one} = 2 }}")
    return "\n".join(lines)


def a_day(contacts: int, agents: int) -> list[Came]:
    """Return contacts that keep the agents busy for about nine tenths of their time."""
    numbers = random.Random(7)
    held = 0.9 * agents * (CLOSES_S - OPENS_S) / contacts
    return [
        Came(
            at=numbers.uniform(OPENS_S, CLOSES_S),
            waited=numbers.expovariate(1 / 20),
            talk=None if numbers.random() < 0.05 else numbers.expovariate(1 / (held - 30)),
            wrap_up=30,
            accept=3,
            queue=f"q{numbers.randrange(QUEUES)}",
            agent=f"a{numbers.randrange(agents)}",
        )
        for _ in range(contacts)
    ]


async def lateness(found: list[float]) -> None:
    """Note by how much the loop is late, until cancelled."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LATE_EVERY_S)
        found.append(time.perf_counter() - before - LATE_EVERY_S)


async def tried(here: Running, day: datetime) -> dict[str, Any]:
    """Run a trial of a ring; return its times."""
    hub = here.hub
    entry = hub.configuration.catalog.queues["q0"]
    body = entry.object.model_dump(mode="json", exclude={"key"})
    body["rings"] = [{"after": 20, "relax": {"s0": 0}, "add_groups": ["t5"]}]
    late: list[float] = []
    watching = asyncio.create_task(lateness(late))
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    wanted = Wanted(day.date(), [Change("queue", "q0", body, entry.version)])
    one = await hub.trials.begin(SYSTEM.id, wanted)
    await wait_for(lambda: one.state not in {State.waiting, State.running}, within=900)
    whole = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    if one.state is not State.done or one.figures is None or one.seconds is None:
        raise RuntimeError(f"the trial is {one.state}")
    return {
        "first_answer_s": round(one.seconds, 2),
        "all_replications_s": round(whole, 1),
        "workers_cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 1),
        "replications": REPLICATIONS,
        "loop_late_ms": {
            "p50": round(percentile(late, 0.5) * 1000, 2),
            "p99": round(percentile(late, 0.99) * 1000, 1),
            "max": round(max(late) * 1000, 1),
        },
    }


def bare(came: list[Came], agents: int) -> float:
    """Return the seconds of a plain first come, first served over the same events."""
    began = time.perf_counter()
    events = [(one.at, 0, one.talk or 60.0) for one in came]
    heapify(events)
    waiting: deque[float] = deque()
    free = agents
    while events:
        at, ends, holds = heappop(events)
        if ends:
            free += 1
        else:
            waiting.append(holds)
        if free and waiting:
            free -= 1
            heappush(events, (at + waiting.popleft(), 1, 0.0))
    return time.perf_counter() - began


async def alone(here: Running, day: datetime, came: list[Came], agents: int) -> dict[str, Any]:
    """Return one side's replay in this process, and the bare loop."""
    begins, ends = span_of(day.date(), here.hub.settings.zone)
    began = time.perf_counter()
    rows = await here.hub.store.read(lambda: reading.rows(begins, ends))
    read = time.perf_counter() - began
    recorded = told(begins, ends, here.hub.clock.now(), *rows)
    catalog = here.hub.configuration.catalog
    trial = Trial(recorded, fits(recorded), catalog, catalog)
    fitted = time.perf_counter() - began - read
    began = time.perf_counter()
    replayed(trial, catalog, 0)
    replay, plain = time.perf_counter() - began, bare(came, agents)
    return {
        "read_s": round(read, 2),
        "fit_s": round(fitted, 2),
        "one_side_s": round(replay, 2),
        "contacts_per_s": round(len(came) / replay),
        "bare_loop_s": round(plain, 3),
        "times_the_bare_loop": round(replay / plain),
    }


async def measured(contacts: int, agents: int, helped: int) -> dict[str, Any]:
    """Fill a hub and measure."""
    midnight = Clock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = midnight - timedelta(days=1)
    came = a_day(contacts, agents)
    with tempfile.TemporaryDirectory() as folder:
        async with hub_running(Path(folder), time_zone="UTC") as here:
            catalog = here.hub.configuration.catalog
            wanted = text.changes(company(agents, helped), catalog)
            await here.hub.configuration.change(SYSTEM, "benchmark", wanted)
            there = {f"a{n}": [(OPENS_S, CLOSES_S + 1800)] for n in range(agents)}
            await record(here.hub, came, there, day)
            return {
                "contacts": contacts,
                "agents": agents,
                "helped": helped,
                **await tried(here, day),
                **await alone(here, day, came, agents),
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--helped", type=int, default=0, help="queues with help by figures")
    options = parser.parse_args()
    report("trials", asyncio.run(measured(options.contacts, options.agents, options.helped)))


if __name__ == "__main__":
    main()
