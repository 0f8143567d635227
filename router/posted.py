"""Orders as rows: what other processes, and repeated requests, ask of a domain's router."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Integer, bindparam, select, update

from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import Refused, TimePassed
from madoguchi.store.hot import Hot
from madoguchi.store.work import Rows, Work
from router.orders import Order, decode
from router.tables import router_command

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Asked:
    """An order on its way, and where its answer goes: a future here, or a row of the table."""

    order: Order
    future: asyncio.Future[dict[str, Any]] | None = None
    row: int | None = None
    answer: dict[str, Any] | None = None
    refused: Refused | None = None


_OPEN_COMMANDS = Hot(
    select(router_command)
    .where(
        router_command.c.domain == bindparam("domain", type_=router_command.c.domain.type),
        router_command.c.answered_at.is_(None),
    )
    .order_by(router_command.c.id)
    .limit(bindparam("most", type_=Integer()))
)


def open_commands(most: int) -> Work[Rows]:
    """Return the oldest orders that have no answer yet."""
    return (yield _OPEN_COMMANDS(domain=DOMAIN, most=most))


def read_order(row: Any) -> Asked:
    """Return the order of a row; one that cannot be read (another version's) is refused."""
    try:
        return Asked(decode(row.command), row=row.id)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        log.error("an order cannot be read and is refused", row=row.id, why=repr(fault))  # noqa: TRY400
        return Asked(Order(TimePassed()), row=row.id, refused=Refused("unreadable", repr(fault)))


def answered(row: int | None, answer: dict[str, Any], at: datetime) -> Work[None]:
    """Store the answer of an order's row."""
    yield (
        update(router_command)
        .where(router_command.c.id == row)
        .values(answer=answer, answered_at=at)
    )


def as_row(one: Asked) -> dict[str, Any]:
    """Return an answer, or a refusal, as its row holds it."""
    if one.refused is not None:
        return {
            "refused": one.refused.code,
            "detail": one.refused.detail,
            "agent": one.refused.agent,
        }
    return {"answer": one.answer or {}}
