"""The log as one process knows it: its newest part in memory, the rest in the database.

What this process commits is known here at once; what another process committed is read when a
hint or a sweep says so. Entries are given out by position and never out of order.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from madoguchi.model.log import NumberedEntry

MOST = 50_000
KEPT = timedelta(minutes=10)
BATCH = 1000

Read = Callable[[int, int], Awaitable[list[NumberedEntry]]]
"""(position, limit) → the entries behind a position, from the database."""


class Journal:
    """A contiguous run of the log's newest entries, which grows with each commit."""

    def __init__(self, read: Read, newest: Callable[[], Awaitable[int]], most: int = MOST) -> None:
        self._most = most
        self._read = read
        self._newest = newest
        self._kept: deque[NumberedEntry] = deque()
        self._behind = 0
        self._head: int | None = None
        self._early: dict[int, Sequence[NumberedEntry]] = {}
        self._complete = False
        self._doubts = 0
        self._asking = asyncio.Lock()

    async def start(self) -> int:
        """Find the present end of the log; return it."""
        if self._head is None:
            found = await self._newest()
            if self._head is None:
                self._head = self._behind = found
        return self._head

    def committed(self, entries: Sequence[NumberedEntry]) -> None:
        """Hear of a commit of this process. Two commits may be heard in the other order."""
        if self._head is None:
            return
        fresh = [one for one in entries if one.position > (self._head or 0)]
        if not fresh:
            return
        self._early[fresh[0].position] = fresh
        while (following := self._early.pop(self._head + 1, None)) is not None:
            self._extend(following)
        if self._early:
            # Somebody else's commit lies between, or one of ours is heard in a moment.
            self._complete = False

    def doubt(self) -> None:
        """Hear that another process may have committed."""
        self._doubts += 1
        self._complete = False

    async def after(
        self, position: int, *, sure: bool = False, limit: int = BATCH
    ) -> list[NumberedEntry]:
        """Return the entries behind a position, in order, at most ``limit``.

        ``sure``: look into the database, whatever is known here.
        """
        await self.start()
        if position < self._behind:
            return await self._read(position, limit)
        if sure or not self._complete:
            await self._catch_up(sure=sure)
        return self.known(position, limit)

    async def _catch_up(self, *, sure: bool) -> None:
        """Read what is behind the head; who asks meanwhile waits for the answer."""
        async with self._asking:
            if self._complete and not sure:
                return
            doubts = self._doubts
            found = await self._read(self._head or 0, BATCH)
            self._merge(found)
            self._complete = doubts == self._doubts and len(found) < BATCH and not self._early

    def known(self, position: int, limit: int = MOST) -> list[NumberedEntry]:
        """Return what is in memory behind a position."""
        found: list[NumberedEntry] = []
        for one in reversed(self._kept):
            if one.position <= position:
                break
            found.append(one)
        return found[: -limit - 1 : -1]

    def covers(self, position: int) -> bool:
        """Tell whether everything behind a position is in memory."""
        return self._head is not None and self._behind <= position <= self._head

    def _merge(self, found: Sequence[NumberedEntry]) -> None:
        self._extend([one for one in found if one.position > (self._head or 0)])
        early, self._early = self._early, {}
        for entries in early.values():
            self.committed(entries)

    def _extend(self, entries: Sequence[NumberedEntry]) -> None:
        if not entries:
            return
        self._kept.extend(entries)
        self._head = entries[-1].position
        oldest = entries[-1].entry.at - KEPT
        while len(self._kept) > self._most or self._kept[0].entry.at < oldest:
            self._behind = self._kept.popleft().position
