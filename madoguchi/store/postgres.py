"""PostgreSQL through asyncpg: a transaction per unit, LISTEN/NOTIFY as hints between processes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg
import orjson
from sqlalchemy import exc, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from madoguchi.bus import Hints
from madoguchi.store.tables import HINTED
from madoguchi.store.work import Clash, Conflict, Many, Raw, Rows, Step, Unavailable, Work, touched

T = TypeVar("T")

CHANNEL = "madoguchi_hints"
_RETRIED = {"40001", "40P01", "23505"}
"""Serialisation failure, deadlock, unique violation: another unit was first."""
_LOST = ("08", "25006", "53", "57P", "58")
"""SQLSTATEs (or their beginnings) of a database that is gone, stopping, full or read-only."""


def engine_for(dsn: str) -> AsyncEngine:
    """Return an engine with orjson as its JSON codec and a pool that survives a restart."""
    return create_async_engine(
        make_url(dsn).set(drivername="postgresql+asyncpg"),
        pool_size=10,
        max_overflow=5,
        pool_timeout=3,
        pool_pre_ping=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"timeout": 5, "server_settings": {"application_name": "madoguchi"}},
    )


async def execute(connection: AsyncConnection, step: Step) -> Rows:
    """Run one step; return its rows, none for statements without."""
    if isinstance(step, Many):
        if not step.rows:
            return []
        result = await connection.execute(step.statement, list(step.rows))
    elif isinstance(step, Raw):
        result = await connection.execute(step.statement)
    else:
        result = await connection.execute(step)
    return result.all() if result.returns_rows else []


async def drive(connection: AsyncConnection, work: Work[T], topics: set[str]) -> T:
    """Run a unit to its end on one connection; note the hinted tables that it wrote."""
    rows: Rows | None = None
    while True:
        try:
            step = next(work) if rows is None else work.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        name = touched(step)
        if name in HINTED:
            topics.add(name)
        rows = await execute(connection, step)


def _translated(fault: DBAPIError) -> Exception:
    """Return what the store's contract calls a fault; the fault itself when it is the unit's."""
    state = str(getattr(fault.orig, "sqlstate", "") or "")
    if isinstance(fault, IntegrityError) or state in _RETRIED:
        return Clash(str(fault.orig))
    if fault.connection_invalidated or state.startswith(_LOST):
        return Unavailable(f"the database is out of reach: {fault.orig}")
    return fault


class PostgresStore:
    """The store of production; several processes may share one database."""

    dialect = "postgresql"

    def __init__(self, dsn: str, hints: Hints) -> None:
        self._dsn = dsn
        self._hints = hints
        self._engine = engine_for(dsn)
        self._topics: set[str] = set()
        self._wake = asyncio.Event()

    async def write(self, unit: Callable[[], Work[T]], *, attempts: int = 5) -> T:
        """Run a unit in a transaction of its own; see :class:`madoguchi.store.work.Store`."""
        for left in range(attempts - 1, -1, -1):
            try:
                return await self._write(unit)
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read(self, unit: Callable[[], Work[T]]) -> T:
        """Run a selecting unit; REPEATABLE READ, so that all its rows are of one moment."""
        async with self._connected() as connection:
            snapshot = await connection.execution_options(isolation_level="REPEATABLE READ")
            async with snapshot.begin():
                return await drive(snapshot, unit(), set())

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()

    async def notify(self) -> None:
        """Tell other processes what grew, on a connection of its own, coalesced; run as a task."""
        connection = await asyncpg.connect(self._plain_dsn(), timeout=5)
        try:
            await connection.add_listener(CHANNEL, self._heard)
            while True:
                await self._wake.wait()
                self._wake.clear()
                topics, self._topics = self._topics, set()
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, ",".join(topics))
        finally:
            with suppress(Exception):
                await connection.close(timeout=2)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        self._hints.publish(topic for topic in payload.split(",") if topic in HINTED)

    def _plain_dsn(self) -> str:
        url = make_url(self._dsn).set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection; faults inside become those of the store's contract."""
        try:
            connection = await self._engine.connect()
        except (exc.SQLAlchemyError, OSError, TimeoutError) as fault:
            raise Unavailable(f"the database is out of reach: {fault}") from fault
        try:
            yield connection
        except DBAPIError as fault:
            told = _translated(fault)
            if told is fault:
                raise
            raise told from fault
        except (ConnectionError, TimeoutError) as fault:
            raise Unavailable(f"the database is out of reach: {fault}") from fault
        finally:
            await connection.close()

    async def _write(self, unit: Callable[[], Work[T]]) -> T:
        topics: set[str] = set()
        async with self._connected() as connection, connection.begin():
            result = await drive(connection, unit(), topics)
        if topics:
            self._hints.publish(topics)
            self._topics |= topics
            self._wake.set()
        return result
