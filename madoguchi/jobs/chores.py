"""What is done every so often: raw events, old log rows, orphaned files, old keys go."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from sqlalchemy import Select, Table, delete, select

from madoguchi.clock import Clock
from madoguchi.store.inbox import InboxState
from madoguchi.store.tables import inbox, log, outbox
from madoguchi.store.work import Store, Work

logger = structlog.get_logger(__name__)

EVERY_S = 600.0
SLICE = 500
RAW_KEPT = timedelta(days=30)
LOG_KEPT = timedelta(days=30)
OUTBOX_KEPT = timedelta(days=30)

Chore = Callable[[], Awaitable[object]]


class Chores:
    """Runs each chore every ten minutes; long ones cut themselves into short units."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._chores: list[Chore] = [self._inbox, self._log, self._outbox]

    def add(self, chore: Chore) -> None:
        """Add another room's chore."""
        self._chores.append(chore)

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        while True:
            for chore in self._chores:
                await chore()
            await asyncio.sleep(EVERY_S)

    async def _inbox(self) -> None:
        old = self._clock.now() - RAW_KEPT
        gone = select(inbox.c.id).where(inbox.c.state == InboxState.DONE, inbox.c.done_at < old)
        await self._cut(lambda: _slice(inbox, gone))

    async def _log(self) -> None:
        old = self._clock.now() - LOG_KEPT
        gone = select(log.c.id).where(log.c.at < old, log.c.position.is_not(None))
        await self._cut(lambda: _slice(log, gone))

    async def _outbox(self) -> None:
        old = self._clock.now() - OUTBOX_KEPT
        gone = select(outbox.c.id).where(outbox.c.state == 2, outbox.c.due_at < old)
        await self._cut(lambda: _slice(outbox, gone))

    async def _cut(self, unit: Callable[[], Work[int]]) -> None:
        more = True
        while more:
            more = await self._store.write(unit) == SLICE


def _slice(table: Table, gone: Select[tuple[int]]) -> Work[int]:
    rows = yield delete(table).where(table.c.id.in_(gone.limit(SLICE))).returning(table.c.id)
    return len(rows)
