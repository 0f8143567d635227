"""From the store's rows to a recorded day; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from madoguchi.clock import to_micros
from madoguchi.model.routing import ItemState, OfferState, Preference, Presence
from router.pauses import ENDED, released_so_far
from router.trials.day import DAY_US, Contact, Day, HandedOn, Reaction, Span

_NO_CONTACT = frozenset({ItemState.cancelled.value, ItemState.done.value})
"""Whom nobody has answered: cancelled before, or called in vain until it was given up."""


def told(
    begins: datetime,
    ends: datetime,
    now: datetime,
    items: Iterable[Any],
    spells: Iterable[Any],
    periods: Iterable[Any],
    working: Iterable[Any] = (),
    offers: Iterable[Any] = (),
) -> Day:
    """Return a day from its rows: work items that were enqueued in it, spells of work on them with
    when their offers were made, periods of being available or away after missed offers, what the
    router keeps of work that goes on, offers that nobody accepted. ``now`` is when they were read.

    Who was cancelled before anybody took them asked for nothing and is left out.
    """
    start, at = to_micros(begins), to_micros(now)
    of_item = _by_item(spells)
    kept = {one.id: one for one in working}
    pauses = {id: released_so_far(one.channel, one.routing or {}, at) for id, one in kept.items()}
    why = {id: (one.routing or {}).get(ENDED, "") for id, one in kept.items()}
    vain = _by_item(offers)
    contacts: list[Contact] = []
    reactions: list[Reaction] = []
    for item in items:
        if item.assigned_at is None and item.state in _NO_CONTACT:
            continue
        worked = sorted(of_item.get(item.id, ()), key=lambda one: one.started_at)
        seen = _Seen(item, worked, vain.get(item.id, ()), at, pauses.get(item.id, 0))
        contacts.append(seen.contact(start, why.get(item.id, "")))
        reactions += seen.reactions()
    length = to_micros(ends) - start
    return Day(
        begins,
        length,
        tuple(sorted(contacts, key=lambda one: one.at)),
        reactions=tuple(reactions),
        **_presence(periods, start, length + DAY_US),
    )


def _by_item(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.item, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rows tell of one item: its spells of work in order, offers in vain; ``now``, and for
    how long its present pause has released its agent (µs).
    """

    item: Any
    spells: Sequence[Any]
    vain: Sequence[Any]
    now: int
    paused: int

    def contact(self, start: int, why: str) -> Contact:
        """Return the contact; ``why`` it ended though nobody had taken it."""
        item = self.item
        enqueued = to_micros(item.enqueued_at)
        ended = item.assigned_at is None and item.state == ItemState.abandoned.value
        known = to_micros(item.closed_at) if ended else self.now
        waited = item.waited_us if item.assigned_at is not None else known - enqueued
        taken = item.assigned_at is not None and self.spells
        return Contact(
            queue=self._queue,
            channel=item.channel,
            at=enqueued - start,
            waited=max(0, waited),
            left=ended and not why,
            ended=why if ended else "",
            talk=self._talk(0) if taken else None,
            wrap_up=self._wrap_up() if taken else None,
            accept=_accept(self.spells[0]) if taken and not self._several else None,
            requires=item.requires,
            priority=item.priority,
            preferred=item.preferred,
            preference=Preference(item.preference or Preference.last_owner.value),
            handed_on=tuple(map(self._handed_on, range(1, len(self.spells)))) if taken else (),
        )

    def reactions(self) -> Iterator[Reaction]:
        """Yield what became of its offers: not of transfers to an agent, nor of those that were
        accepted at once, without a question.
        """
        for spell in self.spells:
            if (us := _accept(spell)) and not spell.transfer:
                yield Reaction(spell.agent, self._queue, OfferState.accepted, us)
        for one in self.vain:
            us = max(0, to_micros(one.closed_at) - to_micros(one.made_at))
            if not one.transfer:
                yield Reaction(one.agent, self._queue, OfferState(one.state), us)

    @property
    def _queue(self) -> str:
        queue: str = self.item.came_to or self.item.answered_in or self.item.queue
        return queue

    @property
    def _several(self) -> bool:
        """Whether others were asked besides who accepted."""
        return any(one.reason == "taken" for one in self.vain)

    def _handed_on(self, place: int) -> HandedOn:
        spell = self.spells[place]
        agent = spell.agent if self._to_agent(place) else ""
        accept = None if self._several and not agent else _accept(spell)
        return HandedOn(spell.queue or self.item.queue, agent, self._talk(place), accept)

    def _to_agent(self, place: int) -> bool:
        """Tell whether an agent was meant, by a transfer or because somebody gave it to them."""
        spell = self.spells[place]
        return bool(spell.transfer) or spell.made_at is None

    def _talk(self, place: int) -> Span:
        """Return for how long a contact weighed on an agent before wrap-up, or before it was handed
        on; what waited for the customer with its units released does not count.
        """
        spell, last = self.spells[place], place == len(self.spells) - 1
        end, paused = spell.ended_at, 0
        if last:
            end, paused = spell.wrap_up_at or spell.ended_at, self.paused
        elif self._to_agent(place + 1):
            # Its agent keeps it until the other one accepts, which the replay does itself.
            end = self.spells[place + 1].made_at or end
        until = self.now if end is None else to_micros(end)
        total = until - to_micros(spell.started_at) - (spell.released_us or 0) - paused
        return Span(max(0, total), end is not None or not last)

    def _wrap_up(self) -> Span | None:
        last = self.spells[-1]
        began = last.wrap_up_at or last.ended_at
        if began is None:
            return None
        if last.wrap_up_at is None:
            return Span(0, whole=True)
        ended = self.now if last.ended_at is None else to_micros(last.ended_at)
        return Span(max(0, ended - to_micros(began)), last.ended_at is not None)


def _accept(spell: Any) -> int | None:
    if spell.made_at is None:
        return None
    return max(0, to_micros(spell.started_at) - to_micros(spell.made_at))


def _presence(periods: Iterable[Any], start: int, until: int) -> dict[str, Any]:
    """Return who was there, and what is known of those who missed offers.

    Who came back from that counts as there meanwhile: whether they miss any is drawn in a replay.
    """
    of_agent: dict[str, list[tuple[int, int, bool, bool]]] = {}
    for one in periods:
        began = to_micros(one.began_at) - start
        ended = until if one.ended_at is None else to_micros(one.ended_at) - start
        missed = one.presence == Presence.missed.value
        of_agent.setdefault(one.agent, []).append((began, ended, missed, one.ended_at is None))
    there: dict[str, list[tuple[int, int]]] = {}
    away: dict[str, list[tuple[int, int]]] = {}
    backs = []
    for agent, spans in of_agent.items():
        came = {began for began, _, missed, _ in spans if not missed}
        for began, ended, missed, goes_on in sorted(spans):
            back = missed and ended in came
            if missed:
                backs.append((agent, Span(ended - began, whole=back and not goes_on)))
            _join(there, agent, (began, ended), until, wanted=back or not missed)
            _join(away, agent, (began, ended), until, wanted=back)
    return {
        "there": {agent: tuple(spans) for agent, spans in there.items()},
        "missed": {agent: tuple(spans) for agent, spans in away.items()},
        "backs": tuple(backs),
    }


def _join(
    found: dict[str, list[tuple[int, int]]],
    agent: str,
    span: tuple[int, int],
    until: int,
    *,
    wanted: bool,
) -> None:
    """Add a span, cut to the day, to those of an agent; spans that touch become one."""
    began, ended = max(0, span[0]), min(until, span[1])
    if not wanted or ended <= began:
        return
    spans = found.setdefault(agent, [])
    if spans and spans[-1][1] == began:
        began, _ = spans.pop()
    spans.append((began, ended))
