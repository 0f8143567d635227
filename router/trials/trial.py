"""A trial: a recorded day, what is drawn where nothing was recorded, both configurations; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Object
from madoguchi.model.routing import MICROS, OfferState
from router.trials.conduct import Habits, habits
from router.trials.day import Contact, Day, HandedOn, Reaction, Span
from router.trials.fit import Fitted, fitted

NO_TEAM = ""
OLD, NEW = "old", "new"
Objects = Mapping[tuple[str, str], Entry[Object]]
Present = Mapping[str, tuple[tuple[int, int], ...]]
"""Agent -> the spans (from, to) in which they are available, µs of the day."""


@dataclass(frozen=True, slots=True)
class Fits:
    """What is drawn from where nothing was recorded; times in seconds.

    ``talk`` is all work on a contact before wrap-up; ``first`` is that of its first agent,
    ``later`` of each to whom it was handed on. ``turns`` is queue -> how each contact that was
    answered was handed on; empty where nobody's ever was.
    """

    patience: Fitted
    talk: Fitted
    wrap_up: Fitted
    accept: Fitted
    first: Fitted
    later: Fitted
    habits: Habits
    turns: Mapping[str, tuple[tuple[HandedOn, ...], ...]] = field(default_factory=dict)

    def like(self, queue: str, number: float) -> tuple[HandedOn, ...]:
        """Return how the contact of a queue was handed on that a number in [0, 1) stands for."""
        some = self.turns.get(queue, ())
        return some[int(number * len(some))] if some else ()


def fits(day: Day) -> Fits:
    """Return the distributions of a day."""

    def of_span(span: Span | None) -> tuple[float, bool] | None:
        return None if span is None else (span.us / MICROS, span.whole)

    def queue(contact: Contact) -> str:
        return contact.queue

    def accepted(one: Reaction) -> tuple[float, bool] | None:
        if one.end is OfferState.accepted or one.end is OfferState.withdrawn:
            return one.us / MICROS, one.end is OfferState.accepted
        return None

    handed_on = [(one.queue, turn) for one in day.contacts for turn in one.handed_on]
    return Fits(
        patience=fitted(day.contacts, queue, lambda one: (one.waited / MICROS, one.left)),
        talk=fitted(day.contacts, queue, lambda one: of_span(one.work)),
        wrap_up=fitted(day.contacts, queue, lambda one: of_span(one.wrap_up)),
        accept=fitted(day.reactions, lambda one: one.queue, accepted),
        first=fitted(day.contacts, queue, lambda one: of_span(one.talk)),
        later=fitted(handed_on, lambda one: one[0], lambda one: of_span(one[1].talk)),
        habits=habits(day),
        turns=_turns_of(day) if handed_on else {},
    )


def _turns_of(day: Day) -> dict[str, tuple[tuple[HandedOn, ...], ...]]:
    found: dict[str, list[tuple[HandedOn, ...]]] = {}
    for one in day.contacts:
        if one.talk is not None:
            found.setdefault(one.queue, []).append(one.handed_on)
    return {queue: tuple(several) for queue, several in found.items()}


@dataclass(frozen=True, slots=True)
class Trial:
    """All that workers need: a day, both configurations, and how many contacts come for each one.

    Both sides are judged by the targets of the tried one. ``moves``: further sides, each the tried
    one with other objects laid over it.
    """

    day: Day
    fits: Fits
    old: Catalog
    new: Catalog
    factor: float = 1.0
    seed: int = 1
    moves: Mapping[str, Objects] = field(default_factory=dict)

    def with_moves(self, moves: Mapping[str, Objects], there: Present) -> Trial:
        """Return the trial with moves, and when the agents are there whom they add."""
        return replace(self, moves=moves, day=replace(self.day, there={**self.day.there, **there}))

    def side(self, name: str) -> Catalog:
        """Return a side's configuration: ``old``, ``new``, or that of a move."""
        if name in {OLD, NEW}:
            return self.old if name == OLD else self.new
        return Catalog(self.new.number, {**self.new.objects, **self.moves[name]})

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues that there are on both sides: the others' contacts are left out."""
        return tuple(sorted(set(self.old.queues) & set(self.new.queues)))

    @property
    def teams(self) -> tuple[str, ...]:
        """Teams of either side, and one for who is in none."""
        return (*sorted(set(self.old.teams) | set(self.new.teams)), NO_TEAM)

    @property
    def targets(self) -> dict[str, float]:
        """Return queue -> seconds within which its contacts should be answered."""
        return {key: self.new.queues[key].object.service_level_s for key in self.queues}
