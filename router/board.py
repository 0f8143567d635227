"""What supervisors and customers are told of the queues: expected waits and the day's figures.

The router's service tells the board what each cycle changed, after it was stored; the board is read
from the store when the service takes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.routing import MICROS, Figure, ItemState, Refused
from madoguchi.store.work import Work
from router.changes import Changes
from router.engine import Engine
from router.estimates import Expectations
from router.figures import DayFigures
from router.helping import Helping, RecentLevel
from router.rebuild import Kept
from router.tables import assignment

RECENT = 500
"""So many spans of work tell at the start how long work takes."""

EXPECTED = 20
"""For so many new items of a cycle it is noted how long they were expected to wait."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store tells a board: queue and seconds of work that is over; queue, channel and wait
    of what was answered today; queue and channel of what was abandoned.
    """

    spans: list[tuple[str, float]] = field(default_factory=list)
    answered: list[tuple[str, str, float]] = field(default_factory=list)
    abandoned: list[tuple[str, str]] = field(default_factory=list)


def past(midnight: datetime) -> Work[Past]:
    """Return what happened since midnight, and the last spans of work."""
    spans = yield (
        select(work_item.c.queue, assignment.c.started_at, assignment.c.ended_at)
        .join(work_item, work_item.c.id == assignment.c.item)
        .where(work_item.c.domain == DOMAIN, assignment.c.ended_at.is_not(None))
        .order_by(assignment.c.id.desc())
        .limit(RECENT)
    )
    answered = yield select(
        work_item.c.answered_in, work_item.c.channel, work_item.c.waited_us
    ).where(work_item.c.domain == DOMAIN, work_item.c.assigned_at >= midnight)
    abandoned = yield select(work_item.c.queue, work_item.c.channel).where(
        work_item.c.domain == DOMAIN,
        work_item.c.state == ItemState.abandoned.value,
        work_item.c.closed_at >= midnight,
        work_item.c.assigned_at.is_(None),
    )
    return Past(
        [(r.queue, (r.ended_at - r.started_at).total_seconds()) for r in reversed(spans)],
        [(r.answered_in, r.channel, r.waited_us / MICROS) for r in answered],
        [(r.queue, r.channel) for r in abandoned],
    )


class Board:
    """The board of one domain, beside the engine that it speaks of."""

    def __init__(self, engine: Engine, kept: Kept, catalog: Catalog, known: Past) -> None:
        self._engine = engine
        self._kept = kept
        self._expectations = Expectations()
        self._catalog = catalog
        self._today = engine.today
        self._recent: dict[str, RecentLevel] = {}
        self._helping = Helping()
        self._help: dict[str, tuple[str, ...]] = {}
        self.figures = DayFigures(targets(catalog))
        for queue, seconds in known.spans:
            self._expectations.holds(queue, seconds)
        for queue, channel, waited_s in known.answered:
            self.figures.answered(queue, channel, waited_s)
        for queue, channel in known.abandoned:
            self.figures.abandoned(queue, channel)

    def learn(self, engine: Engine, changes: Changes, fresh: Iterable[Id], at: float) -> None:
        """Take in what a cycle has stored; ``fresh`` are its new items, ``at`` is monotonic."""
        self._engine = engine
        self._turn(changes.catalog)
        for id, answer in changes.answered.items():
            waited_s = answer.waited_us / MICROS
            self.figures.answered(answer.queue, answer.channel, waited_s)
            in_time = waited_s <= self.figures.target(answer.queue)
            self._level(answer.queue).add(at, in_time=in_time)
            self._expectations.taken(id, answer.queue, at)
        for id, state in changes.closed.items():
            self._expectations.ended(id, at)
            if state is ItemState.abandoned and not changes.was_answered(id):
                spec = changes.last[id].spec
                self.figures.abandoned(spec.queue, spec.channel)
                self._level(spec.queue).add(at, in_time=False)
        for id in list(fresh)[:EXPECTED]:
            if id in self._kept.items and id not in changes.closed:
                self._expectations.waits(id, self._kept.placed[id][0], engine.ahead(id), at)

    def _level(self, queue: str) -> RecentLevel:
        return self._recent.setdefault(queue, RecentLevel())

    def help(self, catalog: Catalog, at: float) -> dict[str, tuple[str, ...]]:
        """Return, for the queues where that has changed, the teams that help them now."""
        helps = {
            key: [help.routed() for help in entry.object.help]
            for key, entry in catalog.queues.items()
            if entry.object.help or key in self._help
        }
        now = {
            queue: self._helping.teams(queue, several, partial(self._reading, queue, at), at)
            for queue, several in helps.items()
        }
        changed = {q: teams for q, teams in now.items() if teams != self._help.get(q, ())}
        self._help = {queue: teams for queue, teams in now.items() if teams}
        self.figures.changed |= set(changed)
        return changed

    def _reading(self, queue: str, at: float, figure: Figure) -> float | None:
        match figure:
            case Figure.waiting:
                return float(self._engine.number_waiting(queue))
            case Figure.longest_wait:
                since = self._engine.waits_since(queue)
                return 0.0 if since is None else (self._engine.clock - since) / MICROS
            case Figure.expected_wait:
                return self.expected_in(queue)
            case Figure.service_level:
                return self._level(queue).level(at)

    def _turn(self, catalog: Catalog) -> None:
        if self._engine.today != self._today:
            self._today = self._engine.today
            self.figures.clear()
        before, self._catalog = self._catalog, catalog
        if catalog.number != before.number:
            self.figures.aim(targets(catalog))

    def expected_s(self, item: Id) -> float | None:
        """Return for how many seconds a waiting item still waits; None when nobody can tell."""
        try:
            ahead = self._engine.ahead(item)
        except Refused:
            return None
        queue, _ = self._kept.placed.get(item, ("", None))
        return self._expectations.expected_s(queue, ahead)

    def expected_in(self, queue: str) -> float | None:
        """Return how long a contact would wait that came into a queue now; None as above."""
        try:
            ahead = self._engine.ahead_of_new(queue)
        except Refused:
            return None
        if ahead is not None and ahead.free:
            return 0.0
        return self._expectations.expected_s(queue, ahead)

    def changed(self) -> set[str]:
        """Return the queues whose figures changed since this was asked last."""
        changed, self.figures.changed = self.figures.changed, set()
        return changed

    def shown(self, queue: str) -> dict[str, Any]:
        """Return what a supervisor sees of a queue besides who waits there."""
        expected_s = self.expected_in(queue)
        return {
            "queue": queue,
            "expected_s": None if expected_s is None else round(expected_s),
            "helped_by": [
                {"key": team, **self._catalog.teams[team].object.names}
                for team in self._help.get(queue, ())
                if team in self._catalog.teams
            ],
            **self.figures.of(queue),
        }


def targets(catalog: Catalog) -> Mapping[str, float]:
    """Return queue → seconds within which its contacts should be answered."""
    return {key: entry.object.service_level_s for key, entry in catalog.queues.items()}
