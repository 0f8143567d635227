"""The rows of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from madoguchi.conversations.tables import work_item
from madoguchi.model.conversation import UNFINISHED
from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import ItemState, OfferState, Presence
from madoguchi.store.work import Work
from router.tables import assignment, offer, presence_period

Rows = Sequence[Row[Any]]

ITEM = [
    work_item.c[name]
    for name in (
        "id",
        "came_to",
        "answered_in",
        "queue",
        "channel",
        "state",
        "enqueued_at",
        "assigned_at",
        "waited_us",
        "closed_at",
        "requires",
        "priority",
        "preferred",
        "preference",
    )
]


IN_VAIN = (OfferState.declined, OfferState.timed_out, OfferState.withdrawn)


def rows(begins: datetime, ends: datetime) -> Work[tuple[Rows, Rows, Rows, Rows, Rows]]:
    """Return the work items that were enqueued in a time, the spells of work on them, who was
    available or had missed offers from then on for a day longer, what the router keeps of the items
    in work and of those that nobody took, and offers that nobody accepted.
    """
    within = (
        work_item.c.domain == DOMAIN,
        work_item.c.enqueued_at >= begins,
        work_item.c.enqueued_at < ends,
    )
    items = yield select(*ITEM).where(*within)
    spells = yield _spells(*within)
    periods = yield select(
        presence_period.c.agent,
        presence_period.c.presence,
        presence_period.c.began_at,
        presence_period.c.ended_at,
    ).where(*_there(begins, ends + timedelta(days=1), Presence.available, Presence.missed))
    unfinished = work_item.c.state.in_([state.value for state in UNFINISHED])
    never_taken = and_(
        work_item.c.state == ItemState.abandoned.value, work_item.c.assigned_at.is_(None)
    )
    working = yield select(work_item.c.id, work_item.c.channel, work_item.c.routing).where(
        *within, or_(unfinished, never_taken)
    )
    vain = yield _vain(*within)
    return items, spells, periods, working, vain


def _spells(*within: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            assignment.c.item,
            assignment.c.agent,
            assignment.c.queue,
            assignment.c.started_at,
            assignment.c.wrap_up_at,
            assignment.c.ended_at,
            assignment.c.released_us,
            offer.c.made_at,
            offer.c.transfer,
        )
        .join(work_item, work_item.c.id == assignment.c.item)
        .join(offer, offer.c.id == assignment.c.offer, isouter=True)
        .where(*within)
    )


def _vain(*within: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            offer.c.item,
            offer.c.agent,
            offer.c.state,
            offer.c.reason,
            offer.c.transfer,
            offer.c.made_at,
            offer.c.closed_at,
        )
        .join(work_item, work_item.c.id == offer.c.item)
        .where(*within, offer.c.state.in_([state.value for state in IN_VAIN]))
    )


def known(begins: datetime, ends: datetime) -> Work[tuple[bool, bool]]:
    """Return whether anybody came in a time, and whether it is recorded who was available."""
    came = yield (
        select(work_item.c.id)
        .where(
            work_item.c.domain == DOMAIN,
            work_item.c.enqueued_at >= begins,
            work_item.c.enqueued_at < ends,
        )
        .limit(1)
    )
    there = yield (
        select(presence_period.c.id).where(*_there(begins, ends, Presence.available)).limit(1)
    )
    return bool(came), bool(there)


def _there(
    begins: datetime, ends: datetime, *presences: Presence
) -> tuple[ColumnElement[bool], ...]:
    return (
        presence_period.c.domain == DOMAIN,
        presence_period.c.presence.in_([one.value for one in presences]),
        presence_period.c.began_at < ends,
        or_(presence_period.c.ended_at.is_(None), presence_period.c.ended_at > begins),
    )


def bounds(midnight: datetime) -> Work[tuple[datetime | None, datetime | None, datetime | None]]:
    """Return when the first and the last contact came, and the last one before midnight."""
    own = work_item.c.domain == DOMAIN
    at = work_item.c.enqueued_at
    first = yield select(func.min(at).label("at")).where(own)
    last = yield select(func.max(at).label("at")).where(own)
    before = yield select(func.max(at).label("at")).where(own, at < midnight)
    return first[0].at, last[0].at, before[0].at
