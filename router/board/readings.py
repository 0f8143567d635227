"""The figures of queues that help and alerts look at, and expected waits. Pure.

Whoever drives an engine tells them what happens: the live board (:mod:`router.board.board`), and a
replayed day (:mod:`router.simulator.watch`). ``at`` is seconds of any one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from madoguchi.model.ids import Id
from madoguchi.model.routing import MICROS, Figure, Refused
from router.board.estimates import Expectations
from router.board.helping import RecentLevel
from router.board.waits import Waits
from router.engine.buckets import Ahead
from router.engine.engine import Engine


class Readings:
    """What is known of the queues of one engine; ``target`` is queue -> seconds in time."""

    def __init__(self, waits: Waits, target: Callable[[str], float]) -> None:
        self._waits = waits
        self._target = target
        self._expectations = Expectations()
        self._recent: dict[str, RecentLevel] = {}

    # ------------------------------------------------------------ learning

    def comes(self, item: Id, queue: str, ahead: Ahead | None, at: float) -> None:
        """An item begins to wait; ``ahead``: nobody has room for it."""
        self._expectations.waits(item, queue, ahead, at)

    def answered(self, item: Id, queue: str, waited_s: float, at: float) -> None:
        """Somebody took a contact for the first time."""
        self.ends(queue, waited_s, at)
        self.taken(item, queue, at)

    def taken(self, item: Id, queue: str, at: float) -> None:
        """An item that waited has come into somebody's hands."""
        self._expectations.taken(item, queue, at)

    def left(self, queue: str, at: float) -> None:
        """A customer left before anybody took the contact."""
        self.ends(queue, None, at)

    def ends(self, queue: str, waited_s: float | None, at: float) -> None:
        """A wait ended with an answer; None: without one."""
        in_time = waited_s is not None and waited_s <= self._target(queue)
        self.level(queue).add(at, in_time=in_time, left=waited_s is None)

    def closed(self, item: Id, at: float) -> None:
        """An item's work has ended, or it is gone."""
        self._expectations.ended(item, at)

    def held(self, queue: str, seconds: float) -> None:
        """Work of a queue has held its agent for so long."""
        self._expectations.holds(queue, seconds)

    def level(self, queue: str) -> RecentLevel:
        """Return the service level of a queue's last contacts, to be read or added to."""
        return self._recent.setdefault(queue, RecentLevel())

    # ------------------------------------------------------------ reading

    def knows(self, queues: Iterable[str]) -> bool:
        """Tell whether it is known of each queue itself how long its work holds an agent."""
        return all(map(self._expectations.knows, queues))

    def of(self, engine: Engine, queue: str, figure: Figure, at: float) -> float | None:
        """Return a figure; None: nobody knows it."""
        match figure:
            case Figure.waiting:
                return float(engine.number_waiting(queue))
            case Figure.longest_wait:
                since = self._waits.since(queue)
                return 0.0 if since is None else (engine.clock - since) / MICROS
            case Figure.expected_wait:
                return self.expected_in(engine, queue)
            case Figure.service_level:
                return self.level(queue).level(at)
            case Figure.abandoned:
                return float(self.level(queue).left(at))

    def expected_s(self, queue: str, ahead: Ahead | None) -> float | None:
        """Return for how many seconds an item of a queue still waits; None: nobody can tell."""
        return self._expectations.expected_s(queue, ahead)

    def expected_in(self, engine: Engine, queue: str) -> float | None:
        """Return how long a contact would wait that came into a queue now; None as above."""
        try:
            ahead = engine.ahead_of_new(queue)
        except Refused:
            return None
        if ahead is not None and ahead.free:
            return 0.0
        return self.expected_s(queue, ahead)
