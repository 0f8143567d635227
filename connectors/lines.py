"""How calls stand in their lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors.base import Standing
from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.tables import call as calls
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import Id
from madoguchi.model.routing import ItemState
from madoguchi.store.work import Store, Work
from router.service import RouterService


@dataclass(frozen=True)
class Lines:
    """The lines of calls, as this process knows them."""

    store: Store
    clock: Clock
    router: Callable[[], RouterService]
    catalog: Callable[[], Catalog]

    async def standing(self, call: Id) -> Standing | None:
        """Return how a call stands in its line; None: it does not wait, or others route it."""
        item, router = await self.store.read(lambda: _waits(call)), self.router()
        if item is None or not router.owner:
            return None
        offered = self._offered(item.queue, item.enqueued_at)
        return Standing(router.position(item.id), router.expected_s(item.id), offered)

    def _offered(self, key: str, since: datetime) -> bool:
        """Tell whether who waits in a queue since a moment is offered a call by now."""
        queue = self.catalog().queues.get(key)
        after = queue.object.callback.after if queue is not None else None
        return after is not None and (self.clock.now() - since).total_seconds() >= after


async def call_of(store: Store, id: Id) -> Call | None:
    """Return a call by its id."""
    return (await store.look(lambda: repository.by_ids([id]))).get(id)


def _waits(call: Id) -> Work[Any]:
    """Return the item of a call that waits and is on offer to nobody."""
    rows = yield (
        select(work_item.c.id, work_item.c.queue, work_item.c.enqueued_at)
        .join(calls, calls.c.item == work_item.c.id)
        .where(calls.c.id == call, work_item.c.state == ItemState.waiting.value)
    )
    return rows[0] if rows else None
