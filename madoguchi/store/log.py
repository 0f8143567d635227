"""The domain's log: rows are written without a position, a sequencer numbers what is committed."""

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.model.ids import DOMAIN
from madoguchi.model.log import Entity, LogEntry, NumberedEntry
from madoguchi.store.tables import cursor, log, log_head
from madoguchi.store.work import Many, Work

BATCH = 1000


def append(entries: Iterable[LogEntry]) -> Many:
    """Return the statement that tells a set of changes, in their order."""
    return Many(
        log.insert(),
        [
            {
                "domain": e.domain,
                "type": e.type,
                "entity": e.entity.value,
                "entity_id": e.entity_id,
                "version": e.version,
                "audience": list(e.audience),
                "data": e.data,
                "at": e.at,
            }
            for e in entries
        ],
    )


def number_own() -> Work[None]:
    """Give positions where one writer makes every row: the row's own number is its place."""
    yield _OWN


_OWN = update(log).where(log.c.position.is_(None)).values(position=log.c.id)


def number(domain: int = DOMAIN) -> Work[int]:
    """Give the next positions to committed rows that have none; return the new head.

    The head row's lock makes one sequencer at a time; a row that becomes visible later gets a
    later position, whatever its id, so a reader by position never misses one.
    """
    yield insert(log_head).values(domain=domain, position=0).on_conflict_do_nothing()
    locked = yield select(log_head.c.position).where(log_head.c.domain == domain).with_for_update()
    head: int = locked[0].position
    fresh = (
        select(log.c.id, func.row_number().over(order_by=log.c.id).label("n"))
        .where(log.c.domain == domain, log.c.position.is_(None))
        .order_by(log.c.id)
        .limit(BATCH)
        .cte("fresh")
    )
    numbered = yield (
        update(log)
        .values(position=head + fresh.c.n)
        .where(log.c.id == fresh.c.id)
        .returning(log.c.position)
    )
    if not numbered:
        return head
    head += len(numbered)
    yield update(log_head).where(log_head.c.domain == domain).values(position=head)
    return head


def head(domain: int = DOMAIN) -> Work[int]:
    """Return the last position given out."""
    rows = yield select(func.max(log.c.position).label("head")).where(log.c.domain == domain)
    return rows[0].head or 0


def after(position: int, domain: int = DOMAIN, limit: int = BATCH) -> Work[list[NumberedEntry]]:
    """Return the entries behind a position, in order, at most ``limit``."""
    rows = yield (
        select(log)
        .where(log.c.domain == domain, log.c.position > position)
        .order_by(log.c.position)
        .limit(limit)
    )
    return [
        NumberedEntry(
            r.position,
            LogEntry(
                r.type,
                Entity(r.entity),
                r.entity_id,
                r.version,
                tuple(r.audience),
                r.at,
                r.data,
                r.domain,
            ),
        )
        for r in rows
    ]


def read_cursor(consumer: str, domain: int = DOMAIN) -> Work[int]:
    """Return how far a consumer has come; 0 for a new one."""
    rows = yield (
        select(cursor.c.position).where(cursor.c.consumer == consumer, cursor.c.domain == domain)
    )
    return rows[0].position if rows else 0


def move_cursor(consumer: str, position: int, domain: int = DOMAIN) -> Work[None]:
    """Remember how far a consumer has come."""
    statement = insert(cursor).values(consumer=consumer, domain=domain, position=position)
    yield statement.on_conflict_do_update(
        index_elements=["consumer", "domain"], set_={"position": statement.excluded.position}
    )
