"""A recorded day: who came, how long they waited and kept an agent, who was there; pure.

Instants are µs since the day began, spans µs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from madoguchi.clock import to_micros
from madoguchi.model.routing import ItemState, Preference
from router.pauses import ENDED, released_so_far

DAY_US = 86_400_000_000
HALF_HOUR_US = 1_800_000_000


class Span(NamedTuple):
    """How long something took; not ``whole``: it went on when it was last seen."""

    us: int
    whole: bool


_NO_CONTACT = {ItemState.cancelled.value, ItemState.done.value}
"""Whom nobody has answered: cancelled before, or called in vain until it was given up."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact that came in.

    ``queue`` is the one it came to, before hours were looked at. ``left``: the customer gave up
    after ``waited``; otherwise somebody took it then (``talk`` is set), or it still waited, or was
    ``sent_away`` then, and nobody knows how long it would have waited.
    ``talk`` ends where wrap-up begins. ``accept``: how long the agent took to accept.
    """

    queue: str
    channel: str
    at: int
    waited: int
    left: bool = False
    sent_away: bool = False
    talk: Span | None = None
    wrap_up: Span | None = None
    accept: int | None = None
    requires: Mapping[str, int] | None = None
    priority: int | None = None
    preferred: str | None = None
    preference: Preference = Preference.last_owner


@dataclass(frozen=True, slots=True)
class Day:
    """A day; ``there`` is agent -> the spans (from, to) in which they were available.

    They go on for a day behind its end, so that who came late is served. ``forecast_of``: the
    contacts are those of so many days, of whose mean a day like them is drawn; 0: the day itself.
    """

    begins: datetime
    length: int
    contacts: tuple[Contact, ...]
    there: Mapping[str, tuple[tuple[int, int], ...]]
    forecast_of: int = 0

    @property
    def half_hours(self) -> int:
        """Return into how many half hours the day falls."""
        return -(-self.length // HALF_HOUR_US)


def part_of_half_hours(day: Day, agent: str) -> list[float]:
    """Return the part of each half hour of a day in which an agent was available."""
    found = [0.0] * day.half_hours
    for began, ended in day.there[agent]:
        for at in range(began // HALF_HOUR_US, day.half_hours):
            first = at * HALF_HOUR_US
            over = min(ended, first + HALF_HOUR_US) - max(began, first)
            if over <= 0:
                break
            found[at] += over / HALF_HOUR_US
    return found


def forecast(begins: datetime, ends: datetime, days: Sequence[Day]) -> Day:
    """Return a day to come: contacts are drawn from recorded days, the newest first; who is there
    is taken from the newest.
    """
    contacts = [contact for day in days for contact in day.contacts]
    return Day(
        begins,
        to_micros(ends) - to_micros(begins),
        tuple(sorted(contacts, key=lambda one: one.at)),
        days[0].there,
        len(days),
    )


def weekdays_before(day: date, today: date, weeks: int) -> list[date]:
    """Return the same weekdays of so many weeks before a day, the newest first; none of them today
    or later.
    """
    back = max(1, -(-((day - today).days + 1) // 7))
    return [day - timedelta(weeks=back + n) for n in range(weeks)]


def span_of(day: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """Return when a day begins and ends in a zone, None: the machine's."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    last = datetime(after.year, after.month, after.day, tzinfo=zone)
    return (first, last) if zone else (first.astimezone(), last.astimezone())


def told(
    begins: datetime,
    ends: datetime,
    now: datetime,
    items: Iterable[Any],
    spells: Iterable[Any],
    periods: Iterable[Any],
    working: Iterable[Any] = (),
) -> Day:
    """Return a day from its rows: work items that were enqueued in it, spells of work on them with
    when their offers were made, periods of being available, what the router keeps of work that
    goes on. ``now`` is when they were read.

    Who was cancelled before anybody took them asked for nothing and is left out.
    """
    start, at = to_micros(begins), to_micros(now)
    of_item: dict[str, list[Any]] = {}
    for spell in spells:
        of_item.setdefault(spell.item, []).append(spell)
    kept = {one.id: one for one in working}
    pauses = {id: released_so_far(one.channel, one.routing or {}, at) for id, one in kept.items()}
    sent_away = {id for id, one in kept.items() if (one.routing or {}).get(ENDED)}
    contacts = [
        _contact(
            item,
            sorted(of_item.get(item.id, ()), key=_began),
            start,
            at,
            pauses.get(item.id, 0),
            sent_away=item.id in sent_away,
        )
        for item in items
        if item.assigned_at is not None or item.state not in _NO_CONTACT
    ]
    length = to_micros(ends) - start
    return Day(
        begins,
        length,
        tuple(sorted(contacts, key=lambda one: one.at)),
        _there(periods, start, length + DAY_US),
    )


def _began(spell: Any) -> datetime:
    began: datetime = spell.started_at
    return began


def _contact(
    item: Any, spells: list[Any], start: int, now: int, paused: int, *, sent_away: bool
) -> Contact:
    enqueued = to_micros(item.enqueued_at)
    ended = item.assigned_at is None and item.state == ItemState.abandoned.value
    known = to_micros(item.closed_at) if ended else now
    waited = item.waited_us if item.assigned_at is not None else known - enqueued
    taken = item.assigned_at is not None and spells
    return Contact(
        queue=item.came_to or item.answered_in or item.queue,
        channel=item.channel,
        at=enqueued - start,
        waited=max(0, waited),
        left=ended and not sent_away,
        sent_away=sent_away,
        talk=_talk(spells, now, paused) if taken else None,
        wrap_up=_wrap_up(spells, now) if taken else None,
        accept=_accept(spells[0]) if taken else None,
        requires=item.requires,
        priority=item.priority,
        preferred=item.preferred,
        preference=Preference(item.preference or Preference.last_owner.value),
    )


def _talk(spells: list[Any], now: int, paused: int) -> Span:
    """Return for how long a contact weighed on agents before wrap-up; transfers add up, and what
    waited for the customer with its units released does not count.
    """
    last = spells[-1]
    total = sum(
        (to_micros(end) if (end := one.wrap_up_at or one.ended_at) else now)
        - to_micros(one.started_at)
        - (one.released_us or 0)
        for one in spells
    )
    return Span(max(0, total - paused), (last.wrap_up_at or last.ended_at) is not None)


def _wrap_up(spells: list[Any], now: int) -> Span | None:
    last = spells[-1]
    if (last.wrap_up_at or last.ended_at) is None:
        return None
    total = sum(
        (to_micros(one.ended_at) if one.ended_at else now) - to_micros(one.wrap_up_at)
        for one in spells
        if one.wrap_up_at
    )
    return Span(max(0, total), last.ended_at is not None)


def _accept(spell: Any) -> int | None:
    if spell.made_at is None:
        return None
    return max(0, to_micros(spell.started_at) - to_micros(spell.made_at))


def _there(
    periods: Iterable[Any], start: int, until: int
) -> dict[str, tuple[tuple[int, int], ...]]:
    there: dict[str, list[tuple[int, int]]] = {}
    for one in periods:
        began = max(0, to_micros(one.began_at) - start)
        ended = until if one.ended_at is None else min(until, to_micros(one.ended_at) - start)
        if ended > began:
            there.setdefault(one.agent, []).append((began, ended))
    return {agent: tuple(sorted(spans)) for agent, spans in there.items()}
