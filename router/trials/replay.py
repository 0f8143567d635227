"""One replication of one side of a trial, and the day as it was; pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from madoguchi.configuration.catalog import Catalog
from madoguchi.model.routing import MICROS
from router.simulator.figures import End, Record, in_target
from router.simulator.run import Seen, played, seen
from router.trials.casting import cast
from router.trials.day import HALF_HOUR_US, Contact
from router.trials.trial import Trial

UNFINISHED, FULL, NOBODY = "unfinished", "full", "nobody"
"""Figures of a replay: who still waited at its end, found no place to wait (as the router calls
it), and whom nobody who was there on the day could ever have taken.
"""

Bins = dict[str, list[list[float]]]
"""Queue -> for each half hour: contacts that came, answered in time, seconds waited."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one side's replication saw."""

    seen: Seen
    bins: Bins


def replayed(trial: Trial, side: Catalog, number: int) -> Replayed:
    """Run one replication of one side."""
    outcome = played(cast(trial, side, number))
    full = [one for one in outcome.records if one.end is End.blocked]
    outcome = replace(outcome, records=turned_away_count(outcome.records))
    targets = trial.targets
    figures = seen(outcome, targets)
    records = [*outcome.records, *outcome.waiting]
    nobody = [one for one in records if one.nobody]
    for place, queues in (*((f"queue/{key}", {key}) for key in trial.queues), ("total", targets)):
        figures[place] |= {
            UNFINISHED: _count(outcome.waiting, queues),
            FULL: _count(full, queues),
            NOBODY: _count(nobody, queues),
        }
    return Replayed(figures, bins(records, targets, trial.day.half_hours))


def turned_away_count(records: Sequence[Record]) -> list[Record]:
    """Return a day's contacts: who found no place to wait has not been served either."""
    return [one._replace(end=End.abandoned) if one.end is End.blocked else one for one in records]


def _count(records: Sequence[Record], queues: Container[str]) -> float:
    return float(sum(1 for one in records if one.queue in queues))


def bins(records: list[Record], targets: dict[str, float], half_hours: int) -> Bins:
    """Return what came of the contacts of each half hour."""
    found: Bins = {queue: [[0.0, 0.0, 0.0] for _ in range(half_hours)] for queue in targets}
    for one in records:
        place = found[one.queue][min(half_hours - 1, one.at // HALF_HOUR_US)]
        place[0] += 1
        place[1] += in_target(one, targets)
        place[2] += one.wait_us / MICROS
    return found


def recorded(trial: Trial) -> list[Record]:
    """Return the day as it was, in the words of a run."""
    return [
        Record(one.queue, one.at, one.waited, _end(one))
        for one in trial.day.contacts
        if one.queue in trial.queues
    ]


def _end(contact: Contact) -> End:
    if contact.ended == FULL:
        return End.blocked
    if contact.left or contact.ended:
        return End.abandoned
    return End.waiting if contact.talk is None else End.answered
