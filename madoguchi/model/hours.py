"""When a counter is open: weekly hours with breaks, holidays, special days, in its own time zone.

Pure but for the tables of the ``holidays`` and ``tzdata`` packages. A local time that does not
exist counts as the first moment after the gap, a doubled one as the first of the two: what opens
or closes at a local time does so when the clock on the wall first shows it or a later one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

AHEAD = timedelta(days=366)
"""How far the next opening is looked for."""

_NO_PLACE = re.compile("(posix|right)/|(localtime|posixrules|Factory)$")
"""Files of the tz database that mean another time on each machine, or none that browsers know."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

Span = tuple[int, int]
"""[from, to) in minutes of the local day; more than 1440 is the time after its midnight."""

Names = tuple[str, str]
"""What a day is called, and what it is called in English."""


class Why(StrEnum):
    """Why nobody is there."""

    WEEKLY = "weekly"
    HOLIDAY = "holiday"
    DAY = "day"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Opening:
    """How it stands at a moment: open, or why not, what the day is called, when it opens next.

    ``opens`` is None where nobody knows: closed by hand, or for more than a year.
    """

    why: Why | None = None
    names: Names = ("", "")
    opens: datetime | None = None
    zone: str = "UTC"

    @property
    def open(self) -> bool:
        """Tell whether somebody is there."""
        return self.why is None


@dataclass(frozen=True, slots=True)
class Day:
    """A date with hours of its own; without spans it is closed."""

    spans: tuple[Span, ...] = ()
    names: Names = ("", "")


@dataclass(frozen=True)
class Schedule:
    """Hours as they repeat: ``week`` begins on Monday; a special day goes before a public holiday,
    a holiday (closed) before the week. ``holidays`` is a place: ``JP``, ``US-CA``, none.
    """

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    holidays: str = ""
    days: Mapping[date, Day] = field(default_factory=dict)

    def opening(self, at: datetime) -> Opening:
        """Return how it stands at an aware moment."""
        today = at.astimezone(self.zone).date()
        if any(begins <= at < ends for begins, ends in self._around(today)):
            return Opening(zone=self.zone.key)
        why, names = self._why(today)
        return Opening(why, names, self.opens(at), self.zone.key)

    def opens(self, at: datetime) -> datetime | None:
        """Return the first moment from ``at`` on when it is open, in UTC; None within a year."""
        today = at.astimezone(self.zone).date()
        # What begins on one local day begins before all of the next one's.
        for number in range(-1, AHEAD.days + 1):
            later = [max(at, b) for b, e in self._of(today + number * _DAY) if e > at]
            if later:
                return min(later).astimezone(UTC)
        return None

    def _around(self, today: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield what can hold a moment of a local day. A clock that is set back over midnight
        shows the day before again, when the next one has begun.
        """
        for day in (today, today - _DAY, today + _DAY):
            yield from self._of(day)

    def _of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield when it opens and closes by the hours of a local day."""
        midnight = datetime.combine(day, time())
        for opens, closes in self._spans(day):
            begins = instant(midnight + timedelta(minutes=opens), self.zone)
            ends = instant(midnight + timedelta(minutes=closes), self.zone)
            if begins < ends:
                yield begins, ends

    def _spans(self, day: date) -> tuple[Span, ...]:
        special = self.days.get(day)
        if special is not None:
            return special.spans
        return () if self._holiday(day) else self.week[day.weekday()]

    def _holiday(self, day: date) -> Names | None:
        return public_holidays(self.holidays, day.year).get(day) if self.holidays else None

    def _why(self, day: date) -> tuple[Why, Names]:
        special = self.days.get(day)
        if special is not None:
            return Why.DAY, special.names
        holiday = self._holiday(day)
        return (Why.HOLIDAY, holiday) if holiday else (Why.WEEKLY, ("", ""))


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment, in UTC, when a zone's clock shows a local time or a later one."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # The time is in a gap, which ended between what the two offsets make of it.
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def is_zone(name: str) -> bool:
    """Tell whether a name is that of a time zone which means the same everywhere."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return not _NO_PLACE.match(name)


@lru_cache(maxsize=256)
def public_holidays(place: str, year: int) -> Mapping[date, Names]:
    """Return the public holidays of a year, named in the place's own language and in English."""
    from holidays import country_holidays

    country, _, part = place.partition("-")
    # Without a language the library would speak that of the server's environment.
    language = country_holidays(country).default_language
    own, english = (
        country_holidays(country, subdiv=part or None, years=year, language=spoken)
        for spoken in (language, "en_US")
    )
    return MappingProxyType({day: (own[day], english[day]) for day in sorted(own)})


@lru_cache(maxsize=1)
def known_places() -> frozenset[str]:
    """Return every place whose holidays are known: ``JP``, ``US``, ``US-CA``..."""
    from holidays import list_supported_countries

    found = {c: parts for c, parts in list_supported_countries().items() if len(c) == 2}
    return frozenset({*found, *(f"{c}-{part}" for c, parts in found.items() for part in parts)})
