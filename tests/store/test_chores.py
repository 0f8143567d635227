"""What is old goes, in short units, and what is young is not even read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from madoguchi.clock import ManualClock
from madoguchi.http.remembered import KEPT, RememberedAnswers
from madoguchi.jobs.chores import SLICE, Chores, Walk
from madoguchi.store.inbox import InboxState
from madoguchi.store.tables import idempotency, inbox
from madoguchi.store.work import Many, Store, Work
from router.tables import COMMANDS_KEPT, router_command


@pytest.fixture
def clock() -> ManualClock:
    """The time of the test."""
    return ManualClock()


async def count(store: Store, table: Table) -> int:
    """Return how many rows there are."""

    def unit() -> Work[int]:
        return int((yield select(func.count().label("n")).select_from(table))[0].n)

    return await store.read(unit)


async def fill(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows."""

    def unit() -> Work[None]:
        yield Many(table.insert(), rows)

    await store.write(unit)


def commands(clock: ManualClock, name: str, rows: int, answered: bool = True) -> list[Any]:
    """Return commands of now."""
    now = clock.now()
    row = {"domain": 1, "command": {}, "at": now, "answered_at": now if answered else None}
    return [{**row, "client_key": f"{name}:{n}"} for n in range(rows)]


def answered_commands(chores: Chores) -> Walk:
    """Return the walk over commands that takes those answered long ago."""
    at, answered = router_command.c.at, router_command.c.answered_at
    return chores.walk(router_command, at, lambda old: answered < old, COMMANDS_KEPT)


async def test_answered_commands_go_and_only_the_old_are_read(
    store: Store, clock: ManualClock
) -> None:
    chores = Chores(store, clock)
    walk = answered_commands(chores)
    await fill(store, router_command, commands(clock, "open", 3, answered=False))
    await fill(store, router_command, commands(clock, "old", 2 * SLICE + 7))
    clock.advance(COMMANDS_KEPT.total_seconds() + 1)
    await fill(store, router_command, commands(clock, "young", 3 * SLICE))
    await chores.once()
    assert await count(store, router_command) == 3 + 3 * SLICE
    assert walk.read == 3 * SLICE
    await chores.once()
    assert walk.read == 4 * SLICE, "the first slice of the young ones, no more"


async def test_raw_events_go_once_they_are_done(store: Store, clock: ManualClock) -> None:
    chores, now = Chores(store, clock), clock.now()
    row = {"domain": 1, "account": clock.new_id(), "lane": "a", "partition": 1, "kind": "message"}
    row |= {"body": b"{}", "received_at": now}
    states = [InboxState.DONE, InboxState.DEAD] * 3
    rows = [{**row, "event_id": f"e{n}", "state": int(s)} for n, s in enumerate(states)]
    await fill(store, inbox, [{**r, "done_at": now} for r in rows])
    await chores.once()
    assert await count(store, inbox) == 6
    clock.advance(timedelta(days=31).total_seconds())
    await chores.once()
    assert await count(store, inbox) == 3

    def mended() -> Work[None]:
        yield inbox.update().values(state=int(InboxState.DONE))

    await store.write(mended)
    clock.advance(timedelta(days=1).total_seconds())
    await chores.once()
    assert await count(store, inbox) == 0


async def test_old_keys_go_in_slices(store: Store, clock: ManualClock) -> None:
    answers = RememberedAnswers(store, clock)
    row = {"actor": clock.new_id(), "request": "x", "status": 200, "at": clock.now()}
    await fill(store, idempotency, [{**row, "key": f"k{n}"} for n in range(SLICE + 20)])
    clock.advance(KEPT.total_seconds() + 1)
    await fill(store, idempotency, [{**row, "key": "young", "at": clock.now()}])
    await answers.sweep()
    assert await count(store, idempotency) == 1


async def test_the_walk_begins_anew_when_the_clock_went_back(
    store: Store, clock: ManualClock
) -> None:
    chores = Chores(store, clock)
    walk = answered_commands(chores)
    await fill(store, router_command, commands(clock, "open", 3, answered=False))
    clock.set_ahead(20 * COMMANDS_KEPT.total_seconds())
    await chores.once()
    clock.set_ahead(-18 * COMMANDS_KEPT.total_seconds())
    await chores.once()
    assert walk.read == 6, "the three that had to stay were looked at again"
