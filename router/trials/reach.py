"""How many agents each step of a queue reaches; pure."""

from __future__ import annotations

from typing import Any

from madoguchi.configuration.catalog import Catalog
from madoguchi.model.routing import micros
from router.configured import policy, specs
from router.engine.policy import lacks, widened


def reach(catalog: Catalog, key: str) -> list[dict[str, Any]]:
    """Return the steps of a queue: from ``after_s`` on so many ``agents`` may take what waits there
    and asks for what the queue asks for, whether they are there or not.
    """
    queue = policy(catalog, key, catalog.queues[key].object)
    people = specs(catalog).values()
    found = []
    for after in sorted({0.0, *(float(ring.after_s) for ring in queue.rings)}):
        step = widened(queue, 0, micros(after))
        asked = tuple(step.requires(queue.requires).items())
        able = sum(1 for one in people if lacks(one, key, step.teams, asked) is None)
        found.append({"after_s": after, "agents": able})
    return found
