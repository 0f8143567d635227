"""Leases: one holder at a time, by the database's clock, and a former holder writes nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select, update

from madoguchi.clock import ManualClock
from madoguchi.store.leases import LeaseLost, acquire, database_time, release, renew
from madoguchi.store.tables import lease
from madoguchi.store.work import Store, Work
from tests.support.stores import mark, marks, opened

NAMES = ["lane:1", "lane:2", "router:1"]


class Node:
    """One process that wants leases; on SQLite its clock is the database's."""

    def __init__(self, store: Store, holder: str, clock: ManualClock) -> None:
        self.store, self.holder, self.clock = store, holder, clock

    @property
    def now(self) -> Any:
        return database_time(self.store.dialect, self.clock.now())

    async def take(self, names: list[str] = NAMES) -> dict[str, int]:
        return await self.store.write(lambda: acquire(names, self.holder, self.now))

    async def work(self, name: str) -> None:
        """Write something under the leases, as workers and the router do."""

        def unit() -> Work[None]:
            yield from renew(NAMES, self.holder, self.now)
            yield from mark(name)

        await self.store.write(unit, attempts=1)


@pytest.fixture
def clock() -> ManualClock:
    """The time of the test."""
    return ManualClock()


async def expire(store: Store) -> None:
    """Let the time of all leases be over."""

    def unit() -> Work[None]:
        yield update(lease).values(expires_at=datetime(2000, 1, 1, tzinfo=UTC))

    await store.write(unit)


async def test_one_holder_at_a_time(store: Store, clock: ManualClock) -> None:
    first, second = Node(store, "a.1", clock), Node(store, "b.1", clock)
    assert await first.take() == dict.fromkeys(NAMES, 1)
    assert await second.take() == {}
    assert await first.take() == dict.fromkeys(NAMES, 1)
    await first.work("first")
    with pytest.raises(LeaseLost):
        await second.work("second")
    assert set(await store.read(marks)) == {"first"}


async def test_after_its_end_somebody_else_takes_over_and_the_old_holder_is_fenced(
    store: Store, clock: ManualClock
) -> None:
    old, new = Node(store, "a.1", clock), Node(store, "b.1", clock)
    await old.take()
    await expire(store)
    await old.work("nobody took it yet")
    await expire(store)
    assert await new.take() == dict.fromkeys(NAMES, 2)
    with pytest.raises(LeaseLost, match=r"lane:1"):
        await old.work("too late")
    assert await old.take() == {}
    await new.work("mine now")
    assert set(await store.read(marks)) == {"nobody took it yet", "mine now"}


async def test_a_node_takes_its_own_former_leases_at_once(store: Store, clock: ManualClock) -> None:
    before, after, stranger = (Node(store, h, clock) for h in ("a.1", "a.2", "ab.1"))
    await before.take()
    assert await stranger.take() == {}, "a name that begins alike is another node"
    assert await after.take() == dict.fromkeys(NAMES, 2)
    with pytest.raises(LeaseLost):
        await before.work("dead man's hand")


async def test_a_released_lease_is_free_at_once(store: Store, clock: ManualClock) -> None:
    first, second = Node(store, "a.1", clock), Node(store, "b.1", clock)
    await first.take()
    await store.write(lambda: release(first.holder))
    assert await second.take() == dict.fromkeys(NAMES, 2)
    await store.write(lambda: release(first.holder))
    await second.work("still mine")


async def test_of_many_who_want_it_one_gets_each(store: Store, clock: ManualClock) -> None:
    nodes = [Node(store, f"n{number}.1", clock) for number in range(10)]
    wanted = [f"lane:{number}" for number in range(20)]
    orders = [wanted if n % 2 else wanted[::-1] for n in range(10)]
    held = await asyncio.gather(*(node.take(o) for node, o in zip(nodes, orders, strict=True)))
    taken = [name for one in held for name in one]
    assert sorted(taken) == sorted(wanted)


@pytest.mark.parametrize("skew", [-600, 600])
async def test_a_wrong_clock_changes_nothing_on_postgresql(
    store: Store, clock: ManualClock, skew: int
) -> None:
    if store.dialect == "sqlite":
        assert database_time("sqlite", clock.now()) == clock.now(), "one process, one clock"
        return
    wrong = ManualClock(clock.now())
    wrong.advance(skew) if skew > 0 else clock.advance(-skew)
    right, skewed = Node(store, "a.1", clock), Node(store, "b.1", wrong)
    await right.take()
    assert await skewed.take() == {}
    await right.work("right")


async def test_a_lease_of_the_far_future_has_no_living_holder(
    store: Store, clock: ManualClock
) -> None:
    """The database's clock went back by an hour, and the holder is dead."""
    dead, heir = Node(store, "a.1", clock), Node(store, "b.1", clock)
    await dead.take()
    await store.write(lambda: put_off(timedelta(hours=1)))
    assert await heir.take() == dict.fromkeys(NAMES, 2)
    with pytest.raises(LeaseLost):
        await dead.work("late")


def put_off(by: timedelta) -> Work[None]:
    """Let all leases end later."""
    for row in (yield select(lease)):
        mine = lease.c.name == row.name
        yield update(lease).where(mine).values(expires_at=row.expires_at + by)


async def test_the_writer_under_a_lease_locks_a_taker_out_until_its_commit(store: Store) -> None:
    """A taker that comes in the middle of a holder's transaction waits for its end."""
    clock = ManualClock()
    holder, taker = Node(store, "a.1", clock), Node(store, "b.1", clock)
    await holder.take()
    await expire(store)
    results = await asyncio.gather(
        *(holder.work(f"w{n}") for n in range(5)), taker.take(), return_exceptions=True
    )
    won = results[-1] != {}
    written = set(await store.read(marks))
    refused = [r for r in results[:-1] if isinstance(r, LeaseLost)]
    assert len(written) + len(refused) == 5
    assert won or len(written) == 5


def statements_of(work: Work[Any]) -> int:
    """Return how many statements a unit makes on a store that answers nothing."""
    count = 0
    try:
        next(work)
        while True:
            count += 1
            work.send([])
    except StopIteration:
        return count


def test_any_number_of_leases_is_three_statements() -> None:
    """64 round trips to a busy PostgreSQL would keep a starting worker waiting for seconds."""
    names = [f"lane:{n}" for n in range(64)]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert statements_of(acquire([*names, *names], "a.1", now)) == 3
    assert statements_of(acquire([], "a.1", now)) == 0


@pytest.mark.postgres
async def test_looking_for_free_leases_waits_for_nobody(tmp_path: Path, pg_database: str) -> None:
    """A second hub that looks every few seconds does not wait for the first one's work."""
    names = [f"lane:{n}" for n in range(8)]
    async with opened(tmp_path, pg_database) as store:
        now = database_time(store.dialect, datetime.now(UTC))
        assert len(await store.write(lambda: acquire(names, "a.1", now))) == 8
        worker = await asyncpg.connect(pg_database)
        try:
            async with worker.transaction(), asyncio.timeout(10):
                await worker.execute("SELECT name FROM lease FOR SHARE")
                assert await store.write(lambda: acquire(names, "b.1", now)) == {}
        finally:
            await worker.close()
