"""The days that the store has recorded, and forecasts made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import partial

from madoguchi.clock import Clock
from madoguchi.configuration.service import Invalid
from madoguchi.model.faults import Fault
from madoguchi.store.work import Store
from router.trials import reading
from router.trials.day import Day, forecast, span_of, weekdays_before
from router.trials.telling import told


@dataclass(frozen=True, slots=True)
class Days:
    """Recorded days, as the zone's calendar counts them; None: the machine's zone."""

    store: Store
    clock: Clock
    zone: tzinfo | None

    async def sources(self, wanted: date, weeks: int) -> list[date]:
        """Return the recorded days that a day is made of: itself, or the same weekdays of so many
        weeks before it. Raises Invalid when there are none.
        """
        days = [wanted]
        if weeks:
            days = weekdays_before(wanted, self.today(), weeks)
        found, came = [], False
        for day in days:
            known = await self.store.read(partial(reading.known, *span_of(day, self.zone)))
            came = came or known[0]
            found += [day] if all(known) else []
        if not found:
            raise Invalid([_nothing_known(wanted, weeks, came)])
        return found

    async def read(self, wanted: date, weeks: int, sources: Sequence[date]) -> Day:
        """Return a day, recorded or forecast, from its sources."""
        days = [await self._recorded(day) for day in sources]
        if not weeks:
            return days[0]
        return await asyncio.to_thread(forecast, *span_of(wanted, self.zone), days)

    async def _recorded(self, day: date) -> Day:
        begins, ends = span_of(day, self.zone)
        rows = await self.store.read(partial(reading.rows, begins, ends))
        return await asyncio.to_thread(told, begins, ends, self.clock.now(), *rows)

    async def bounds(self) -> dict[str, date | None]:
        """Return the first and the last day on which contacts came, and the last before today."""
        midnight, _ = span_of(self.today(), self.zone)
        first, last, before = await self.store.read(lambda: reading.bounds(midnight))
        return {
            name: at.astimezone(self.zone).date() if at else None
            for name, at in (("first", first), ("last", last), ("before_today", before))
        }

    def today(self) -> date:
        """Return the day that it is."""
        return self.clock.now().astimezone(self.zone).date()


def _nothing_known(wanted: date, weeks: int, came: bool) -> Fault:
    """Return why a day cannot be replayed, or forecast."""
    day = wanted.isoformat()
    if weeks:
        text = f"no such weekday in the {weeks} weeks before {day} is recorded"
        return Fault("day", text, "no_weeks", {"day": day, "weeks": weeks})
    if came:
        return Fault("day", f"it is not known who was there on {day}", "no_presence", {"day": day})
    return Fault("day", f"nobody came on {day}", "empty_day", {"day": day})
