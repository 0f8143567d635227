"""The domain's log: a unit's entries are written and numbered last, right before its commit.

The order of positions is the order of commits, and there are no holes: on SQLite one thread
writes, on PostgreSQL the head's row is locked from the numbering to the commit. So a reader by
position misses nothing, and sees each entry as soon as it is there.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    SmallInteger,
    String,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from madoguchi.model.ids import DOMAIN
from madoguchi.model.log import Entity, LogEntry, NumberedEntry
from madoguchi.store.hot import Bound, Hot
from madoguchi.store.tables import cursor, log, log_head
from madoguchi.store.types import Serial
from madoguchi.store.work import Append, Work

BATCH = 1000
_COLUMNS = ("domain", "type", "entity", "entity_id", "version", "audience", "data", "at")


def append(entries: Iterable[LogEntry]) -> Append:
    """Return the step that tells a set of changes, in their order."""
    return Append(tuple(entries))


def placed(first: int, entries: Sequence[LogEntry]) -> list[NumberedEntry]:
    """Return entries with their places, the first one's given."""
    return [NumberedEntry(place, entry) for place, entry in enumerate(entries, first)]


def row_of(one: LogEntry) -> dict[str, Any]:
    """Return an entry as a row of its table, without its place."""
    return {
        "domain": one.domain,
        "type": one.type,
        "entity": one.entity.value,
        "entity_id": one.entity_id,
        "version": one.version,
        "audience": list(one.audience),
        "data": one.data,
        "at": one.at,
    }


_PLACED = Hot(log.insert().inline(), "id", "position", *_COLUMNS)
_MOVED = Hot(
    update(log_head)
    .where(log_head.c.domain == bindparam("b_domain"))
    .values(position=bindparam("b_position", type_=Serial))
)


def place(entries: Sequence[NumberedEntry]) -> Bound:
    """Return the step that writes entries whose place the only writer has chosen."""
    return _PLACED.each(
        [{"id": n.position, "position": n.position, **row_of(n.entry)} for n in entries]
    )


def move_head(position: int) -> Bound:
    """Return the step that remembers the last place given out."""
    return _MOVED(b_domain=DOMAIN, b_position=position)


_NUMBERED = (
    text(
        """
    WITH head AS (
        UPDATE log_head SET position = position + :count WHERE domain = :domain RETURNING position
    )
    INSERT INTO log (domain, position, type, entity, entity_id, version, audience, data, at)
    SELECT :domain, head.position - :count + place, t, e, i, v, a, d, w
    FROM head, unnest(
        :type, :entity, :entity_id, :version, :audience, :data, :at
    ) WITH ORDINALITY AS fresh (t, e, i, v, a, d, w, place)
    ORDER BY place
    RETURNING position
    """
    )
    .bindparams(
        bindparam("count", type_=Serial),
        bindparam("domain", type_=SmallInteger()),
        bindparam("type", type_=ARRAY(String)),
        bindparam("entity", type_=ARRAY(String)),
        bindparam("entity_id", type_=ARRAY(String)),
        bindparam("version", type_=ARRAY(BigInteger)),
        bindparam("audience", type_=ARRAY(JSONB, dimensions=1)),
        bindparam("data", type_=ARRAY(JSONB(none_as_null=True), dimensions=1)),
        bindparam("at", type_=ARRAY(DateTime(timezone=True))),
    )
    .columns(position=Serial)
)
_NUMBERED_HOT = Hot(_NUMBERED, table="log", apart=True, last=True)


def number(entries: Sequence[LogEntry], domain: int = DOMAIN) -> Work[int]:
    """Write entries at the log's end on PostgreSQL; return the first position.

    The head's row stays locked until the commit, so this must be the unit's last act.
    """
    rows = [row_of(one) for one in entries]
    columns = {name: [row[name] for row in rows] for name in _COLUMNS if name != "domain"}
    values = {"count": len(rows), "domain": domain, **columns}
    numbered = yield _NUMBERED_HOT(**values)
    if not numbered:
        yield insert(log_head).values(domain=domain, position=0).on_conflict_do_nothing()
        numbered = yield _NUMBERED_HOT(**values)
    return int(min(r.position for r in numbered))


def head(domain: int = DOMAIN) -> Work[int]:
    """Return the last position given out."""
    rows = yield select(log_head.c.position).where(log_head.c.domain == domain)
    return rows[0].position if rows else 0


_AFTER = Hot(
    select(log)
    .where(
        log.c.domain == bindparam("domain", type_=log.c.domain.type),
        log.c.position > bindparam("after", type_=Serial),
    )
    .order_by(log.c.position)
    .limit(bindparam("most", type_=Integer()))
)


def after(position: int, domain: int = DOMAIN, limit: int = BATCH) -> Work[list[NumberedEntry]]:
    """Return the entries behind a position, in order, at most ``limit``."""
    rows = yield _AFTER(domain=domain, after=position, most=limit)
    return [NumberedEntry(r.position, _entry_of(r)) for r in rows]


def _entry_of(row: Any) -> LogEntry:
    return LogEntry(
        row.type,
        Entity(row.entity),
        row.entity_id,
        row.version,
        tuple(row.audience),
        row.at,
        row.data,
        row.domain,
    )


def read_cursor(consumer: str, domain: int = DOMAIN) -> Work[int]:
    """Return how far a consumer has come; 0 for a new one."""
    rows = yield (
        select(cursor.c.position).where(cursor.c.consumer == consumer, cursor.c.domain == domain)
    )
    return rows[0].position if rows else 0


_CURSOR = insert(cursor).values(
    consumer=bindparam("b_consumer", type_=cursor.c.consumer.type),
    domain=bindparam("b_domain", type_=cursor.c.domain.type),
    position=bindparam("b_position", type_=Serial),
)
_CURSOR_MOVED = Hot(
    _CURSOR.on_conflict_do_update(
        index_elements=["consumer", "domain"], set_={"position": _CURSOR.excluded.position}
    ).inline(),
    owned=True,
)


def move_cursor(consumer: str, position: int, domain: int = DOMAIN) -> Work[None]:
    """Remember how far a consumer has come."""
    yield _CURSOR_MOVED(b_consumer=consumer, b_domain=domain, b_position=position)
