"""How many wait in each queue by channel, and since when the oldest does; pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Those:
    """Those who wait in one queue on one channel; `heap` keeps some who are gone already. `calls`
    are those of them who want to be called.
    """

    since: dict[str, int] = field(default_factory=dict)
    heap: list[tuple[int, str]] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)

    def oldest(self) -> int | None:
        while self.heap:
            since, item = self.heap[0]
            if self.since.get(item) == since:
                return since
            heapq.heappop(self.heap)
        return None


class Waits:
    """Who waits in a domain, on offer or not; instants are µs."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, _Those]] = {}
        self._where: dict[str, tuple[str, str]] = {}
        self.changed: set[str] = set()

    def waits(self, item: str, queue: str, channel: str, since: int, *, call: bool = False) -> None:
        """An item waits there, wherever it was before; for a call, perhaps."""
        if self._where.get(item) == (queue, channel):
            known = self._queues[queue][channel]
            if known.since[item] == since and (item in known.calls) == call:
                return
        self.gone(item)
        those = self._queues.setdefault(queue, {}).setdefault(channel, _Those())
        those.since[item] = since
        if call:
            those.calls.add(item)
        heapq.heappush(those.heap, (since, item))
        self._where[item] = (queue, channel)
        self.changed.add(queue)

    def gone(self, item: str) -> None:
        """An item does not wait any more."""
        known = self._where.pop(item, None)
        if known is not None:
            queue, channel = known
            those = self._queues[queue][channel]
            del those.since[item]
            those.calls.discard(item)
            self.changed.add(queue)

    def since(self, queue: str) -> int | None:
        """Return since when the oldest of a queue waits; None: nobody does."""
        oldest = (one.oldest() for one in self._queues.get(queue, {}).values())
        return min((at for at in oldest if at is not None), default=None)

    def calls(self, queue: str) -> dict[str, int]:
        """Return channel → how many of those who wait want to be called."""
        return {name: len(one.calls) for name, one in self._queues.get(queue, {}).items()}

    def of(self, queue: str) -> dict[str, tuple[int, int | None]]:
        """Return channel → how many wait, and since when the oldest does."""
        known = self._queues.get(queue, {})
        return {channel: (len(one.since), one.oldest()) for channel, one in known.items()}
