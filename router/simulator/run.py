"""All replications of a scenario, on as many cores as there are, and their figures together."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from router.simulator.cast import Cast
from router.simulator.figures import of_contacts, of_group, summed
from router.simulator.replication import Outcome, Replication
from router.simulator.scenario import Scenario
from router.simulator.staging import cast

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
    return Replication(cast(short, 0, beside), decisions).run().explained


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
    outcome = played(cast(scenario, number, beside))
    return seen(outcome, scenario.targets)


def played(what: Cast) -> Outcome:
    """Run a cast to its end."""
    # Records refer to each other only while they live: looking for cycles finds nothing.
    gc.disable()
    try:
        return Replication(what).run()
    finally:
        gc.enable()


def seen(outcome: Outcome, within_s: Mapping[str, float]) -> Seen:
    """Return the figures of one replication; ``within_s`` is queue -> target."""
    found: Seen = {}
    records = [*outcome.records, *outcome.waiting]
    lengths = {name: span.mean() for name, span in outcome.queues.items()}
    for queue, length in lengths.items():
        figures = of_contacts([one for one in records if one.queue == queue], within_s)
        found[f"queue/{queue}"] = {**figures, "mean_queue_length": length}
    for name, group in outcome.groups.items():
        found[f"group/{name}"] = of_group(group)
    total = of_contacts(records, within_s)
    found["total"] = {**total, "mean_queue_length": sum(lengths.values())}
    return found
