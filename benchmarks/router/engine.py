"""Measures the router's engine beside a plain scan and others' algorithms, on one made-up center.

    python benchmarks/router/engine.py [--agents 1000] [--waiting 10000] [--queues 50] [--steps N]
                                       [--wheel dist/madoguchi-...whl]

All agents are busy and `waiting` items wait; together the queues use every policy (center.py). One
step of the engine is one command, out of the lives of contacts: one arrives, its offer is accepted
(one in twenty is declined), its agent replies, its customer writes, its wrap-up begins, its work
ends (its agent takes the best waiting item), and whatever is due meanwhile. One step of
the scan is the decision alone: look at every waiting item for one agent, by the same policies. Of
others (peers.py) it is one choice of an agent. With a wheel (`make wheel`) its
engine is measured. Prints JSON; `compiled` says whether the engine is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import peers
from center import Center, fill, offers

import router.engine.engine
from madoguchi.memory import settle
from madoguchi.model.routing import (
    AgentReplied,
    Command,
    CustomerWrote,
    Decision,
    ItemAssigned,
    ItemEnqueued,
    OfferAccepted,
    OfferDeclined,
    Presence,
    TimePassed,
    WorkEnded,
    WrapUpStarted,
)
from router.engine.engine import Engine
from router.engine.policy import item_rank, level_of, permitted
from router.engine.records import AgentRecord, ItemRecord

DECLINED = 0.05


class Drive:
    """An engine at work, and what each of its steps took in ns, by the kind of command."""

    def __init__(self, center: Center, engine: Engine, assigned: list[str]) -> None:
        self.center = center
        self.engine = engine
        self.assigned = assigned
        self.spent: dict[str, list[int]] = {}

    def run(self, steps: int) -> None:
        """Run about so many commands: of the lives of contacts, some of each of their moments."""
        while sum(map(len, self.spent.values())) < steps:
            self.answer(self.step(AgentReplied(self.draw())))
            self.answer(self.step(CustomerWrote(self.draw())))
            self.end(self.draw(last=True))
            item = self.center.item()
            while (due := self.engine.next_due()) is not None and due <= item.enqueued_at:
                self.answer(self.step(TimePassed(), due))
            self.answer(self.step(ItemEnqueued(item)))

    def draw(self, *, last: bool = False) -> str:
        """Return some item that an agent has; take it out if this is the last of it."""
        assigned = self.assigned
        place = self.center.draw.randrange(len(assigned))
        assigned[place], assigned[-1] = assigned[-1], assigned[place]
        return assigned.pop() if last else assigned[-1]

    def end(self, item: str) -> None:
        """End a contact, and the wrap-up where its queue has one."""
        facts = self.engine.item(item)
        assert facts is not None
        assert facts.owner is not None
        self.answer(self.step(WrapUpStarted(item, facts.owner)))
        if self.engine.item(item) is not None:
            self.answer(self.step(WorkEnded(item)))

    def answer(self, decisions: list[Decision]) -> None:
        """Let agents answer what they are offered, and what follows from it."""
        pending = offers(decisions)
        while pending:
            offer = pending.pop()
            if self.engine.offer(offer.offer) is None:
                continue
            no = self.center.draw.random() < DECLINED
            kind = OfferDeclined if no else OfferAccepted
            pending += offers(self.step(kind(offer.offer, offer.agent)))

    def step(self, command: Command, at: int | None = None) -> list[Decision]:
        """Apply a command, now or at another moment, and note what it took."""
        at = self.center.at if at is None else at
        started = time.perf_counter_ns()
        decisions = self.engine.apply(command, at)
        took = time.perf_counter_ns() - started
        self.spent.setdefault(type(command).__name__, []).append(took)
        self.assigned += [one.item for one in decisions if isinstance(one, ItemAssigned)]
        return decisions

    def figures(self) -> dict[str, object]:
        """Return rate and times of all steps, and the mean of each kind."""
        every = [one for each in self.spent.values() for one in each]
        means = {
            name: {"n": len(each), "mean_us": round(statistics.mean(each) / 1e3, 1)}
            for name, each in sorted(self.spent.items())
        }
        return {**figures(every), "by_command": means}


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
            level = level_of(agent.spec, item.policy)
            spec, ageing = item.spec, item.policy.ageing
            yield item_rank(level, item.priority, ageing, spec.ranked_at, spec.id, at)


def figures(spent: list[int]) -> dict[str, float]:
    """Return the rate and the median and 99th percentile of the times."""
    cuts = statistics.quantiles(spent, n=100)
    return {
        "steps": len(spent),
        "steps_per_s": round(len(spent) / (sum(spent) / 1e9), 1),
        "p50_us": round(cuts[49] / 1e3, 1),
        "p99_us": round(cuts[98] / 1e3, 1),
    }


def again_with(wheel: Path) -> None:
    """Start anew with what is in a wheel."""
    if os.environ.get("MADOGUCHI_WHEEL") == str(wheel):
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
        environment = {**os.environ, "PYTHONPATH": folder, "MADOGUCHI_WHEEL": str(wheel)}
        command = [sys.executable, *sys.argv]
        done = subprocess.run(command, env=environment, check=False)  # noqa: S603
        sys.exit(done.returncode)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--queues", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--wheel", type=Path)
    given = parser.parse_args()
    if given.wheel:
        again_with(given.wheel)
    center, engine = Center(given.agents, given.queues), Engine()
    drive = Drive(center, engine, fill(center, engine, given.waiting))
    waiting = sum(engine.number_waiting(queue.id) for queue in center.queues)
    settle()
    drive.run(given.steps)
    by_index = drive.figures()
    by_scan = figures(scan(center, engine, 30))
    rate = by_index["steps_per_s"]
    assert isinstance(rate, float)
    report = {
        "benchmark": "router/engine",
        "agents": given.agents,
        "waiting": waiting,
        "queues": given.queues,
        "python": platform.python_version(),
        "compiled": not router.engine.engine.__file__.endswith(".py"),
        "engine": by_index,
        "scan": by_scan,
        "ratio": round(rate / by_scan["steps_per_s"], 1),
        "peers": {
            "chatwoot_round_robin": peers.cost_us(peers.chatwoot_round_robin(center)),
            "chatwoot_assignment": peers.cost_us(
                peers.chatwoot_assignment(center, len(drive.assigned))
            ),
            "freeswitch_pass": peers.cost_us(peers.freeswitch(center, given.waiting)),
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
