"""How long things take, learned from a day in which some were not seen to their end; pure.

Kaplan and Meier's estimator ("Nonparametric estimation from incomplete observations", 1958): who
was answered after a wait has shown only that their patience is longer, which counts for what it is.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

LEAST = 20
"""So many ends must have been seen in a queue; below that it borrows from all queues together."""

Seen = tuple[float, bool]
"""A time, and whether it ended then (False: it went on, unseen)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Curve:
    """The share that is over by a time: steps ``over`` at ``times``.

    Behind ``last``, the longest time seen, what is left ends at the day's mean rate, ``hazard``;
    0: it never does.
    """

    times: tuple[float, ...]
    over: tuple[float, ...]
    last: float
    hazard: float

    def survival(self, time: float) -> float:
        """Return the share that lasts longer than a time."""
        place = bisect_right(self.times, time)
        left = 1.0 - (self.over[place - 1] if place else 0.0)
        return left * math.exp(-self.hazard * max(0.0, time - self.last))

    def draw(self, number: float, beyond: float = 0.0) -> float:
        """Return the time that a number in [0, 1) stands for, of those that last longer than
        ``beyond``; infinity: it never ends.
        """
        left = (1.0 - number) * self.survival(beyond)
        if left <= 0.0:
            return max(beyond, self.last)
        place = bisect_left(self.over, 1.0 - left)
        if place < len(self.times):
            return max(beyond, self.times[place])
        if not self.hazard:
            return math.inf
        end = 1.0 - (self.over[-1] if self.over else 0.0)
        return max(beyond, self.last + math.log(end / left) / self.hazard)


def curve(seen: Iterable[Seen]) -> Curve:
    """Return Kaplan and Meier's estimate; a time at which something ended counts before equal ones
    at which others were lost from sight.
    """
    ordered = sorted(seen)
    at_risk, left, ends = len(ordered), 1.0, 0
    times: list[float] = []
    over: list[float] = []
    for time, group in groupby(ordered, key=lambda one: one[0]):
        states = [ended for _, ended in group]
        if any(states):
            ends += sum(states)
            left *= 1.0 - sum(states) / at_risk
            times.append(time)
            over.append(1.0 - left)
        at_risk -= len(states)
    exposure = sum(time for time, _ in ordered)
    hazard = ends / exposure if exposure else 0.0
    return Curve(tuple(times), tuple(over), ordered[-1][0] if ordered else 0.0, hazard)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A curve for each queue, and the one of all queues for those that have shown too little."""

    own: Mapping[str, Curve]
    shared: Curve

    def of(self, queue: str) -> Curve:
        """Return what a queue's times are drawn from."""
        return self.own.get(queue, self.shared)


def fitted(
    things: Iterable[T], queue_of: Callable[[T], str], seen_of: Callable[[T], Seen | None]
) -> Fitted:
    """Return the curves of what was seen of some things; None: nothing was."""
    seen: dict[str, list[Seen]] = {}
    for thing in things:
        if (one := seen_of(thing)) is not None:
            seen.setdefault(queue_of(thing), []).append(one)
    enough = {
        queue: found
        for queue, found in seen.items()
        if sum(1 for _, ended in found if ended) >= LEAST
    }
    every = [one for found in seen.values() for one in found]
    return Fitted({queue: curve(found) for queue, found in enough.items()}, curve(every))
