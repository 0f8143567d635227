"""SQLite: one writer thread owns the only writing connection, readers have snapshots.

The writer takes every unit that waits, runs each in a savepoint of one transaction, numbers the
new log rows, commits once (synchronous FULL) and only then answers.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from madoguchi.bus import Hints
from madoguchi.store import log
from madoguchi.store.tables import HINTED
from madoguchi.store.work import Clash, Conflict, Many, Raw, Rows, Step, Unavailable, Work, touched

T = TypeVar("T")

BATCH = 256
READERS = 4
_LOST = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
"""Primary result codes of a database that refuses everybody, not just one statement."""


@dataclass(slots=True)
class _Posted:
    """A unit on its way through the writer, with the future of the one who waits."""

    unit: Callable[[], Work[Any]]
    future: asyncio.Future[Any]
    result: Any = None
    fault: BaseException | None = None


def engine_for(path: Path, *, query_only: bool = False) -> Engine:
    """Return an engine whose connections are WAL, FULL and under manual transaction control."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA cache_size = -16000")
        if query_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


def _lost(fault: DBAPIError) -> bool:
    """Tell whether a fault is the database's and not the statement's."""
    return getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF in _LOST


def execute(connection: Connection, step: Step) -> Rows:
    """Run one step; return its rows, none for statements without."""
    if isinstance(step, Many):
        if not step.rows:
            return []
        result = connection.execute(step.statement, list(step.rows))
    elif isinstance(step, Raw):
        result = connection.execute(step.statement)
    else:
        result = connection.execute(step)
    return result.all() if result.returns_rows else []


def drive(connection: Connection, work: Work[T], topics: set[str]) -> T:
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
        rows = execute(connection, step)


class SqliteStore:
    """The store of one process on one machine."""

    dialect = "sqlite"

    def __init__(self, path: Path, hints: Hints) -> None:
        self._path = path
        self._hints = hints
        self._inbox: queue.SimpleQueue[_Posted | None] = queue.SimpleQueue()
        self._engine = engine_for(path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._reading = engine_for(path, query_only=True)
        self._local = threading.local()
        self._open: list[Connection] = []
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, unit: Callable[[], Work[T]], *, attempts: int = 5) -> T:
        """Post a unit to the writer; see :class:`madoguchi.store.work.Store`."""
        for left in range(attempts - 1, -1, -1):
            future: asyncio.Future[T] = self._loop.create_future()
            self._inbox.put(_Posted(unit, future))
            try:
                return await future
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read(self, unit: Callable[[], Work[T]]) -> T:
        """Run a selecting unit on a reader thread."""
        return await self._loop.run_in_executor(self._readers, self._read, unit)

    async def close(self) -> None:
        """Finish what waits, then close all connections."""
        self._inbox.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._readers.shutdown(wait=True)
        for connection in self._open:
            connection.close()
        self._engine.dispose()
        self._reading.dispose()

    def _read(self, unit: Callable[[], Work[T]]) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._reading.connect().execution_options(close_on_gc=False)
            self._local.connection = connection
            self._open.append(connection)
        try:
            with connection.begin():
                return drive(connection, unit(), set())
        except DBAPIError as fault:
            if _lost(fault):
                raise Unavailable(f"the database refuses: {fault.orig}") from fault
            raise

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while True:
                batch, last = self._take()
                if batch:
                    self._answer(batch, self._commit(connection, batch))
                if last:
                    return

    def _take(self) -> tuple[list[_Posted], bool]:
        batch = [self._inbox.get()]
        while len(batch) < BATCH and batch[-1] is not None:
            try:
                batch.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return [p for p in batch if p is not None], batch[-1] is None

    def _commit(self, connection: Connection, batch: list[_Posted]) -> set[str]:
        """Run a batch in one transaction; when the commit fails, nobody's unit was stored."""
        topics: set[str] = set()
        try:
            with connection.begin():
                for posted in batch:
                    self._one(connection, posted, topics)
                if "log" in topics:
                    drive(connection, log.number_own(), set())
        except DBAPIError as fault:
            for posted in batch:
                posted.fault = posted.fault or Unavailable(f"the database refuses: {fault.orig}")
            return set()
        return topics

    def _one(self, connection: Connection, posted: _Posted, topics: set[str]) -> None:
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            posted.result = drive(connection, posted.unit(), topics)
        except IntegrityError as fault:
            posted.fault = Clash(str(fault.orig))
        except BaseException as fault:
            if isinstance(fault, DBAPIError) and _lost(fault):
                raise
            posted.fault = fault
        if posted.fault is not None:
            connection.exec_driver_sql("ROLLBACK TO unit")
        connection.exec_driver_sql("RELEASE unit")

    def _answer(self, batch: list[_Posted], topics: set[str]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, batch, topics)
        except RuntimeError:
            # The loop is closed: whoever waited is gone; what was committed stays.
            return

    def _deliver(self, batch: list[_Posted], topics: set[str]) -> None:
        for posted in batch:
            if posted.future.done():
                continue
            if posted.fault is not None:
                posted.future.set_exception(posted.fault)
            else:
                posted.future.set_result(posted.result)
        self._hints.publish(topics)
