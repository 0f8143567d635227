"""How far expected waits are from what came: in simulated centers, by the product's own engine.

    .venv/bin/python benchmarks/router/estimates.py [--contacts 20000]

Each contact that has to wait is told a time; when somebody takes it, that is compared. Beside it
stand two plain ways: the wait of the queue's last contact that was taken, and Rocket.Chat's formula
((place - 1) / agents + 1) x the mean duration of the last 100. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import deque
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from madoguchi.model.routing import MICROS, ItemAssigned
from router.board.estimates import Expectations
from router.simulator.replication import Replication
from router.simulator.scenario import Scenario
from router.simulator.staging import cast

WAYS = ("ours", "last_wait", "by_place")


class Watching(Replication):
    """A run in which everybody who waits is told for how long."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(cast(scenario, 1, Path()))
        self.expectations = Expectations()
        self.told: dict[str, dict[str, float]] = {}
        self.last: dict[str, float] = {}
        self.durations: deque[float] = deque(maxlen=100)
        self.began: dict[str, float] = {}
        self.errors: dict[str, list[float]] = {way: [] for way in WAYS}
        self.waits: list[float] = []

    @property
    def at(self) -> float:
        """The seconds that have passed."""
        return self._now / MICROS

    def _arrive(self, stream: str) -> None:
        super()._arrive(stream)
        name = f"{self._come:09}"
        contact = self._contacts.get(name)
        if contact is None or not contact.waits:
            return
        ahead = self._engine.ahead(name)
        ours = self.expectations.expected_s(contact.coming.queue, ahead)
        self.expectations.waits(name, contact.coming.queue, ahead, self.at)
        last = self.last.get(contact.coming.queue)
        if ours is None or last is None or ahead is None or not contact.counted:
            return
        mean = statistics.fmean(self.durations)
        by_place = ((ahead.position - 1) / ahead.units + 1) * mean
        self.told[name] = {"ours": ours, "last_wait": last, "by_place": by_place}

    def _served(self, assigned: ItemAssigned) -> None:
        contact = self._contacts[assigned.item]
        waited = (self._now - contact.coming.at) / MICROS
        self.expectations.taken(assigned.item, contact.coming.queue, self.at)
        self.began[assigned.item] = self.at
        self.last[contact.coming.queue] = waited
        told = self.told.pop(assigned.item, None)
        if told is not None:
            self.waits.append(waited)
            for way, expected in told.items():
                self.errors[way].append(abs(expected - waited))
        super()._served(assigned)

    def _finish(self, name: str) -> None:
        self.expectations.ended(name, self.at)
        self.durations.append(self.at - self.began.pop(name))
        super()._finish(name)


def poisson(rate: float, mean: float, patience: float | None = None) -> dict[str, Any]:
    """Return a queue's traffic."""
    traffic: dict[str, Any] = {
        "arrivals": {"poisson_per_hour": rate},
        "handling": {"lognormal_s": {"mean": mean, "cv": 1.0}},
    }
    if patience is not None:
        traffic["patience"] = {"exponential_s": patience}
    return traffic


SCENARIOS: dict[str, dict[str, Any]] = {
    "one queue, 20 agents, 95 % busy": {
        "queues": [{"name": "a"}],
        "traffic": {"a": poisson(228, 300)},
        "groups": [{"name": "g", "agents": 20}],
    },
    "the same with customers who give up, 110 % busy": {
        "queues": [{"name": "a"}],
        "traffic": {"a": poisson(264, 300, 240)},
        "groups": [{"name": "g", "agents": 20}],
    },
    "two classes": {
        "queues": [{"name": "a", "priority": 1}, {"name": "b", "priority": 2}],
        "traffic": {"a": poisson(114, 300, 600), "b": poisson(114, 300, 600)},
        "groups": [{"name": "g", "agents": 19}],
    },
    "three queues, skills that overlap, three chats at once": {
        "queues": [
            {"name": "a", "requires": {"x": 2}},
            {"name": "b", "requires": {"y": 1}},
            {"name": "c"},
        ],
        "traffic": {
            "a": poisson(150, 400, 600),
            "b": poisson(120, 300, 600),
            "c": poisson(90, 600, 600),
        },
        "groups": [
            {"name": "xs", "agents": 5, "skills": {"x": 3}, "capacity": 3},
            {"name": "ys", "agents": 5, "skills": {"y": 2}, "capacity": 3, "speed": 0.8},
            {"name": "all", "agents": 4, "skills": {"x": 2, "y": 2}, "capacity": 3},
        ],
    },
}


def measured(body: dict[str, Any], contacts: int) -> dict[str, Any]:
    """Run a scenario; return the mean absolute errors in seconds."""
    run = Watching(Scenario.model_validate({**body, "contacts": contacts, "warmup": 1000}))
    run.run()
    return {
        "waits": len(run.waits),
        "mean_wait_s": round(statistics.fmean(run.waits), 1),
        "sd_wait_s": round(statistics.pstdev(run.waits), 1),
        "mae_s": {way: round(statistics.fmean(run.errors[way]), 1) for way in WAYS},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    contacts = parser.parse_args().contacts
    figures = {name: measured(body, contacts) for name, body in SCENARIOS.items()}
    print(json.dumps({"benchmark": "router/estimates", "contacts": contacts, **figures}, indent=2))


if __name__ == "__main__":
    main()
