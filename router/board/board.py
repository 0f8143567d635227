"""What supervisors and customers are told of the queues: expected waits, the day, alerts, help.

The router's service tells the board what each cycle changed, after it was stored; the board is read
from the store when the service takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from madoguchi.clock import from_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.model.ids import Id
from madoguchi.model.routing import MICROS, Figure, ItemState, Refused, Threshold
from router.board.alerting import Alerts, Raised, Turned
from router.board.figures import DayFigures
from router.board.helping import WINDOW_S, Helping
from router.board.past import Past
from router.board.readings import Readings
from router.board.staff import EVERYBODY, Sign
from router.board.today import Today
from router.changes import Changes
from router.engine.engine import Engine
from router.rebuild import Kept

EXPECTED = 20
"""For so many new items of a cycle it is noted how long they were expected to wait."""


class Board:
    """The board of one domain, beside the engine that it speaks of."""

    def __init__(
        self, engine: Engine, kept: Kept, catalog: Catalog, known: Past, at: float = 0.0
    ) -> None:
        self._engine = engine
        self._kept = kept
        self._catalog = catalog
        self._helping = Helping()
        self._told: set[str] = set()
        self.today = Today(engine, catalog, known)
        self._readings = Readings(self.today.waits, self.figures.target)
        self._alerts = Alerts([_raised(row) for row in known.alerts], at)
        for queue, seconds in known.spans:
            self._readings.held(queue, seconds)
        self._remember(known, at)

    @property
    def figures(self) -> DayFigures:
        """The day's counts."""
        return self.today.figures

    def _remember(self, known: Past, at: float) -> None:
        """Take in the contacts of the last half hour, for the service level of these."""
        now = from_micros(self._engine.clock)
        lately = [
            (row.assigned_at, row.answered_in, row.waited_us / MICROS) for row in known.answered
        ]
        lately += [(row.closed_at, row.queue, None) for row in known.abandoned]
        for moment, queue, waited_s in sorted(lately, key=lambda one: one[0]):
            ago = (now - moment).total_seconds()
            if ago <= WINDOW_S:
                self._readings.ends(queue, waited_s, at - ago)

    def learn(self, engine: Engine, changes: Changes, fresh: Iterable[Id], at: float) -> None:
        """Take in what a cycle has stored; ``fresh`` are its new items, ``at`` is monotonic."""
        self._engine, self._catalog = engine, changes.catalog
        self.today.learn(engine, changes)
        for answer in changes.answered.values():
            self._readings.ends(answer.queue, answer.waited_us / MICROS, at)
        for id, agent, _ in changes.assigned:
            first = changes.answered.get(id)
            if agent is not None and (first is not None or id not in self._kept.answered):
                queue = changes.facts(id).spec.queue if first is None else first.queue
                self._readings.taken(id, queue, at)
        for id, state in changes.closed.items():
            self._readings.closed(id, at)
            if state is ItemState.abandoned and not changes.was_answered(id):
                self._readings.left(changes.last[id].spec.queue, at)
        for id in list(fresh)[:EXPECTED]:
            if id in self._kept.items and engine.item(id) is not None:
                self._readings.comes(id, self._kept.placed[id][0], engine.ahead(id), at)

    def move(self, engine: Engine, leap: int) -> None:
        """Follow a wall clock that was set, by so many µs."""
        self._engine = engine
        self.today.move(leap)

    def help(self, catalog: Catalog, at: float) -> dict[str, tuple[str, ...]]:
        """Return, for the queues where that has changed, the teams that help them now."""
        helps = {
            key: [help.routed() for help in entry.object.help]
            for key, entry in catalog.queues.items()
            if entry.object.help or key in self._helping.now
        }
        changed = self._helping.look(helps, partial(self._readings.of, self._engine, at=at), at)
        self._told |= set(changed)
        return changed

    def alert(self, catalog: Catalog, at: float, now: datetime, new_id: Callable[[], Id]) -> Turned:
        """Return the alerts that begin and end now. A closed queue begins none: nobody is expected
        to answer there.
        """
        watched: dict[str, list[Threshold]] = {
            key: [one.routed() for one in entry.object.alerts]
            for key, entry in catalog.queues.items()
            if entry.object.alerts
        }
        shut = {queue for queue in watched if not catalog.opening(queue, now).open}

        def reading(queue: str, figure: Figure) -> float | None:
            return None if queue in shut else self._readings.of(self._engine, queue, figure, at)

        turned = self._alerts.look(watched, reading, at, now, new_id)
        self._told |= {one.queue for one in (*turned.begun, *turned.ended)}
        return turned

    def expected_s(self, item: Id) -> float | None:
        """Return for how many seconds a waiting item still waits; None when nobody can tell."""
        try:
            ahead = self._engine.ahead(item)
        except Refused:
            return None
        queue, _ = self._kept.placed.get(item, ("", None))
        return self._readings.expected_s(queue, ahead)

    def expected_in(self, queue: str) -> float | None:
        """Return how long a contact would wait that came into a queue now; None as above."""
        return self._readings.expected_in(self._engine, queue)

    def changed(self) -> set[str]:
        """Return the queues of which something changed since this was asked last."""
        changed, self._told = self._told | self.today.changed(), set()
        return changed

    @property
    def agents(self) -> Iterable[Id]:
        """Everybody who may be given work."""
        return self.today.staff.agents

    @property
    def queues(self) -> Iterable[str]:
        """All queues."""
        return self._catalog.queues.keys()

    def sign(self, agent: Id) -> Sign:
        """Return the state of an agent, as it is counted."""
        return self.today.staff.sign(agent)

    def changed_agents(self) -> set[str]:
        """Return the agents of whom something changed since this was asked last."""
        return self.today.changed_agents()

    def shown(self, queue: str) -> dict[str, Any]:
        """Return what a supervisor sees of a queue."""
        expected_s = self.expected_in(queue)
        return {
            "queue": queue,
            "expected_s": None if expected_s is None else round(expected_s),
            "helped_by": [
                {"key": team, **self._catalog.teams[team].object.names}
                for team in self._helping.now.get(queue, ())
                if team in self._catalog.teams
            ],
            "least_level": _least_level(self._catalog, queue),
            "alerts": [one.shown() for one in self._alerts.of(queue)],
            **self.today.queue(queue, self._engine.clock),
        }

    def whole(self) -> dict[str, Any]:
        """Return what is told of all agents together."""
        staff, at = self.today.staff, self._engine.clock
        agents = {sign.value: number for sign, number in staff.by_sign(EVERYBODY).items()}
        return {"agents": agents, "occupancy": staff.occupancy(EVERYBODY, at)}

    def shown_agent(self, agent: Id) -> dict[str, Any]:
        """Return what a supervisor sees of an agent's day."""
        return self.today.agent(agent, self._engine.clock)


def _least_level(catalog: Catalog, queue: str) -> float | None:
    """Return below which service level a queue's supervisors are told; None: they are not."""
    entry = catalog.queues.get(queue)
    several = entry.object.alerts if entry else []
    return max((one.under for one in several if one.under is not None), default=None)


def _raised(row: Any) -> Raised:
    threshold = Threshold(Figure(row.figure), row.bound)
    return Raised(row.id, row.queue, threshold, row.reached, row.began_at)
