"""Numbers the log where several processes write: one sequencer per domain, by the head's lock.

On SQLite the writer numbers its own commits; then this has nothing to do.
"""

from madoguchi.bus import Hints
from madoguchi.model.ids import DOMAIN
from madoguchi.store import log
from madoguchi.store.work import Store

SWEEP_S = 1.0


class Sequencer:
    """Gives positions to committed rows, hinted by each commit, swept every second."""

    def __init__(self, store: Store, hints: Hints) -> None:
        self._store = store
        self._hints = hints
        self._wake = hints.subscribe("log")
        self._head = -1

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        if self._store.dialect == "sqlite":
            return
        while True:
            head = await self._store.write(lambda: log.number(DOMAIN))
            if head != self._head:
                self._head = head
                self._hints.publish(["numbered"])
            await self._wake.wait(SWEEP_S)
