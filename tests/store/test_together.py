"""Writes that travel together give what they would have given one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, make_url, select, update

from madoguchi.model.log import Entity, LogEntry
from madoguchi.store import log
from madoguchi.store.hot import Hot
from madoguchi.store.log import append
from madoguchi.store.postgres import DIALECT
from madoguchi.store.tables import cursor, job, lease
from madoguchi.store.together import Together
from madoguchi.store.types import Instant
from madoguchi.store.work import Conflict, Rows, Step, Store, Work
from tests.support.stores import opened
from tests.support.waiting import wait_for

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
NEW_JOB = Hot(job.insert().inline(), "domain", "kind", "key", "data", "due_at")
NEW_LEASE = Hot(lease.insert().inline(), "name", "holder", "epoch", "expires_at")
NEW_CURSOR = Hot(cursor.insert().inline(), "consumer", "domain", "position")
MOVED = Hot(
    update(cursor)
    .where(cursor.c.consumer == bindparam("b_consumer"))
    .values(position=bindparam("b_position", type_=cursor.c.position.type))
    .inline()
)
DUE = Hot(
    update(job)
    .where(job.c.key == bindparam("b_key"))
    .values(due_at=bindparam("b_at", type_=Instant))
    .returning(job.c.key, job.c.due_at),
    apart=True,
)
KEYS = Hot(select(job.c.key).order_by(job.c.key))


def new_job(key: str) -> Step:
    return NEW_JOB(domain=1, kind="k", key=key, data={"n": key}, due_at=AT)


def new_lease(name: str) -> Step:
    return NEW_LEASE(name=name, holder="h", epoch=1, expires_at=AT)


def cursors() -> Work[dict[str, int]]:
    rows = yield select(cursor.c.consumer, cursor.c.position)
    return {r.consumer: r.position for r in rows}


async def test_what_is_read_after_writes_sees_them_all(store: Store) -> None:
    def unit() -> Work[tuple[Rows, dict[str, int]]]:
        yield new_job("a")
        yield new_lease("x")
        yield NEW_CURSOR(consumer="c", domain=1, position=3)
        keys = yield KEYS()
        yield new_job("b")
        return keys, (yield from cursors())

    keys, positions = await store.write(unit)
    assert ([tuple(r) for r in keys], positions) == ([("a",)], {"c": 3})
    assert [tuple(r) for r in await store.run(KEYS())] == [("a",), ("b",)]


async def test_a_row_may_be_made_and_changed_again_and_again(store: Store) -> None:
    def unit() -> Work[None]:
        yield NEW_CURSOR(consumer="c", domain=1, position=1)
        yield new_job("a")
        for position in (2, 3, 4):
            yield MOVED(b_consumer="c", b_position=position)
        yield new_lease("x")

    await store.write(unit)
    assert await store.read(cursors) == {"c": 4}


async def test_a_refused_write_takes_the_others_with_it(store: Store) -> None:
    await store.write(lambda: done(new_lease("x")))

    def unit() -> Work[None]:
        yield new_job("a")
        yield new_lease("x")
        yield NEW_CURSOR(consumer="c", domain=1, position=1)

    with pytest.raises(Conflict):
        await store.write(unit, attempts=1)
    assert await store.read(cursors) == {}
    assert list(await store.run(KEYS())) == []
    await store.write(lambda: done(new_lease("y")))


async def test_rows_of_the_last_and_places_in_the_log_are_right(store: Store) -> None:
    await store.journal.start()
    await store.write(lambda: done(new_job("a")))
    later = AT.replace(hour=10)

    def unit() -> Work[Rows]:
        entry = LogEntry("note", Entity.CONFIG, "1", 1, ("everybody",), AT)
        yield append([entry, entry])
        yield new_lease("x")
        yield NEW_CURSOR(consumer="c", domain=1, position=1)
        rows = yield DUE(b_key="a", b_at=later)
        yield new_lease("y")
        return rows

    assert [tuple(r) for r in await store.write(unit)] == [("a", later)]
    told = await store.journal.after(0)
    assert [one.position for one in told] == [1, 2]


def done(*steps: Step) -> Work[None]:
    for step in steps:
        yield step


class Wire:
    """Notes what is sent; answers nothing."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.values: list[Sequence[Any]] = []

    async def run(self, step: Step) -> Rows:
        self.sent.append("alone")
        return []

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Any]:
        self.sent.append(sql)
        self.values.append(values)
        return []


async def test_writes_without_an_answer_cost_one_round_trip() -> None:
    wire = Wire()
    together = Together(DIALECT, wire.run, wire.fetch)
    await together.execute(new_job("a"))
    await together.execute(new_lease("x"))
    assert wire.sent == []
    # It touches a table of the first, whose row it would not have seen.
    await together.execute(DUE(b_key="a", b_at=AT))
    first, second = wire.sent
    assert first.startswith("WITH part_0 AS (INSERT INTO job")
    assert second == "alone"
    await together.execute(new_lease("y"))
    await together.execute(DUE(b_key="a", b_at=AT))
    assert wire.sent[2].startswith("WITH part_0 AS (INSERT INTO lease")
    assert wire.sent[2].endswith("RETURNING job.key, job.due_at")
    await together.settle()
    assert len(wire.sent) == 3


NUMBERED = [LogEntry("note", Entity.CONFIG, "1", 1, ("everybody",), AT)]
OWNED = Hot(MOVED.statement, owned=True)


async def test_the_logs_head_is_locked_after_all_that_may_wait() -> None:
    for moved, travels in ((MOVED, False), (OWNED, True)):
        wire = Wire()
        together = Together(DIALECT, wire.run, wire.fetch)
        await together.execute(new_job("a"))
        await together.execute(moved(b_consumer="c", b_position=4))
        await together.execute(next(log.number(NUMBERED)))
        assert ["log_head" in sql for sql in wire.sent] == ([True] if travels else [False, False])
        assert "UPDATE cursor" in wire.sent[0]
        assert travels or wire.sent[1] == "alone"


@pytest.mark.postgres
async def test_who_waits_for_a_row_does_not_hold_the_logs_head(
    tmp_path: Path, pg_database: str
) -> None:
    dsn = make_url(pg_database).set(drivername="postgresql")
    async with opened(tmp_path, pg_database) as store:
        await store.write(lambda: done(NEW_CURSOR(consumer="c", domain=1, position=1)))
        await store.write(lambda: done(append(NUMBERED)))
        other = await asyncpg.connect(dsn.render_as_string(hide_password=False))
        try:
            async with other.transaction():
                await other.execute("SELECT 1 FROM cursor FOR UPDATE")
                moved = MOVED(b_consumer="c", b_position=4)
                waits = asyncio.create_task(store.write(lambda: done(moved, append(NUMBERED))))
                waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
                await wait_for(lambda: other.fetchval(waiting), "it waits for the row")
                await other.execute("SELECT 1 FROM log_head FOR UPDATE NOWAIT")
            await waits
        finally:
            await other.close()
        assert await store.read(cursors) == {"c": 4}


async def test_values_keep_their_places() -> None:
    wire = Wire()
    together = Together(DIALECT, wire.run, wire.fetch)
    await together.execute(NEW_CURSOR(consumer="c", domain=1, position=7))
    await together.execute(new_lease("x"))
    await together.settle()
    (sql,), (values,) = wire.sent, wire.values
    assert list(values) == ["c", 1, 7, "x", "h", 1, AT]
    assert all(f"${place}" in sql for place in range(1, 8))
