"""Who begins to carry calls out asks their providers first how they stand: what was told meanwhile
may have reached nobody.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations.calls import carried, repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.model.ids import Id
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from madoguchi.store.work import Store

log = structlog.get_logger(__name__)

LONGEST_S = 300.0


class Reader:
    """Asks once for each call, and again until there is an answer."""

    def __init__(self, store: Store, clock: Clock, registry: Registry) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._due: dict[Id, tuple[datetime, int]] = {}
        self._began = clock.now()

    def begin(self, calls: Iterable[Id], began: datetime) -> None:
        """Let the providers be asked of some calls, as far as they are older than our own work."""
        self._began = began
        self._due = {id: (self._clock.now(), 0) for id in calls}

    async def look(self) -> None:
        """Ask what is due."""
        now = self._clock.now()
        due = [id for id, (at, _) in self._due.items() if at <= now]
        if not due:
            return
        calls = await self._store.read(lambda: repository.by_ids(due))
        for id in due:
            if id not in calls or await self._read(calls[id]):
                self._due.pop(id, None)
            else:
                self._later(id)

    async def _read(self, call: Call) -> bool:
        """Ask for one call; tell whether there is no more to ask."""
        connector = self._registry.by_id(call.account)
        controls = connector.calls_at if connector is not None else None
        if call.facts.over or call.began_at >= self._began or controls is None:
            return True
        at = self._clock.now()
        try:
            there = await controls.present(call.id, call.name)
        except (RetryLater, UnknownOutcome, AuthFailed) as why:
            log.warning("a provider does not say how a call stands", call=call.id, why=str(why))
            return False
        except Rejected as why:
            log.error("a provider knows nothing of a call", call=call.id, why=str(why))  # noqa: TRY400
            return True
        now = self._clock.now()
        await self._store.write(lambda: carried.read(call.id, there, at, now))
        return True

    def _later(self, id: Id) -> None:
        tries = self._due[id][1]
        pause = timedelta(seconds=min(2.0**tries, LONGEST_S))
        self._due[id] = (self._clock.now() + pause, tries + 1)
