"""Writes of one unit that travel together: PostgreSQL, where each statement is a round trip.

A hot write that returns nothing tells its unit nothing, so it need not be sent at once. It waits
for the unit's next one and goes with it as one statement (``WITH one AS (UPDATE …) INSERT …``);
whatever the unit reads goes after what it wrote.

PostgreSQL runs the main part of such a statement first, and the parts that nobody reads after it.
The log's head is locked by the main part of a unit's last statement: a part that then waited for a
row would hold up all writers, and whoever has that row locked may be the next who waits for the
head. So nothing travels with the numbering but what waits for nobody: plain INSERTs, and changes of
rows that the unit has locked before or that nobody else locks (``Hot.owned``). Whatever else is
held is sent before. An INSERT waits only for another of the same key; keys are new ids, and those
that clients choose are guarded by a lock before (the conversation's), or say that they are not
``owned`` (an identity's address). There are no foreign keys, whose checks would lock other rows.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

from sqlalchemy import Dialect

from madoguchi.store.hot import Bound, Hot
from madoguchi.store.work import Rows, Step

Run = Callable[[Step], Awaitable[Rows]]
Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]


class Together:
    """The statements of one unit of work on their way to the database."""

    def __init__(self, dialect: Dialect, run: Run, fetch: Fetch) -> None:
        self._dialect = dialect
        self._run = run
        self._fetch = fetch
        self._held: list[Bound] = []

    async def execute(self, step: Step) -> Rows:
        """Run a step, now or with one of the next; return its rows."""
        if isinstance(step, Bound) and not step.rows:
            return []
        if not _joins(step):
            await self.settle()
            return await self._run(step)
        # Parts of one statement do not see what the others write.
        if any(one.hot.table == step.hot.table for one in self._held) or (
            step.hot.last and not all(one.hot.owned for one in self._held)
        ):
            await self.settle()
        self._held.append(step)
        return await self.settle() if step.hot.returns else []

    async def settle(self) -> Rows:
        """Run what is held; return the rows of the last part."""
        held, self._held = self._held, []
        if len(held) < 2:
            return await self._run(held[0]) if held else []
        last = held[-1].hot.on(self._dialect)
        sql = _chained(tuple(one.hot for one in held), self._dialect)
        values = [value for one in held for value in one.hot.on(self._dialect).values(one.rows[0])]
        return last.rows(await self._fetch(sql, values))


def _joins(step: Step) -> TypeGuard[Bound]:
    """Tell whether a step is one row's write that may travel with others."""
    if not isinstance(step, Bound) or len(step.rows) != 1:
        return False
    return step.hot.table is not None and (step.hot.apart or not step.hot.returns)


@lru_cache(1000)
def _chained(parts: tuple[Hot, ...], dialect: Dialect) -> str:
    """Return one statement of several; the last one's rows are its rows."""
    texts, places = [], 0
    for part in parts:
        compiled = part.on(dialect)
        texts.append(compiled.moved(places))
        places += compiled.places
    *first, last = texts
    named = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(first))
    own = last.lstrip()
    return f"WITH {named}, {own[5:]}" if own.startswith("WITH ") else f"WITH {named} {own}"
