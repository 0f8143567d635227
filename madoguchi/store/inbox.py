"""The inbox: every verified provider event as bytes, once, in its lane, before it is answered."""

import asyncio
import hashlib
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    LargeBinary,
    Row,
    Select,
    SmallInteger,
    String,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql.dml import ReturningUpdate

from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.inbound import ProviderEvent
from madoguchi.store.hot import Bound, Hot, Listed, among, constant
from madoguchi.store.tables import inbox, lease
from madoguchi.store.types import Instant, Key
from madoguchi.store.work import Store, Unavailable, Work

PARTITIONS = 64
FLUSH = 200
TAKE = 64
NAME_LIMIT = 200
PRESSED_WINDOW_S = 0.25
PRESSED_EVENTS = 200
"""So many events within the window are a burst: acknowledging goes before understanding."""


class InboxState(IntEnum):
    """Waiting for its lane, processed, or set aside with a reason."""

    WAITING = 0
    DONE = 1
    DEAD = 2


_LEASE = "lane:"
_WAITS = inbox.c.state == constant(InboxState.WAITING)


def partition_of(lane: str) -> int:
    """Return the partition of a lane, the same in every process and for ever."""
    return zlib.crc32(lane.encode("utf-8", "surrogatepass")) % PARTITIONS


def storable(name: str) -> str:
    """Return an event id or a lane as every database takes it.

    One that is too long or holds NUL or a lone surrogate becomes its hash: a strange name must
    not refuse the events that are stored together with it.
    """
    whole = name.isascii() or not any("\ud800" <= c <= "\udfff" for c in name)
    if whole and len(name) <= NAME_LIMIT and "\x00" not in name:
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A provider event with its place in the inbox."""

    row: int
    account: Id
    event: ProviderEvent
    attempts: int
    late: bool


_INSERTED = Hot(
    insert(inbox).on_conflict_do_nothing().inline(),
    "domain",
    "account",
    "event_id",
    "lane",
    "partition",
    "kind",
    "body",
    "received_at",
)

_UNNESTED = Hot(
    text(
        """
        WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(7301, :domain) AS held)
        INSERT INTO inbox (domain, account, event_id, lane, partition, kind, body, received_at)
        SELECT :domain, a, e, l, p, k, b, r
        FROM turn, unnest(
            :account, :event_id, :lane, :partition, :kind, :body, :received_at
        ) WITH ORDINALITY AS fresh (a, e, l, p, k, b, r, place)
        ORDER BY place
        ON CONFLICT DO NOTHING
        """
    ).bindparams(
        bindparam("domain", type_=Integer()),
        bindparam("account", type_=ARRAY(Key)),
        bindparam("event_id", type_=ARRAY(String)),
        bindparam("lane", type_=ARRAY(String)),
        bindparam("partition", type_=ARRAY(SmallInteger)),
        bindparam("kind", type_=ARRAY(String)),
        bindparam("body", type_=ARRAY(LargeBinary)),
        bindparam("received_at", type_=ARRAY(DateTime(timezone=True))),
    ),
    table="inbox",
)


def insert_events(events: Sequence[tuple[Id, ProviderEvent]], dialect: str) -> Bound:
    """Return the step that inserts events; one that is there already is left as it was.

    On PostgreSQL it takes the domain's lock before it takes ids, so that ids become visible in
    their order, whatever number of processes write.
    """
    columns = {
        "account": [account for account, _ in events],
        "event_id": [storable(event.event_id) for _, event in events],
        "lane": [storable(event.lane) for _, event in events],
        "partition": [partition_of(event.lane) for _, event in events],
        "kind": [event.kind for _, event in events],
        "body": [event.body for _, event in events],
        "received_at": [event.received_at for _, event in events],
    }
    if dialect == "postgresql":
        return _UNNESTED(domain=DOMAIN, **columns)
    rows = zip(*columns.values(), strict=True)
    return _INSERTED.each([{"domain": DOMAIN, **dict(zip(columns, r, strict=True))} for r in rows])


class Inbox:
    """The group-committing front of the inbox; ``run`` must be a supervised task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Sequence[tuple[Id, ProviderEvent]], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._recent: deque[tuple[float, int]] = deque()

    @property
    def pressed(self) -> bool:
        """Tell whether a burst is coming in right now."""
        edge = asyncio.get_running_loop().time() - PRESSED_WINDOW_S
        while self._recent and self._recent[0][0] < edge:
            self._recent.popleft()
        return sum(count for _, count in self._recent) >= PRESSED_EVENTS

    async def put(self, account: Id, events: Sequence[ProviderEvent]) -> None:
        """Store events; returns after the commit. Raises Unavailable, then nothing was stored."""
        if events:
            await self.post(account, events)

    async def kept(self, account: Id, events: Sequence[ProviderEvent]) -> list[ProviderEvent]:
        """Return events as they are stored, in their order; one that is not there is left out."""
        names = [storable(event.event_id) for event in events]
        rows = await self._store.look(lambda: _named(account, names))
        found = {row.event_id: stored(row).event for row in rows}
        return [found[name] for name in names if name in found]

    def post(self, account: Id, events: Sequence[ProviderEvent]) -> "asyncio.Future[None]":
        """Put events in line at once; the future is done after their commit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(([(account, event) for event in events], future))
        self._wake.set()
        return future

    async def run(self) -> None:
        """Flush what waits, again and again; at most 200 calls in one commit."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:FLUSH], self._waiting[FLUSH:]
                await self._flush(batch)

    async def _flush(
        self, batch: list[tuple[Sequence[tuple[Id, ProviderEvent]], asyncio.Future[None]]]
    ) -> None:
        events = [pair for events, _ in batch for pair in events]
        try:
            await self._store.run(insert_events(events, self._store.dialect))
        except asyncio.CancelledError:
            _resolve(batch, Unavailable("the hub is stopping"))
            raise
        except Exception as fault:  # noqa: BLE001 - each caller gets it and answers 503
            _resolve(batch, fault)
        else:
            self._recent.append((asyncio.get_running_loop().time(), len(events)))
            _resolve(batch, None)


def _named(account: Id, names: Sequence[str]) -> Work[list[Row[Any]]]:
    rows = yield select(inbox).where(inbox.c.account == account, inbox.c.event_id.in_(names))
    return list(rows)


def _resolve(batch: list[tuple[Any, asyncio.Future[None]]], fault: Exception | None) -> None:
    for _, future in batch:
        if future.done():
            continue
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)


def lease_of(partition: int) -> str:
    """Return the name of the lease under which a partition's events are processed."""
    return f"{_LEASE}{partition}"


def _taken(waiting: Select[Any]) -> ReturningUpdate[Any]:
    """Return the statement that takes some waiting rows, all of them or, without their leases,
    none.

    Only the leases of what is taken are locked; a process that takes one over waits for our commit.
    """
    rows = waiting.with_for_update().cte("waiting")
    lanes = select(literal(_LEASE) + cast(rows.c.partition, String))
    guarded = (
        select(lease.c.name)
        .where(
            lease.c.name.in_(lanes),
            lease.c.holder == bindparam("holder", type_=lease.c.holder.type),
        )
        .order_by(lease.c.name)
        .with_for_update(read=True)
        .cte("guarded")
    )
    wanted = select(func.count(rows.c.partition.distinct())).scalar_subquery()
    held = select(func.count(guarded.c.name)).scalar_subquery()
    return (
        update(inbox)
        .where(inbox.c.id.in_(select(rows.c.id)), held == wanted)
        .values(
            state=constant(InboxState.DONE),
            done_at=bindparam("at", type_=Instant),
            error=null(),
        )
        .returning(inbox)
    )


_TAKE = Listed(
    lambda partitions: _taken(
        select(inbox.c.id, inbox.c.partition)
        .where(
            inbox.c.id > bindparam("after", type_=inbox.c.id.type),
            among(inbox.c.partition, partitions),
            _WAITS,
        )
        .order_by(inbox.c.id)
        .limit(bindparam("most", type_=Integer()))
    ),
    inbox.c.partition,
    news=False,
)
_TAKE_ONE = Hot(
    _taken(
        select(inbox.c.id, inbox.c.partition).where(
            inbox.c.id == bindparam("row", type_=inbox.c.id.type), _WAITS
        )
    ),
    news=False,
)


def take(
    partitions: Sequence[int], holder: str, at: datetime, *, after: int = 0, limit: int = TAKE
) -> Work[list[StoredEvent]]:
    """Take the oldest waiting events of some partitions behind a row, in insert order.

    They are done with the caller's commit; if that fails they wait again. Nothing is taken, and
    no error raised, when another process holds the lease of one of their partitions.
    """
    if not partitions:
        return []
    rows = yield _TAKE(partitions, holder=holder, at=at, after=after, most=limit)
    return [stored(row) for row in sorted(rows, key=lambda row: row.id)]


def take_one(row: int, holder: str, at: datetime) -> Work[list[StoredEvent]]:
    """Take one event, as :func:`take` does; none if it is no longer ours to process."""
    rows = yield _TAKE_ONE(row=row, holder=holder, at=at)
    return [stored(row) for row in rows]


def stored(row: Any) -> StoredEvent:
    """Return the event of an inbox row."""
    event = ProviderEvent(row.event_id, row.lane, row.kind, row.body, row.received_at)
    return StoredEvent(row.id, row.account, event, row.attempts, row.late)


def mark_dead(row: int, why: str, at: datetime) -> Work[None]:
    """Set a waiting event aside with the reason; its lane goes on."""
    yield (
        update(inbox)
        .where(inbox.c.id == row, inbox.c.state == InboxState.WAITING)
        .values(state=InboxState.DEAD, error=why[:4000], done_at=at, attempts=inbox.c.attempts + 1)
    )


def dead(limit: int = 100, after: int = 0) -> Work[list[Row[Any]]]:
    """Return dead letters, oldest first."""
    rows = yield (
        select(inbox)
        .where(inbox.c.state == InboxState.DEAD, inbox.c.id > after)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return list(rows)


def replay(rows: Sequence[int]) -> Work[int]:
    """Let dead letters run again, marked late; return how many there were."""
    again = yield (
        update(inbox)
        .where(inbox.c.id.in_(rows), inbox.c.state == InboxState.DEAD)
        .values(state=InboxState.WAITING, late=True, done_at=None)
        .returning(inbox.c.id)
    )
    return len(again)
