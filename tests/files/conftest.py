"""The same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from madoguchi.store.work import Store
from tests.support.stores import opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """The hub's MADOGUCHI_DATABASE: empty for SQLite, an empty PostgreSQL database otherwise."""
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("pg_database"))


@pytest_asyncio.fixture
async def store(tmp_path: Path, database: str) -> AsyncIterator[Store]:
    """An empty store."""
    async with opened(tmp_path, database) as one:
        yield one
