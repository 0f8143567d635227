"""Reads that travel together: works which do not need each other's rows ask at the same time.

::

    people, threads = yield from beside(people_of(addresses), threads_of(keys))

On PostgreSQL, where each statement is a round trip, what several works ask next goes as one; on
SQLite one after the other. At most one of the works may lock rows with its first question: the
order of locks between parts of one statement is nobody's.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar, overload

from sqlalchemy import Dialect

from madoguchi.store.hot import Bound, Hot
from madoguchi.store.work import Beside, Rows, Step, Work

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")


@overload
def beside(one: Work[A], two: Work[B], /) -> Work[tuple[A, B]]: ...
@overload
def beside(one: Work[A], two: Work[B], three: Work[C], /) -> Work[tuple[A, B, C]]: ...
@overload
def beside(*works: Work[T]) -> Work[tuple[T, ...]]: ...
def beside(*works: Work[Any]) -> Work[tuple[Any, ...]]:
    """Run works side by side; return what each returned."""
    results: list[Any] = [None] * len(works)
    asked: dict[int, Step] = {}

    def go_on(place: int, rows: Rows | None) -> None:
        try:
            asked[place] = next(works[place]) if rows is None else works[place].send(rows)
        except StopIteration as end:
            asked.pop(place, None)
            results[place] = end.value

    for place, _ in enumerate(works):
        go_on(place, None)
    while asked:
        reads = {place: read for place, step in asked.items() if (read := _read(step))}
        if len(reads) > 1:
            answers = yield Beside(tuple(reads.values()))
            for place, rows in zip(reads, answers, strict=True):
                go_on(place, rows)
        else:
            place, step = next(iter(asked.items()))
            go_on(place, (yield step))
    return tuple(results)


def _read(step: Step) -> Bound | None:
    """Return a step that only reads, None if it is another."""
    if isinstance(step, Bound) and step.hot.table is None and len(step.rows) == 1:
        return step
    return None


class Joined:
    """Several reads as one statement: each of its rows is one read's, with a mark of whose.

    ``FULL JOIN … ON false`` puts results with different columns beside each other without naming
    their types, and runs each read to its end.
    """

    def __init__(self, hots: Sequence[Hot], dialect: Dialect) -> None:
        self._parts = [hot.on(dialect) for hot in hots]
        texts, places, self._marks = [], 0, [0]
        for number, part in enumerate(self._parts):
            texts.append(_marked(part.moved(places), f"read_{number}"))
            places += part.places
            self._marks.append(self._marks[-1] + 1 + part.width)
        first, *others = texts
        joins = "".join(f" FULL JOIN {other} ON false" for other in others)
        self.sql = f"SELECT * FROM {first}{joins}"  # noqa: S608

    def values(self, reads: Iterable[Bound]) -> list[Any]:
        """Return what the driver is given."""
        pairs = zip(self._parts, reads, strict=True)
        return [value for part, read in pairs for value in part.values(read.rows[0])]

    def rows(self, raw: Sequence[Any]) -> list[Rows]:
        """Return the rows of each read."""
        ends = self._marks[1:]
        return [
            part.rows(row[mark + 1 : end] for row in raw if row[mark] is not None)
            for part, mark, end in zip(self._parts, self._marks, ends, strict=False)
        ]


def _marked(text: str, name: str) -> str:
    return f"(SELECT 1 AS here, one.* FROM ({text}) one) {name}"  # noqa: S608


@lru_cache(1000)
def joined(hots: tuple[Hot, ...], dialect: Dialect) -> Joined:
    """Return the one statement of some reads, made once."""
    return Joined(hots, dialect)
