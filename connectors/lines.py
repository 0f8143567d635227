"""How calls stand in their lines."""

from sqlalchemy import select

from connectors.base import Standing
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.tables import call as calls
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import Id
from madoguchi.model.routing import ItemState
from madoguchi.store.work import Store, Work
from router.service import RouterService


async def line_standing(store: Store, router: RouterService, call: Id) -> Standing | None:
    """Return how a call stands in its line; None: it does not wait, or another process routes."""
    item = await store.read(lambda: _waits(call))
    if item is None or not router.owner:
        return None
    return Standing(router.position(item), router.expected_s(item))


async def call_of(store: Store, id: Id) -> Call | None:
    """Return a call by its id."""
    return (await store.look(lambda: repository.by_ids([id]))).get(id)


def _waits(call: Id) -> Work[Id | None]:
    """Return the item of a call that waits and is on offer to nobody."""
    rows = yield (
        select(work_item.c.id)
        .join(calls, calls.c.item == work_item.c.id)
        .where(calls.c.id == call, work_item.c.state == ItemState.waiting.value)
    )
    return str(rows[0].id) if rows else None
