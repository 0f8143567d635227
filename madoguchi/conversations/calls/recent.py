"""The calls that somebody had, or that nobody took, the latest first."""

import base64
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, and_, cast, exists, or_, select

from madoguchi.clock import from_micros, to_micros
from madoguchi.conversations.calls.dialling import OURS
from madoguchi.conversations.calls.repository import by_ids
from madoguchi.conversations.calls.tables import call, call_event
from madoguchi.conversations.calls.views import CallViews
from madoguchi.conversations.tables import conversation
from madoguchi.conversations.visibility import visible
from madoguchi.http.problems import Problem
from madoguchi.model.calls import Happened
from madoguchi.model.ids import DOMAIN, Id, is_id
from madoguchi.model.people import Actor
from madoguchi.store.work import Work
from unified_profile.service import customers_of

LONGEST = timedelta(days=90)
"""Older calls are found by their customers."""


class Which(StrEnum):
    """Calls that the actor took part in, that nobody took, or all that they may know of."""

    MINE = "mine"
    MISSED = "missed"
    ALL = "all"


def recent(
    actor: Actor, which: Which, before: str, limit: int, now: datetime, views: CallViews
) -> Work[dict[str, Any]]:
    """Return calls that have ended, with their customers, and the place where the next ones begin,
    None: there are no more. Raises Problem 422 ``bad_cursor``.
    """
    rows = yield (
        select(call.c.id, call.c.began_at, conversation.c.identity, conversation.c.number)
        .join(conversation, conversation.c.id == call.c.conversation)
        .where(
            call.c.domain == DOMAIN,
            call.c.state == "ended",
            call.c.began_at > now - LONGEST,
            *_after(before),
            _wanted(actor, which),
        )
        .order_by(call.c.began_at.desc(), call.c.id.desc())
        .limit(limit)
    )
    calls = yield from by_ids([row.id for row in rows])
    people = yield from customers_of(sorted({row.identity for row in rows}))
    entries = [
        {
            **views.brief(calls[row.id]),
            "number": row.number,
            "customer": {"id": people[row.identity].id, "name": people[row.identity].name},
        }
        for row in rows
    ]
    return {"calls": entries, "before": _place(rows[-1]) if len(rows) == limit else None}


def _wanted(actor: Actor, which: Which) -> ColumnElement[bool]:
    if which is Which.MINE:
        return _took_part(actor.id)
    seen = or_(visible(actor), _took_part(actor.id))
    if which is Which.ALL:
        return seen
    came_in = call.c.name.not_like(f"{OURS}%")
    return and_(visible(actor), call.c.answered_at.is_(None), came_in)


def _took_part(agent: Id) -> ColumnElement[bool]:
    """Return the condition that somebody was rung; the store holds documents as one text on SQLite,
    and PostgreSQL writes them with a space. Quotes within values are escaped in both.
    """
    told = cast(call_event.c.data, Text)
    return (
        exists()
        .where(
            call_event.c.call == call.c.id,
            call_event.c.kind == Happened.RANG.value,
            or_(told.contains(f'"agent":"{agent}"'), told.contains(f'"agent": "{agent}"')),
        )
        .correlate(call)
    )


def _after(before: str) -> list[ColumnElement[bool]]:
    if not before:
        return []
    try:
        began, id = orjson.loads(base64.urlsafe_b64decode(before))
        at = from_micros(int(began))
    except (ValueError, TypeError, OverflowError) as wrong:
        raise Problem(422, "bad_cursor", "this place among the calls does not exist") from wrong
    if not is_id(id):
        raise Problem(422, "bad_cursor", "this place among the calls does not exist")
    return [or_(call.c.began_at < at, and_(call.c.began_at == at, call.c.id < id))]


def _place(row: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([to_micros(row.began_at), row.id])).decode()
