"""The inbox: once, in order within a lane, set aside with a reason, run again marked late."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.model.inbound import ProviderEvent
from madoguchi.store.inbox import (
    PARTITIONS,
    Inbox,
    InboxState,
    StoredEvent,
    dead,
    lease_of,
    mark_dead,
    partition_of,
    replay,
    stored,
    take,
    take_one,
)
from madoguchi.store.leases import acquire, database_time
from madoguchi.store.tables import inbox
from madoguchi.store.work import Store, Unavailable, Work
from tests.support.stores import opened

CLOCK = Clock()
ACCOUNT = CLOCK.new_id()
ALL = list(range(PARTITIONS))
HOLDER = "node.start"


def event(id: str, lane: str = "lane", body: bytes = b"{}") -> ProviderEvent:
    return ProviderEvent(id, lane, "message", body, CLOCK.now())


@contextlib.asynccontextmanager
async def flushing(store: Store, count: int = 1) -> AsyncIterator[list[Inbox]]:
    """Give the fronts of several processes over one store, each with its flushing task."""
    fronts = [Inbox(store) for _ in range(count)]
    tasks = [asyncio.create_task(front.run()) for front in fronts]
    try:
        yield fronts
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def waiting(store: Store) -> list[StoredEvent]:
    def unit() -> Work[list[StoredEvent]]:
        rows = yield select(inbox).where(inbox.c.state == InboxState.WAITING).order_by(inbox.c.id)
        return [stored(row) for row in rows]

    return await store.read(unit)


async def holding(store: Store, holder: str = HOLDER, partitions: Sequence[int] = ALL) -> None:
    names = [lease_of(number) for number in partitions]
    now = database_time(store.dialect, CLOCK.now())
    held = await store.write(lambda: acquire(names, holder, now))
    assert sorted(held) == sorted(names)


async def taking(store: Store, limit: int = 64, holder: str = HOLDER) -> list[StoredEvent]:
    return await store.write(lambda: take(ALL, holder, CLOCK.now(), limit=limit))


async def test_twenty_copies_at_once_make_one_row(store: Store) -> None:
    async with flushing(store, 4) as fronts:
        await asyncio.gather(*(fronts[n % 4].put(ACCOUNT, [event("same")]) for n in range(20)))
        await fronts[0].put(ACCOUNT, [event("same"), event("other"), event("same")])
        await fronts[0].put(CLOCK.new_id(), [event("same")])
    found = await waiting(store)
    assert sorted(e.event.event_id for e in found) == ["other", "same", "same"]
    assert len({(e.account, e.event.event_id) for e in found}) == 3


async def test_a_copy_does_not_wake_what_is_done(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event("one", body=b"first")])
        await holding(store)
        assert [one.event.body for one in await taking(store)] == [b"first"]
        await front.put(ACCOUNT, [event("one", body=b"second")])
    assert await waiting(store) == []


async def test_any_bytes_and_any_names_are_kept(store: Store) -> None:
    body = bytes(range(256)) * 10
    names = ["x" * 5000, "nul\x00inside", "名前" * 80, "'; DROP TABLE inbox;--"]
    async with flushing(store) as (front,):
        many = [event(name, lane=name, body=body) for name in names]
        await asyncio.gather(*(front.put(ACCOUNT, [one, one]) for one in many))
    found = await waiting(store)
    assert len(found) == len(names)
    assert {e.event.body for e in found} == {body}
    assert {e.event.event_id for e in found} >= {names[2], names[3]}


async def test_lanes_keep_their_order_while_many_write(store: Store) -> None:
    lanes, each = 12, 15
    dice = random.Random(5)  # noqa: S311
    taken: dict[str, list[int]] = defaultdict(list)

    await holding(store)
    async with flushing(store, 3) as fronts:

        async def customer(number: int) -> None:
            for n in range(each):
                front = dice.choice(fronts)
                await front.put(ACCOUNT, [event(f"{number}-{n}", f"lane-{number}")])

        async def worker() -> None:
            while sum(map(len, taken.values())) < lanes * each:
                for one in await taking(store, 7):
                    taken[one.event.lane].append(int(one.event.event_id.split("-")[1]))
                await asyncio.sleep(0)

        async with asyncio.timeout(20):
            await asyncio.gather(worker(), *(customer(n) for n in range(lanes)))
    assert len(taken) == lanes
    assert all(numbers == list(range(each)) for numbers in taken.values())


async def test_dead_letters_have_a_reason_and_come_back_late(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event("bad"), event("good")])
    bad, good = await waiting(store)
    await store.write(lambda: mark_dead(bad.row, "why " * 2000, CLOCK.now()))
    assert [e.row for e in await waiting(store)] == [good.row]
    letter = (await store.read(dead))[0]
    assert (letter.id, letter.attempts) == (bad.row, 1)
    assert letter.error.startswith("why why")
    assert len(letter.error) <= 4000
    assert await store.write(lambda: replay([good.row, bad.row, 10**9])) == 1
    again = await waiting(store)
    assert [(e.row, e.late) for e in again] == [(bad.row, True), (good.row, False)]
    assert await store.write(lambda: replay([bad.row])) == 0


async def test_what_is_taken_waits_again_when_its_transaction_fails(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event("one"), event("two")])
    await holding(store)

    def broken() -> Work[None]:
        assert len((yield from take(ALL, HOLDER, CLOCK.now()))) == 2
        raise LookupError("no such account")

    with pytest.raises(LookupError):
        await store.write(broken)
    one, two = await waiting(store)
    assert await store.write(lambda: take_one(two.row, HOLDER, CLOCK.now())) == [two]
    assert await store.write(lambda: take_one(two.row, HOLDER, CLOCK.now())) == []
    assert await taking(store) == [one]
    assert await taking(store) == []


async def test_nothing_is_taken_without_the_leases_of_its_lanes(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event("mine", "mine"), event("theirs", "theirs")])
    theirs = partition_of("theirs")
    await holding(store, HOLDER, [number for number in ALL if number != theirs])
    await holding(store, "other.start", [theirs])
    assert await taking(store) == []
    assert [one.event.event_id for one in await taking(store, 1)] == ["mine"]
    (row,) = await waiting(store)
    assert await store.write(lambda: take_one(row.row, HOLDER, CLOCK.now())) == []
    assert await taking(store, holder="other.start") == [row]


async def test_two_who_take_at_once_never_get_the_same(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event(f"{n}", f"lane-{n % 9}") for n in range(300)])
    await holding(store)
    batches = await asyncio.gather(*(taking(store, 10) for _ in range(40)))
    taken = [one.row for batch in batches for one in batch]
    assert len(taken) == len(set(taken))
    rest = [one.row for one in await waiting(store)]
    assert sorted(taken + rest) == sorted({*taken, *rest})
    assert len(taken) + len(rest) == 300


async def test_taking_wakes_nobody(tmp_path: Path, database: str) -> None:
    hints = Hints()
    async with opened(tmp_path, database, hints) as store:
        heard = hints.subscribe("inbox")
        async with flushing(store) as (front,):
            await front.put(ACCOUNT, [event("one"), event("two")])
        assert heard.take()
        await holding(store)
        one, two = await waiting(store)
        assert await store.write(lambda: take_one(one.row, HOLDER, CLOCK.now())) == [one]
        assert await taking(store) == [two]
        assert await taking(store) == []
        assert not heard.take()
        await store.write(lambda: mark_dead(one.row, "why", CLOCK.now()))
        await store.write(lambda: replay([one.row]))
        assert heard.take()


async def test_what_is_done_is_never_set_aside(store: Store) -> None:
    async with flushing(store) as (front,):
        await front.put(ACCOUNT, [event("one")])
    await holding(store)
    (one,) = await taking(store)
    await store.write(lambda: mark_dead(one.row, "too late", CLOCK.now()))
    assert await store.read(dead) == []


async def test_nothing_is_acknowledged_that_was_not_stored(store: Store) -> None:
    async with flushing(store) as (front,):

        def broken() -> Work[None]:
            raise Unavailable("gone")
            yield

        with pytest.raises(Unavailable):
            await store.write(broken)
        hopeless = asyncio.create_task(Inbox(store).put(ACCOUNT, [event("nobody flushes")]))
        await front.put(ACCOUNT, [event("stored")])
        assert not hopeless.done()
        hopeless.cancel()
    assert [e.event.event_id for e in await waiting(store)] == ["stored"]


async def test_what_waits_when_the_hub_stops_is_not_acknowledged(store: Store) -> None:
    front = Inbox(store)
    task = asyncio.create_task(front.run())
    future = front.post(ACCOUNT, [event("late")])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stored = [e.event.event_id for e in await waiting(store)]
    acknowledged = future.done() and future.exception() is None
    assert acknowledged is (stored == ["late"])
    future.cancel()


def test_partitions_are_the_same_for_ever() -> None:
    assert partition_of("sender:+819055500187") == 52
    assert {partition_of(f"lane-{n}") for n in range(5000)} == set(ALL)
