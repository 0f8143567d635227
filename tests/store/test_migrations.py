"""The migrations make exactly the tables that the code describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

import madoguchi.app  # noqa: F401 - loads every room's tables
from madoguchi.bus import Hints
from madoguchi.store import postgres, sqlite
from madoguchi.store.opening import FolderLock, InUse, open_postgres, open_sqlite, upgrade
from madoguchi.store.tables import metadata
from madoguchi.store.work import Unavailable
from tests.support.ports import free_port


def differences(connection: Connection) -> list[Any]:
    """Return what alembic would change."""
    upgrade(connection)
    upgrade(connection)
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def partial(connection: Connection) -> dict[str, bool]:
    """Return index name → has it a condition; alembic does not compare those."""
    return {
        str(index["name"]): any("where" in option for option in index.get("dialect_options", {}))
        for table in metadata.tables
        for index in inspect(connection).get_indexes(table)
    }


def described(dialect: str) -> dict[str, bool]:
    """Return the same as the metadata say it."""
    return {
        str(index.name): index.dialect_options[dialect]["where"] is not None
        for table in metadata.tables.values()
        for index in table.indexes
    }


def test_upgrade_equals_the_metadata_on_sqlite(tmp_path: Path) -> None:
    engine = sqlite.engine_for(tmp_path / "test.db")
    try:
        with engine.begin() as connection:
            assert differences(connection) == []
            assert described("sqlite").items() <= partial(connection).items()
    finally:
        engine.dispose()


@pytest.mark.postgres
async def test_upgrade_equals_the_metadata_on_postgresql(pg_database: str) -> None:
    engine = postgres.engine_for(pg_database)
    try:
        async with engine.begin() as connection:
            assert await connection.run_sync(differences) == []
            found = await connection.run_sync(partial)
            assert described("postgresql").items() <= found.items()
    finally:
        await engine.dispose()


async def test_a_folder_has_one_server(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "data")
    with pytest.raises(InUse, match="data"):
        FolderLock(tmp_path / "data")
    lock.close()
    FolderLock(tmp_path / "data").close()


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "test.db").write_bytes(b"this is no database, but long enough to be one" * 100)
    with pytest.raises(Unavailable, match=r"test\.db"):
        await open_sqlite(tmp_path / "test.db", Hints())
    with pytest.raises(Unavailable):
        await open_sqlite(tmp_path / "missing" / "test.db", Hints())


@pytest.mark.postgres
async def test_a_database_that_cannot_be_opened_is_unavailable(pg_database: str) -> None:
    base, _, _ = pg_database.rpartition("/")
    nobody = f"postgresql://nobody@{base.rpartition('@')[2]}/postgres"
    for dsn in (f"{base}/missing", nobody, f"postgresql://app@127.0.0.1:{free_port()}/x"):
        with pytest.raises(Unavailable):
            await open_postgres(dsn, Hints())
