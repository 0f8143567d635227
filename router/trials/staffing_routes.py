"""REST of staffing: as JSON, and as CSV for a spreadsheet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Configuration
from madoguchi.http.sheets import Sheet, bundle, send
from madoguchi.http.table import Body, Call, Operation
from madoguchi.security.permissions import Action, NotFound
from router.trials.day import HALF_HOUR_US, Day
from router.trials.days import Days
from router.trials.routes import FIRST_DAY, LAST_DAY
from router.trials.staffing import HalfHour, Plan, Terms, Together, plan
from router.trials.trial import fits

HALF_HOUR = timedelta(microseconds=HALF_HOUR_US)
COLUMNS = (
    "queue", "half_hour", "arrivals", "load", "needed", "paid", "there", "own", "expected",
    "abandoned",
    "asa_s",
    "occupancy", "recorded", "pooled",
)  # fmt: skip


class StaffingQuery(Body):
    """A day, as trials take it; ``share`` of the contacts is to be answered within each queue's
    target, ``shrinkage``: the share of paid time in which agents are not there.
    """

    day: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    queue: Annotated[str, Field(max_length=64)] = ""
    weeks: Annotated[int, Field(ge=0, le=12)] = 0
    factor: Annotated[float, Field(ge=0.1, le=5)] = 1.0
    share: Annotated[float, Field(ge=0.01, le=0.999)] = 0.8
    shrinkage: Annotated[float, Field(ge=0, le=0.9)] = 0.0


@dataclass(frozen=True)
class StaffingApi:
    """The operations of staffing."""

    days: Days
    configuration: Configuration
    _one: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        may = Action.TUNE
        return [
            Operation(
                "GET",
                f"{V1}/staffing",
                self.get,
                "Agents that each half hour of a day needs",
                query=StaffingQuery,
                action=may,
            ),
            Operation(
                "GET",
                f"{V1}/staffing.csv",
                self.table,
                "The same as CSV",
                query=StaffingQuery,
                action=may,
                answer={"type": "string"},
            ),
        ]

    async def get(self, call: Call[Any]) -> Any:
        """Return a day's staffing by queue, and of all together."""
        asked: StaffingQuery = call.body
        _, found = await self._plan(asked)
        return {
            **asked.model_dump(),
            "queues": {
                key: {
                    **asdict(found.kinds[key]),
                    "half_hours": [asdict(one) for one in half_hours],
                }
                for key, half_hours in found.queues.items()
            },
            "total": [asdict(one) for one in found.total] if not asked.queue else None,
        }

    async def table(self, call: Call[Any]) -> web.StreamResponse:
        """Return a row for each queue and half hour; the queue ``*`` is all of them."""
        asked: StaffingQuery = call.body
        begins, found = await self._plan(asked)
        rows = bundle(_rows(begins, found, total=not asked.queue))
        name = f"staffing-{asked.day.isoformat()}"
        return await send(call.request, name, "csv", [Sheet(name, COLUMNS, rows)])

    async def _plan(self, asked: StaffingQuery) -> tuple[datetime, Plan]:
        catalog = self.configuration.catalog
        if asked.queue and asked.queue not in catalog.queues:
            raise NotFound("queue")
        sources = await self.days.sources(asked.day, asked.weeks)
        day = await self.days.read(asked.day, asked.weeks, sources)
        terms = Terms(asked.share, asked.shrinkage, asked.factor)

        def planned(day: Day) -> Plan:
            return plan(day, fits(day), catalog, terms)

        async with self._one:
            found = await asyncio.to_thread(planned, day)
        if not asked.queue:
            return day.begins, found
        only = {key: one for key, one in found.queues.items() if key == asked.queue}
        return day.begins, Plan({key: found.kinds[key] for key in only}, only, ())


def _rows(begins: datetime, found: Plan, *, total: bool) -> Iterator[list[Any]]:
    for key, half_hours in found.queues.items():
        yield from (_row(begins, key, at, one) for at, one in enumerate(half_hours))
    if total:
        yield from (_row(begins, "*", at, one) for at, one in enumerate(found.total))


def _row(begins: datetime, key: str, at: int, one: HalfHour | Together) -> list[Any]:
    # On the days when the clocks change a half hour's number does not say its time.
    began = (begins.astimezone(UTC) + at * HALF_HOUR).astimezone(begins.tzinfo)
    values = {**asdict(one), "queue": key, "half_hour": f"{began:%H:%M}"}
    return [_cell(values.get(column)) for column in COLUMNS]


def _cell(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
