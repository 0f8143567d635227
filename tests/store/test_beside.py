"""Works beside each other read what each would have read alone, in fewer round trips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from madoguchi.store.beside import beside, joined
from madoguchi.store.hot import Hot, Listed, among
from madoguchi.store.postgres import DIALECT
from madoguchi.store.tables import cursor, job
from madoguchi.store.work import Beside, Step, Store, Work

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
NEW_JOB = Hot(job.insert().inline(), "domain", "kind", "key", "data", "due_at")
NEW_CURSOR = Hot(cursor.insert().inline(), "consumer", "domain", "position")
JOBS = Listed(
    lambda keys: (
        select(job.c.key, job.c.data, job.c.due_at)
        .where(among(job.c.key, keys))
        .order_by(job.c.key.desc())
        .with_for_update()
    ),
    job.c.key,
)
CURSORS = Listed(
    lambda names: select(cursor.c.position, cursor.c.consumer).where(
        among(cursor.c.consumer, names)
    ),
    cursor.c.consumer,
)


def jobs(*keys: str) -> Work[list[tuple[str, object, datetime]]]:
    """Read jobs, the last key first."""
    return [tuple(row) for row in (yield JOBS(keys))]


def positions(*names: str) -> Work[dict[str, int]]:
    """Read positions, and how many there are by a statement that is not hot."""
    found = {row.consumer: row.position for row in (yield CURSORS(names))}
    rows = yield select(cursor.c.consumer)
    return {**found, "all": len(rows)}


def nothing() -> Work[str]:
    """Ask nothing."""
    return "nothing"
    yield select(cursor.c.consumer)


def ahead(name: str, by: int) -> Work[int]:
    """Read again and again, each time what the last rows say."""
    at = 0
    for _ in range(by):
        at += (yield CURSORS([name]))[0].position
    return at


def filled() -> Work[None]:
    """Store three jobs and two cursors."""
    for key in ("a", "b", "c"):
        yield NEW_JOB(domain=1, kind="k", key=key, data={"n": [key, None]}, due_at=AT)
    yield NEW_CURSOR.each(
        [
            {"consumer": "one", "domain": 1, "position": 1},
            {"consumer": "two", "domain": 1, "position": 20},
        ]
    )


async def test_each_work_gets_its_own_rows(store: Store) -> None:
    await store.write(filled)

    def unit() -> Work[tuple[object, object, object]]:
        return (yield from beside(jobs("a", "c", "b"), positions("two", "one"), nothing()))

    found, numbers, silent = await store.write(unit)
    assert found == [(key, {"n": [key, None]}, AT) for key in "cba"]
    assert (numbers, silent) == ({"one": 1, "two": 20, "all": 2}, "nothing")


@pytest.mark.parametrize("keys", [(), ("b",), ("a", "none"), ("none",)])
@pytest.mark.parametrize("names", [(), ("one",), ("one", "two"), ("none",)])
async def test_they_find_what_they_find_alone(
    store: Store, keys: Sequence[str], names: Sequence[str]
) -> None:
    await store.write(filled)
    alone = (await store.write(lambda: jobs(*keys)), await store.write(lambda: positions(*names)))
    assert await store.write(lambda: beside(jobs(*keys), positions(*names))) == alone


async def test_a_work_may_go_on_longer_than_the_others(store: Store) -> None:
    await store.write(filled)
    found = await store.look(lambda: beside(ahead("one", 3), ahead("two", 1), ahead("two", 0)))
    assert found == (3, 20, 0)


async def test_what_was_written_before_is_seen(store: Store) -> None:
    def unit() -> Work[tuple[object, object]]:
        yield from filled()
        return (yield from beside(jobs("a"), positions("one")))

    found, numbers = await store.write(unit)
    assert found == [("a", {"n": ["a", None]}, AT)]
    assert numbers == {"one": 1, "all": 2}


def test_reads_are_asked_together_and_the_rest_alone() -> None:
    work = beside(jobs("a"), positions("one", "two"), ahead("two", 1))
    first = next(work)
    assert isinstance(first, Beside)
    assert len(first.reads) == 3
    row = first.reads[2].hot.on(DIALECT).rows([(20, "two")])
    second: Step = work.send([[], [], row])
    assert not isinstance(second, Beside)
    with pytest.raises(StopIteration) as end:
        work.send([])
    assert end.value.value == ([], {"all": 0}, 20)


def test_the_fault_of_one_is_the_fault_of_all() -> None:
    def broken() -> Work[None]:
        yield CURSORS(["one"])
        raise LookupError("gone")

    work = beside(jobs("a"), broken())
    next(work)
    with pytest.raises(LookupError, match="gone"):
        work.send([[], []])


def test_values_keep_their_places_in_the_one_statement() -> None:
    work = beside(jobs("a", "b"), positions("one"))
    step = next(work)
    assert isinstance(step, Beside)
    one = joined(tuple(read.hot for read in step.reads), DIALECT)
    assert one.values(step.reads) == [["a", "b"], "one"]
    assert "ANY ($1" in one.sql
    assert "$2" in one.sql
    assert one.sql.count("FULL JOIN") == 1
