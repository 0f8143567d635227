"""REST of calls that agents make."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator
from sqlalchemy import select

from connectors.base import Connector
from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import acts, dialling, homes
from madoguchi.conversations.calls.dialling import Dialled, Placed
from madoguchi.conversations.calls.routes import CALLS
from madoguchi.conversations.routes import V1, Uuid
from madoguchi.http.table import Body, Call, Operation
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Rejected
from madoguchi.model.people import Actor
from madoguchi.model.routing import Assigned, Presence, Redialled, Refused
from madoguchi.security.permissions import Action
from madoguchi.store.work import Store, Work
from router.client import RouterClient, audited
from router.orders import Order
from router.tables import agent_status
from unified_profile.identity import Called

CALL = f"{V1}/conversations/{{id}}/call"
NUMBER = f"{V1}/calls/{{id}}/number"
Short = Annotated[str, Field(min_length=1, max_length=64)]


class NumberBody(Body):
    """A number as people write it; ``account``: by which it is called, as its key; without it by
    the first that calls.
    """

    number: Short
    account: Short | None = None


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


class BringInBody(Body):
    """Whom to call into a call; ``hand_over``: they have it as soon as they answer."""

    number: Short
    hand_over: bool = False


@dataclass(frozen=True)
class DiallingApi:
    """The operations by which agents call numbers."""

    store: Store
    clock: Clock
    registry: Registry
    router: RouterClient

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        return [
            Operation("POST", CALL, self.dial, "Call the customer", DialBody),
            Operation(
                "POST", CALLS, self.dial_number, "Call a number", NumberBody, action=Action.PULL
            ),
            Operation(
                "GET",
                f"{CALLS}/whom",
                self.whom,
                "Whether a number is called, and whose it is",
                query=NumberBody,
                action=Action.PULL,
            ),
            Operation("POST", NUMBER, self.bring_in, "Call a number in", BringInBody, status=204),
        ]

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
        dialled = Dialled(id, connector.account.id, _called(connector, number).number)
        return {"call": await self._pulled(actor, pulled, dialled)}

    async def whom(self, call: Call[NumberBody]) -> Any:
        """Return a number as it is called and shown, where it is if that is abroad, and whose it
        is. 409 ``not_dialled``, ``cannot_call``.
        """
        found = _called(self._account(call.body.account), call.body.number)
        whose = await self.store.read(lambda: homes.who(call.actor, found.number))
        return {**asdict(found), "customer": whose}

    async def dial_number(self, call: Call[NumberBody]) -> Any:
        """Call a number, in its customer's open conversation or in a new one; return the call's id
        and its conversation. 409 as for a conversation's customer.
        """
        actor, now, new_id = call.actor, self.clock.now(), self.clock.new_id
        connector = self._account(call.body.account)
        account, number = connector.account, _called(connector, call.body.number).number

        def unit() -> Work[tuple[Id, Placed | None]]:
            yield from _present(actor)
            id, new = yield from homes.home(actor, account, number, now, new_id)
            if not new:
                return id, None
            dialled = Dialled(id, account.id, number)
            return id, (yield from dialling.place(actor, dialled, now, new_id))

        id, made = await self.store.write(unit)
        if made is not None:
            return {"call": made.call, "conversation": id}
        _, pulled = await self.store.read(lambda: dialling.wanted(actor, id))
        made_in = await self._pulled(actor, pulled, Dialled(id, account.id, number))
        return {"call": made_in, "conversation": id}

    async def _pulled(self, actor: Actor, pulled: Id | None, dialled: Dialled) -> Id:
        if pulled is not None:
            notes = audited(actor, "conversation.pull", pulled)
            await self.router.ask(Order(Assigned(pulled, actor.id, actor.id), notes))
        return await self._placed(actor, dialled)

    async def bring_in(self, call: Call[BringInBody]) -> None:
        """Call a number into a call; the customer is held until they answer, or are gone. 409
        ``not_dialled``, ``cannot_call``, ``call_full``, ``not_your_call``.
        """
        id, body, now = call.id(), call.body, self.clock.now()
        one = await self.store.read(lambda: acts.look(call.actor, id))
        connector = self.registry.by_id(one.account)
        if connector is None:
            raise Refusal("cannot_call", "this account calls nobody")
        number = _called(connector, body.number).number
        doing = acts.bring_in(number, hand_over=body.hand_over)
        note = ("call.number", {"number": number, "hand_over": body.hand_over})
        new_id = self.clock.new_id
        await self.store.write(lambda: acts.act(call.actor, id, doing, now, new_id, note))

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

    def _account(self, key: str | None, own: Id | None = None) -> Connector:
        """Return the account that is named, the conversation's own, or the first that calls."""
        if key is not None:
            named = self.registry.by_key(key)
            known = [named] if named is not None else []
        else:
            first = self.registry.by_id(own) if own is not None else None
            known = [*([first] if first is not None else []), *self.registry]
        for each in known:
            if each.makes_calls and not each.account.paused:
                return each
        raise Refusal("cannot_call", "no such account calls anybody")


def _called(connector: Connector, text: str) -> Called:
    controls = connector.calls_at
    if controls is None:
        raise Refusal("cannot_call", "this account calls nobody")
    try:
        return controls.dialled(text)
    except Rejected as why:
        raise Refusal("not_dialled", str(why)) from why


def _present(actor: Actor) -> Work[None]:
    """Refuse whoever is signed out: they could not come in."""
    rows = yield select(agent_status.c.presence).where(agent_status.c.agent == actor.id)
    if not rows or rows[0].presence == Presence.offline.value:
        raise Refusal("signed_out", "sign in to call")
