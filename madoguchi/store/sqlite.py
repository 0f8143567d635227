"""SQLite: one writer thread owns the only writing connection, readers have snapshots.

The writer takes every unit that waits, runs each in a savepoint of one transaction, numbers their
log entries, commits once (synchronous FULL) and only then answers.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from madoguchi.bus import Hints
from madoguchi.model.log import NumberedEntry
from madoguchi.store import log
from madoguchi.store.hot import Bound
from madoguchi.store.journal import Journal
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

BATCH = 256
READERS = 4
CHECKPOINT_S = 0.5
WAL_PAGES = 16_000
"""When the log of changes is so long (64 MB) the writer folds it in itself, whoever waits."""
DIALECT = dialects.dialect()
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


@dataclass(slots=True)
class _Told(Told):
    """What a transaction's units have to tell, and the places that their entries got."""

    numbered: list[NumberedEntry] = field(default_factory=list)


def engine_for(path: Path, *, query_only: bool = False) -> Engine:
    """Return an engine whose connections are WAL, FULL and under manual transaction control."""
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"cached_statements": 512}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        if query_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


def _lost(fault: BaseException | None) -> bool:
    """Tell whether a fault is the database's and not the statement's."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF in _LOST


class Session:
    """One connection, through SQLAlchemy and, for hot statements, the driver itself."""

    def __init__(self, engine: Engine) -> None:
        self.connection: Connection = engine.connect().execution_options(close_on_gc=False)
        driver: Any = self.connection.connection.dbapi_connection
        self.plain: sqlite3.Connection = driver

    def execute(self, step: Step) -> Rows:
        """Run one step; return its rows, none for statements without."""
        if isinstance(step, Bound):
            return self._hot(step)
        if isinstance(step, Beside):
            return [self._hot(read) for read in step.reads]
        if isinstance(step, Many):
            if not step.rows:
                return []
            result = self.connection.execute(step.statement, list(step.rows))
        elif isinstance(step, Append):
            raise TypeError("only a writing unit can tell the log something")
        else:
            result = self.connection.execute(step)
        return result.all() if result.returns_rows else []

    def _hot(self, step: Bound) -> Rows:
        if not step.rows:
            return []
        compiled = step.hot.on(DIALECT)
        if step.many:
            self.plain.executemany(compiled.sql, map(compiled.values, step.rows))
            return []
        return compiled.rows(self.plain.execute(compiled.sql, compiled.values(step.rows[0])))

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def drive(session: Session, work: Work[T], told: Told) -> T:
    """Run a unit to its end on one connection; gather what it has to tell."""
    rows: Rows | None = None
    while True:
        try:
            step = next(work) if rows is None else work.send(rows)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        rows = [] if told.takes(step) else session.execute(step)


class SqliteStore:
    """The store of one process on one machine."""

    dialect = "sqlite"

    def __init__(self, path: Path, hints: Hints) -> None:
        self._hints = hints
        self._inbox: queue.SimpleQueue[_Posted | None] = queue.SimpleQueue()
        self._engine = engine_for(path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._reading = engine_for(path, query_only=True)
        self._local = threading.local()
        self._open: list[Session] = []
        self._looking: Session | None = None
        self._position: int | None = None
        self._folded = 0.0
        self._folding: asyncio.Future[None] | None = None
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self.journal = Journal(
            lambda position, limit: self.look(lambda: log.after(position, limit=limit)),
            lambda: self.read(log.head),
        )
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

    async def run(self, step: Bound) -> Rows:
        """Run one hot statement as a unit of its own."""
        return await self.write(lambda: _alone(step))

    async def read(self, unit: Callable[[], Work[T]]) -> T:
        """Run a selecting unit on a reader thread."""
        return await self._loop.run_in_executor(self._readers, self._read, unit)

    async def look(self, unit: Callable[[], Work[T]]) -> T:
        """Run a small selecting unit right here: handing it to a thread would cost more."""
        if self._looking is None:
            self._looking = self._opened()
        try:
            return drive(self._looking, unit(), _Told())
        except (DBAPIError, sqlite3.Error) as fault:
            raise _translated(fault) from fault
        finally:
            if self._looking.connection.in_transaction():
                self._looking.connection.rollback()

    async def close(self) -> None:
        """Finish what waits, then close all connections."""
        self._closing = True
        self._inbox.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._readers.shutdown(wait=True)
        for session in self._open:
            session.close()
        self._engine.dispose()
        self._reading.dispose()

    def _opened(self) -> Session:
        session = Session(self._reading)
        self._open.append(session)
        return session

    def _read(self, unit: Callable[[], Work[T]]) -> T:
        session = self._here()
        try:
            with session.connection.begin():
                return drive(session, unit(), _Told())
        except (DBAPIError, sqlite3.Error) as fault:
            raise _translated(fault) from fault

    def _here(self) -> Session:
        """Return the reading connection of this thread."""
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._opened()
        return session

    def _run(self) -> None:
        session = Session(self._engine)
        try:
            while True:
                batch, last = self._take()
                if batch:
                    self._answer(batch, self._commit(session, batch))
                if last:
                    return
        finally:
            session.close()

    def _take(self) -> tuple[list[_Posted], bool]:
        batch = [self._inbox.get()]
        while len(batch) < BATCH and batch[-1] is not None:
            try:
                batch.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return [p for p in batch if p is not None], batch[-1] is None

    def _commit(self, session: Session, batch: list[_Posted]) -> _Told:
        """Run a batch in one transaction; when the commit fails, nobody's unit was stored."""
        told = _Told()
        try:
            with session.connection.begin():
                for posted in batch:
                    self._one(session, posted, told)
                if told.numbered:
                    session.execute(log.move_head(told.numbered[-1].position))
        except (DBAPIError, sqlite3.Error) as fault:
            self._position = None
            for posted in batch:
                posted.fault = posted.fault or Unavailable(f"the database refuses: {fault}")
            return _Told()
        return told

    def _one(self, session: Session, posted: _Posted, told: _Told) -> None:
        session.plain.execute("SAVEPOINT unit")
        mine = _Told()
        try:
            posted.result = drive(session, posted.unit(), mine)
            self._number(session, mine)
        except (IntegrityError, sqlite3.IntegrityError) as fault:
            posted.fault = Clash(str(getattr(fault, "orig", fault)))
        except BaseException as fault:
            if isinstance(fault, DBAPIError | sqlite3.Error) and _lost(_orig(fault)):
                raise
            posted.fault = fault
        if posted.fault is not None:
            session.plain.execute("ROLLBACK TO unit")
        else:
            told.topics |= mine.topics
            told.numbered += mine.numbered
            if mine.numbered:
                self._position = mine.numbered[-1].position
        session.plain.execute("RELEASE unit")

    def _number(self, session: Session, told: _Told) -> None:
        """Write a unit's entries behind the last place; there is nobody else who gives places."""
        if not told.entries:
            return
        if self._position is None:
            self._position = drive(session, log.head(), _Told())
        told.numbered = log.placed(self._position + 1, told.entries)
        session.execute(log.place(told.numbered))

    def _answer(self, batch: list[_Posted], told: _Told) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, batch, told)
        except RuntimeError:
            # The loop is closed: whoever waited is gone; what was committed stays.
            return

    def _deliver(self, batch: list[_Posted], told: _Told) -> None:
        self.journal.committed(told.numbered)
        for posted in batch:
            if posted.future.done():
                continue
            if posted.fault is not None:
                posted.future.set_exception(posted.fault)
            else:
                posted.future.set_result(posted.result)
        self._hints.publish(told.topics)
        self._fold()

    def _fold(self) -> None:
        """Fold the log of changes into the database every so often, beside the writer.

        A commit that did it would keep everybody behind it waiting for two more writes to disk.
        """
        now = self._loop.time()
        busy = self._folding is not None and not self._folding.done()
        if self._closing or busy or now - self._folded < CHECKPOINT_S:
            return
        self._folded = now
        self._folding = self._loop.run_in_executor(self._readers, self._checkpoint)

    def _checkpoint(self) -> None:
        # A fault here is met again by the next commit, which tells it to those who wait.
        with suppress(sqlite3.Error):
            self._here().plain.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _alone(step: Bound) -> Work[Rows]:
    return (yield step)


def _orig(fault: BaseException) -> BaseException | None:
    """Return the driver's own fault."""
    return fault.orig if isinstance(fault, DBAPIError) else fault


def _translated(fault: Exception) -> Exception:
    """Return what the store's contract calls a reader's fault."""
    return Unavailable(f"the database refuses: {_orig(fault)}") if _lost(_orig(fault)) else fault
