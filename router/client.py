"""How other rooms ask the router: a call when it runs here, a row when it runs elsewhere."""

import asyncio
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import Actor
from madoguchi.model.routing import Refused
from madoguchi.store.work import Store, Unavailable, Work, only
from router.orders import Order, encode
from router.service import NotOwner, RouterService
from router.tables import router_command

PATIENCE_S = 10.0
LOOK_S = 0.05


class RouterClient:
    """The one door to the router of a domain."""

    def __init__(self, service: RouterService, store: Store, clock: Clock, hints: Hints) -> None:
        self._service = service
        self._store = store
        self._clock = clock
        self._answers = hints.subscribe("log")

    async def ask(self, order: Order, key: str | None = None) -> dict[str, Any]:
        """Return the router's answer, after it was stored.

        ``key``: repeating it gives the first answer again. Raises Refused, Unavailable.
        """
        if self._service.owner and key is None:
            try:
                return await self._service.order(order)
            except NotOwner:
                pass
        return await self._by_row(order, key or self._clock.new_id())

    async def _by_row(self, order: Order, key: str) -> dict[str, Any]:
        plain = Order(order.command, _portable(order))
        await self._store.write(lambda: self._post(plain, key))
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while loop.time() < until:
            row = await self._store.read(lambda: self._find(key))
            if row is not None:
                return _answer(row)
            await self._answers.wait(LOOK_S)
        raise Unavailable("the router did not answer in time; the order stands and may still run")

    def _post(self, order: Order, key: str) -> Work[None]:
        yield (
            insert(router_command)
            .values(domain=DOMAIN, client_key=key, command=encode(order), at=self._clock.now())
            .on_conflict_do_nothing(index_elements=["client_key"])
        )

    def _find(self, key: str) -> Work[dict[str, Any] | None]:
        row = only(
            (
                yield select(router_command.c.answer).where(
                    router_command.c.client_key == key,
                    router_command.c.answered_at.is_not(None),
                )
            )
        )
        return dict(row.answer) if row else None


def _portable(order: Order) -> dict[str, Any]:
    """Return notes that travel as JSON: the actor by id."""
    notes = dict(order.notes)
    actor = notes.get("actor")
    if isinstance(actor, Actor):
        notes["actor"] = {"id": actor.id, "name": actor.name}
    return notes


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    if "refused" in row:
        raise Refused(row["refused"], row["detail"], row["agent"])
    return dict(row["answer"])


def audited(actor: Actor, action: str, item: Id, **detail: Any) -> dict[str, Any]:
    """Return notes that put an order on the audit trail, in its own transaction."""
    return {"actor": actor, "action": action, "object": f"item:{item}", **detail}
