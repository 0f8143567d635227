"""A change of configuration in steps, so that offers go on meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from madoguchi.model.routing import (
    AgentChanged,
    AgentRemoved,
    Command,
    ConfigurationChanged,
    QueuePolicy,
    Refused,
)
from router.configured import Configured
from router.engine.agents import check_overflow

STEP = 1_000
"""So many items at most are in the queues that one step changes, if it changes several."""

BUDGET_S = 0.03
"""So long steps are taken before other orders have their turn."""


class Reconfiguring:
    """The commands by which the engine comes to a new configuration."""

    def __init__(self) -> None:
        self._ahead: deque[Command] = deque()

    @property
    def going_on(self) -> bool:
        """Whether there are commands still to come."""
        return bool(self._ahead)

    def plan(
        self,
        old: Configured,
        new: Configured,
        number_in: Callable[[str], int],
        midnight: int,
        *,
        always: bool,
    ) -> None:
        """Plan the way from one configuration to another; `number_in`: how many items a queue has,
        `midnight` is told to the engine with the queues: `always`, or if any has changed.

        The engine is at the new version when the queues are; agents follow.
        """
        if always or new.policies != old.policies:
            for queues in way(old.policies, new.policies, number_in):
                there = queues is new.policies
                number = new.catalog.number if there else old.catalog.number
                self._ahead.append(ConfigurationChanged(queues, number, midnight=midnight))
        before, now = old.specs, new.specs
        self._ahead += [AgentChanged(one) for id, one in now.items() if before.get(id) != one]
        self._ahead += [AgentRemoved(id) for id in before if id not in now]

    def take(self, monotonic: Callable[[], float]) -> Iterator[Command]:
        """Yield commands, one at least if there are any, until the others' turn has come."""
        began = monotonic()
        while self._ahead:
            yield self._ahead.popleft()
            if monotonic() - began >= BUDGET_S:
                return

    def clear(self) -> None:
        """Forget what was to come: the engine is built anew."""
        self._ahead.clear()


def way(
    old: tuple[QueuePolicy, ...], new: tuple[QueuePolicy, ...], number_in: Callable[[str], int]
) -> Iterator[tuple[QueuePolicy, ...]]:
    """Yield the sets of queues on the way from one to another, the last being `new`.

    New queues come first and old ones go last, so that every queue that is named is there. Each
    step changes queues with few items together, and stands by itself: where it would close a circle
    of overflows the next is taken with it.
    """
    now = {queue.id: queue for queue in old}
    wanted = {queue.id: queue for queue in new}
    changed = [key for key, queue in wanted.items() if key in now and now[key] != queue]
    now |= {key: queue for key, queue in wanted.items() if key not in now}
    items = 0
    for key in changed:
        own = number_in(key)
        if items and items + own > STEP and _stands(now):
            yield tuple(now.values())
            items = 0
        now[key] = wanted[key]
        items += own
    yield new


def _stands(queues: dict[str, QueuePolicy]) -> bool:
    try:
        check_overflow(queues)
    except Refused:
        return False
    return True
