"""A recorded day as a cast: one side's configuration, the same customers on both sides; pure.

What was recorded is kept. What nobody saw (the patience of who was answered, the work on who left,
what was still going on) is drawn from the queue's fitted distributions: contact *i* takes the
*i*-th number of each stream of the replication, used or not, whatever the configuration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Object
from madoguchi.model.routing import MICROS, ConfigurationChanged, QueuePolicy
from router.configured import policies, specs
from router.simulator.cast import Cast, Coming, Member
from router.simulator.draws import stream
from router.simulator.figures import End, Record, in_target
from router.simulator.run import Seen, played, seen
from router.trials.day import DAY_US, HALF_HOUR_US, Contact, Day, Span
from router.trials.fit import Fitted, fitted

PURPOSES = ("patience", "talk", "wrap_up", "accept", "choice", "copies", "shift")
ALWAYS_S = 86_400.0
"""An offer stands so long: everybody accepts, after the time that was recorded or drawn."""

NO_TEAM = ""
OLD, NEW = "old", "new"
Objects = Mapping[tuple[str, str], Entry[Object]]
Present = Mapping[str, tuple[tuple[int, int], ...]]
"""Agent -> the spans (from, to) in which they are available, µs of the day."""

Bins = dict[str, list[list[float]]]
"""Queue -> for each half hour: contacts that came, answered in time, seconds waited."""


@dataclass(frozen=True, slots=True)
class Fits:
    """What is drawn from where nothing was recorded; times in seconds."""

    patience: Fitted
    talk: Fitted
    wrap_up: Fitted
    accept: Fitted


def fits(day: Day) -> Fits:
    """Return the distributions of a day."""

    def of_span(span: Span | None) -> tuple[float, bool] | None:
        return None if span is None else (span.us / MICROS, span.whole)

    def queue(contact: Contact) -> str:
        return contact.queue

    return Fits(
        patience=fitted(day.contacts, queue, lambda one: (one.waited / MICROS, one.left)),
        talk=fitted(day.contacts, queue, lambda one: of_span(one.talk)),
        wrap_up=fitted(day.contacts, queue, lambda one: of_span(one.wrap_up)),
        accept=fitted(
            day.contacts,
            queue,
            lambda one: None if one.accept is None else (one.accept / MICROS, True),
        ),
    )


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


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one side's replication saw."""

    seen: Seen
    bins: Bins


def replayed(trial: Trial, side: Catalog, number: int) -> Replayed:
    """Run one replication of one side."""
    outcome = played(cast(trial, side, number))
    # A day's customers all count: who finds no place has not been served either.
    ends = [
        one._replace(end=End.abandoned) if one.end is End.blocked else one
        for one in outcome.records
    ]
    outcome = replace(outcome, records=ends)
    targets = trial.targets
    figures = seen(outcome, targets)
    for queue in trial.queues:
        unfinished = sum(1 for one in outcome.waiting if one.queue == queue)
        figures[f"queue/{queue}"]["unfinished"] = float(unfinished)
    figures["total"]["unfinished"] = float(len(outcome.waiting))
    records = [*outcome.records, *outcome.waiting]
    return Replayed(figures, bins(records, targets, trial.day.half_hours))


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
    if contact.left or contact.sent_away:
        return End.abandoned
    return End.waiting if contact.talk is None else End.answered


def cast(trial: Trial, side: Catalog, number: int) -> Cast:
    """Return what a replication of one side plays."""
    contacts = sorted(_coming(trial, side, number), key=lambda one: one.at)
    known = specs(side)
    members = tuple(
        Member(known[agent], known[agent].teams or (NO_TEAM,), spans)
        for agent, spans in sorted(trial.day.there.items())
        if agent in known
    )
    return Cast(
        seed=f"{trial.seed}/{number}",
        configuration=ConfigurationChanged(tuple(map(_willing, policies(side)))),
        members=members,
        streams={"day": iter(contacts)},
        queues=trial.queues,
        groups=trial.teams,
        contacts=len(contacts),
        daily=False,
        until=trial.day.length + DAY_US,
        wrap_up_most={
            key: entry.object.wrap_up_s
            for key, entry in side.queues.items()
            if entry.object.wrap_up_s
        },
    )


def _willing(policy: QueuePolicy) -> QueuePolicy:
    """Return a queue whose offers are all accepted, and whose wrap-up the run itself ends."""
    return replace(policy, offer_timeout_s=ALWAYS_S, misses=1_000_000_000, wrap_up_s=0)


# ---------------------------------------------------------------- contacts


def _coming(trial: Trial, side: Catalog, number: int) -> Iterator[Coming]:
    draws = {purpose: stream(trial.seed, number, "day", purpose) for purpose in PURPOSES}
    queues = set(trial.queues)
    entering = _Entering(side, trial.day)
    for contact in trial.day.contacts:
        if contact.queue not in queues:
            continue
        for copy in range(_copies(trial, draws["copies"].random())):
            numbers = {purpose: one.random() for purpose, one in draws.items()}
            itself = copy == 0 and not trial.day.forecast_of
            one = contact if itself else _like(contact, numbers["shift"], trial.day.length)
            yield _drawn(one, entering.queue(one), trial.fits, numbers)


def _copies(trial: Trial, number: float) -> int:
    """Return how often a recorded contact comes: so often as the factor says; in a forecast as a
    Poisson process whose rate is the mean of the days (the sum of such is one, too).
    """
    if not trial.day.forecast_of:
        whole = int(trial.factor)
        return whole + (number < trial.factor - whole)
    mean = trial.factor / trial.day.forecast_of
    copies, chance = 0, math.exp(-mean)
    while number >= chance and chance > 0:
        number -= chance
        copies += 1
        chance *= mean / copies
    return copies


def _like(contact: Contact, number: float, length: int) -> Contact:
    """Return another contact of the same kind, within the half hour of the recorded one."""
    at = contact.at // HALF_HOUR_US * HALF_HOUR_US + int(number * HALF_HOUR_US)
    return Contact(
        queue=contact.queue,
        channel=contact.channel,
        at=min(at, length - 1),
        waited=0,
        requires=contact.requires,
        priority=contact.priority,
    )


def _drawn(contact: Contact, enters: str, fits: Fits, numbers: dict[str, float]) -> Coming:
    queue, waited = contact.queue, contact.waited / MICROS
    patience = waited if contact.left else fits.patience.of(queue).draw(numbers["patience"], waited)
    accept = None if contact.accept is None else Span(contact.accept, whole=True)
    return Coming(
        at=contact.at,
        queue=queue,
        enters=enters,
        handling_s=_lasts(contact.talk, fits.talk, queue, numbers["talk"]),
        wrap_up_s=_lasts(contact.wrap_up, fits.wrap_up, queue, numbers["wrap_up"]),
        patience_us=None if math.isinf(patience) else round(patience * MICROS),
        accept_us=round(_lasts(accept, fits.accept, queue, numbers["accept"]) * MICROS),
        draw=numbers["choice"],
        channel=contact.channel,
        requires=contact.requires,
        priority=contact.priority,
        preferred=contact.preferred,
        preference=contact.preference,
    )


def _lasts(span: Span | None, fit: Fitted, queue: str, number: float) -> float:
    """Return the recorded time, and a drawn one for what is missing of it."""
    if span is not None and span.whole:
        return span.us / MICROS
    drawn = fit.of(queue).draw(number, span.us / MICROS if span else 0.0)
    return drawn if math.isfinite(drawn) else fit.of(queue).last


class _Entering:
    """Where contacts wait first: closed queues may hand on to others."""

    def __init__(self, side: Catalog, day: Day) -> None:
        self._side, self._day = side, day
        self._hands_on = {
            key for key, entry in side.queues.items() if entry.object.outside.next_queue
        }

    def queue(self, contact: Contact) -> str:
        if contact.queue not in self._hands_on:
            return contact.queue
        at = self._day.begins + timedelta(microseconds=contact.at)
        return self._side.destination(contact.queue, at)[0]
