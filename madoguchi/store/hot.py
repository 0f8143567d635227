"""Hot statements: built once, compiled once per engine, run by the driver itself.

A Core statement that is built for every message costs more to build, to hash and to unpack than
to run. A :class:`Hot` one is a constant of its repository; a unit of work yields it with values::

    _BY_ID = Hot(select(message).where(message.c.id == bindparam("id", type_=Key)))

    rows = yield _BY_ID(id=id)

Rows come back as named tuples. Types bind and unpack as in any other statement.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Executable,
    Insert,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import Column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from madoguchi.store.types import unpacker

_PLACE = re.compile(r"\$(\d+)")

Values = Mapping[str, Any]
Processor = Callable[[Any], Any]


class Hot:
    """One statement; ``keys`` are the columns that an INSERT without values fills, ``table`` is
    what a textual one writes, ``postgresql`` is how it is said there if not in the same way.

    ``apart``: though it returns rows, it neither reads nor writes what the unit's writes before it
    may have touched, so that it may travel with them (:mod:`madoguchi.store.together`).
    ``owned``: the rows it changes are locked by its units already, or nobody else ever locks them;
    by default an INSERT's are.
    ``last``: it locks the log's head until the commit.
    ``news``: who waits for the table's rows is woken.
    """

    def __init__(
        self,
        statement: Executable,
        *keys: str,
        table: str | None = None,
        postgresql: Executable | None = None,
        apart: bool = False,
        owned: bool | None = None,
        last: bool = False,
        news: bool = True,
    ) -> None:
        self.statement = statement
        self.news = news
        self.apart = apart
        self.owned = _plain_insert(statement) if owned is None else owned
        self.last = last
        self.returns = bool(_columns(statement))
        self._variants = {"postgresql": postgresql} if postgresql is not None else {}
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
            statement = self._variants.get(dialect.name, self.statement)
            found = self._compiled[dialect.name] = Compiled(statement, self.keys, dialect)
        return found


def _plain_insert(statement: Executable) -> bool:
    """Tell of an INSERT that changes no row that is there: an engine's own may, on a conflict."""
    return type(statement) is Insert


@dataclass(frozen=True, slots=True)
class Bound:
    """A hot statement with its values: one step of a unit of work."""

    hot: Hot
    rows: Sequence[Values]
    many: bool


class Compiled:
    """A statement's SQL for one engine, and how values go in and rows come out."""

    def __init__(self, statement: Any, keys: list[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=keys)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{statement} is no statement with values")
        self.sql = str(compiled)
        binds = {compiled.bind_names[bind]: bind for bind in compiled.bind_names}
        self._binds = [_binder(binds[name], name, dialect) for name in compiled.positiontup or ()]
        self.places = len(self._binds)
        columns = _columns(statement)
        self.width = len(columns)
        self._unpack = _unpacker(columns, dialect)

    def values(self, row: Values) -> list[Any]:
        """Return what the driver is given for one row of values."""
        return [bind(row) for bind in self._binds]

    def moved(self, by: int) -> str:
        """Return PostgreSQL's text with its places ``by`` further on: part of a longer one."""
        return _PLACE.sub(lambda match: f"${int(match[1]) + by}", self.sql)

    def rows(self, raw: Iterable[Sequence[Any]]) -> list[Any]:
        """Return a driver's rows as named tuples of Python values."""
        return self._unpack(raw)


class Listed:
    """A statement over a list of values whose length varies.

    ``make`` is given the list, to be used by :func:`among`, and returns the statement. One value
    is a plain equality; more travel as one array (as one JSON text on SQLite), so that there are
    two statements to plan, each with its index, and not one per length.
    """

    def __init__(
        self, make: Callable[[Any], Executable], *columns: Column[Any], news: bool = True
    ) -> None:
        self._make = make
        self._news = news
        self._names = [f"v{place}" for place, _ in enumerate(columns)]
        self._types = [column.type for column in columns]
        self._one: Hot | None = None
        self._many: Hot | None = None

    def __call__(self, wanted: Sequence[Any], **values: Any) -> Bound:
        """Return the step for some values: one per column, a tuple where there are several.

        Without values nothing is run and there are no rows.
        """
        several = len(self._names) > 1
        if len(wanted) == 1:
            if self._one is None:
                self._one = Hot(self._make(_One(self._names, self._types)), news=self._news)
            values.update(zip(self._names, wanted[0] if several else wanted, strict=True))
            return Bound(self._one, (values,), False)
        if self._many is None:
            self._many = Hot(
                self._make(_Texts(self._types)), postgresql=self._arrays(), news=self._news
            )
        values["listed"] = wanted
        columns = zip(*wanted, strict=True) if several else [wanted]
        values.update(zip(self._names, map(list, columns), strict=False))
        return Bound(self._many, (values,) if wanted else (), False)

    def _arrays(self) -> Executable:
        return self._make(_Arrays(self._names, self._types))


@dataclass(frozen=True, slots=True)
class _One:
    """One value for each column."""

    names: Sequence[str]
    types: Sequence[TypeEngine[Any]]

    def within(self, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
        binds = [bindparam(n, type_=t) for n, t in zip(self.names, self.types, strict=True)]
        return and_(*(c == bind for c, bind in zip(columns, binds, strict=True)))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Many values as one JSON text, for SQLite."""

    types: Sequence[TypeEngine[Any]]

    def within(self, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
        listed = bindparam("listed", type_=_JsonList(self.types))
        value = func.json_each(listed).table_valued("value").c.value
        if len(columns) == 1:
            return columns[0].in_(select(value))
        fields = [func.json_extract(value, f"$[{place}]") for place, _ in enumerate(columns)]
        return tuple_(*columns).in_(select(*fields))


@dataclass(frozen=True, slots=True)
class _Arrays:
    """Many values as an array for each column, for PostgreSQL."""

    names: Sequence[str]
    types: Sequence[TypeEngine[Any]]

    def within(self, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
        arrays = [
            bindparam(n, type_=ARRAY(t, dimensions=1))
            for n, t in zip(self.names, self.types, strict=True)
        ]
        if len(columns) == 1:
            return columns[0] == any_(arrays[0])
        return tuple_(*columns).in_(select(*(func.unnest(array) for array in arrays)))


class _JsonList(TypeDecorator[Any]):
    """A list of values, or of tuples of them, as JSON; each value as its column stores it."""

    impl = Text
    cache_ok = False

    def __init__(self, types: Sequence[TypeEngine[Any]] = ()) -> None:
        super().__init__()
        self._types = types

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Encode the list."""
        binders = [t.dialect_impl(dialect).bind_processor(dialect) or _same for t in self._types]
        if len(binders) == 1:
            return orjson.dumps([binders[0](one) for one in value]).decode()
        rows = [[bind(v) for bind, v in zip(binders, one, strict=True)] for one in value]
        return orjson.dumps(rows).decode()


def _same(value: Any) -> Any:
    return value


def constant(value: Enum | int | str) -> ColumnElement[Any]:
    """Return a value as part of the statement itself, so that partial indexes are found."""
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, str):
        return literal_column("'" + plain.replace("'", "''") + "'")
    return literal_column(str(int(plain)))


def among(
    columns: ColumnElement[Any] | tuple[ColumnElement[Any], ...], listed: Any
) -> ColumnElement[bool]:
    """Return "is one of" for the list that a :class:`Listed` statement was given."""
    found: ColumnElement[bool] = listed.within(
        columns if isinstance(columns, tuple) else (columns,)
    )
    return found


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
        if (process := unpacker(type_, dialect)) is not None
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
