"""What rooms may rely on, whichever engine stands behind the store."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import func, select, text

from madoguchi.store.tables import cursor
from madoguchi.store.work import Conflict, Store, Unavailable, Work
from tests.support.stores import mark, marks, opened
from tests.support.waiting import wait_for


async def test_a_unit_returns_its_result_and_its_rows_are_there(store: Store) -> None:
    assert await store.write(lambda: mark("one", 7)) == 7
    assert await store.read(marks) == {"one": 7}


async def test_a_conflict_runs_the_unit_again_and_only_it(store: Store) -> None:
    runs: dict[str, int] = {}

    def unit(name: str, conflicts: int) -> Work[int]:
        runs[name] = runs.get(name, 0) + 1
        yield from mark(name)
        if runs[name] <= conflicts:
            raise Conflict("somebody was first")
        return runs[name]

    results = await asyncio.gather(
        *(store.write(lambda n=n: unit(f"u{n}", 3 if n == 4 else 0)) for n in range(9))  # type: ignore[misc]
    )
    assert results == [4 if n == 4 else 1 for n in range(9)]
    assert runs == {f"u{n}": 4 if n == 4 else 1 for n in range(9)}
    assert len(await store.read(marks)) == 9


async def test_a_unit_that_keeps_conflicting_is_given_up(store: Store) -> None:
    await store.write(lambda: mark("taken"))
    runs = []

    def unit() -> Work[None]:
        runs.append(1)
        yield from mark("beside")
        yield from mark("taken")

    with pytest.raises(Conflict):
        await store.write(unit, attempts=3)
    assert len(runs) == 3
    assert set(await store.read(marks)) == {"taken"}


@pytest.mark.parametrize("fault", ["raised", "no such table", "not storable"])
async def test_a_failing_unit_leaves_the_others_untouched(store: Store, fault: str) -> None:
    def broken() -> Work[None]:
        yield from mark("broken")
        if fault == "raised":
            raise LookupError("the unit's own fault")
        if fault == "no such table":
            yield text("INSERT INTO nowhere VALUES (1)")
        yield cursor.insert().values(consumer=object(), domain=1, position=1)

    writes = [store.write(lambda n=n: mark(f"u{n}")) for n in range(6)]  # type: ignore[misc]
    writes.insert(3, store.write(broken))  # type: ignore[arg-type]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(results.pop(3), Exception)
    assert results == [1] * 6
    assert set(await store.read(marks)) == {f"u{n}" for n in range(6)}


async def test_a_fault_in_a_unit_is_no_lost_database(store: Store) -> None:
    def nonsense() -> Work[None]:
        yield text("SELECT * FROM nowhere")

    with pytest.raises(Exception, match="nowhere") as caught:
        await store.write(nonsense)
    assert not isinstance(caught.value, Unavailable)
    with pytest.raises(Exception, match="nowhere") as caught:
        await store.read(nonsense)
    assert not isinstance(caught.value, Unavailable)


async def test_a_full_disk_is_unavailable_and_passes(tmp_path: Path) -> None:
    def pragma(pages: int) -> Work[None]:
        yield text(f"PRAGMA max_page_count = {pages}")

    def much() -> Work[None]:
        for n in range(40):
            yield cursor.insert().values(consumer=f"{n}" * 20_000, domain=1, position=1)

    async with opened(tmp_path, "") as store:
        await store.write(lambda: pragma(1))
        results = await asyncio.gather(
            store.write(lambda: mark("before")), store.write(much), return_exceptions=True
        )
        assert all(isinstance(r, Unavailable) for r in results), results
        await store.write(lambda: pragma(1_000_000))
        assert await store.read(marks) == {}
        assert await store.write(lambda: mark("after")) == 1


@pytest.mark.postgres
async def test_a_lost_database_is_unavailable_and_comes_back(
    tmp_path: Path, pg_database: str
) -> None:
    base, _, name = pg_database.rpartition("/")
    async with opened(tmp_path, pg_database) as store:
        await store.write(lambda: mark("before"))
        operator = await asyncpg.connect(f"{base}/postgres")
        try:
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await operator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            with pytest.raises(Unavailable):
                await store.write(lambda: mark("lost"))
            with pytest.raises(Unavailable):
                await store.read(marks)
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        finally:
            await operator.close()
        assert await store.write(lambda: mark("after")) == 1
        assert set(await store.read(marks)) == {"before", "after"}


async def test_a_read_is_of_one_moment_on_sqlite(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def twice() -> Work[list[int]]:
        first = yield select(func.count()).select_from(cursor)
        reached.set()
        go_on.wait(5)
        second = yield select(func.count()).select_from(cursor)
        return [first[0][0], second[0][0]]

    async with opened(tmp_path, "") as store:
        reading = asyncio.create_task(store.read(twice))
        await wait_for(reached.is_set, "the first read")
        await store.write(lambda: mark("between"))
        go_on.set()
        assert await reading == [0, 0]
        assert await store.read(marks) == {"between": 1}


@pytest.mark.postgres
async def test_a_read_is_of_one_moment_on_postgresql(tmp_path: Path, pg_database: str) -> None:
    reached = []

    def twice() -> Work[list[int]]:
        first = yield select(func.count()).select_from(cursor)
        reached.append(1)
        yield select(func.pg_advisory_lock_shared(4711))
        second = yield select(func.count()).select_from(cursor)
        yield select(func.pg_advisory_unlock_shared(4711))
        return [first[0][0], second[0][0]]

    holder = await asyncpg.connect(pg_database)
    try:
        async with opened(tmp_path, pg_database) as store:
            await holder.execute("SELECT pg_advisory_lock(4711)")
            reading = asyncio.create_task(store.read(twice))
            await wait_for(lambda: reached, "the first read")
            await store.write(lambda: mark("between"))
            await holder.execute("SELECT pg_advisory_unlock(4711)")
            assert await reading == [0, 0]
            assert await store.read(marks) == {"between": 1}
    finally:
        await holder.close()


@pytest.mark.postgres
async def test_a_frozen_process_cannot_hold_the_others_for_long(
    tmp_path: Path, pg_database: str
) -> None:
    def setting() -> Work[str]:
        rows = yield text("SHOW idle_in_transaction_session_timeout")
        return str(rows[0][0])

    async with opened(tmp_path, pg_database) as store:
        assert await store.read(setting) == "10s"


@pytest.mark.postgres
async def test_a_cancelled_unit_leaves_nothing_and_no_dirty_connection(
    tmp_path: Path, pg_database: str
) -> None:
    def slow() -> Work[None]:
        yield from mark("half")
        yield text("SELECT pg_sleep(30)")

    async with opened(tmp_path, pg_database) as store:
        for _ in range(5):
            task = asyncio.create_task(store.write(slow))
            await wait_for(lambda: _sleeping(pg_database), "the unit waits")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await store.read(marks) == {}
        done = await asyncio.gather(*(store.write(lambda n=n: mark(f"u{n}")) for n in range(40)))  # type: ignore[misc]
        assert done == [1] * 40


async def _sleeping(dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        return bool(await connection.fetchval(query))
    finally:
        await connection.close()


async def test_reading_units_cannot_write_on_sqlite(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as store:
        with pytest.raises(Exception, match="readonly"):
            await store.read(lambda: mark("no"))
        assert await store.read(marks) == {}


async def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as store:
        waiting = [asyncio.create_task(store.write(lambda n=n: mark(f"u{n}"))) for n in range(300)]  # type: ignore[misc]
        await wait_for(lambda: waiting[0].done(), "the first is answered")
    assert await asyncio.gather(*waiting) == [1] * 300
    async with opened(tmp_path, "") as store:
        assert len(await store.read(marks)) == 300
