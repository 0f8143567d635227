"""What is due when: hints in the order of their times, each checked before it counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from heapq import heapify, heappop, heappush
from typing import Final


class Timer:
    """Kinds of timers; of several due at one instant the smaller kind goes first."""

    release: Final = 0
    block: Final = 1
    offer: Final = 2
    away: Final = 3
    absent: Final = 4
    wrap_up: Final = 5
    step: Final = 6
    rest: Final = 7


Hint = tuple[int, int, str]
"""When, the kind of timer, and the item or agent."""


class Truth(ABC):
    """Who knows when a timer is due."""

    @abstractmethod
    def due(self, kind: int, key: str) -> int | None:
        """Return when a timer of this kind is due for this item or agent now; None: never."""


SLOT_BITS = 20
"""Moments of 2^20 µs, about a second, are kept together."""


class Timers:
    """Times at which something may be due. Nothing is ever cancelled: stale hints are dropped.

    Hints lie in slots of a second, unsorted until the first of a slot is asked for: most of what
    is far away is stale before its time, and among hundreds of thousands even a heap is slow.
    """

    __slots__ = ("_next", "_order", "_reached", "_slots", "_truth")

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._slots: dict[int, list[Hint]] = {}
        self._order: list[int] = []
        self._next: list[Hint] = []
        self._reached = -1

    def schedule(self, kind: int, key: str) -> None:
        """Note the present due time of (kind, key); call it whenever that time may have moved."""
        due = self._truth.due(kind, key)
        if due is None:
            return
        slot = due >> SLOT_BITS
        if slot <= self._reached:
            heappush(self._next, (due, kind, key))
            return
        hints = self._slots.get(slot)
        if hints is None:
            self._slots[slot] = [(due, kind, key)]
            heappush(self._order, slot)
        else:
            hints.append((due, kind, key))

    def next_due(self) -> int | None:
        """Return the µs at which the next timer is due, or None."""
        while self._next or self._order:
            if not self._next:
                self._reached = heappop(self._order)
                self._next = self._slots.pop(self._reached)
                heapify(self._next)
            due, kind, key = self._next[0]
            if self._truth.due(kind, key) == due:
                return due
            heappop(self._next)
        return None

    def pop(self, at: int) -> tuple[int, str] | None:
        """Take out the first timer that is due at `at` or before."""
        if self._next and self._next[0][0] > at:
            return None
        due = self.next_due()
        if due is None or due > at:
            return None
        _, kind, key = heappop(self._next)
        return kind, key
