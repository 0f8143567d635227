"""How long "what gives most" and staffing take on a recorded day of 20,000 contacts, 200 agents.

    .venv/bin/python benchmarks/moves.py [--contacts 20000] [--agents 200]

The day is that of benchmarks/trials.py: ten queues, each with a team that also helps in the next
one. Told are the first ranking (two replications of each move), all rounds, the CPU time of the
worker processes, by how much the hub's own loop was late meanwhile; and the staffing of the same
day from its rows to the plan. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from support import percentile, report
from trials import CLOSES_S, OPENS_S, a_day, company, lateness

from madoguchi.clock import Clock
from madoguchi.configuration import text
from madoguchi.model.people import SYSTEM
from router.trials.search import Asked
from router.trials.service import Wanted
from router.trials.staffing import Terms, plan
from router.trials.trial import fits
from router.trials.turns import UNFINISHED, State
from tests.support.days import record
from tests.support.hubs import Running, hub_running
from tests.support.waiting import wait_for

PLANS = 5


async def searched(here: Running, day: datetime) -> dict[str, Any]:
    """Search for what gives all queues most; return its times."""
    late: list[float] = []
    watching = asyncio.create_task(lateness(late))
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    one = await here.hub.searches.begin(SYSTEM.id, Asked(Wanted(day.date(), [])))
    await wait_for(lambda: one.state not in UNFINISHED, within=3600)
    whole = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    if one.state is not State.done or one.seconds is None:
        raise RuntimeError(f"the search is {one.state}")
    return {
        "thought_of": one.thought_of,
        "moves": len(one.judged),
        "replays": one.done,
        "first_ranking_s": round(one.seconds, 1),
        "all_rounds_s": round(whole, 1),
        "workers_cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 1),
        "loop_late_ms": {
            "p50": round(percentile(late, 0.5) * 1000, 2),
            "p99": round(percentile(late, 0.99) * 1000, 1),
            "max": round(max(late) * 1000, 1),
        },
        "best": {
            "kind": one.judged[0].move.kind,
            "gain": round(one.judged[0].gain, 4),
            "verdict": one.judged[0].verdict,
        },
    }


async def staffed(here: Running, day: datetime) -> dict[str, Any]:
    """Plan the same day; return its times."""
    days, catalog = here.hub.trials.days, here.hub.configuration.catalog
    began = time.perf_counter()
    recorded = await days.read(day.date(), 0, [day.date()])
    read = time.perf_counter() - began
    fitted = fits(recorded)
    fit = time.perf_counter() - began - read
    took = []
    for _ in range(PLANS):
        began = time.perf_counter()
        found = plan(recorded, fitted, catalog, Terms())
        took.append((time.perf_counter() - began) * 1000)
    return {
        "queues": len(found.queues),
        "half_hours": len(found.total),
        "read_ms": round(read * 1000),
        "fit_ms": round(fit * 1000),
        "plan_ms": round(percentile(took, 0.5), 1),
    }


async def measured(contacts: int, agents: int) -> dict[str, Any]:
    """Fill a hub and measure."""
    midnight = Clock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = midnight - timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        async with hub_running(Path(folder), time_zone="UTC") as here:
            configuration = here.hub.configuration
            wanted = text.changes(company(agents), configuration.catalog)
            await configuration.change(SYSTEM, "benchmark", wanted)
            there = {f"a{n}": [(OPENS_S, CLOSES_S + 1800)] for n in range(agents)}
            await record(here.hub, a_day(contacts, agents), there, day)
            staffing = await staffed(here, day)
            search = await searched(here, day)
            return {"contacts": contacts, "agents": agents, "staffing": staffing, "search": search}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--agents", type=int, default=200)
    options = parser.parse_args()
    report("moves", asyncio.run(measured(options.contacts, options.agents)))


if __name__ == "__main__":
    main()
