"""The log's numbers: whoever reads by position misses nothing and sees nothing twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.model.log import Entity, LogEntry, NumberedEntry
from madoguchi.store import log
from madoguchi.store.tables import log as log_table
from madoguchi.store.work import Store, Work
from tests.support.stores import opened
from tests.support.waiting import wait_for

WRITERS, UNITS, ROWS = 50, 4, 3


def entry(id: str) -> LogEntry:
    return LogEntry("thing.changed", Entity.ITEM, id, 1, ("nobody",), Clock().now(), {"n": id})


def told(id: str, delay: float) -> Work[None]:
    """Append rows and wait inside the transaction: others tell and commit meanwhile."""
    yield log.append(entry(f"{id}-{n}") for n in range(ROWS))
    if delay:
        yield text(f"SELECT pg_sleep({delay})")


class Reader:
    """Follows the log by position, as every consumer does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[NumberedEntry] = []

    async def look(self) -> None:
        last = self.seen[-1].position if self.seen else 0
        self.seen += await self.store.read(lambda: log.after(last, limit=7))

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(0)


async def test_fifty_concurrent_writers_and_a_tailing_reader(tmp_path: Path, database: str) -> None:
    hints = Hints()
    dice = random.Random(1)  # noqa: S311
    async with opened(tmp_path, database, hints) as store:
        reader = Reader(store)
        tasks = [asyncio.create_task(reader.run())]

        async def writer(number: int) -> None:
            for unit in range(UNITS):
                delay = dice.random() * 0.03 if database else 0
                await store.write(lambda d=delay, u=unit: told(f"{number}-{u}", d))  # type: ignore[misc]

        await asyncio.gather(*(writer(n) for n in range(WRITERS)))
        wanted = WRITERS * UNITS * ROWS
        await wait_for(lambda: len(reader.seen) >= wanted, "all is read", within=15)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [e for e in ended if isinstance(e, Exception)]
        await reader.look()
        assert [n.position for n in reader.seen] == list(range(1, wanted + 1))
        ids = [n.entry.entity_id for n in reader.seen]
        assert len(set(ids)) == wanted
        for writer_number in range(WRITERS):
            mine = [i for i in ids if i.startswith(f"{writer_number}-")]
            assert mine == sorted(mine), "what one writer told one after the other stays so"
        assert await store.read(log.head) == wanted


async def test_rows_of_a_unit_that_fails_get_no_number(store: Store) -> None:
    def failing() -> Work[None]:
        yield log.append([entry("lost")])
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(failing)
    await store.write(lambda: told("kept", 0))
    entries = await store.read(lambda: log.after(0))
    assert [(e.position, e.entry.entity_id) for e in entries] == [
        (n + 1, f"kept-{n}") for n in range(ROWS)
    ]
    assert entries[0].entry.data == {"n": "kept-0"}
    assert entries[0].entry.audience == ("nobody",)


async def test_more_than_a_reader_takes_is_numbered_in_order(store: Store) -> None:
    await store.write(lambda: many(log.BATCH * 2 + 5))
    positions = await store.read(numbered)
    assert positions == list(range(1, log.BATCH * 2 + 6))


def many(count: int) -> Work[None]:
    yield log.append(entry(str(n)) for n in range(count))


def numbered() -> Work[list[int]]:
    rows = yield select(log_table.c.position).order_by(log_table.c.id)
    return [r.position for r in rows]


async def test_a_cursor_remembers_its_consumer(store: Store) -> None:
    assert await store.read(lambda: log.read_cursor("search")) == 0
    for position in (5, 9):
        await store.write(lambda p=position: log.move_cursor("search", p))  # type: ignore[misc]
    await store.write(lambda: log.move_cursor("metrics", 3))
    assert await store.read(lambda: log.read_cursor("search")) == 9
    assert await store.read(lambda: log.read_cursor("metrics")) == 3


async def test_a_cursor_moves_with_its_consumers_work_or_not_at_all(store: Store) -> None:
    def work() -> Work[None]:
        yield from log.move_cursor("search", 5)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert await store.read(lambda: log.read_cursor("search")) == 0
    assert (await store.read(count))[0] == 0


def count() -> Work[tuple[int]]:
    rows = yield select(func.count()).select_from(log_table)
    return (int(rows[0][0]),)
