"""What is done every so often: raw events, old log rows, orphaned files, old keys go."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import structlog
from sqlalchemy import Column, ColumnElement, Table, delete, select

from madoguchi.clock import EPOCH, Clock
from madoguchi.store.inbox import InboxState
from madoguchi.store.tables import inbox, log, outbox
from madoguchi.store.work import Rows, Store, Work

logger = structlog.get_logger(__name__)

EVERY_S = 600.0
SLICE = 500
ANEW = timedelta(days=1)
RAW_KEPT = timedelta(days=30)
LOG_KEPT = timedelta(days=30)
OUTBOX_KEPT = timedelta(days=30)

Chore = Callable[[], Awaitable[object]]
Gone = Callable[[datetime], ColumnElement[bool]]


class Walk:
    """Deletes what is old from a table whose ids are ordered by age.

    It reads slices from where it stood, and stops at the first row that is young; only what is
    deleted takes the writer's time. Old rows that had to stay are passed again once a day.
    """

    def __init__(self, table: Table, at: Column[datetime], gone: Gone, kept: timedelta) -> None:
        self._table = table
        self._at = at
        self._gone = gone
        self._kept = kept
        self._place = 0
        self._began = EPOCH
        self.read = 0

    async def go(self, store: Store, now: datetime) -> None:
        """Walk on."""
        if not timedelta(0) <= now - self._began < ANEW:
            self._place, self._began = 0, now
        while await self._slice(store, now - self._kept) == SLICE:
            pass

    async def _slice(self, store: Store, old: datetime) -> int:
        """Delete what is old in the next slice; return how many old rows it had."""
        rows = await store.read(lambda: self._next(old))
        self.read += len(rows)
        aged = list(takewhile(lambda row: row.at < old, rows))
        ids = [row.id for row in aged if row.gone]
        if ids:
            await store.write(lambda: self._forget(ids, old))
        if aged:
            self._place = aged[-1].id
        return len(aged)

    def _next(self, old: datetime) -> Work[Rows]:
        id: Any = self._table.c.id
        return (
            yield select(id, self._at.label("at"), self._gone(old).label("gone"))
            .where(id > self._place)
            .order_by(id)
            .limit(SLICE)
        )

    def _forget(self, ids: list[int], old: datetime) -> Work[None]:
        yield delete(self._table).where(self._table.c.id.in_(ids), self._gone(old))


class Chores:
    """Runs each chore every ten minutes; long ones cut themselves into short units."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._chores: list[Chore] = []
        self.walk(
            inbox,
            inbox.c.received_at,
            lambda old: (inbox.c.state == InboxState.DONE) & (inbox.c.done_at < old),
            RAW_KEPT,
        )
        self.walk(log, log.c.at, lambda _: log.c.position.is_not(None), LOG_KEPT)
        self.walk(outbox, outbox.c.due_at, lambda _: outbox.c.state == 2, OUTBOX_KEPT)

    def add(self, chore: Chore) -> None:
        """Add another room's chore."""
        self._chores.append(chore)

    def walk(self, table: Table, at: Column[Any], gone: Gone, kept: timedelta) -> Walk:
        """Add a table of which old rows go, with the moment and the condition of that."""
        walk = Walk(table, at, gone, kept)
        self.add(lambda: walk.go(self._store, self._clock.now()))
        return walk

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """Do every chore."""
        for chore in self._chores:
            await chore()
