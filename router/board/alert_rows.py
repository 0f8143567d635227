"""Alerts in the store: as the router writes them, and as supervisors look back at them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import Figure
from madoguchi.security.audit import record
from madoguchi.store.work import Work
from router import statements as sql
from router.board.alerting import Turned, told_threshold
from router.tables import alert


def alert_rows(turned: Turned, now: datetime) -> list[Any]:
    """Return the statements that keep which alerts begin and end, there and in the audit."""
    found: list[Any] = [sql.END_ALERT(b_id=one.id, b_ended_at=now) for one in turned.ended]
    found += [
        sql.NEW_ALERT(
            id=one.id,
            domain=DOMAIN,
            queue=one.queue,
            figure=one.threshold.figure.value,
            bound=one.threshold.limit,
            reached=one.reached,
            began_at=one.began_at,
        )
        for one in turned.begun
    ]
    for word, several in (("begun", turned.begun), ("ended", turned.ended)):
        for one in several:
            notes = told_threshold(one.threshold.figure, one.threshold.limit)
            notes |= {"alert": one.id, "reached": round(one.reached, 3)}
            found.append(record(SYSTEM, f"alert.{word}", f"queue:{one.queue}", notes, now))
    return found


def listed(limit: int, before: Id | None, *, open_only: bool) -> Work[list[Mapping[str, Any]]]:
    """Return alerts, the newest first; ``before`` is the id of the last one that is known."""
    query = select(alert).where(alert.c.domain == DOMAIN)
    if open_only:
        query = query.where(alert.c.ended_at.is_(None))
    if before is not None:
        known = yield select(alert.c.began_at).where(alert.c.id == before)
        if not known:
            return []
        at = known[0].began_at
        same = and_(alert.c.began_at == at, alert.c.id < before)
        query = query.where(or_(alert.c.began_at < at, same))
    newest = query.order_by(alert.c.began_at.desc(), alert.c.id.desc()).limit(limit)
    return [
        {
            "id": row.id,
            "queue": row.queue,
            **told_threshold(Figure(row.figure), row.bound),
            "reached": round(row.reached, 3),
            "began_at": row.began_at,
            "ended_at": row.ended_at,
        }
        for row in (yield newest)
    ]
