"""A day's figures of each queue and channel, by the field's formulas; pure.

* answered: contacts that somebody took for the first time; a transfer is not counted again
* abandoned: contacts whose customer left before anybody took them
* service level = answered within the queue's target ÷ (answered + abandoned)
* speed of answer = Σ wait of the answered ÷ answered
* handling time = Σ time in an agent's hands, wrap-up included ÷ how often that ended

``None``, never 0, where the denominator is 0. Figures count where and when a contact was answered
or abandoned; handling in the queue in which the agent took it, when it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from madoguchi.model.routing import MICROS

DEFAULT_TARGET_S = 120.0


@dataclass(slots=True)
class _Count:
    waits: list[float] = field(default_factory=list)
    total_s: float = 0.0
    in_time: int = 0
    abandoned: int = 0
    handled: int = 0
    handling_us: int = 0

    def answered(self, waited_s: float, target_s: float) -> None:
        self.waits.append(waited_s)
        self.total_s += waited_s
        self.in_time += waited_s <= target_s

    def aim(self, target_s: float) -> None:
        self.in_time = sum(waited_s <= target_s for waited_s in self.waits)


class DayFigures:
    """What happened since midnight; ``targets`` is queue → seconds within which to answer."""

    def __init__(self, targets: Mapping[str, float]) -> None:
        self._targets = dict(targets)
        self._counts: dict[str, dict[str, _Count]] = {}
        self.changed: set[str] = set()

    def answered(self, queue: str, channel: str, waited_s: float) -> None:
        """Somebody took a contact for the first time."""
        self._count(queue, channel).answered(waited_s, self.target(queue))

    def abandoned(self, queue: str, channel: str) -> None:
        """A customer left before anybody took the contact."""
        self._count(queue, channel).abandoned += 1

    def handled(self, queue: str, channel: str, handling_us: int) -> None:
        """Work on a contact has ended, or an agent's part of it."""
        count = self._count(queue, channel)
        count.handled += 1
        count.handling_us += handling_us

    def aim(self, targets: Mapping[str, float]) -> None:
        """Judge the whole day by other targets."""
        before, self._targets = self._targets, dict(targets)
        for queue, counts in self._counts.items():
            if before.get(queue) != targets.get(queue):
                self.changed.add(queue)
                for count in counts.values():
                    count.aim(self.target(queue))

    def clear(self) -> None:
        """Begin a new day."""
        self.changed |= set(self._counts)
        self._counts.clear()

    def of(self, queue: str, also: Iterable[str] = ()) -> dict[str, Any]:
        """Return a queue's figures, with those of each of its channels, and of some others."""
        counts = self._counts.get(queue, {})
        names = sorted({*counts, *also})
        channels = {name: _shown([counts.get(name, _Count())]) for name in names}
        return {**_shown(list(counts.values())), "channels": channels}

    def _count(self, queue: str, channel: str) -> _Count:
        self.changed.add(queue)
        return self._counts.setdefault(queue, {}).setdefault(channel, _Count())

    def target(self, queue: str) -> float:
        """Return the seconds within which a queue's contacts should be answered."""
        return self._targets.get(queue, DEFAULT_TARGET_S)


def _shown(counts: list[_Count]) -> dict[str, Any]:
    answered = sum(len(one.waits) for one in counts)
    abandoned = sum(one.abandoned for one in counts)
    in_time = sum(one.in_time for one in counts)
    total_s = sum(one.total_s for one in counts)
    handled = sum(one.handled for one in counts)
    handling_us = sum(one.handling_us for one in counts)
    return {
        "answered": answered,
        "in_time": in_time,
        "abandoned": abandoned,
        "service_level": in_time / (answered + abandoned) if answered + abandoned else None,
        "speed_of_answer_s": round(total_s / answered, 3) if answered else None,
        "handled": handled,
        "handling_s": round(handling_us / handled / MICROS, 3) if handled else None,
    }
