"""Both sides next to each other, and their difference with its error; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from router.simulator.figures import End, Record, of_contacts, summed
from router.trials.replay import FULL, UNFINISHED, Replayed, recorded, turned_away_count
from router.trials.trial import Trial

SERVICE_LEVEL, MEAN_WAIT, ABANDONED = "service_level", "mean_wait_s", "abandoned"
GOOD = {SERVICE_LEVEL: 1, MEAN_WAIT: -1, ABANDONED: -1}
"""Figures by which moves are judged, and which way is good."""

EVERYTHING = "total"


def compared(
    trial: Trial, old: Sequence[Replayed], new: Sequence[Replayed]
) -> dict[str, dict[str, Any]]:
    """Return the figures of equally many replications of both sides.

    Each is ``{old, new, difference}``, estimates of :func:`router.simulator.figures.summed`. The
    difference is new − old of the same customers, replication by replication: its error is smaller
    than what the two errors would make it.
    """
    return {
        "queues": {key: _pair(f"queue/{key}", old, new) for key in trial.queues},
        "teams": {
            key: _pair(f"group/{key}", old, new) for key in trial.teams if _there(key, old, new)
        },
        "total": _pair(EVERYTHING, old, new),
        "half_hours": {key: _course(key, old, new) for key in trial.queues},
    }


def _there(team: str, *sides: Sequence[Replayed]) -> bool:
    """Tell whether anybody of a team had anything to do."""
    return any(sum(one.seen[f"group/{team}"].values()) > 0 for side in sides for one in side)


def effect(trial: Trial, old: Sequence[Replayed], new: Sequence[Replayed]) -> dict[str, Any]:
    """Return what :data:`GOOD` figures become by a move, as in :func:`compared`: in total, and of
    those queues whose figures change at all.
    """
    pairs = {key: _pair(f"queue/{key}", old, new, tuple(GOOD)) for key in trial.queues}
    changed = {
        key: pair
        for key, pair in pairs.items()
        if any(one["mean"] or one["se"] for one in pair["difference"].values())
    }
    return {"queues": changed, "total": _pair(EVERYTHING, old, new, tuple(GOOD))}


def _pair(
    place: str,
    old: Sequence[Replayed],
    new: Sequence[Replayed],
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    def of(one: Replayed) -> dict[str, float]:
        return {name: one.seen[place][name] for name in names or one.seen[place]}

    before, after = [of(one) for one in old], [of(one) for one in new]
    differences = [
        {name: now[name] - then[name] for name in now}
        for then, now in zip(before, after, strict=True)
    ]
    return {"old": summed(before), "new": summed(after), "difference": summed(differences)}


def _course(
    queue: str, old: Sequence[Replayed], new: Sequence[Replayed]
) -> dict[str, dict[str, list[float | None]]]:
    """Return a queue's half hours, means over replications; None where nobody came."""
    return {
        side: {
            "offered": [came / len(runs) for came, _, _ in sums],
            SERVICE_LEVEL: [in_time / came if came else None for came, in_time, _ in sums],
            MEAN_WAIT: [waited / came if came else None for came, _, waited in sums],
        }
        for side, runs in (("old", old), ("new", new))
        for sums in [_sums([one.bins[queue] for one in runs])]
    }


def _sums(runs: Sequence[Sequence[Sequence[float]]]) -> list[tuple[float, float, float]]:
    return [
        (sum(b[0] for b in place), sum(b[1] for b in place), sum(b[2] for b in place))
        for place in zip(*runs, strict=True)
    ]


def as_it_was(trial: Trial) -> dict[str, Any]:
    """Return the recorded day's own figures, by the same formulas and targets."""
    records = recorded(trial)

    def of(some: Sequence[Record]) -> dict[str, float]:
        own = {
            UNFINISHED: sum(1 for one in some if one.end is End.waiting),
            FULL: sum(1 for one in some if one.end is End.blocked),
        }
        known = of_contacts(turned_away_count(some), trial.targets)
        return {**known, **{name: float(number) for name, number in own.items()}}

    return {
        "queues": {key: of([one for one in records if one.queue == key]) for key in trial.queues},
        "total": of(records),
    }
