"""A store alone, on either engine, and statements that tests write with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select

from madoguchi.bus import Hints
from madoguchi.store.opening import open_postgres, open_sqlite
from madoguchi.store.tables import cursor
from madoguchi.store.work import Store, Work


@asynccontextmanager
async def opened(folder: Path, database: str, hints: Hints | None = None) -> AsyncIterator[Store]:
    """Give a migrated store and close it afterwards."""
    hints = hints or Hints()
    store: Store
    if database:
        store = await open_postgres(database, hints)
    else:
        store = await open_sqlite(folder / "test.db", hints)
    try:
        yield store
    finally:
        await store.close()


def mark(name: str, position: int = 1) -> Work[int]:
    """Insert a row that tests count; a second one of the same name is a conflict."""
    yield cursor.insert().values(consumer=name, domain=1, position=position)
    return position


def marks() -> Work[dict[str, int]]:
    """Return the names and positions of all such rows."""
    rows = yield select(cursor.c.consumer, cursor.c.position)
    return {r.consumer: r.position for r in rows}
