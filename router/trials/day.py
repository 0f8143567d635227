"""A recorded day: who came, how long they waited and kept an agent, who was there; pure.

Instants are µs since the day began, spans µs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from madoguchi.clock import to_micros
from madoguchi.model.routing import OfferState, Preference

DAY_US = 86_400_000_000
HALF_HOUR_US = 1_800_000_000


class Span(NamedTuple):
    """How long something took; not ``whole``: it went on when it was last seen."""

    us: int
    whole: bool


class HandedOn(NamedTuple):
    """A contact that its agent gave away: to ``agent``, or (empty) to whoever took it in ``queue``,
    who accepted it after so long and worked on it for ``talk``.
    """

    queue: str
    agent: str
    talk: Span
    accept: int | None


class Reaction(NamedTuple):
    """What became of an offer after ``us``, to an agent of a contact that came to ``queue``."""

    agent: str
    queue: str
    end: OfferState
    us: int


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact that came in.

    ``queue`` is the one it came to, before hours were looked at. ``left``: the customer gave up
    after ``waited``; otherwise somebody took it then (``talk`` is set), or it still waited, or was
    sent away then (``ended`` says why), and nobody knows how long it would have waited.
    ``talk`` is with its first agent and ends where wrap-up begins, or where it was handed on.
    ``accept``: how long the agent took to accept; None also where several were asked at once.
    """

    queue: str
    channel: str
    at: int
    waited: int
    left: bool = False
    ended: str = ""
    talk: Span | None = None
    wrap_up: Span | None = None
    accept: int | None = None
    requires: Mapping[str, int] | None = None
    priority: int | None = None
    preferred: str | None = None
    preference: Preference = Preference.last_owner
    handed_on: tuple[HandedOn, ...] = ()

    @property
    def work(self) -> Span | None:
        """All work on it before wrap-up, whoever did it."""
        if self.talk is None:
            return None
        spans = [self.talk, *(one.talk for one in self.handed_on)]
        return Span(sum(one.us for one in spans), spans[-1].whole)


@dataclass(frozen=True, slots=True)
class Day:
    """A day; ``there`` is agent -> the spans (from, to) in which they were available.

    They go on for a day behind its end, so that who came late is served. ``forecast_of``: the
    contacts are those of so many days, of whose mean a day like them is drawn; 0: the day itself.
    ``missed`` is agent -> the parts of these spans in which they were away because they had missed
    offers, and came back; ``backs`` is how long that took them, or they were seen away.
    """

    begins: datetime
    length: int
    contacts: tuple[Contact, ...]
    there: Mapping[str, tuple[tuple[int, int], ...]]
    forecast_of: int = 0
    reactions: tuple[Reaction, ...] = ()
    missed: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    backs: tuple[tuple[str, Span], ...] = ()

    @property
    def half_hours(self) -> int:
        """Return into how many half hours the day falls."""
        return -(-self.length // HALF_HOUR_US)


def part_of_half_hours(day: Day, agent: str) -> list[float]:
    """Return the part of each half hour of a day in which an agent was available."""
    found = [0.0] * day.half_hours
    there = [(span, 1) for span in day.there[agent]]
    there += [(span, -1) for span in day.missed.get(agent, ())]
    for (began, ended), sign in there:
        for at in range(began // HALF_HOUR_US, day.half_hours):
            first = at * HALF_HOUR_US
            over = min(ended, first + HALF_HOUR_US) - max(began, first)
            if over <= 0:
                break
            found[at] += sign * over / HALF_HOUR_US
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
        tuple(one for day in days for one in day.reactions),
        days[0].missed,
        tuple(one for day in days for one in day.backs),
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
