"""REST of calls that agents make."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator
from sqlalchemy import select

from connectors.base import Connector
from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import dialling
from madoguchi.conversations.calls.dialling import Dialled, Placed
from madoguchi.conversations.routes import V1, Uuid
from madoguchi.http.table import Body, Call, Operation
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Rejected
from madoguchi.model.people import Actor
from madoguchi.model.routing import Assigned, Presence, Redialled, Refused
from madoguchi.store.work import Store, Work
from router.client import RouterClient, audited
from router.orders import Order
from router.tables import agent_status

CALL = f"{V1}/conversations/{{id}}/call"
Short = Annotated[str, Field(min_length=1, max_length=64)]


class DialBody(Body):
    """Whom to call: an address of the customer, or a number; ``account``: by which, as its key;
    without it by the conversation's own, or the first that calls.
    """

    identity: Uuid | None = None
    number: Short | None = None
    account: Short | None = None

    @model_validator(mode="after")
    def _one(self) -> "DialBody":
        if (self.identity is None) == (self.number is None):
            raise ValueError("name either an identity or a number")
        return self


@dataclass(frozen=True)
class DiallingApi:
    """The one operation of calls that agents make."""

    store: Store
    clock: Clock
    registry: Registry
    router: RouterClient

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        return [Operation("POST", CALL, self.dial, "Call the customer", DialBody)]

    async def dial(self, call: Call[DialBody]) -> Any:
        """Call a conversation's customer; return the call's id. The agent is rung first. 409
        ``not_dialled``, ``cannot_call``, ``in_call``, ``not_your_conversation``, ``closed``.
        """
        actor, id, body = call.actor, call.id(), call.body

        def unit() -> Work[Any]:
            one, pulled = yield from dialling.wanted(actor, id)
            yield from _present(actor)
            number = body.number
            if body.identity is not None:
                number = yield from dialling.address_of(one, body.identity)
            return one.account, pulled, number

        own, pulled, number = await self.store.read(unit)
        connector = self._account(body.account, own)
        dialled = Dialled(id, connector.account.id, _number(connector, number))
        if pulled is not None:
            notes = audited(actor, "conversation.pull", pulled)
            await self.router.ask(Order(Assigned(pulled, actor.id, actor.id), notes))
        return {"call": await self._placed(actor, dialled)}

    async def _placed(self, actor: Actor, dialled: Dialled) -> Id:
        now, new_id = self.clock.now(), self.clock.new_id
        made: Placed = await self.store.write(lambda: dialling.place(actor, dialled, now, new_id))
        if made.again is not None:
            try:
                await self.router.ask(Order(Redialled(made.again, actor.id)))
            except Refused as why:
                code = why.code
                await self.store.write(lambda: dialling.refused(made.call, code, now))
                raise
        return made.call

    def _account(self, key: str | None, own: Id) -> Connector:
        """Return the account that is named, the conversation's own, or the first that calls."""
        if key is not None:
            named = self.registry.by_key(key)
            known = [named] if named is not None else []
        else:
            first = self.registry.by_id(own)
            known = [*([first] if first is not None else []), *self.registry]
        for each in known:
            if each.makes_calls and not each.account.paused:
                return each
        raise Refusal("cannot_call", "no such account calls anybody")


def _number(connector: Connector, text: str) -> str:
    controls = connector.calls_at
    if controls is None:
        raise Refusal("cannot_call", "this account calls nobody")
    try:
        return controls.dialled(text).number
    except Rejected as why:
        raise Refusal("not_dialled", str(why)) from why


def _present(actor: Actor) -> Work[None]:
    """Refuse whoever is signed out: they could not come in."""
    rows = yield select(agent_status.c.presence).where(agent_status.c.agent == actor.id)
    if not rows or rows[0].presence == Presence.offline.value:
        raise Refusal("signed_out", "sign in to call")
