"""Values come back as they were stored, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from madoguchi.clock import from_micros, to_micros
from madoguchi.store.tables import job
from madoguchi.store.work import Many, Store, Work

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2300, 1, 1), timezones=ZONES)  # noqa: DTZ001
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15, allow_nan=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
DOCUMENTS = st.dictionaries(
    TEXTS,
    st.recursive(LEAVES, lambda d: st.lists(d, max_size=3) | st.dictionaries(TEXTS, d, max_size=3)),
    max_size=3,
)


def generated(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Return examples of a strategy; the store is asked once for all of them."""
    found: list[Any] = []

    @settings(max_examples=count, deadline=None, database=None)
    @given(strategy)
    def collect(one: Any) -> None:
        found.append(one)

    collect()
    return found


async def test_moments_and_documents_round_trip(store: Store) -> None:
    pairs = generated(st.tuples(MOMENTS, DOCUMENTS), 200)

    def unit() -> Work[list[Any]]:
        rows = [
            {"domain": 1, "kind": "k", "key": str(n), "data": data, "due_at": at, "attempts": 0}
            for n, (at, data) in enumerate(pairs)
        ]
        yield Many(job.insert(), rows)
        return list((yield select(job).order_by(job.c.id)))

    rows = await store.write(unit)
    assert [(r.due_at, r.data) for r in rows] == pairs
    assert all(r.due_at.tzinfo is UTC for r in rows)


async def test_order_of_moments_is_order_of_rows(store: Store) -> None:
    moments = generated(MOMENTS, 100)

    def unit() -> Work[list[datetime]]:
        rows = [
            {"domain": 1, "kind": "k", "key": str(n), "data": {}, "due_at": at, "attempts": 0}
            for n, at in enumerate(moments)
        ]
        yield Many(job.insert(), rows)
        return [r.due_at for r in (yield select(job.c.due_at).order_by(job.c.due_at))]

    assert await store.write(unit) == sorted(moments)


async def test_a_naive_moment_is_refused(store: Store) -> None:
    naive = datetime(2026, 11, 22, 5, 0)  # noqa: DTZ001

    def unit() -> Work[None]:
        yield job.insert().values(domain=1, kind="k", key="1", data={}, due_at=naive, attempts=0)

    with pytest.raises(Exception, match="naive datetime"):
        await store.write(unit)
    with pytest.raises(Exception, match="naive datetime"):
        await store.read(lambda: _due_before(naive))


def _due_before(moment: datetime) -> Work[None]:
    yield select(job).where(job.c.due_at < moment)


@given(st.integers(-(5 * 10**16), 10**17))
def test_microseconds_are_exact(micros: int) -> None:
    moment = from_micros(micros)
    assert to_micros(moment) == micros
    assert moment.tzinfo is UTC
    assert from_micros(to_micros(moment)) == moment
