"""Hints: "look again" signals between the parts of one process.

A hint carries nothing and may be lost; every durable queue is swept besides. What must have an
effect after a crash is a row of the log or the outbox, never a hint.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Subscription:
    """One listener's view of one topic."""

    def __init__(self) -> None:
        self._rung = False
        self._waiting: set[asyncio.Future[bool]] = set()

    def ring(self) -> None:
        """Wake the listener."""
        self._rung = True
        for one in self._waiting:
            _end(one, True)

    def take(self) -> bool:
        """Tell whether there was a hint since the last look, without waiting."""
        rung, self._rung = self._rung, False
        return rung

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the next hint; return False when ``timeout_s`` seconds passed without one."""
        if self.take():
            return True
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[bool] = loop.create_future()
        # Not asyncio.timeout: a message wakes several listeners, and this costs half of it.
        alarm = loop.call_later(timeout_s, _end, mine, False)
        self._waiting.add(mine)
        try:
            rung = await mine
        finally:
            alarm.cancel()
            self._waiting.discard(mine)
        return self.take() or rung


def _end(waiting: "asyncio.Future[bool]", rung: bool) -> None:
    if not waiting.done():
        waiting.set_result(rung)


class Hints:
    """Topics (table names) and those who wait for them; safe on the event loop only."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Subscription]] = defaultdict(list)

    def subscribe(self, *topics: str) -> Subscription:
        """Return a subscription that is woken by each of the topics."""
        subscription = Subscription()
        for topic in topics:
            self._listeners[topic].append(subscription)
        return subscription

    def publish(self, topics: Iterable[str]) -> None:
        """Wake all who listen to any of the topics."""
        for topic in topics:
            for listener in self._listeners[topic]:
                listener.ring()
