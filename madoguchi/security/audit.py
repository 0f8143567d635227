"""The audit trail: who did what to which object, when and from where; rows are never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from madoguchi.model.ids import DOMAIN
from madoguchi.model.people import Actor
from madoguchi.security.tables import audit
from madoguchi.store.work import Many, Work


def record(
    actor: Actor,
    action: str,
    object: str,
    detail: Mapping[str, Any],
    at: datetime,
    client: str = "",
) -> Many:
    """Return the statement that records one act; it belongs into the act's own transaction."""
    row = {
        "domain": DOMAIN,
        "at": at,
        "actor": actor.id,
        "action": action,
        "object": object,
        "detail": dict(detail),
        "client": client,
    }
    return Many(audit.insert(), [row])


def trail(limit: int = 100, before: int | None = None) -> Work[list[Row[Any]]]:
    """Return the newest acts first."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return list((yield query))
