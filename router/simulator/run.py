"""All replications of a scenario, on as many cores as there are, and their figures together."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from router.simulator.figures import of_contacts, of_group, summed
from router.simulator.replication import Replication
from router.simulator.scenario import Scenario

Seen = dict[str, dict[str, float]]
"""``queue/name``, ``group/name`` or ``total`` -> figure -> value, of one replication."""


def run(
    scenario: Scenario,
    beside: Path,
    *,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Return the figures of a scenario; ``progress`` is told how many replications are done.

    The same scenario gives the same result, however many processes. Raises BadScenario for a file
    that the scenario names.
    """
    runs = []
    for done, seen in enumerate(_runs(scenario, beside, processes or os.cpu_count() or 1), 1):
        runs.append(seen)
        progress(done)
    queues = [queue.name for queue in scenario.queues]
    groups = [group.name for group in scenario.groups]
    return {
        "queues": {name: summed(run[f"queue/{name}"] for run in runs) for name in queues},
        "groups": {name: summed(run[f"group/{name}"] for run in runs) for name in groups},
        "total": summed(run["total"] for run in runs),
    }


def explained(scenario: Scenario, beside: Path, decisions: int) -> list[str]:
    """Return the first decisions of the first replication in words."""
    short = scenario.model_copy(update={"contacts": decisions, "warmup": 0})
    return Replication(short, 0, beside, decisions).run().explained


def _runs(scenario: Scenario, beside: Path, processes: int) -> Iterator[Seen]:
    one = partial(replicate, scenario, beside)
    numbers = range(scenario.replications)
    if processes == 1 or scenario.replications == 1:
        yield from map(one, numbers)
        return
    with ProcessPoolExecutor(min(processes, scenario.replications)) as pool:
        yield from pool.map(one, numbers)


def replicate(scenario: Scenario, beside: Path, number: int) -> Seen:
    """Run one replication; return its figures."""
    # Records refer to each other only while they live: looking for cycles finds nothing.
    gc.disable()
    try:
        outcome = Replication(scenario, number, beside).run()
    finally:
        gc.enable()
    within = scenario.service_level_s
    seen: Seen = {}
    lengths = {name: span.mean() for name, span in outcome.queues.items()}
    for queue in scenario.queues:
        own = [one for one in outcome.records if one.queue == queue.name]
        figures = of_contacts(own, within)
        seen[f"queue/{queue.name}"] = {**figures, "mean_queue_length": lengths[queue.name]}
    for group in scenario.groups:
        figures = of_group(outcome.groups[group.name], group.capacity)
        seen[f"group/{group.name}"] = figures
    total = of_contacts(outcome.records, within)
    seen["total"] = {**total, "mean_queue_length": sum(lengths.values())}
    return seen
