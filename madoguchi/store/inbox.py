"""The inbox: every verified provider event as bytes, once, in its lane, before it is answered."""

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.inbound import ProviderEvent
from madoguchi.store.tables import inbox
from madoguchi.store.work import Many, Store, Unavailable, Work

PARTITIONS = 64
FLUSH = 200
TAKE = 64


class InboxState(IntEnum):
    """Waiting for its lane, processed, or set aside with a reason."""

    WAITING = 0
    DONE = 1
    DEAD = 2


def partition_of(lane: str) -> int:
    """Return the partition of a lane, the same in every process and for ever."""
    return zlib.crc32(lane.encode("utf-8", "surrogatepass")) % PARTITIONS


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A provider event with its place in the inbox."""

    row: int
    account: Id
    event: ProviderEvent
    attempts: int
    late: bool


def insert_events(events: Sequence[tuple[Id, ProviderEvent]], dialect: str) -> Work[None]:
    """Insert events; one that is there already is left as it was.

    On PostgreSQL every flush takes the domain's lock, so that ids become visible in their order.
    """
    if dialect == "postgresql":
        yield select(func.pg_advisory_xact_lock(7_301, DOMAIN))
    rows = [
        {
            "domain": DOMAIN,
            "account": account,
            "event_id": event.event_id,
            "lane": event.lane,
            "partition": partition_of(event.lane),
            "kind": event.kind,
            "body": event.body,
            "received_at": event.received_at,
        }
        for account, event in events
    ]
    yield Many(insert(inbox).on_conflict_do_nothing(), rows)


class Inbox:
    """The group-committing front of the inbox; ``run`` must be a supervised task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Sequence[tuple[Id, ProviderEvent]], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def put(self, account: Id, events: Sequence[ProviderEvent]) -> None:
        """Store events; returns after the commit. Raises Unavailable, then nothing was stored."""
        if events:
            await self.post(account, events)

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
            await self._store.write(lambda: insert_events(events, self._store.dialect))
        except asyncio.CancelledError:
            _resolve(batch, Unavailable("the hub is stopping"))
            raise
        except Exception as fault:  # noqa: BLE001 - each caller gets it and answers 503
            _resolve(batch, fault)
        else:
            _resolve(batch, None)


def _resolve(batch: list[tuple[Any, asyncio.Future[None]]], fault: Exception | None) -> None:
    for _, future in batch:
        if future.done():
            continue
        if fault is None:
            future.set_result(None)
        else:
            future.set_exception(fault)


def take(partitions: Sequence[int], limit: int = TAKE) -> Work[list[StoredEvent]]:
    """Return the oldest waiting events of some partitions, in insert order."""
    rows = yield (
        select(inbox)
        .where(inbox.c.partition.in_(partitions), inbox.c.state == InboxState.WAITING)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [stored(row) for row in rows]


def stored(row: Row[Any]) -> StoredEvent:
    """Return the event of an inbox row."""
    event = ProviderEvent(row.event_id, row.lane, row.kind, row.body, row.received_at)
    return StoredEvent(row.id, row.account, event, row.attempts, row.late)


def mark_done(rows: Sequence[int], at: datetime) -> Work[int]:
    """Mark events as processed; return how many still waited, so a lost race is seen."""
    done = yield (
        update(inbox)
        .where(inbox.c.id.in_(rows), inbox.c.state == InboxState.WAITING)
        .values(state=InboxState.DONE, done_at=at, error=None)
        .returning(inbox.c.id)
    )
    return len(done)


def mark_dead(row: int, why: str, at: datetime) -> Work[None]:
    """Set an event aside with the reason; its lane goes on."""
    yield (
        update(inbox)
        .where(inbox.c.id == row)
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
