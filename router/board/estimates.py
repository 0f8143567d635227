"""Expected waits: what goes before an item, how long such work holds its agents, and how the last
expectations came true. Pure; :mod:`router.service` tells it what happens.

An item waits until the agents who may take it have done the work before it. With U units present,
and work of queue q holding a unit for h(q) seconds on average, that takes

    (Σ units before it × h(their queue) + h(its own queue)) / U

seconds: the last term is the time until the first of U busy units is free. What the formula does
not see (customers who give up, contacts of a higher class yet to come, agents who are late from
lunch) shows in how the queue's last expectations came true; their ratio corrects the next ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from madoguchi.model.ids import Id
from router.engine.buckets import Ahead

FADES = 0.98
"""The weight that an observation keeps with each new one: about the last fifty count."""

ENOUGH = 5.0
"""So many observations are needed before a queue's own figure is believed."""

LEAST_RATIO, MOST_RATIO = 0.1, 10.0


@dataclass(slots=True)
class Fading:
    """A mean in which older values count less."""

    total: float = 0.0
    weight: float = 0.0

    def add(self, value: float) -> None:
        """Take in a value."""
        self.total = self.total * FADES + value
        self.weight = self.weight * FADES + 1

    @property
    def enough(self) -> bool:
        """Tell whether there are enough values."""
        return self.weight >= ENOUGH

    @property
    def mean(self) -> float:
        """Return the mean; ZeroDivisionError while there is no value."""
        return self.total / self.weight


@dataclass(slots=True)
class _Queue:
    """What is known of one queue: seconds for which its work holds an agent, waits as they were
    expected without a correction, and as they were.
    """

    held: Fading = field(default_factory=Fading)
    expected: Fading = field(default_factory=Fading)
    waited: Fading = field(default_factory=Fading)

    @property
    def ratio(self) -> float:
        """Return by what expectations are corrected."""
        if not self.waited.enough or self.expected.mean <= 0:
            return 1.0
        return min(max(self.waited.mean / self.expected.mean, LEAST_RATIO), MOST_RATIO)


@dataclass(slots=True)
class _Work:
    """An item between its first wait and its end; instants in seconds."""

    queue: str
    since: float
    expected: float | None = None
    taken_at: float | None = None


class Expectations:
    """The expected waits of one domain's queues. Instants are seconds of any one clock."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}
        self._all = Fading()
        self._work: dict[Id, _Work] = {}

    def expected_s(self, queue: str, ahead: Ahead | None) -> float | None:
        """Return for how many seconds an item of a queue still waits; None: nobody can tell."""
        raw = self._raw(queue, ahead)
        return None if raw is None else raw * self._of(queue).ratio

    def waits(self, item: Id, queue: str, ahead: Ahead | None, at: float) -> None:
        """An item begins to wait; ``ahead``: nobody has room for it. Nothing where it was taken at
        once.
        """
        if item not in self._work:
            self._work[item] = _Work(queue, at, self._raw(queue, ahead))

    def taken(self, item: Id, queue: str, at: float) -> None:
        """Somebody takes an item, or takes it over."""
        work = self._work.setdefault(item, _Work(queue, at))
        if work.taken_at is None and work.expected is not None and work.queue == queue:
            known = self._of(queue)
            known.expected.add(work.expected)
            known.waited.add(at - work.since)
        if work.taken_at is None:
            work.taken_at = at
        work.queue = queue

    def ended(self, item: Id, at: float) -> None:
        """An item's work has ended, or it is gone."""
        work = self._work.pop(item, None)
        if work is not None and work.taken_at is not None:
            self.holds(work.queue, at - work.taken_at)

    def holds(self, queue: str, seconds: float) -> None:
        """Work of a queue has held its agent for so long."""
        self._of(queue).held.add(seconds)
        self._all.add(seconds)

    def knows(self, queue: str) -> bool:
        """Tell whether a queue's own work has told how long it holds an agent."""
        return queue in self._queues and self._queues[queue].held.enough

    def _of(self, queue: str) -> _Queue:
        return self._queues.setdefault(queue, _Queue())

    def _raw(self, queue: str, ahead: Ahead | None) -> float | None:
        if ahead is None or not ahead.units or not self._all.enough:
            return None
        return (self._work_s(ahead.before) + self._hold_s(queue)) / ahead.units

    def _work_s(self, before: Mapping[str, int]) -> float:
        return sum(units * self._hold_s(queue) for queue, units in before.items())

    def _hold_s(self, queue: str) -> float:
        known = self._of(queue).held
        return known.mean if known.enough else self._all.mean
