"""Jobs: "do this then", surviving restarts; at least once, so handlers are idempotent.

A handler is work: it runs in the same transaction that deletes the job's row. What must happen
outside the store is a row of the outbox or the log that the handler writes, or is asked before the
handler, and again if that fails.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.model.ids import DOMAIN
from madoguchi.store.tables import job
from madoguchi.store.work import Store, Unavailable, Work

log = structlog.get_logger(__name__)

SWEEP_S = 1.0
BATCH = 50
LONGEST_PAUSE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Due:
    """A job that is due."""

    kind: str
    key: str
    data: Mapping[str, Any]
    due_at: datetime


Handler = Callable[[Due, datetime], Work[None]]
Ask = Callable[[Due], Awaitable[Handler]]


def schedule(kind: str, key: str, due_at: datetime, data: Mapping[str, Any]) -> Work[None]:
    """Set a timer, or move the one that has this kind and key."""
    row = insert(job).values(
        domain=DOMAIN, kind=kind, key=key, data=dict(data), due_at=due_at, attempts=0
    )
    yield row.on_conflict_do_update(
        index_elements=["kind", "key"],
        set_={"due_at": due_at, "data": row.excluded.data, "attempts": 0, "error": None},
    )


def cancel(kind: str, key: str) -> Work[bool]:
    """Take a timer back; tell whether it was still there."""
    rows = yield delete(job).where(job.c.kind == kind, job.c.key == key).returning(job.c.id)
    return bool(rows)


class Jobs:
    """Runs what is due, in order of due time."""

    def __init__(self, store: Store, clock: Clock, hints: Hints) -> None:
        self._store = store
        self._clock = clock
        self._wake = hints.subscribe("job")
        self._handlers: dict[str, Handler] = {}
        self._asks: dict[str, Ask] = {}

    def on(self, kind: str, handler: Handler) -> None:
        """Say what a kind of job does."""
        self._handlers[kind] = handler

    def on_outside(self, kind: str, ask: Ask) -> None:
        """Say what a kind of job asks of somebody else first; what that returns is its handler."""
        self._asks[kind] = ask

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        while True:
            while await self.step():
                pass
            await self._wake.wait(SWEEP_S)

    async def step(self) -> int:
        """Run the jobs that are due now; return how many there were."""
        now = self._clock.now()

        def look() -> Work[list[tuple[int, Due, int]]]:
            # No pause is longer: it was set before the clock went back.
            absurd = now + timedelta(seconds=LONGEST_PAUSE_S)
            due = (job.c.due_at <= now) | ((job.c.attempts > 0) & (job.c.due_at > absurd))
            rows = yield select(job).where(due).order_by(job.c.due_at, job.c.id).limit(BATCH)
            return [(r.id, Due(r.kind, r.key, r.data, r.due_at), r.attempts) for r in rows]

        found = await self._store.read(look)
        for id, due, attempts in found:
            await self._one(id, due, attempts, now)
        return len(found)

    async def _one(self, id: int, due: Due, attempts: int, now: datetime) -> None:
        handler = self._handlers.get(due.kind)

        def unit() -> Work[None]:
            mine = (
                yield delete(job)
                .where(job.c.id == id, job.c.due_at == due.due_at)
                .returning(job.c.id)
            )
            if not mine:
                return
            if handler is None:
                raise LookupError(f"nobody handles jobs of kind {due.kind!r}")
            yield from handler(due, now)

        try:
            if due.kind in self._asks:
                handler = await self._asks[due.kind](due)
            await self._store.write(unit)
        except Unavailable:
            raise
        except Exception as fault:
            log.exception("job failed, it will run again", kind=due.kind, key=due.key)
            await self._later(id, due, fault, attempts, now)

    async def _later(
        self, id: int, due: Due, fault: Exception, attempts: int, now: datetime
    ) -> None:
        """Put a failed job off, unless somebody has moved it meanwhile."""
        pause = timedelta(seconds=min(2.0**attempts, LONGEST_PAUSE_S))

        def unit() -> Work[None]:
            yield (
                update(job)
                .where(job.c.id == id, job.c.due_at == due.due_at)
                .values(attempts=attempts + 1, due_at=now + pause, error=str(fault)[:1000])
            )

        await self._store.write(unit)
