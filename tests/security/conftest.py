"""The same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """The hub's MADOGUCHI_DATABASE: empty for SQLite, an empty PostgreSQL database otherwise."""
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("pg_database"))
