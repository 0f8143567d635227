"""Idempotency keys of POSTs, kept in the store for 400 days."""

from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from madoguchi.clock import Clock
from madoguchi.http.problems import Problem
from madoguchi.http.table import encode
from madoguchi.model.people import Actor
from madoguchi.store.tables import idempotency
from madoguchi.store.work import Store, Work

KEPT = timedelta(days=400)


class RememberedAnswers:
    """What was answered to a key, by actor."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, actor: Actor, key: str, request: str) -> tuple[int, Any] | None:
        """Return the first answer to a key. Raises a 422 problem for another request."""

        def unit() -> Work[Any]:
            return (
                yield select(idempotency).where(
                    idempotency.c.actor == actor.id, idempotency.c.key == key
                )
            )

        rows = await self._store.read(unit)
        if not rows:
            return None
        if rows[0].request != request:
            raise Problem(422, "key_reused", "this Idempotency-Key was used for another request")
        return rows[0].status, rows[0].body

    async def keep(self, actor: Actor, key: str, request: str, status: int, answer: Any) -> None:
        """Keep the answer to a key."""
        body = None if answer is None else orjson.loads(encode(answer))
        values = {"actor": actor.id, "key": key, "request": request, "status": status}

        def unit() -> Work[None]:
            yield (
                insert(idempotency)
                .values(**values, body=body, at=self._clock.now())
                .on_conflict_do_nothing()
            )

        await self._store.write(unit)

    async def sweep(self) -> None:
        """Forget keys older than 400 days."""
        old = self._clock.now() - KEPT

        def unit() -> Work[None]:
            yield delete(idempotency).where(idempotency.c.at < old)

        await self._store.write(unit)
