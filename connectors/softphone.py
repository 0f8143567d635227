"""REST for agents' browsers: how to come into a call whose sound is at a provider."""

from dataclasses import dataclass
from typing import Any

from connectors.registry import Registry
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import acts
from madoguchi.http.table import Call, Nothing, Operation
from madoguchi.model.calls import Party
from madoguchi.model.inbound import Rejected
from madoguchi.store.work import Store

SOFTPHONE = "/api/v1/calls/{id}/legs/{leg}/softphone"


@dataclass(frozen=True)
class SoftphoneApi:
    """The one operation of softphones."""

    store: Store
    registry: Registry

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        return [Operation("GET", SOFTPHONE, self.get, "How a browser comes into a telephone call")]

    async def get(self, call: Call[Nothing]) -> Any:
        """Return what the provider's SDK needs for the own leg. 409 ``not_your_leg``,
        ``no_softphone``.
        """
        id, actor = call.id(), call.actor
        one = await self.store.read(lambda: acts.look(actor, id))
        leg = one.facts.leg_of(actor.id)
        if leg is None or leg.id != call.key("leg"):
            raise Refusal("not_your_leg", "this is another one's part of the call")
        connector = self.registry.by_id(one.account)
        controls = connector.calls_at if connector else None
        if controls is None:
            raise Refusal("no_softphone", "browsers of this call find each other by themselves")
        customers = [each for each in one.facts.legs.values() if each.party is Party.CUSTOMER]
        number = customers[0].address if customers else ""
        muted = leg.party is Party.SUPERVISOR
        try:
            return controls.pass_for(one.id, one.name, number, leg.id, actor.id, muted)
        except Rejected as why:
            raise Refusal("no_softphone", str(why)) from why
