"""The log in memory is the log in the database, however commits are heard."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from madoguchi.model.log import Entity, LogEntry, NumberedEntry
from madoguchi.store.journal import Journal
from madoguchi.store.log import append
from madoguchi.store.work import Store, Work
from tests.support.waiting import wait_for

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


def numbered(position: int, at: datetime = BEGAN) -> NumberedEntry:
    entry = LogEntry("thing.changed", Entity.ITEM, f"n{position}", 1, ("nobody",), at)
    return NumberedEntry(position, entry)


class Database:
    """What is committed, and how often somebody looked."""

    def __init__(self, *entries: NumberedEntry) -> None:
        self.entries = list(entries)
        self.looks = 0
        self.fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = False

    async def read(self, position: int, limit: int) -> list[NumberedEntry]:
        self.looks += 1
        self.waiting = not self.gate.is_set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [e for e in self.entries if e.position > position][:limit]

    async def newest(self) -> int:
        return self.entries[-1].position if self.entries else 0

    def journal(self) -> Journal:
        return Journal(self.read, self.newest)


def places(entries: list[NumberedEntry]) -> list[int]:
    return [e.position for e in entries]


async def test_own_commits_are_known_without_a_look() -> None:
    database = Database(numbered(1))
    known = database.journal()
    assert await known.start() == 1
    assert places(await known.after(1)) == []
    looks = database.looks
    known.committed([numbered(2), numbered(3)])
    assert places(await known.after(1)) == [2, 3]
    assert places(await known.after(2)) == [3]
    assert places(await known.after(1, limit=1)) == [2]
    assert database.looks == looks


async def test_commits_heard_in_the_other_order_are_given_in_theirs() -> None:
    database = Database()
    known = database.journal()
    await known.after(0)
    database.entries = [numbered(n) for n in (1, 2, 3)]
    known.committed([numbered(3)])
    assert places(await known.after(0)) == [1, 2, 3]
    known.committed([numbered(1), numbered(2)])
    assert places(await known.after(0)) == [1, 2, 3]


async def test_what_another_process_commits_is_read_after_a_doubt_or_a_sweep() -> None:
    database = Database()
    known = database.journal()
    assert await known.after(0) == []
    database.entries = [numbered(1)]
    assert await known.after(0) == []
    assert places(await known.after(0, sure=True)) == [1]
    database.entries.append(numbered(2))
    known.doubt()
    assert places(await known.after(1)) == [2]


async def test_who_asks_while_another_asks_gets_the_same_answer() -> None:
    database = Database()
    known = database.journal()
    await known.after(0)
    database.entries = [numbered(1)]
    known.doubt()
    database.gate.clear()
    first = asyncio.create_task(known.after(0))
    second = asyncio.create_task(known.after(0))
    await wait_for(lambda: database.waiting, "the first looks")
    database.gate.set()
    assert places(await first) == places(await second) == [1]


async def test_a_doubt_during_a_look_asks_for_another() -> None:
    database = Database()
    known = database.journal()
    await known.after(0)
    known.doubt()
    database.gate.clear()
    asking = asyncio.create_task(known.after(0))
    await wait_for(lambda: database.waiting, "it looks")
    known.doubt()
    database.gate.set()
    await asking
    looks = database.looks
    await known.after(0)
    assert database.looks == looks + 1


async def test_a_look_that_fails_is_made_again() -> None:
    database = Database()
    known = database.journal()
    await known.start()
    database.entries = [numbered(1)]
    database.fault = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        await known.after(0)
    database.fault = None
    assert places(await known.after(0)) == [1]


async def test_a_reader_from_before_this_process_reads_the_database() -> None:
    database = Database(*(numbered(n) for n in range(1, 6)))
    known = database.journal()
    await known.start()
    assert places(await known.after(2)) == [3, 4, 5]
    assert not known.covers(4)
    assert known.covers(5)
    assert not known.covers(6)


async def test_what_is_old_leaves_the_memory() -> None:
    database = Database()
    known = Journal(database.read, database.newest, most=4)
    await known.start()
    for n in range(1, 8):
        database.entries.append(numbered(n))
        known.committed([database.entries[-1]])
    assert places(known.known(0)) == [4, 5, 6, 7]
    assert not known.covers(2)
    assert places(await known.after(1)) == [2, 3, 4, 5, 6, 7]
    late = numbered(8, BEGAN + timedelta(hours=1))
    database.entries.append(late)
    known.committed([late])
    assert places(known.known(0)) == [8]


@pytest.mark.parametrize("seed", range(30))
async def test_any_mixture_gives_every_entry_once_in_order(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    database = Database()
    known = database.journal()
    await known.start()
    heard: list[list[NumberedEntry]] = []
    seen: list[int] = []
    head = 0
    while head < 120:
        size = dice.randint(1, 4)
        batch = [numbered(n) for n in range(head + 1, head + size + 1)]
        head += size
        database.entries += batch
        mine = dice.random() < 0.7
        if mine:
            heard.append(batch)
        else:
            known.doubt()
        while heard and dice.random() < 0.6:
            known.committed(heard.pop(dice.randrange(len(heard))))
        if dice.random() < 0.5:
            last = seen[-1] if seen else 0
            seen += places(await known.after(last, sure=dice.random() < 0.2))
    for batch in heard:
        known.committed(batch)
    seen += places(await known.after(seen[-1], sure=True))
    assert seen == list(range(1, head + 1))


async def test_a_store_tells_its_journal_what_it_commits(store: Store) -> None:
    await store.journal.start()
    assert await store.journal.after(0) == []

    def telling() -> Work[None]:
        yield append(numbered(n).entry for n in range(3))

    for _ in range(2):
        await store.write(telling)
    assert places(store.journal.known(0)) == [1, 2, 3, 4, 5, 6]
    assert [e.entry for e in await store.journal.after(0, sure=True)] == [
        e.entry for e in store.journal.known(0)
    ]
