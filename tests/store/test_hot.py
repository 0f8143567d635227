"""Hot statements bind, list and unpack as any other statement does, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from madoguchi.clock import Clock
from madoguchi.model.log import Entity, LogEntry
from madoguchi.store.hot import Hot, Listed, among, constant
from madoguchi.store.inbox import InboxState
from madoguchi.store.log import append
from madoguchi.store.tables import cursor, inbox, job, log
from madoguchi.store.types import Instant
from madoguchi.store.work import Conflict, Rows, Store, Work
from tests.support.stores import mark, marks

CLOCK = Clock()
AT = datetime(2026, 11, 24, 10, 30, 0, 123456, tzinfo=UTC)
JOB = Hot(job.insert().inline(), "domain", "kind", "key", "data", "due_at")
JOBS = Listed(
    lambda keys: select(job).where(among((job.c.kind, job.c.key), keys)).order_by(job.c.id),
    job.c.kind,
    job.c.key,
)


def row(key: str, kind: str = "k") -> dict[str, object]:
    return {"domain": 1, "kind": kind, "key": key, "data": {"名": [1, None]}, "due_at": AT}


def made(*keys: str) -> Work[None]:
    yield JOB.each([row(key) for key in keys])


def listed(keys: list[tuple[str, str]]) -> Work[Rows]:
    return (yield JOBS(keys))


async def test_values_come_back_as_they_went_in(store: Store) -> None:
    await store.write(lambda: made("a"))
    (found,) = await store.look(lambda: listed([("k", "a")]))
    assert (found.key, found.data, found.due_at, found.error) == ("a", {"名": [1, None]}, AT, None)
    (same,) = await store.read(lambda: plain())
    assert tuple(found) == tuple(same)


def plain() -> Work[Rows]:
    return (yield select(job))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 16, 17, 65])
async def test_a_list_of_any_length_finds_each_once(store: Store, count: int) -> None:
    await store.write(lambda: made(*(f"{n:03}" for n in range(70))))
    found = await store.look(lambda: listed([("k", f"{n:03}") for n in range(count)]))
    assert [r.key for r in found] == [f"{n:03}" for n in range(count)]
    assert await store.look(lambda: listed([("other", "000"), ("k", "missing")])) == []


async def test_constants_and_fixed_values_stand_in_the_statement(store: Store) -> None:
    waiting = Hot(select(inbox.c.id).where(inbox.c.state == constant(InboxState.WAITING)))
    quoted = Hot(select(cursor.c.position).where(cursor.c.consumer == constant("it's")))
    fixed = Hot(select(cursor.c.consumer).where(or_(cursor.c.position == 7)))

    def unit() -> Work[tuple[Rows, Rows, Rows]]:
        yield from mark("it's", 7)
        return (yield waiting()), (yield quoted()), (yield fixed())

    found = await store.write(unit)
    assert [[tuple(r) for r in rows] for rows in found] == [[], [(7,)], [("it's",)]]


async def test_a_returning_update_tells_whom_it_met(store: Store) -> None:
    moved = Hot(
        update(job)
        .where(job.c.key == bindparam("b_key"))
        .values(due_at=bindparam("b_at", type_=Instant))
        .returning(job.c.key, job.c.due_at)
    )

    def unit() -> Work[Rows]:
        yield from made("a", "b")
        return (yield moved(b_key="b", b_at=AT.replace(year=2027)))

    assert [tuple(r) for r in await store.write(unit)] == [("b", AT.replace(year=2027))]


async def test_a_broken_rule_is_a_conflict_and_leaves_nothing(store: Store) -> None:
    await store.write(lambda: made("taken"))

    def unit() -> Work[None]:
        yield from mark("beside")
        yield JOB.each([row("fresh"), row("taken")])

    with pytest.raises(Conflict):
        await store.write(unit, attempts=2)
    with pytest.raises(Conflict):
        await store.run(JOB(**row("taken")))
    assert await store.read(marks) == {}
    await store.run(JOB(**row("later")))
    assert len(await store.look(plain)) == 2


async def test_a_value_of_the_wrong_kind_is_the_units_fault(store: Store) -> None:
    def unit() -> Work[None]:
        yield JOB(**{**row("x"), "due_at": datetime(2026, 1, 1)})  # noqa: DTZ001 - the fault

    with pytest.raises((ValueError, SQLAlchemyError), match="naive"):
        await store.write(unit)
    assert await store.look(plain) == []


async def test_what_a_reading_unit_tells_is_not_logged(store: Store) -> None:
    entry = LogEntry("thing.changed", Entity.ITEM, "x", 1, ("nobody",), AT)

    def unit() -> Work[int]:
        return len((yield append([entry])))

    assert await store.look(unit) == 0
    assert await store.look(logged) == []


def logged() -> Work[Rows]:
    return (yield select(log.c.id))
