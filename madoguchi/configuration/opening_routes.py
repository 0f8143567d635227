"""REST of the opening hours: which queues are open, closing one at once, trying hours out."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, ValidationError

from madoguchi.clock import Clock
from madoguchi.configuration.kinds import Hours
from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Change, Configuration, Invalid, MovedOn, body_of
from madoguchi.http.table import Body, Call, Nothing, Operation
from madoguchi.model.faults import faults_of
from madoguchi.model.hours import Opening, public_holidays
from madoguchi.security.permissions import Action, NotFound

ATTEMPTS = 5
HOLIDAYS_SHOWN = 5


class ClosedBody(Body):
    """Close a queue at once, or open it again; and why."""

    closed: bool
    reason: Annotated[str, Field(max_length=500)] = ""


class HoursBody(Body):
    """Opening hours as they would be saved."""

    body: dict[str, Any]


@dataclass(frozen=True)
class OpeningApi:
    """The operations of opening hours."""

    clock: Clock
    configuration: Configuration

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        return [
            Operation(
                "GET", f"{V1}/queues", self.queues, "Which are open", action=Action.SEE_CONFIG
            ),
            Operation(
                "PUT",
                f"{V1}/queues/{{key}}/closed",
                self.close,
                "Close a queue at once, or open it again",
                ClosedBody,
                action=Action.CLOSE,
            ),
            Operation(
                "POST",
                f"{V1}/hours/preview",
                self.preview,
                "What hours would mean now",
                HoursBody,
                action=Action.CONFIGURE,
            ),
        ]

    async def queues(self, call: Call[Nothing]) -> Any:
        """Return every queue with whether it is open, why not, and when it opens next."""
        catalog = self.configuration.catalog
        return {"queues": [self._view(key) for key in sorted(catalog.queues)]}

    async def close(self, call: Call[ClosedBody]) -> Any:
        """Close a queue whatever its hours say, or let its hours count again."""
        key = call.key()
        for attempt in range(ATTEMPTS):
            entry = self.configuration.catalog.queues.get(key)
            if entry is None:
                raise NotFound("queue")
            body = {**body_of(entry.object), "closed": call.body.closed}
            change = Change("queue", key, body, entry.version)
            try:
                await self.configuration.change(call.actor, call.body.reason, [change])
            except MovedOn:
                if attempt == ATTEMPTS - 1:
                    raise
                await self.configuration.reload()
            else:
                break
        return self._view(key)

    async def preview(self, call: Call[HoursBody]) -> Any:
        """Return how it would stand now, and the next public holidays."""
        # The first look at a country's holidays takes a moment: not on the event loop.
        return await asyncio.to_thread(_previewed, call.body.body, self.clock.now())

    def _view(self, key: str) -> dict[str, Any]:
        catalog = self.configuration.catalog
        queue = catalog.queues[key].object
        opening = catalog.opening(key, self.clock.now())
        more = {"hours": queue.hours, "closed": queue.closed}
        return {"key": key, **queue.names, **more, **opening_view(opening)}


def _previewed(body: dict[str, Any], now: datetime) -> dict[str, Any]:
    try:
        hours = Hours.model_validate({**body, "key": "preview"})
    except ValidationError as wrong:
        faults = faults_of(wrong.errors(include_input=False), "hours", "preview")
        raise Invalid(faults) from wrong
    opening = opening_view(hours.schedule.opening(now))
    return {**opening, "holidays": _next_holidays(hours, now)}


def opening_view(opening: Opening) -> dict[str, Any]:
    """Return how it stands as pages get it; ``day`` is the name of a day that is special."""
    day, day_en = opening.names
    return {
        "open": opening.open,
        "why": opening.why,
        "day": day,
        "day_en": day_en,
        "opens": opening.opens,
        "time_zone": opening.zone,
    }


def _next_holidays(hours: Hours, now: datetime) -> list[dict[str, Any]]:
    if not hours.holidays:
        return []
    today = now.astimezone(hours.schedule.zone).date()
    found = {
        day: names
        for year in (today.year, today.year + 1)
        for day, names in public_holidays(hours.holidays, year).items()
        if today <= day <= today + timedelta(days=366)
    }
    return [
        {"date": day, "name": found[day][0], "name_en": found[day][1]}
        for day in sorted(found)[:HOLIDAYS_SHOWN]
    ]
