"""Idempotency keys of POSTs, kept in the store for 400 days; see docs/decisions/0006."""

from datetime import timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.clock import Clock
from madoguchi.http.problems import Problem
from madoguchi.http.table import Claim, encode
from madoguchi.store.tables import idempotency
from madoguchi.store.work import Conflict, Store, Unavailable, Work

log = structlog.get_logger(__name__)

KEPT = timedelta(days=400)
SLICE = 500
UNANSWERED = 0
"""The status of a claim whose answer is not kept yet."""


class RememberedAnswers:
    """What was answered to a key, by actor; see :class:`madoguchi.http.table.Answers`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, claim: Claim) -> tuple[int, Any] | None:
        """Return the first answer to a key. Raises a 422 problem for another request, a 409
        problem for one that has no answer.
        """

        def unit() -> Work[Any]:
            return (yield select(idempotency).where(_is(claim)))

        rows = await self._store.read(unit)
        if not rows:
            return None
        if rows[0].request != claim.request:
            raise Problem(422, "key_reused", "this Idempotency-Key was used for another request")
        if rows[0].status == UNANSWERED:
            raise _unanswered(claim, rows[0])
        return rows[0].status, rows[0].body

    def take(self, claim: Claim) -> Work[None]:
        """Take a key; part of the act's transaction, or a unit of its own."""
        values = {"actor": claim.actor, "key": claim.key, "request": claim.request}
        taken = yield (
            insert(idempotency)
            .values(**values, status=UNANSWERED, at=self._clock.now())
            .on_conflict_do_nothing()
            .returning(idempotency.c.key)
        )
        if not taken:
            rows = yield select(idempotency).where(_is(claim))
            raise _unanswered(claim, rows[0]) if rows else Conflict("the key was given back")

    async def claim(self, claim: Claim) -> None:
        """Take a key before the act."""
        await self._store.write(lambda: self.take(claim))

    async def keep(self, claim: Claim, status: int, answer: Any) -> None:
        """Keep the answer to a key; when that fails, the act stays done and is answered."""
        body = None if answer is None else orjson.loads(encode(answer))

        def unit() -> Work[None]:
            yield update(idempotency).where(_is(claim)).values(status=status, body=body)

        try:
            await self._store.write(unit)
        except Unavailable as why:
            log.warning("an answer could not be kept for its key", why=str(why))

    async def release(self, claim: Claim) -> None:
        """Give a key back."""

        def unit() -> Work[None]:
            yield delete(idempotency).where(_is(claim), idempotency.c.status == UNANSWERED)

        await self._store.write(unit)

    async def sweep(self) -> None:
        """Forget keys older than 400 days, in short units."""
        old = self._clock.now() - KEPT
        row = tuple_(idempotency.c.actor, idempotency.c.key)
        gone = select(idempotency.c.actor, idempotency.c.key).where(idempotency.c.at < old)
        some = gone.order_by(idempotency.c.at).limit(SLICE)

        def unit() -> Work[int]:
            rows = yield delete(idempotency).where(row.in_(some)).returning(idempotency.c.key)
            return len(rows)

        while await self._store.write(unit) == SLICE:
            pass


def _is(claim: Claim) -> Any:
    return (idempotency.c.actor == claim.actor) & (idempotency.c.key == claim.key)


def _unanswered(claim: Claim, row: Row[Any]) -> Problem:
    if claim.within:
        detail = "this call was carried out, but its answer is lost: look, and do not repeat it"
        return Problem(409, "answer_lost", detail, since=row.at)
    detail = (
        "a call with this Idempotency-Key was begun and has no answer: it is still running, or it "
        "was cut off and nobody knows how far it came. Look before you repeat it under a new key"
    )
    return Problem(409, "in_progress", detail, since=row.at)
