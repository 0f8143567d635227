"""What the store tells a board that begins: the day so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select

from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import ItemState, OfferState
from madoguchi.store.work import Work
from router.board.helping import WINDOW_S
from router.tables import activity_period, alert, assignment, offer

RECENT = 500
"""So many spans of work tell at the start how long work takes."""


@dataclass(frozen=True, slots=True)
class Past:
    """Rows of what happened since midnight; ``answered`` and ``abandoned`` may begin earlier.

    ``spans``: queue and seconds of work that is over, the last ones whenever they were. ``begun``:
    spells of work that began or ended today, or go on. ``offers``: what ended otherwise than by
    being accepted. ``periods``: as what agents' time counted. ``alerts``: those that go on.
    """

    midnight: datetime
    spans: list[tuple[str, float]] = field(default_factory=list)
    answered: list[Any] = field(default_factory=list)
    abandoned: list[Any] = field(default_factory=list)
    begun: list[Any] = field(default_factory=list)
    offers: list[Any] = field(default_factory=list)
    periods: list[Any] = field(default_factory=list)
    alerts: list[Any] = field(default_factory=list)


def past(midnight: datetime, now: datetime) -> Work[Past]:
    """Return what happened since midnight, what was answered and abandoned of late, and the last
    spans of work.
    """
    since = min(midnight, now - timedelta(seconds=WINDOW_S))
    spans = yield (
        select(work_item.c.queue, assignment.c.started_at, assignment.c.ended_at)
        .join(work_item, work_item.c.id == assignment.c.item)
        .where(work_item.c.domain == DOMAIN, assignment.c.ended_at.is_not(None))
        .order_by(assignment.c.id.desc())
        .limit(RECENT)
    )
    answered = yield select(
        work_item.c.answered_in, work_item.c.channel, work_item.c.waited_us, work_item.c.assigned_at
    ).where(work_item.c.domain == DOMAIN, work_item.c.assigned_at >= since)
    abandoned = yield select(work_item.c.queue, work_item.c.channel, work_item.c.closed_at).where(
        work_item.c.domain == DOMAIN,
        work_item.c.state == ItemState.abandoned.value,
        work_item.c.closed_at >= since,
        work_item.c.assigned_at.is_(None),
    )
    return Past(
        midnight,
        [(r.queue, (r.ended_at - r.started_at).total_seconds()) for r in reversed(spans)],
        list(answered),
        list(abandoned),
        list((yield _begun(midnight))),
        list((yield _offers(midnight))),
        list((yield _periods(midnight))),
        list((yield select(alert).where(alert.c.domain == DOMAIN, alert.c.ended_at.is_(None)))),
    )


def _begun(midnight: datetime) -> Any:
    return (
        select(
            assignment.c.item,
            assignment.c.agent,
            func.coalesce(assignment.c.queue, work_item.c.queue).label("queue"),
            work_item.c.channel,
            assignment.c.started_at,
            assignment.c.ended_at,
            assignment.c.released_us,
        )
        .join(work_item, work_item.c.id == assignment.c.item)
        .where(
            assignment.c.domain == DOMAIN,
            or_(assignment.c.ended_at.is_(None), assignment.c.ended_at >= midnight),
        )
    )


def _offers(midnight: datetime) -> Any:
    ends = [OfferState.declined.value, OfferState.timed_out.value]
    return select(offer.c.agent, offer.c.state).where(
        offer.c.domain == DOMAIN, offer.c.closed_at >= midnight, offer.c.state.in_(ends)
    )


def _periods(midnight: datetime) -> Any:
    ended = activity_period.c.ended_at
    return select(activity_period).where(
        activity_period.c.domain == DOMAIN, or_(ended.is_(None), ended >= midnight)
    )
