"""From what replications saw to the standard figures, each with its error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import fmean, stdev
from typing import Any, NamedTuple

from madoguchi.model.routing import MICROS

PERCENTILES = (50, 80, 90, 95, 99)

STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Two-sided 95 % points of Student's t for 1 to 30 degrees of freedom (any table of it)."""


class End(Enum):
    """How a contact's wait ended; ``waiting``: not before the run did."""

    answered = "answered"
    abandoned = "abandoned"
    blocked = "blocked"
    waiting = "waiting"


class Record(NamedTuple):
    """The wait of a contact that came ``at``; ``nobody``: nobody could ever take it."""

    queue: str
    at: int
    wait_us: int
    end: End
    nobody: bool = False


@dataclass(slots=True)
class Span:
    """A number over time, and its sum over the observed span."""

    now: int = 0
    area: int = 0
    opened: int | None = None
    closed: int | None = None
    _since: int = 0

    def change(self, by: int, at: int) -> None:
        """Add to the number."""
        self._sum(at)
        self.now += by

    def open(self, at: int) -> None:
        """Begin to observe."""
        self._since = self.opened = at

    def close(self, at: int) -> None:
        """End observing, once."""
        if self.closed is None:
            self._sum(at)
            self.closed = at

    def mean(self) -> float:
        """Return the mean over the span; 0 if it has no length."""
        length = (self.closed or 0) - (self.opened or 0)
        return self.area / length if length > 0 else 0.0

    def _sum(self, at: int) -> None:
        if self.opened is not None and self.closed is None:
            self.area += self.now * (at - self._since)
            self._since = at


@dataclass(slots=True)
class Group:
    """The agents of a group over time: how many units were there, how many of them in use."""

    staff: Span = field(default_factory=Span)
    work: Span = field(default_factory=Span)
    contacts: int = 0


def of_contacts(records: Sequence[Record], within_s: Mapping[str, float]) -> dict[str, float]:
    """Return the figures of some contacts of one replication; ``within_s`` is queue -> target.

    Waits count over arrivals that were not blocked, abandoned ones included; ``asa_s`` over the
    answered ones.
    """
    admitted = [one for one in records if one.end is not End.blocked]
    waits = sorted(one.wait_us / MICROS for one in admitted)
    answered = [one.wait_us / MICROS for one in admitted if one.end is End.answered]
    blocked = len(records) - len(admitted)
    abandoned = sum(1 for one in admitted if one.end is End.abandoned)
    in_time = sum(1 for one in admitted if in_target(one, within_s))
    return {
        "offered": float(len(records)),
        "answered": float(len(answered)),
        "abandoned": float(abandoned),
        "blocked": float(blocked),
        "p_blocked": _share(blocked, len(records)),
        "p_abandoned": _share(abandoned, len(admitted)),
        "p_wait": _share(sum(1 for wait in waits if wait > 0), len(admitted)),
        "mean_wait_s": fmean(waits) if waits else 0.0,
        "asa_s": fmean(answered) if answered else 0.0,
        "service_level": _share(in_time, len(admitted)),
        **{f"wait_s.p{place}": _percentile(waits, place) for place in PERCENTILES},
    }


def in_target(record: Record, within_s: Mapping[str, float]) -> bool:
    """Tell whether a contact was answered within its queue's target."""
    return record.end is End.answered and record.wait_us / MICROS <= within_s[record.queue]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percentile(ordered: Sequence[float], place: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * place // 100)] if ordered else 0.0


def of_group(group: Group) -> dict[str, float]:
    """Return the figures of a group in one replication."""
    room = group.staff.area
    return {
        "occupancy": group.work.area / room if room else 0.0,
        "contacts": float(group.contacts),
    }


def summed(replications: Iterable[dict[str, float]]) -> dict[str, Any]:
    """Return mean, standard error and 95 % interval of each figure over replications."""
    runs = list(replications)
    found: dict[str, Any] = {}
    for name in runs[0]:
        place, names = found, name.split(".")
        for part in names[:-1]:
            place = place.setdefault(part, {})
        place[names[-1]] = _estimate([run[name] for run in runs])
    return found


def _estimate(values: Sequence[float]) -> dict[str, Any]:
    mean = fmean(values)
    if len(values) < 2:
        return {"mean": mean, "se": None, "ci95": None}
    error = stdev(values) / math.sqrt(len(values))
    half = student(len(values) - 1) * error
    return {"mean": mean, "se": error, "ci95": [mean - half, mean + half]}


def student(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t."""
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    # Cornish and Fisher's expansion about the normal point: right to 0.0005 from 30 on.
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
