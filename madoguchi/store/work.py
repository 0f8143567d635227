"""Units of work as data: generators that yield statements and receive rows.

::

    def rename(id: Id, name: str) -> Work[int]:
        rows = yield select(customer.c.version).where(customer.c.id == id)
        ...
        yield update(customer).where(customer.c.id == id).values(name=name)
        return version + 1

    await store.write(lambda: rename(id, name))

A unit may run more than once (after a conflict), hence the factory; it must have no effect but
its statements.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable
from sqlalchemy.sql.dml import UpdateBase

from madoguchi.model.log import LogEntry
from madoguchi.store.hot import Bound
from madoguchi.store.journal import Journal
from madoguchi.store.tables import HINTED

T = TypeVar("T")

Rows = Sequence[Any]
"""Rows with their columns as attributes: SQLAlchemy's, or a hot statement's named tuples. Of
:class:`Beside` the rows of each of its reads.
"""


@dataclass(frozen=True, slots=True)
class Many:
    """One statement with many parameter rows; nothing happens when ``rows`` is empty."""

    statement: UpdateBase
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Append:
    """Entries for the log. Wherever a unit yields them, they are written and numbered last, so
    that the order of positions is the order of commits.
    """

    entries: Sequence[LogEntry]


@dataclass(frozen=True, slots=True)
class Beside:
    """Reads that are asked at once (:mod:`madoguchi.store.beside`); each answers with its rows."""

    reads: Sequence[Bound]


Step = Executable | Many | Bound | Append | Beside
Work = Generator[Step, Rows, T]


class Conflict(Exception):
    """Somebody else changed or made the same row first; running the unit again may help."""


class Clash(Conflict):
    """The database itself refused a row; the text is in its words, for the log only."""


class Unavailable(Exception):
    """The database cannot be reached or refuses to write; nothing was stored."""


class Store(Protocol):
    """What rooms know of the database."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``; for repositories with a hot statement of their own."""
        ...

    @property
    def journal(self) -> Journal:
        """The log as this process knows it."""
        ...

    async def write(self, unit: Callable[[], Work[T]], *, attempts: int = 5) -> T:
        """Run a unit in one transaction; return its result after the commit.

        A unit that ends in Conflict is run again, ``attempts`` times in all. Raises Unavailable
        when the database is out of reach, and whatever the unit raises, with nothing stored.
        """
        ...

    async def run(self, step: Bound) -> Rows:
        """Run one hot statement as a transaction of its own. Raises Conflict, Unavailable."""
        ...

    async def read(self, unit: Callable[[], Work[T]]) -> T:
        """Run a unit that only selects, on a consistent snapshot."""
        ...

    async def look(self, unit: Callable[[], Work[T]]) -> T:
        """Run a unit of few, small, indexed selects that need not be of one moment.

        Cheaper than :meth:`read`: no transaction, and on SQLite no other thread, so the event
        loop waits for it.
        """
        ...

    async def close(self) -> None:
        """Finish the waiting units and let go of the database."""
        ...


def touched(step: Step) -> str | None:
    """Return the name of the table that a step writes, None for selects and what is no news."""
    if isinstance(step, Bound):
        return step.hot.table if step.rows and step.hot.news else None
    if isinstance(step, Append):
        return "log" if step.entries else None
    if isinstance(step, Beside) or (isinstance(step, Many) and not step.rows):
        return None
    statement = step.statement if isinstance(step, Many) else step
    if isinstance(statement, UpdateBase):
        return str(getattr(statement.table, "name", ""))
    return None


@dataclass(slots=True)
class Told:
    """What a unit has to tell others once it is committed: hinted tables, entries for the log."""

    topics: set[str] = field(default_factory=set)
    entries: list[LogEntry] = field(default_factory=list)

    def takes(self, step: Step) -> bool:
        """Note a step; return whether that is all there is to do about it for now."""
        name = touched(step)
        if name in HINTED:
            self.topics.add(name)
        if isinstance(step, Append):
            self.entries += step.entries
        return isinstance(step, Append)


def only(rows: Rows) -> Any | None:
    """Return the first row or None."""
    return rows[0] if rows else None
