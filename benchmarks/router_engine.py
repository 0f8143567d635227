"""Measures the router's engine against a plain scan, in one run on one set of data.

    python benchmarks/router_engine.py [--agents 1000] [--waiting 10000] [--queues 50] [--steps N]

All agents are busy and `waiting` items wait. One step of the engine is one command; in turns a work
ends (its agent takes the best waiting item), that offer is accepted, and a new item arrives. One
step of the scan is the decision alone: look at every waiting item for one agent. Prints JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from madoguchi.model.routing import (
    AgentChanged,
    AgentSpec,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    Decision,
    ItemEnqueued,
    ItemSpec,
    OfferAccepted,
    Offered,
    Presence,
    PresenceSet,
    QueuePolicy,
    WorkEnded,
)
from router.engine.engine import Engine
from router.engine.policy import item_rank, permitted
from router.engine.records import AgentRecord, ItemRecord

SKILLS = ["ja", "en", "billing", "returns", "vip"]


class Center:
    """A center in full swing, made from a seed."""

    def __init__(self, agents: int, queues: int, seed: int = 7) -> None:
        self.draw = random.Random(seed)
        self.at = 1_700_000_000_000_000
        self.made = 0
        self.queues = [
            QueuePolicy(f"q{n:03}", f"Q{n}", {SKILLS[n % len(SKILLS)]: 1 + n % 3}, 1 + n % 2)
            for n in range(queues)
        ]
        self.agents = [self.agent(n) for n in range(agents)]

    def agent(self, number: int) -> AgentSpec:
        """Return the agent who serves eight queues."""
        served = self.draw.sample(self.queues, min(8, len(self.queues)))
        skills = {skill: self.draw.randint(2, 5) for skill in SKILLS}
        levels = {queue.id: self.draw.randint(1, 2) for queue in served}
        return AgentSpec(f"a{number:05}", number, skills, levels, units=3)

    def item(self) -> ItemSpec:
        """Return the next item, a millisecond after the last."""
        self.made += 1
        self.at += 1_000
        channel = self.draw.choice(["chat", "sms", "email"])
        queue = self.draw.choice(self.queues).id
        return ItemSpec(f"i{self.made:09}", f"c{self.made}", queue, channel, self.at)


def fill(center: Center, engine: Engine, waiting: int) -> list[str]:
    """Let everybody come and be busy, then `waiting` items wait; return the assigned items."""
    engine.apply(ConfigurationChanged(tuple(center.queues)), center.at)
    for spec in center.agents:
        engine.apply(AgentChanged(spec), center.at)
        engine.apply(PresenceSet(spec.id, Presence.available), center.at)
        engine.apply(ConnectionChanged(spec.id, True), center.at)
    assigned: list[str] = []
    while waiting:
        decisions = engine.apply(ItemEnqueued(center.item()), center.at)
        made = [each for each in decisions if isinstance(each, Offered)]
        for offered in made:
            engine.apply(OfferAccepted(offered.offer, offered.agent), center.at)
            assigned.append(offered.item)
        waiting -= not made
    return assigned


def timed(engine: Engine, command: Command, at: int, spent: list[int]) -> list[Decision]:
    """Apply a command and note the ns that it took."""
    started = time.perf_counter_ns()
    decisions = engine.apply(command, at)
    spent.append(time.perf_counter_ns() - started)
    return decisions


def drive(center: Center, engine: Engine, assigned: list[str], steps: int) -> list[int]:
    """Run `steps` commands and return what each took in ns."""
    spent: list[int] = []
    while len(spent) < steps:
        place = center.draw.randrange(len(assigned))
        assigned[place], assigned[-1] = assigned[-1], assigned[place]
        decisions = timed(engine, WorkEnded(assigned.pop()), center.at, spent)
        for offered in (each for each in decisions if isinstance(each, Offered)):
            timed(engine, OfferAccepted(offered.offer, offered.agent), center.at, spent)
            assigned.append(offered.item)
        timed(engine, ItemEnqueued(center.item()), center.at, spent)
    return spent


def scan(center: Center, engine: Engine, steps: int) -> list[int]:
    """Decide by looking at every waiting item, for `steps` free agents; return the ns of each."""
    state = engine.state()
    queues = {queue.id: queue for queue in state.queues}
    items = [ItemRecord(facts.spec, queues[facts.spec.queue]) for facts in state.items]
    waiting = [item for item, facts in zip(items, state.items, strict=True) if not facts.owner]
    spent: list[int] = []
    for spec in center.draw.choices(center.agents, k=steps):
        agent = AgentRecord(spec, Presence.available, disconnected_since=None)
        started = time.perf_counter_ns()
        min(ranks(agent, waiting, center.at), default=None)
        spent.append(time.perf_counter_ns() - started)
    return spent


def ranks(
    agent: AgentRecord, waiting: list[ItemRecord], at: int
) -> Iterator[tuple[float | str, ...]]:
    """Yield the rank of every item that the agent may take."""
    for item in waiting:
        if permitted(agent, item, at) is None:
            level = agent.spec.serves[item.spec.queue]
            spec, ageing = item.spec, item.policy.ageing
            yield item_rank(level, item.priority, ageing, spec.enqueued_at, spec.id, at)


def figures(spent: list[int]) -> dict[str, float]:
    """Return the rate and the median and 99th percentile of the times."""
    cuts = statistics.quantiles(spent, n=100)
    return {
        "steps": len(spent),
        "steps_per_s": round(len(spent) / (sum(spent) / 1e9)),
        "p50_us": round(cuts[49] / 1e3, 1),
        "p99_us": round(cuts[98] / 1e3, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--queues", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20_000)
    given = parser.parse_args()
    center, engine = Center(given.agents, given.queues), Engine()
    assigned = fill(center, engine, given.waiting)
    gc.collect()
    gc.freeze()
    by_index = figures(drive(center, engine, assigned, given.steps))
    by_scan = figures(scan(center, engine, 50))
    ratio = round(by_index["steps_per_s"] / by_scan["steps_per_s"], 1)
    report = {
        "agents": given.agents,
        "waiting": sum(len(engine.waiting(queue.id)) for queue in center.queues),
        "queues": given.queues,
        "python": platform.python_version(),
        "engine": by_index,
        "scan": by_scan,
        "ratio": ratio,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
