"""A change of configuration in steps, so that offers go on meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from madoguchi.model.routing import (
    AgentChanged,
    AgentRemoved,
    AgentSpec,
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

        Agents can do on the way what they can do before and after it: who may do less, may so
        first, then come the queues, then what agents may do besides. The engine is at the new
        version when the queues are.
        """
        before, now = old.specs, new.specs
        self._ahead += [AgentRemoved(id) for id in before if id not in now]
        changed = {id: one for id, one in now.items() if before.get(id) != one}
        if always or new.policies != old.policies:
            narrow = {id: narrowed(before.get(id), one) for id, one in changed.items()}
            self._ahead += [AgentChanged(o) for id, o in narrow.items() if o != before.get(id)]
            for queues in way(old.policies, new.policies, number_in):
                there = queues is new.policies
                number = new.catalog.number if there else old.catalog.number
                self._ahead.append(ConfigurationChanged(queues, number, midnight=midnight))
            changed = {id: one for id, one in changed.items() if one != narrow[id]}
        self._ahead += map(AgentChanged, changed.values())

    def take(self, monotonic: Callable[[], float]) -> Iterator[Command]:
        """Yield commands, one at least if there are any, until the others' turn has come."""
        began = monotonic()
        while self._ahead:
            yield self._ahead.popleft()
            if monotonic() - began >= BUDGET_S:
                return

    def take_all(self) -> Iterator[Command]:
        """Yield all that are still to come."""
        while self._ahead:
            yield self._ahead.popleft()

    def clear(self) -> None:
        """Forget what was to come: the engine is built anew."""
        self._ahead.clear()


def narrowed(old: AgentSpec | None, new: AgentSpec) -> AgentSpec:
    """Return somebody who can do only what both can; who is new can do nothing yet."""
    if old is None:
        return replace(new, serves={}, skills={}, teams=(), keep_free={}, delays_s={})
    serves = {queue: level for queue, level in new.serves.items() if queue in old.serves}
    teams = tuple(team for team in new.teams if team in old.teams)
    return replace(
        new,
        serves=serves,
        teams=teams,
        skills={
            skill: min(level, old.skills[skill])
            for skill, level in new.skills.items()
            if skill in old.skills
        },
        keep_free={queue: one for queue, one in new.keep_free.items() if one.team in teams},
    )


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
