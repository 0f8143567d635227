"""Hot statements: built once, compiled once per engine, run by the driver itself.

A Core statement that is built for every message costs more to build, to hash and to unpack than
to run. A :class:`Hot` one is a constant of its repository; a unit of work yields it with values::

    _BY_ID = Hot(select(message).where(message.c.id == bindparam("id", type_=Key)))

    rows = yield _BY_ID(id=id)

Rows come back as named tuples. Types bind and unpack as in any other statement.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Executable,
    and_,
    bindparam,
    literal_column,
    or_,
)
from sqlalchemy.schema import Column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Processor = Callable[[Any], Any]


class Hot:
    """One statement; ``keys`` are the columns that an INSERT without values fills, ``table`` is
    what a textual one writes.
    """

    def __init__(self, statement: Executable, *keys: str, table: str | None = None) -> None:
        self.statement = statement
        self.keys = list(keys) or None
        self.table = table
        if isinstance(statement, UpdateBase):
            self.table = str(getattr(statement.table, "name", ""))
        self._compiled: dict[str, Compiled] = {}

    def __call__(self, **values: Any) -> "Bound":
        """Return the step that runs the statement with some values."""
        return Bound(self, (values,), False)

    def each(self, rows: Sequence[Values]) -> "Bound":
        """Return the step that runs the statement once per row of values; none: nothing."""
        return Bound(self, rows, True)

    def on(self, dialect: Dialect) -> "Compiled":
        """Return the statement as an engine takes it."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self, dialect)
        return found


@dataclass(frozen=True, slots=True)
class Bound:
    """A hot statement with its values: one step of a unit of work."""

    hot: Hot
    rows: Sequence[Values]
    many: bool


class Compiled:
    """A statement's SQL for one engine, and how values go in and rows come out."""

    def __init__(self, hot: Hot, dialect: Dialect) -> None:
        statement: Any = hot.statement
        compiled = statement.compile(dialect=dialect, column_keys=hot.keys)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{hot.statement} is no statement with values")
        self.sql = str(compiled)
        binds = {compiled.bind_names[bind]: bind for bind in compiled.bind_names}
        self._binds = [_binder(binds[name], name, dialect) for name in compiled.positiontup or ()]
        self._unpack = _unpacker(_columns(hot.statement), dialect)

    def values(self, row: Values) -> list[Any]:
        """Return what the driver is given for one row of values."""
        return [bind(row) for bind in self._binds]

    def rows(self, raw: Iterable[Sequence[Any]]) -> list[Any]:
        """Return a driver's rows as named tuples of Python values."""
        return self._unpack(raw)


class Listed:
    """A statement over a list of values whose length varies.

    ``make`` is given the list as parameters and returns the statement. Lengths are rounded up to
    powers of four by repeating the last value, so that an engine plans a handful of statements,
    each with its index, and not one per length.
    """

    def __init__(
        self,
        make: Callable[[list[Any]], Executable],
        *columns: Column[Any],
    ) -> None:
        self._make = make
        self._columns = columns
        self._sizes: dict[int, Hot] = {}

    def __call__(self, wanted: Sequence[Any], **values: Any) -> Bound:
        """Return the step for some values: one per column, a tuple where there are several.

        Without values nothing is run and there are no rows.
        """
        if not wanted:
            return Bound(self._sized(1), (), False)
        size = 1
        while size < len(wanted):
            size *= 4
        filled = [*wanted, *([wanted[-1]] * (size - len(wanted)))]
        for n, one in enumerate(filled):
            for c, value in enumerate(one if len(self._columns) > 1 else (one,)):
                values[f"v{n}_{c}"] = value
        return Bound(self._sized(size), (values,), False)

    def _sized(self, size: int) -> Hot:
        found = self._sizes.get(size)
        if found is None:
            listed = [self._place(n) for n in range(size)]
            found = self._sizes[size] = Hot(self._make(listed))
        return found

    def _place(self, n: int) -> Any:
        binds = [
            bindparam(f"v{n}_{c}", type_=column.type) for c, column in enumerate(self._columns)
        ]
        return tuple(binds) if len(binds) > 1 else binds[0]


def constant(value: Enum | int | str) -> ColumnElement[Any]:
    """Return a value as part of the statement itself, so that partial indexes are found."""
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, str):
        return literal_column("'" + plain.replace("'", "''") + "'")
    return literal_column(str(int(plain)))


def among(
    columns: ColumnElement[Any] | tuple[ColumnElement[Any], ...], listed: Sequence[Any]
) -> ColumnElement[bool]:
    """Return "is one of" for the parameters of a :class:`Listed` statement.

    Equalities joined by OR: each engine finds an index for them, for pairs as for single columns.
    """
    if isinstance(columns, tuple):
        return or_(
            *(
                and_(*(column == value for column, value in zip(columns, one, strict=True)))
                for one in listed
            )
        )
    return or_(*(columns == one for one in listed))


def _columns(statement: Executable) -> list[tuple[str, TypeEngine[Any]]]:
    exported = getattr(statement, "exported_columns", ())
    return [(str(column.key), column.type) for column in exported]


def _binder(bind: BindParameter[Any], name: str, dialect: Dialect) -> Callable[[Values], Any]:
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if not bind.required:
        fixed = process(bind.effective_value) if process else bind.effective_value
        return lambda _: fixed
    if process is None:
        return lambda row: row[name]
    return lambda row: process(row[name])


def _unpacker(
    columns: Sequence[tuple[str, TypeEngine[Any]]], dialect: Dialect
) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    if not columns:
        return lambda _: []
    make: Any = namedtuple
    row = make("Row", [name for name, _ in columns])
    processors = [
        (place, process)
        for place, (_, type_) in enumerate(columns)
        if (process := type_.dialect_impl(dialect).result_processor(dialect, None))
    ]

    def unpack(raw: Iterable[Sequence[Any]]) -> list[Any]:
        found = []
        for one in raw:
            values = list(one)
            for place, process in processors:
                values[place] = process(values[place])
            found.append(row._make(values))
        return found

    return unpack
