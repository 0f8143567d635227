"""Durable timers: at least once, in the transaction that removes them, with back-off."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from madoguchi.bus import Hints
from madoguchi.clock import ManualClock
from madoguchi.jobs.service import Due, Jobs, cancel, schedule
from madoguchi.store.tables import job
from madoguchi.store.work import Conflict, Store, Work
from tests.support.stores import mark, marks
from tests.support.waiting import wait_for


class Bench:
    """Jobs over a store with a clock that the test moves."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.hints = Hints()
        self.jobs = Jobs(store, self.clock, self.hints)
        self.ran: list[str] = []
        self.faults: list[Exception] = []
        self.jobs.on("note", self.note)

    def note(self, due: Due, now: datetime) -> Work[None]:
        """Write a row; fail after it as often as the test wants."""
        self.ran.append(due.key)
        yield from mark(f"{due.key}@{len(self.ran)}")
        if self.faults:
            raise self.faults.pop(0)

    async def set(self, key: str, after_s: float, **data: Any) -> None:
        at = self.clock.now() + timedelta(seconds=after_s)
        await self.store.write(lambda: schedule("note", key, at, data))

    async def rows(self) -> list[Any]:
        def unit() -> Work[list[Any]]:
            return list((yield select(job).order_by(job.c.id)))

        return await self.store.read(unit)


@pytest.fixture
def bench(store: Store) -> Bench:
    """An empty bench."""
    return Bench(store)


async def test_what_is_due_runs_in_order_and_is_gone(bench: Bench) -> None:
    await bench.set("later", 20)
    await bench.set("first", 5)
    await bench.set("second", 10)
    assert await bench.jobs.step() == 0
    bench.clock.advance(10)
    assert await bench.jobs.step() == 2
    assert bench.ran == ["first", "second"]
    assert [r.key for r in await bench.rows()] == ["later"]
    assert set(await bench.store.read(marks)) == {"first@1", "second@2"}


async def test_a_fault_undoes_the_handlers_rows_and_backs_off(bench: Bench) -> None:
    await bench.set("one", 0)
    await bench.set("other", 0)
    bench.faults = [LookupError("not yet"), LookupError("again")]
    pauses = []
    while "other" not in bench.ran or bench.ran.count("one") < 3:
        await bench.jobs.step()
        rows = [r for r in await bench.rows() if r.key in {"one", "other"}]
        if rows:
            pauses.append((min(r.due_at for r in rows) - bench.clock.now()).total_seconds())
            bench.clock.advance(max(pauses[-1], 0))
            if bench.ran.count("one") == 1:
                assert rows[0].error == "not yet"
        if not rows:
            break
    assert await bench.rows() == []
    assert len(bench.ran) == 4
    assert len(await bench.store.read(marks)) == 2, "only the runs that succeeded wrote"
    assert all(p > 0 for p in pauses)


async def test_the_pause_doubles(bench: Bench) -> None:
    await bench.set("one", 0)
    bench.faults = [LookupError("no") for _ in range(4)]
    pauses = []
    for run in range(4):
        if run == 3:
            await bench.store.write(lambda: tried(20))
        await bench.jobs.step()
        row = (await bench.rows())[0]
        pauses.append((row.due_at - bench.clock.now()).total_seconds())
        bench.clock.advance(pauses[-1])
    assert pauses == [1, 2, 4, 3600]


def tried(times: int) -> Work[None]:
    yield update(job).values(attempts=times)


async def test_a_job_that_failed_before_the_clock_went_back_runs_again_and_a_timer_waits(
    bench: Bench,
) -> None:
    bench.clock.set_ahead(2 * 3600)
    await bench.set("failed", 0)
    await bench.set("wanted", 3600)
    bench.faults = [LookupError("no")]
    await bench.jobs.step()
    bench.clock.set_ahead(-2 * 3600)
    assert await bench.jobs.step() == 1
    assert bench.ran == ["failed", "failed"]
    assert [r.key for r in await bench.rows()] == ["wanted"]


async def test_a_key_is_one_timer_that_moves(bench: Bench) -> None:
    await bench.set("one", 5, text="old")
    await bench.set("one", 50, text="new")
    bench.clock.advance(10)
    assert await bench.jobs.step() == 0
    rows = await bench.rows()
    assert [(r.key, r.data) for r in rows] == [("one", {"text": "new"})]
    assert await bench.store.write(lambda: cancel("note", "one")) is True
    assert await bench.store.write(lambda: cancel("note", "one")) is False


async def test_a_timer_that_was_moved_while_it_failed_keeps_its_new_time(bench: Bench) -> None:
    await bench.set("one", 0)
    wanted = bench.clock.now() + timedelta(hours=2)

    class Overtaken(Jobs):
        async def _later(self, *arguments: Any) -> None:
            await bench.store.write(lambda: schedule("note", "one", wanted, {}))
            await super()._later(*arguments)

    jobs = Overtaken(bench.store, bench.clock, bench.hints)
    jobs.on("note", bench.note)
    bench.faults = [LookupError("no")]
    await jobs.step()
    row = (await bench.rows())[0]
    assert (row.due_at, row.attempts) == (wanted, 0)


async def test_two_processes_run_a_job_once(bench: Bench) -> None:
    other = Jobs(bench.store, bench.clock, Hints())
    other.on("note", bench.note)
    for n in range(30):
        await bench.set(f"k{n}", 0)
    await asyncio.gather(bench.jobs.step(), other.step(), bench.jobs.step())
    assert await bench.rows() == []
    written = [name.partition("@")[0] for name in await bench.store.read(marks)]
    assert sorted(written) == sorted(f"k{n}" for n in range(30))


async def test_a_conflict_is_run_again_at_once(bench: Bench) -> None:
    await bench.set("one", 0)
    bench.faults = [Conflict("somebody was first")]
    await bench.jobs.step()
    assert bench.ran == ["one", "one"]
    assert await bench.rows() == []


async def test_a_job_that_nobody_handles_stays_with_its_reason(bench: Bench) -> None:
    at = bench.clock.now()
    await bench.store.write(lambda: schedule("unknown", "x", at, {}))
    await bench.jobs.step()
    row = (await bench.rows())[0]
    assert "nobody handles" in row.error
    assert row.attempts == 1


async def test_the_task_runs_what_is_scheduled_while_it_waits(store: Store) -> None:
    bench = Bench(store)
    task = asyncio.create_task(bench.jobs.run())
    try:
        await bench.set("now", 0)
        bench.hints.publish(["job"])
        await wait_for(lambda: bench.ran == ["now"], "it ran", within=3)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
