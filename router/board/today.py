"""The day of a domain as the board tells it: figures, who waits, who works, and what they did.

It learns what each cycle of the router has stored, and begins with what the store tells of the day
so far; both ways lead to the same figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from madoguchi.clock import from_micros, to_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.model.ids import Id
from madoguchi.model.routing import MICROS, Activity, Callback, ItemFacts, ItemState, OfferState
from router.board.figures import DayFigures
from router.board.past import Past
from router.board.staff import Staff, sign_of, spends
from router.board.tallies import Hand, Tallies
from router.board.waits import Waits
from router.changes import Changes
from router.engine.book import DAY
from router.engine.engine import Engine

_WAITS = {ItemState.waiting, ItemState.offered}


class Today:
    """What happened since midnight in the company's time zone, and how things stand."""

    def __init__(self, engine: Engine, catalog: Catalog, known: Past) -> None:
        self._engine = engine
        self._day = engine.today
        self._number = catalog.number
        self._work: dict[Id, set[Id]] = {}
        self._owner: dict[Id, Id] = {}
        self.figures = DayFigures(targets(catalog))
        self.staff = Staff()
        self.tallies = Tallies()
        self.waits = Waits()
        self._begin_agents(known)
        self._begin_counts(known)

    def _begin_agents(self, known: Past) -> None:
        midnight = to_micros(known.midnight)
        state = self._engine.state()
        going = {row.agent: row for row in known.periods if row.ended_at is None}
        for facts in state.agents:
            id, row = facts.spec.id, going.get(facts.spec.id)
            activity = Activity(row.activity) if row else None
            at = max(midnight, to_micros(row.began_at)) if row else midnight
            sign = sign_of(facts, self._engine.load(id))
            self.staff.stands(id, frozenset(facts.spec.serves), sign, activity, at)
        for row in known.periods:
            if row.ended_at is not None:
                began = max(midnight, to_micros(row.began_at))
                self.staff.spent(row.agent, Activity(row.activity), to_micros(row.ended_at) - began)
        for item in state.items:
            self._holds(item.spec.id, item)
        for facts in state.agents:
            self.tallies.carries(facts.spec.id, self._load(facts.spec.id))

    def _begin_counts(self, known: Past) -> None:
        for row in known.answered:
            if row.assigned_at >= known.midnight:
                self.figures.answered(row.answered_in, row.channel, row.waited_us / MICROS)
        for row in known.abandoned:
            if row.closed_at >= known.midnight:
                self.figures.abandoned(row.queue, row.channel)
        for row in known.begun:
            if row.started_at >= known.midnight:
                self.tallies.of(row.agent).answered += 1
            if row.ended_at is None:
                hand = Hand(row.agent, row.queue, row.channel, to_micros(row.started_at))
                self.tallies.holds(row.item, hand)
                continue
            spent = to_micros(row.ended_at) - to_micros(row.started_at) - (row.released_us or 0)
            self.tallies.handled(row.agent, max(0, spent))
            self.figures.handled(row.queue, row.channel, max(0, spent))
        for row in known.offers:
            self.tallies.offered(row.agent, OfferState(row.state))

    # ------------------------------------------------------------ learning

    def learn(self, engine: Engine, changes: Changes) -> None:
        """Take in what a cycle has stored."""
        self._engine = engine
        at = to_micros(changes.now)
        self._turn(changes.catalog)
        self._count(changes, at)
        for id in changes.items:
            self._holds(id, engine.item(id))
        for id in changes.agents:
            self._agent(id, at)

    def _turn(self, catalog: Catalog) -> None:
        if self._engine.today != self._day:
            self._day = self._engine.today
            self.figures.clear()
            self.tallies.new_day()
            self.staff.new_day(self._day * DAY + self._engine.midnight)
        if catalog.number != self._number:
            self._number = catalog.number
            self.figures.aim(targets(catalog))
            for id in [one for one in self.staff.agents if self._engine.agent(one) is None]:
                self._forget(id)

    def _count(self, changes: Changes, at: int) -> None:
        for answer in changes.answered.values():
            self.figures.answered(answer.queue, answer.channel, answer.waited_us / MICROS)
        for id, state in changes.closed.items():
            if state is ItemState.abandoned and not changes.was_answered(id):
                spec = changes.last[id].spec
                self.figures.abandoned(spec.queue, spec.channel)
        for item, agent, _ in changes.assigned:
            ended = self.tallies.let_go(item, at, changes.freed.get(item, 0))
            if ended is not None:
                hand, handling_us = ended
                self.figures.handled(hand.queue, hand.channel, handling_us)
            if agent is not None:
                spec = changes.facts(item).spec
                self.tallies.taken(item, Hand(agent, spec.queue, spec.channel, at))
        for end in changes.ended:
            self.tallies.offered(end.agent, end.state)

    def _holds(self, id: Id, facts: ItemFacts | None) -> None:
        """Take in where an item is now; None: it is over."""
        before = self._owner.pop(id, None)
        if before is not None:
            self._work[before].discard(id)
        if facts is not None and facts.owner is not None:
            self._owner[id] = facts.owner
            self._work.setdefault(facts.owner, set()).add(id)
        if facts is not None and facts.state in _WAITS:
            spec = facts.spec
            call = facts.callback is Callback.asked
            self.waits.waits(id, spec.queue, spec.channel, spec.enqueued_at, call=call)
        else:
            self.waits.gone(id)

    def _agent(self, id: Id, at: int) -> None:
        facts = self._engine.agent(id)
        if facts is None:
            self._forget(id)
            return
        load = self._engine.load(id)
        sign = sign_of(facts, load)
        self.staff.stands(id, frozenset(facts.spec.serves), sign, spends(facts, load), at)
        self.tallies.carries(id, self._load(id))

    def _forget(self, id: Id) -> None:
        if id in self.staff.agents:
            self.staff.leaves(id)
        self.tallies.forget(id)

    def _load(self, agent: Id) -> Mapping[str, int]:
        """Return an agent's units in use by channel."""
        load: Counter[str] = Counter()
        for id in self._work.get(agent, ()):
            facts = self._engine.item(id)
            if facts is not None and not facts.released:
                load[facts.spec.channel] += facts.spec.weight
        return load

    def move(self, leap: int) -> None:
        """Follow a clock that was set, by so many µs."""
        self.staff.move(leap)
        self.tallies.move(leap)

    # ------------------------------------------------------------ telling

    def changed(self) -> set[str]:
        """Return the queues of which something changed since this was asked last."""
        changed: set[str] = set()
        for part in (self.figures, self.staff, self.waits):
            changed |= part.changed
            part.changed = set()
        return changed

    def changed_agents(self) -> set[str]:
        """Return the agents of whom something changed since this was asked last."""
        changed, self.tallies.changed = self.tallies.changed, set()
        return changed

    def queue(self, queue: str, at: int) -> dict[str, Any]:
        """Return what is told of a queue; ``at`` is now, in µs."""
        waits, calls = self.waits.of(queue), self.waits.calls(queue)
        there = {name: one for name, one in waits.items() if one[0]}
        figures = self.figures.of(queue, there)
        for name, counts in figures["channels"].items():
            number, since = waits.get(name, (0, None))
            counts |= _waiting(number, calls.get(name, 0), since)
        oldest = min((since for _, since in there.values() if since is not None), default=None)
        return {
            **_waiting(sum(n for n, _ in there.values()), sum(calls.values()), oldest),
            "agents": {sign.value: n for sign, n in self.staff.by_sign(queue).items()},
            "occupancy": self.staff.occupancy(queue, at),
            **figures,
        }

    def agent(self, agent: Id, at: int) -> dict[str, Any]:
        """Return what is told of an agent; ``at`` is now, in µs."""
        occupancy = self.staff.occupancy_of(agent, at)
        return {"agent": agent, "occupancy": occupancy, **self.tallies.shown(agent)}


def _waiting(number: int, calls: int, since: int | None) -> dict[str, Any]:
    oldest = None if since is None else from_micros(since)
    return {"waiting": number, "callbacks": calls, "oldest_at": oldest}


def targets(catalog: Catalog) -> Mapping[str, float]:
    """Return queue → seconds within which its contacts should be answered."""
    return {key: entry.object.service_level_s for key, entry in catalog.queues.items()}
