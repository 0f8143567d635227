"""What happened in each half hour, per queue and channel, counted by the database.

Contacts count when and where they were answered or abandoned, as on the board; handling when it
ended, in the queue in which the agent took it. Half hours count from midnight where the company is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    case,
    cast,
    extract,
    func,
    select,
    type_coerce,
)

from madoguchi.clock import to_micros
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import MICROS, ItemState
from madoguchi.store.work import Work
from router.board.figures import DEFAULT_TARGET_S
from router.tables import assignment

HALF_HOUR_S = 1800


class Place(NamedTuple):
    """A half hour of a day (from 0), a queue and a channel."""

    slot: int
    queue: str
    channel: str


@dataclass(slots=True)
class Half:
    """What happened in a half hour; spans in seconds."""

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    waited_s: float = 0.0
    longest_s: float | None = None
    handled: int = 0
    handling_s: float = 0.0

    @property
    def offered(self) -> int:
        """Those who were answered or gave up."""
        return self.answered + self.abandoned

    @property
    def service_level(self) -> float | None:
        """Answered in time ÷ offered."""
        return self.in_time / self.offered if self.offered else None

    @property
    def speed_of_answer_s(self) -> float | None:
        """The mean wait of those who were answered."""
        return round(self.waited_s / self.answered, 3) if self.answered else None

    @property
    def mean_handling_s(self) -> float | None:
        """The mean handling time."""
        return round(self.handling_s / self.handled, 3) if self.handled else None


def half_hours(
    begins: datetime, ends: datetime, targets: Mapping[str, float], dialect: str
) -> Work[dict[Place, Half]]:
    """Return what happened between two moments; ``targets`` is queue → seconds in time."""
    found: dict[Place, Half] = {}
    for row in (yield _answered(begins, ends, targets, dialect)):
        half = found.setdefault(Place(row.slot, row.queue, row.channel), Half())
        half.answered, half.in_time = row.number, int(row.in_time)
        half.waited_s, half.longest_s = int(row.total) / MICROS, row.most / MICROS
    for row in (yield _abandoned(begins, ends, dialect)):
        found.setdefault(Place(row.slot, row.queue, row.channel), Half()).abandoned = row.number
    for row in (yield _handled(begins, ends, dialect)):
        half = found.setdefault(Place(row.slot, row.queue, row.channel), Half())
        half.handled, half.handling_s = row.number, int(row.total) / MICROS
    return dict(sorted(found.items()))


def _answered(begins: datetime, ends: datetime, targets: Mapping[str, float], dialect: str) -> Any:
    at = work_item.c.assigned_at
    one = (
        select(
            _slot(at, begins, dialect),
            work_item.c.answered_in.label("queue"),
            work_item.c.channel,
            work_item.c.waited_us,
        )
        .where(work_item.c.domain == DOMAIN, at >= begins, at < ends)
        .subquery()
    )
    limits = {queue: round(seconds * MICROS) for queue, seconds in targets.items()}
    default = round(DEFAULT_TARGET_S * MICROS)
    limit = case(limits, value=one.c.queue, else_=default) if limits else default
    return select(
        one.c.slot,
        one.c.queue,
        one.c.channel,
        func.count().label("number"),
        func.sum(case((one.c.waited_us <= limit, 1), else_=0)).label("in_time"),
        func.sum(one.c.waited_us).label("total"),
        func.max(one.c.waited_us).label("most"),
    ).group_by(one.c.slot, one.c.queue, one.c.channel)


def _abandoned(begins: datetime, ends: datetime, dialect: str) -> Any:
    at = work_item.c.closed_at
    one = (
        select(_slot(at, begins, dialect), work_item.c.queue, work_item.c.channel)
        .where(
            work_item.c.domain == DOMAIN,
            work_item.c.state == ItemState.abandoned.value,
            work_item.c.assigned_at.is_(None),
            at >= begins,
            at < ends,
        )
        .subquery()
    )
    return select(one.c.slot, one.c.queue, one.c.channel, func.count().label("number")).group_by(
        one.c.slot, one.c.queue, one.c.channel
    )


def _handled(begins: datetime, ends: datetime, dialect: str) -> Any:
    at = assignment.c.ended_at
    spent = _us_between(assignment.c.started_at, at, dialect) - func.coalesce(
        assignment.c.released_us, 0
    )
    one = (
        select(
            _slot(at, begins, dialect),
            func.coalesce(assignment.c.queue, work_item.c.queue).label("queue"),
            work_item.c.channel,
            case((spent > 0, spent), else_=0).label("spent"),
        )
        .join(work_item, work_item.c.id == assignment.c.item)
        .where(assignment.c.domain == DOMAIN, at >= begins, at < ends)
        .subquery()
    )
    return select(
        one.c.slot,
        one.c.queue,
        one.c.channel,
        func.count().label("number"),
        func.sum(one.c.spent).label("total"),
    ).group_by(one.c.slot, one.c.queue, one.c.channel)


def _slot(at: ColumnElement[Any], begins: datetime, dialect: str) -> ColumnElement[int]:
    """Return the half hour of a moment; instants are stored as each engine likes them."""
    if dialect == "sqlite":
        since = type_coerce(at, BigInteger) - to_micros(begins)
        return (since // (HALF_HOUR_S * MICROS)).label("slot")
    since = extract("epoch", at) - to_micros(begins) // MICROS
    return cast(func.floor(since / HALF_HOUR_S), Integer).label("slot")


def _us_between(
    first: ColumnElement[Any], last: ColumnElement[Any], dialect: str
) -> ColumnElement[int]:
    if dialect == "sqlite":
        return type_coerce(last, BigInteger) - type_coerce(first, BigInteger)
    return cast(extract("epoch", last - first) * MICROS, BigInteger)
