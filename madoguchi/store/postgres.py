"""PostgreSQL through asyncpg: a transaction per unit, LISTEN/NOTIFY as hints between processes."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar

import asyncpg
import orjson
from sqlalchemy import Dialect, exc, make_url
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from madoguchi.bus import Hints
from madoguchi.model.log import NumberedEntry
from madoguchi.store import log
from madoguchi.store.beside import joined
from madoguchi.store.hot import Bound
from madoguchi.store.journal import Journal
from madoguchi.store.tables import HINTED
from madoguchi.store.together import Together
from madoguchi.store.work import (
    Append,
    Beside,
    Clash,
    Conflict,
    Many,
    Rows,
    Step,
    Told,
    Unavailable,
    Work,
)

T = TypeVar("T")

CHANNEL = "madoguchi_hints"
CONNECTIONS = 15
PATIENCE_S = 3.0
FAREWELL_S = 2.0
LONGEST_S = 20.0
"""No unit takes so long; a connection that does not answer any more is given up."""
LISTENS_S = 15.0
"""So often the connection that only listens is asked whether it still lives."""
DEAD_AFTER_MS = 10_000
"""The kernel gives a connection up whose peer has not acknowledged anything for so long."""
FROZEN_MS = 10_000
"""A process that stands still within a transaction loses it: others wait for its locks."""
_RETRIED = {"40001", "40P01"}
"""Serialisation failure, deadlock: another unit was first."""
_LOST = ("08", "25006", "25P03", "53", "57P", "58")
"""SQLSTATEs (or their beginnings) of a database that is gone, stopping, full or read-only."""


_FAULTS = (
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


DIALECT: Dialect = dialects.dialect(  # type: ignore[no-untyped-call]
    json_serializer=_json, json_deserializer=orjson.loads
)


def engine_for(dsn: str) -> AsyncEngine:
    """Return an engine with orjson as its JSON codec; transactions are begun by hand."""
    return create_async_engine(
        make_url(dsn).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        json_serializer=_json,
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": 5,
            "statement_cache_size": 500,
            "prepared_statement_cache_size": 500,
            "server_settings": {
                "application_name": "madoguchi",
                "idle_in_transaction_session_timeout": str(FROZEN_MS),
            },
        },
    )


class Session:
    """One connection, through SQLAlchemy and, for hot statements, the driver itself.

    SQLAlchemy's side is in autocommit, so that transactions are the driver's alone.
    """

    def __init__(self, connection: AsyncConnection, plain: asyncpg.Connection) -> None:
        self.connection = connection
        self.plain = plain

    async def execute(self, step: Step) -> Rows:
        """Run one step; return its rows, none for statements without."""
        if isinstance(step, Bound):
            return await self._hot(step)
        if isinstance(step, Beside):
            return await self._beside(step.reads)
        if isinstance(step, Many):
            if not step.rows:
                return []
            result = await self.connection.execute(step.statement, list(step.rows))
        elif isinstance(step, Append):
            raise TypeError("only a writing unit can tell the log something")
        else:
            result = await self.connection.execute(step)
        return result.all() if result.returns_rows else []

    async def _hot(self, step: Bound) -> Rows:
        if not step.rows:
            return []
        compiled = step.hot.on(DIALECT)
        if step.many and len(step.rows) > 1:
            await self.plain.executemany(compiled.sql, [compiled.values(r) for r in step.rows])
            return []
        return compiled.rows(await self.plain.fetch(compiled.sql, *compiled.values(step.rows[0])))

    async def _beside(self, reads: Sequence[Bound]) -> Rows:
        """Ask several reads in one round trip; return the rows of each."""
        one = joined(tuple(read.hot for read in reads), DIALECT)
        return one.rows(await self.plain.fetch(one.sql, *one.values(reads)))

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Any]:
        """Run a statement of the driver's own; return its raw rows."""
        return await self.plain.fetch(sql, *values)  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Close the connection, whatever state it is in."""
        loop = asyncio.get_running_loop()
        farewell = loop.call_later(FAREWELL_S, self.plain.terminate)
        try:
            with suppress(exc.SQLAlchemyError, OSError, TimeoutError, asyncpg.PostgresError):
                if self.plain.is_closed():
                    await self.connection.invalidate()
                await self.connection.close()
        finally:
            farewell.cancel()


class Runs(Protocol):
    """What runs the steps of a unit."""

    async def execute(self, step: Step) -> Rows:
        """Run one step; return its rows."""
        ...


async def drive(session: Runs, work: Work[T], told: Told) -> T:
    """Run a unit to its end on one connection; gather what it has to tell."""
    rows: Rows | None = None
    while True:
        try:
            step = next(work) if rows is None else work.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        rows = [] if told.takes(step) else await session.execute(step)


def _translated(fault: BaseException) -> BaseException:
    """Return what the store's contract calls a fault; the fault itself when it is the unit's."""
    told = fault.orig if isinstance(fault, DBAPIError) else fault
    state = str(getattr(told, "sqlstate", "") or "")
    invalid = isinstance(fault, DBAPIError) and fault.connection_invalidated
    unique = isinstance(fault, IntegrityError | asyncpg.IntegrityConstraintViolationError)
    if unique:
        return Clash(str(told))
    if state in _RETRIED:
        return Conflict("another unit was first")
    if invalid or _gone(told) or state.startswith(_LOST):
        return Unavailable(f"the database is out of reach: {told}")
    return fault


def _gone(fault: BaseException | None) -> bool:
    """Tell whether a fault is the connection's: nothing more can be asked on it."""
    if isinstance(fault, OSError | TimeoutError | asyncpg.InternalClientError):
        return True
    return isinstance(fault, asyncpg.InterfaceError) and not isinstance(fault, ValueError)


def _watch_peer(plain: asyncpg.Connection) -> None:
    """Let the kernel notice a peer that is gone without a word: a host without power, a forgotten
    translation of addresses. The driver has no setting for it.
    """
    transport = getattr(plain, "_transport", None)
    end = transport.get_extra_info("socket") if transport is not None else None
    if end is None or end.family == getattr(socket, "AF_UNIX", None):
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 10),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", DEAD_AFTER_MS),
    ):
        if hasattr(socket, name):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class PostgresStore:
    """The store of production; several processes may share one database.

    A connection that has not answered a unit for ``longest_s`` is given up, and one that listens
    when it has not answered for as long; it is asked every ``listens_s``.
    """

    dialect = "postgresql"
    longest_s = LONGEST_S
    listens_s = LISTENS_S

    def __init__(self, dsn: str, hints: Hints) -> None:
        self._dsn = dsn
        self._hints = hints
        self._engine = engine_for(dsn)
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[Session] = []
        self._topics: set[str] = set()
        self._wake = asyncio.Event()
        self._name = secrets.token_hex(8)
        self.journal = Journal(
            lambda position, limit: self.look(lambda: log.after(position, limit=limit)),
            lambda: self.look(log.head),
        )

    async def write(self, unit: Callable[[], Work[T]], *, attempts: int = 5) -> T:
        """Run a unit in a transaction of its own; see :class:`madoguchi.store.work.Store`."""
        for left in range(attempts - 1, -1, -1):
            try:
                return await self._write(unit)
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def run(self, step: Bound) -> Rows:
        """Run one hot statement: it is its own transaction, in one round trip."""
        async with self._session() as session:
            rows = await session.execute(step)
        self._told({str(step.hot.table)} & HINTED)
        return rows

    async def read(self, unit: Callable[[], Work[T]]) -> T:
        """Run a selecting unit; REPEATABLE READ, so that all its rows are of one moment."""
        async with (
            self._session() as session,
            session.plain.transaction(isolation="repeatable_read"),
        ):
            return await drive(session, unit(), Told())

    async def look(self, unit: Callable[[], Work[T]]) -> T:
        """Run a selecting unit, each statement for itself."""
        async with self._session() as session:
            return await drive(session, unit(), Told())

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        idle, self._idle = self._idle, []
        for session in idle:
            await session.close()
        await self._engine.dispose()

    async def notify(self) -> None:
        """Tell other processes what grew, on a connection of its own, coalesced; run as a task."""
        connection = await asyncpg.connect(self._plain_dsn(), timeout=5)
        _watch_peer(connection)
        try:
            await connection.add_listener(CHANNEL, self._heard)
            connection.add_termination_listener(lambda _: self._wake.set())
            # Whatever was said while nobody listened: everybody looks once.
            self.journal.doubt()
            self._hints.publish(HINTED)
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.listens_s):
                        await self._wake.wait()
                self._wake.clear()
                if connection.is_closed():
                    raise Unavailable("the connection that hears other processes was cut")
                topics, self._topics = self._topics, set()
                told = ",".join([self._name, *sorted(topics)])
                await self._say(connection, told)
        finally:
            with suppress(Exception):
                await connection.close(timeout=FAREWELL_S)

    async def _say(self, connection: asyncpg.Connection, told: str) -> None:
        """Tell other processes, or at least ask the connection whether it lives."""
        silent = asyncio.get_running_loop().call_later(self.longest_s, connection.terminate)
        try:
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, told)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
            raise Unavailable("the connection that hears other processes is silent") from fault
        finally:
            silent.cancel()

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        who, *topics = payload.split(",")
        if who == self._name:
            return
        if "log" in topics:
            self.journal.doubt()
        self._hints.publish(topic for topic in topics if topic in HINTED)

    def _plain_dsn(self) -> str:
        url = make_url(self._dsn).set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """Give a connection; faults inside become those of the store's contract.

        A connection comes back for the next unit unless something went wrong with it: a unit
        that was cancelled or lost its database leaves one that nobody may use again.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._free.acquire()
        except TimeoutError as fault:
            raise Unavailable("the database is busy: all connections are in use") from fault
        session: Session | None = None
        silent: asyncio.TimerHandle | None = None
        try:
            session = await self._take()
            # Ended by the connection, not by cancelling: a cancelled statement waits for an answer.
            loop = asyncio.get_running_loop()
            silent = loop.call_later(self.longest_s, session.plain.terminate)
            yield session
        except asyncio.CancelledError:
            # Cancelled in its BEGIN, the driver would take the next unit for a part of this one.
            if session is not None:
                session.plain.terminate()
            raise
        except _FAULTS as fault:
            if session is not None and _gone(fault):
                session.plain.terminate()
            told = _translated(fault)
            if told is fault:
                raise
            raise told from fault
        finally:
            if silent is not None:
                silent.cancel()
            self._free.release()
            if session is not None:
                await self._give_back(session)

    async def _take(self) -> Session:
        while self._idle:
            session = self._idle.pop()
            if not session.plain.is_closed():
                return session
            await session.close()
        try:
            connection = await self._engine.connect()
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = await connection.get_raw_connection()
        except (exc.SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError) as fault:
            raise Unavailable(f"the database is out of reach: {fault}") from fault
        plain: Any = raw.driver_connection
        _watch_peer(plain)
        return Session(connection, plain)

    async def _give_back(self, session: Session) -> None:
        broken = session.plain.is_closed() or session.connection.invalidated
        if broken or session.plain.is_in_transaction():
            await session.close()
        else:
            self._idle.append(session)

    async def _write(self, unit: Callable[[], Work[T]]) -> T:
        told = Told()
        numbered: list[NumberedEntry] = []
        async with self._session() as session, session.plain.transaction():
            together = Together(DIALECT, session.execute, session.fetch)
            result = await drive(together, unit(), told)
            if told.entries:
                first = await drive(together, log.number(told.entries), Told())
                numbered = log.placed(first, told.entries)
            await together.settle()
        self.journal.committed(numbered)
        self._told(told.topics)
        return result

    def _told(self, topics: set[str]) -> None:
        if topics:
            self._hints.publish(topics)
            self._topics |= topics
            self._wake.set()
