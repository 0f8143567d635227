"""A recorded day as a cast: one side's configuration, the same customers on both sides; pure.

What was recorded is kept. What nobody saw (the patience of who was answered, the work on who left,
what was still going on) is drawn from the queue's fitted distributions: contact *i* takes the
*i*-th number of each stream of the replication, used or not, whatever the configuration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from madoguchi.configuration.catalog import Catalog
from madoguchi.model.routing import MICROS, AgentSpec, ConfigurationChanged, QueuePolicy
from router.configured import policies, specs
from router.simulator.cast import Cast, Coming, Member, Turn
from router.simulator.draws import stream
from router.trials.conduct import AsRecorded
from router.trials.day import DAY_US, HALF_HOUR_US, Contact, Day, HandedOn, Span
from router.trials.fit import Fitted
from router.trials.trial import NO_TEAM, Fits, Trial

PURPOSES = ("patience", "talk", "wrap_up", "accept", "choice", "copies", "shift", "like", "later")
ALWAYS_S = 86_400.0
"""So long who is away keeps what they work on: they do work on it, as was recorded."""

UNSEEN = Span(0, whole=False)

GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it lie evenly in [0, 1): so one number makes several."""


def cast(trial: Trial, side: Catalog, number: int) -> Cast:
    """Return what a replication of one side plays."""
    known = specs(side)
    contacts = sorted(_coming(trial, side, known, number), key=lambda one: one.at)
    members = tuple(
        Member(known[agent], known[agent].teams or (NO_TEAM,), spans)
        for agent, spans in sorted(trial.day.there.items())
        if agent in known
    )
    seed = f"{trial.seed}/{number}"
    queues = {key: entry.object for key, entry in side.queues.items()}
    return Cast(
        seed=seed,
        configuration=ConfigurationChanged(tuple(map(_replayed, policies(side)))),
        members=members,
        streams={"day": iter(contacts)},
        queues=trial.queues,
        groups=trial.teams,
        contacts=len(contacts),
        daily=False,
        until=trial.day.length + DAY_US,
        wrap_up_most={key: queue.wrap_up_s for key, queue in queues.items() if queue.wrap_up_s},
        helps={
            key: tuple(help.routed() for help in queue.help)
            for key, queue in queues.items()
            if queue.help
        },
        targets={key: queue.service_level_s for key, queue in queues.items()},
        conduct=AsRecorded(trial.fits.habits, trial.fits.accept, seed),
    )


def _replayed(policy: QueuePolicy) -> QueuePolicy:
    """Return a queue whose wrap-up the run itself ends, and where nobody's work is taken away."""
    return replace(policy, wrap_up_s=0, absent_requeue_s=ALWAYS_S)


def _coming(
    trial: Trial, side: Catalog, people: Mapping[str, AgentSpec], number: int
) -> Iterator[Coming]:
    draws = {purpose: stream(trial.seed, number, "day", purpose) for purpose in PURPOSES}
    queues = set(trial.queues)
    entering = _Entering(side, trial.day)
    drawing = _Drawing(trial.fits, side, people)
    for contact in trial.day.contacts:
        if contact.queue not in queues:
            continue
        for copy in range(_copies(trial, draws["copies"].random())):
            numbers = {purpose: one.random() for purpose, one in draws.items()}
            itself = copy == 0 and not trial.day.forecast_of
            one = contact if itself else _like(contact, numbers["shift"], trial.day.length)
            yield drawing.coming(one, *entering.at(one), numbers)


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
        handed_on=tuple(one._replace(talk=UNSEEN, accept=None) for one in contact.handed_on),
        talk=None if contact.talk is None else UNSEEN,
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Draws what is not known of contacts, for one side."""

    fits: Fits
    side: Catalog
    people: Mapping[str, AgentSpec]

    def coming(
        self, contact: Contact, enters: str, patient: bool, numbers: Mapping[str, float]
    ) -> Coming:
        """Return a contact with all about it."""
        fits, queue, waited = self.fits, contact.queue, contact.waited / MICROS
        patience = waited
        if not contact.left:
            patience = fits.patience.of(queue).draw(numbers["patience"], waited)
        turns, more_s = self._turns(contact, numbers)
        return Coming(
            at=contact.at,
            queue=queue,
            enters=enters,
            handling_s=_lasts(contact.talk, fits.first, queue, numbers["talk"]) + more_s,
            wrap_up_s=_lasts(contact.wrap_up, fits.wrap_up, queue, numbers["wrap_up"]),
            patience_us=None if math.isinf(patience) else round(patience * MICROS),
            accept_us=self._accept_us(contact.accept, queue, numbers["accept"]),
            draw=numbers["choice"],
            channel=contact.channel,
            requires=contact.requires,
            priority=contact.priority,
            preferred=contact.preferred,
            preference=contact.preference,
            patient=patient,
            turns=turns,
        )

    def _accept_us(self, known: int | None, queue: str, number: float) -> int:
        span = None if known is None else Span(known, whole=True)
        return round(_lasts(span, self.fits.accept, queue, number) * MICROS)

    def _turns(
        self, contact: Contact, numbers: Mapping[str, float]
    ) -> tuple[tuple[Turn, ...], float]:
        """Return how a contact is handed on, and for how many seconds more its first agent has it:
        what was handed to a queue that this side does not have stays where it is. Who was never
        answered is handed on as another contact of the queue was.
        """
        handed_on = contact.handed_on
        if contact.talk is None:
            like = self.fits.like(contact.queue, numbers["like"])
            handed_on = tuple(one._replace(talk=UNSEEN, accept=None) for one in like)
        turns: list[Turn] = []
        more_s = 0.0
        for place, one in enumerate(handed_on, 1):
            later, accept = (_another(numbers[name], place) for name in ("later", "accept"))
            lasts_s = _lasts(one.talk, self.fits.later, contact.queue, later)
            queue = self._queue(one)
            if queue in self.side.queues:
                accept_us = self._accept_us(one.accept, queue, accept)
                turns.append(Turn(queue, one.agent, lasts_s, accept_us))
            elif turns:
                last = turns.pop()
                turns.append(last._replace(handling_s=last.handling_s + lasts_s))
            else:
                more_s += lasts_s
        return tuple(turns), more_s

    def _queue(self, one: HandedOn) -> str:
        """Return where a contact waits that was handed to an agent who cannot be asked: where it
        was, if they serve that, else where they serve first.
        """
        serves = self.people[one.agent].serves if one.agent in self.people else {}
        if not serves or one.queue in serves:
            return one.queue
        return min(serves, key=lambda queue: (serves[queue], queue))


def _another(number: float, place: int) -> float:
    """Return one more number in [0, 1) for a contact."""
    return (number + place * GOLDEN) % 1.0


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
        objects = {key: entry.object for key, entry in side.queues.items()}
        limits = any(one.max_wait_s or one.max_waiting is not None for one in objects.values())
        self._looked_at = {
            key
            for key, one in objects.items()
            if one.outside.next_queue or (limits and (one.hours or one.closed))
        }

    def at(self, contact: Contact) -> tuple[str, bool]:
        """Return the queue in which a contact waits first, and whether that is closed then."""
        if contact.queue not in self._looked_at:
            return contact.queue, False
        at = self._day.begins + timedelta(microseconds=contact.at)
        queue, opening = self._side.destination(contact.queue, at)
        return queue, not opening.open
