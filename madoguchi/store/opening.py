"""Opening a database: the folder's lock, the schema's newest revision, the right engine."""

import asyncio
import fcntl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from madoguchi.bus import Hints
from madoguchi.store import postgres, sqlite
from madoguchi.store.postgres import PostgresStore
from madoguchi.store.sqlite import SqliteStore
from madoguchi.store.work import Unavailable


class InUse(Exception):
    """Another server works in this data folder."""


class FolderLock:
    """An exclusive lock on a data folder; the system lets go of it when the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            self._file.close()
            raise InUse(f"another server is using the folder {folder}") from fault

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision."""
    config = Config()
    config.set_main_option("script_location", "madoguchi:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def open_sqlite(path: Path, hints: Hints) -> SqliteStore:
    """Open a SQLite database, made and migrated when needed. Raises Unavailable."""

    def migrate() -> None:
        engine = sqlite.engine_for(path)
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()

    await _guarded(lambda: asyncio.to_thread(migrate), f"cannot open {path}")
    return SqliteStore(path, hints)


async def open_postgres(dsn: str, hints: Hints) -> PostgresStore:
    """Open a PostgreSQL database, migrated when needed. Raises Unavailable."""

    async def migrate() -> None:
        engine = postgres.engine_for(dsn)
        try:
            async with engine.begin() as connection:
                # Of several processes that start at once, one migrates and the others wait for it.
                await connection.execute(select(func.pg_advisory_xact_lock(7_301, 0)))
                await connection.run_sync(upgrade)
        finally:
            await engine.dispose()

    await _guarded(migrate, "cannot reach the database")
    return PostgresStore(dsn, hints)


async def _guarded(work: Callable[[], Awaitable[None]], what: str) -> None:
    try:
        await work()
    except DBAPIError as fault:
        raise Unavailable(f"{what}: {fault.orig}") from fault
    except (OSError, TimeoutError) as fault:
        raise Unavailable(f"{what}: {fault}") from fault
