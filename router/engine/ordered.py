"""A sorted collection of keys: first, add, remove and count without moving everything."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=tuple[Any, ...])

BLOCK = 512
"""Keys per block before it is cut in two: a block's memmove stays below a microsecond."""


class Ordered(Generic[K]):
    """Distinct keys in ascending order, kept in blocks; every operation costs about O(log n)."""

    __slots__ = ("_blocks", "_lasts", "_size")

    def __init__(self) -> None:
        self._blocks: list[list[K]] = []
        self._lasts: list[K] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[K]:
        for block in self._blocks:
            yield from block

    def first(self) -> K:
        """Return the smallest key; IndexError if there is none."""
        return self._blocks[0][0]

    def last(self) -> K:
        """Return the largest key; IndexError if there is none."""
        return self._lasts[-1]

    def at(self, place: int) -> K:
        """Return the key that has `place` keys before it; IndexError if there is none."""
        for block in self._blocks:
            if place < len(block):
                return block[place]
            place -= len(block)
        raise IndexError(place)

    def add(self, key: K) -> None:
        """Insert a key that is not yet there."""
        self._size += 1
        if not self._blocks:
            self._blocks.append([key])
            self._lasts.append(key)
            return
        at = min(bisect_left(self._lasts, key), len(self._blocks) - 1)
        block = self._blocks[at]
        insort(block, key)
        self._lasts[at] = block[-1]
        if len(block) > BLOCK:
            half = len(block) // 2
            self._blocks.insert(at + 1, block[half:])
            del block[half:]
            self._lasts.insert(at, block[-1])

    def remove(self, key: K) -> None:
        """Take a key out; KeyError if it is not there."""
        at = bisect_left(self._lasts, key)
        if at == len(self._blocks):
            raise KeyError(key)
        block = self._blocks[at]
        place = bisect_left(block, key)
        if block[place] != key:
            raise KeyError(key)
        del block[place]
        self._size -= 1
        if block:
            self._lasts[at] = block[-1]
        else:
            del self._blocks[at], self._lasts[at]

    def count_while(self, before: Callable[[K], bool]) -> int:
        """Return how many keys satisfy `before`, which holds for the first n keys and no other."""
        at = bisect_left(self._lasts, True, key=lambda key: not before(key))
        if at == len(self._blocks):
            return self._size
        inside = bisect_left(self._blocks[at], True, key=lambda key: not before(key))
        return sum(len(block) for block in self._blocks[:at]) + inside
