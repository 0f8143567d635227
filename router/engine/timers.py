"""What is due when: a heap of hints, each checked against the records before it counts."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush


class Timer(IntEnum):
    """Kinds of timers; of several due at one instant the smaller kind goes first."""

    release = 0
    block = 1
    offer = 2
    away = 3
    absent = 4
    wrap_up = 5
    step = 6
    rest = 7


Due = Callable[[Timer, str], int | None]
"""The truth: when a timer of this kind is due for this item or agent now; None: never."""


class Timers:
    """Times at which something may be due. Nothing is ever cancelled: stale hints are dropped."""

    __slots__ = ("_due", "_heap")

    def __init__(self, due: Due) -> None:
        self._due = due
        self._heap: list[tuple[int, Timer, str]] = []

    def schedule(self, kind: Timer, key: str) -> None:
        """Note the present due time of (kind, key); call it whenever that time may have moved."""
        due = self._due(kind, key)
        if due is not None:
            heappush(self._heap, (due, kind, key))

    def next_due(self) -> int | None:
        """Return the µs at which the next timer is due, or None."""
        while self._heap:
            due, kind, key = self._heap[0]
            if self._due(kind, key) == due:
                return due
            heappop(self._heap)
        return None

    def pop(self, at: int) -> tuple[Timer, str] | None:
        """Take out the first timer that is due at `at` or before."""
        due = self.next_due()
        if due is None or due > at:
            return None
        _, kind, key = heappop(self._heap)
        return kind, key
