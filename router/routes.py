"""REST of the router: offers, presence, transfers, ends, and what supervisors do to others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.service import Change, Configuration, body_of
from madoguchi.conversations import acts
from madoguchi.conversations.repository import by_ids, unfinished_work
from madoguchi.conversations.routes import V1
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.conversations.visibility import allow, visible
from madoguchi.http.problems import Problem
from madoguchi.http.table import Body, Call, Handler, Nothing, Operation
from madoguchi.model.conversation import UNFINISHED, ItemKind
from madoguchi.model.ids import Id, is_id
from madoguchi.model.people import Actor
from madoguchi.model.routing import (
    Assigned,
    AwayReserved,
    AwayTakenBack,
    CallbackGivenUp,
    CallbackMissed,
    CallbackReached,
    Command,
    FullExplanation,
    ItemMoved,
    ItemPrioritised,
    ItemState,
    OfferAccepted,
    OfferDeclined,
    Presence,
    PresenceSet,
    Refused,
    Requeued,
    TransferCancelled,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
    WrapUpExtended,
    WrapUpStarted,
)
from madoguchi.security.permissions import Action, Facts, NotFound, require
from madoguchi.store.work import Store, Work
from router.bodies import (
    AssignBody,
    AwayBody,
    CallBody,
    CapacityBody,
    DeclineBody,
    EndBody,
    MoveBody,
    PresenceBody,
    PriorityBody,
    SignOutBody,
    TransferBody,
    WorkBody,
    WrapUpBody,
)
from router.client import RouterClient, audited
from router.explaining import recorded, told
from router.orders import Order
from router.service import NotOwner, RouterService
from router.tables import offer
from router.views import RouterViews

EXTENSION_S = 30
"""What one more moment for wrap-up is."""


_OUTCOMES: Mapping[str, Callable[[Id, Id], Command]] = {
    "reached": CallbackReached,
    "missed": CallbackMissed,
    "given_up": CallbackGivenUp,
}


@dataclass(frozen=True)
class RouterApi:
    """The operations of this room."""

    store: Store
    clock: Clock
    router: RouterClient
    service: RouterService
    views: RouterViews
    configuration: Configuration

    @property
    def _catalog(self) -> Catalog:
        return self.configuration.catalog

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        return [*self._of_items(), *self._of_agents()]

    def _of_items(self) -> list[Operation]:
        one = f"{V1}/conversations/{{id}}"
        return [
            _post(f"{V1}/offers/{{id}}/accept", self.accept, "Accept an offer", status=200),
            _post(f"{V1}/offers/{{id}}/decline", self.decline, "Decline an offer", DeclineBody),
            _post(f"{one}/take", self.take, "Pull from the own queues", query=WorkBody),
            _post(f"{one}/transfer", self.transfer, "Transfer", TransferBody),
            _post(f"{one}/transfer/cancel", self.cancel, "Take a transfer back", query=WorkBody),
            _post(f"{one}/end", self.end, "End the contact; wrap-up begins", EndBody),
            _post(f"{one}/wrap-up", self.wrap_up, "End the work with its result", WrapUpBody),
            _post(f"{one}/callback", self.called, "Say what came of a call", CallBody),
            _post(
                f"{one}/wrap-up/extend",
                self.extend,
                "30 seconds more for wrap-up",
                query=WorkBody,
            ),
            _post(
                f"{one}/assign",
                self.assign,
                "Give it to an agent",
                AssignBody,
                action=Action.REASSIGN,
            ),
            Operation("GET", f"{one}/explain", self.explain, "Who could take it, and why not"),
            _post(
                f"{V1}/items/{{id}}/priority",
                self.priority,
                "Set an item's priority",
                PriorityBody,
                action=Action.REASSIGN,
            ),
            _post(
                f"{V1}/items/{{id}}/move",
                self.move,
                "Give a waiting item another place in its queue",
                MoveBody,
                action=Action.REASSIGN,
            ),
        ]

    def _of_agents(self) -> list[Operation]:
        agents = f"{V1}/agents"
        return [
            Operation("GET", agents, self.agents, "Colleagues, for transfers"),
            Operation(
                "PUT",
                f"{agents}/{{id}}/presence",
                self.presence,
                "Set a presence",
                PresenceBody,
                status=204,
            ),
            Operation(
                "PUT",
                f"{agents}/me/away-after-work",
                self.reserve_away,
                "Be away when the present work has ended",
                AwayBody,
                status=204,
                action=Action.SELF,
            ),
            Operation(
                "DELETE",
                f"{agents}/me/away-after-work",
                self.take_away_back,
                "Stay after the present work",
                status=204,
                action=Action.SELF,
            ),
            Operation(
                "PUT",
                f"{agents}/{{id}}/capacity",
                self.capacity,
                "Set the capacity",
                CapacityBody,
                status=204,
                action=Action.STEER,
            ),
            _post(
                f"{agents}/me/sign-out",
                self.sign_out,
                "End the working day",
                SignOutBody,
                action=Action.SELF,
            ),
        ]

    async def accept(self, call: Call[Nothing]) -> Any:
        """Accept an own offer; 409 ``taken`` names who was faster. Twice is the same as once."""
        offer_id = call.key("id")
        row = await self._offered(offer_id, call.actor)
        try:
            await self.router.ask(Order(OfferAccepted(offer_id, call.actor.id)))
        except Refused as refused:
            if refused.code != "taken" or refused.agent != call.actor.id:
                raise self._told(refused) from refused
        return {"conversation": row}

    async def decline(self, call: Call[DeclineBody]) -> None:
        """Decline an own offer with a reason."""
        offer_id = call.key("id")
        await self._offered(offer_id, call.actor)
        command = OfferDeclined(offer_id, call.actor.id, call.body.reason)
        try:
            await self.router.ask(Order(command))
        except Refused as refused:
            raise self._told(refused) from refused

    async def _offered(self, offer_id: str, actor: Actor) -> Id:
        """Return the conversation of an offer that was made to the actor, or that is in the
        actor's sight. Raises NotFound.
        """

        def unit() -> Work[Any]:
            return (
                yield select(work_item.c.conversation)
                .join(offer, offer.c.item == work_item.c.id)
                .join(conversation, conversation.c.id == work_item.c.conversation)
                .where(offer.c.id == offer_id, (offer.c.agent == actor.id) | visible(actor))
            )

        rows = await self.store.read(unit)
        if not rows:
            raise NotFound("offer")
        return str(rows[0].conversation)

    def _told(self, refused: Refused) -> Exception:
        if refused.agent is None:
            return refused
        return Problem(
            409,
            "taken" if refused.code == "not_yours" else refused.code,
            refused.detail or refused.code,
            agent=refused.agent,
            agent_name=self._catalog.agent_name(refused.agent),
        )

    async def take(self, call: Call[WorkBody]) -> None:
        """Pull a waiting conversation from an own queue."""
        item = await self._item(call, Action.PULL)
        notes = audited(call.actor, "conversation.pull", item)
        await self._ask(Order(Assigned(item, call.actor.id, call.actor.id), notes))

    async def transfer(self, call: Call[TransferBody]) -> None:
        """Transfer to a queue or an agent; the reason and the summary go with it."""
        item = await self._item(call, Action.TRANSFER)
        body, by = call.body, call.actor.id
        notes = audited(
            call.actor, "conversation.transfer", item, reason=body.reason, summary=body.summary
        )
        if body.queue is not None:
            await self._ask(Order(TransferredToQueue(item, body.queue, by, body.reason), notes))
        elif body.agent is not None:
            await self._ask(Order(TransferredToAgent(item, body.agent, by, body.reason), notes))

    async def cancel(self, call: Call[WorkBody]) -> None:
        """Take a transfer back that nobody has accepted."""
        item = await self._item(call, Action.TRANSFER)
        await self._ask(Order(TransferCancelled(item)))

    async def end(self, call: Call[EndBody]) -> None:
        """End the contact; wrap-up begins. 409 ``newer_inbound`` when the customer wrote since,
        ``call_open`` for a call: that ends by hanging up.
        """
        id, seq = call.id(), call.body.inbound_seq

        def unit() -> Work[Any]:
            yield from acts.check_end(call.actor, id, seq)
            return (yield from unfinished_work(id, call.body.of))

        row = await self.store.write(unit)
        if row is None:
            raise Problem(409, "nothing_to_end", "nobody works on this conversation")
        if row.kind == ItemKind.CALL.value and row.owner is not None:
            raise Problem(409, "call_open", "hang up to end a call")
        notes = audited(call.actor, "conversation.end", row.id)
        if row.owner is None:
            await self._ask(Order(WorkEnded(row.id), notes))
        else:
            await self._ask(Order(WrapUpStarted(row.id, row.owner, seq), notes))

    async def wrap_up(self, call: Call[WrapUpBody]) -> None:
        """End the work. 422 when the queue wants a result and there is none."""
        row = await self._work(call, Action.END)
        item = str(row.id)
        queue = self._catalog.queues.get(row.queue)
        codes = [code.key for code in queue.object.wrap_up] if queue else []
        if row.state != ItemState.wrap_up.value:
            raise Problem(409, "not_in_wrap_up", "end the contact first")
        if codes and call.body.code not in codes:
            raise Problem(422, "code_needed", "choose a result", codes=codes)
        wrap_up = {"code": call.body.code, "note": call.body.note, "by": call.actor.id}
        notes = audited(call.actor, "conversation.wrap_up", item, wrap_up=wrap_up)
        await self._ask(Order(WorkEnded(item, wrapped_up=True), notes))

    async def called(self, call: Call[CallBody]) -> None:
        """Say what came of calling the customer: reached, in vain (the item waits for the next
        call), or given up. 409 ``no_callback``, ``no_more_calls``.
        """
        row = await self._work(call, Action.END)
        item = str(row.id)
        outcome = call.body.outcome
        notes = audited(call.actor, f"conversation.callback_{outcome}", item)
        await self._ask(Order(_OUTCOMES[outcome](item, row.owner or call.actor.id), notes))

    async def extend(self, call: Call[WorkBody]) -> None:
        """Let a wrap-up with a limit end 30 s later. 409 ``no_limit``, ``not_in_wrap_up``."""
        item = await self._item(call, Action.END)
        await self._ask(Order(WrapUpExtended(item, EXTENSION_S)))

    async def assign(self, call: Call[AssignBody]) -> None:
        """A supervisor gives a conversation to an agent."""
        item = await self._item(call, Action.REASSIGN)
        notes = audited(call.actor, "conversation.assign", item, agent=call.body.agent)
        await self._ask(Order(Assigned(item, call.body.agent, call.actor.id), notes))

    async def priority(self, call: Call[PriorityBody]) -> None:
        """A supervisor moves a waiting item to another priority class."""
        notes = audited(call.actor, "item.priority", call.id(), priority=call.body.priority)
        await self._ask(Order(ItemPrioritised(call.id(), call.body.priority), notes))

    async def move(self, call: Call[MoveBody]) -> None:
        """A supervisor moves a waiting item within its queue. 409 ``not_waiting``."""
        notes = audited(call.actor, "item.move", call.id(), place=call.body.place)
        await self._ask(Order(ItemMoved(call.id(), call.body.place), notes))

    async def explain(self, call: Call[Nothing]) -> Any:
        """Return who has it and why; while it waits, every candidate and what stands between."""
        id = call.id()

        def unit() -> Work[Any]:
            found = yield from by_ids([id])
            if id not in found:
                raise NotFound("conversation")
            yield from allow(call.actor, Action.READ, found[id])
            return (yield from recorded(id))

        one = await self.store.read(unit)
        if one is None:
            raise Problem(409, "no_work", "nobody was ever asked to work on this conversation")
        return told(one, self._catalog, self._explained)

    def _explained(self, item: Id) -> FullExplanation | None:
        """Return the engine's view, None when it runs elsewhere or has just closed the item."""
        try:
            return self.service.explain(item)
        except (NotOwner, Refused):
            return None

    async def agents(self, call: Call[Nothing]) -> Any:
        """Return colleagues with presence and room."""
        require(call.actor, Action.SELF, None)
        ids = [id for id, e in self._catalog.agent_by_id.items() if e.object.active]
        views = await self.store.read(lambda: self.views.agents(ids))
        fields = ("id", "name", "presence", "activity", "free", "units", "queues")
        return {
            "agents": [
                {name: view.body[name] for name in fields}
                for view in views.values()
                if view.body["queues"]
            ]
        }

    async def presence(self, call: Call[PresenceBody]) -> None:
        """Set one's own presence, or as a supervisor somebody else's."""
        agent = self._agent(call, Action.STEER)
        notes = {
            "actor": call.actor,
            "action": "agent.presence",
            "object": f"agent:{agent}",
            "presence": call.body.presence,
            "reason": call.body.reason,
        }
        command = PresenceSet(agent, Presence(call.body.presence), call.body.reason, call.actor.id)
        await self._ask(Order(command, notes))

    async def reserve_away(self, call: Call[AwayBody]) -> None:
        """No new offer from now on; away with the reason when the last work has ended."""
        notes = _of_agent(call.actor, "agent.away_reserved", reason=call.body.reason)
        await self._ask(Order(AwayReserved(call.actor.id, call.body.reason), notes))

    async def take_away_back(self, call: Call[Nothing]) -> None:
        """Be offered work again; without a reservation nothing changes."""
        notes = _of_agent(call.actor, "agent.away_taken_back")
        await self._ask(Order(AwayTakenBack(call.actor.id), notes))

    async def sign_out(self, call: Call[SignOutBody]) -> None:
        """End the working day: open work goes back to its queues, or what waits stays."""
        me = call.actor.id
        rows = await self.store.read(lambda: owned_items(me))
        command = PresenceSet(me, Presence.offline, "", me)
        notes = _of_agent(call.actor, "agent.sign_out", open_work=call.body.open_work)
        await self._ask(Order(command, notes))
        for row in rows:
            paused = (row.routing or {}).get("paused_since") is not None
            if row.state == ItemState.wrap_up.value:
                await self._leave(row.id)
            elif not (paused and call.body.open_work == "keep"):
                await self._ask(Order(Requeued(row.id, "signed_out")))

    async def _leave(self, item: Id) -> None:
        """End a wrap-up; what a text has brought back meanwhile goes to others."""
        try:
            await self._ask(Order(WorkEnded(item, wrapped_up=True)))
        except Refused as why:
            if why.code != "customer_wrote":
                raise
            await self._ask(Order(Requeued(item, "signed_out")))

    async def capacity(self, call: Call[CapacityBody]) -> None:
        """A supervisor sets an agent's units: a version of the configuration like any other."""
        entry = self._catalog.agent_by_id.get(call.id())
        if entry is None:
            raise NotFound("agent")
        body = {**body_of(entry.object), "units": call.body.units}
        change = Change("agent", entry.object.key, body)
        await self.configuration.change(call.actor, "capacity", [change])

    def _agent(self, call: Call[Any], other: Action) -> Id:
        name = call.request.match_info["id"]
        if name == "me" or name == call.actor.id:
            require(call.actor, Action.SELF, Facts(frozenset({call.actor.id})))
            return call.actor.id
        if not is_id(name) or name not in self._catalog.agent_by_id:
            raise NotFound("agent")
        require(call.actor, other)
        return name

    async def _item(self, call: Call[Any], action: Action) -> Id:
        """Return the unfinished item of a conversation that the actor may treat so."""
        return str((await self._work(call, action)).id)

    async def _work(self, call: Call[Any], action: Action) -> Row[Any]:
        """Return the row of that item."""
        id, kind = call.id(), call.body.of

        def unit() -> Work[Any]:
            found = yield from by_ids([id])
            if id not in found:
                raise NotFound("conversation")
            row = yield from unfinished_work(id, kind)
            owner = row.owner if row is not None else None
            yield from allow(call.actor, action, found[id], owner)
            return row

        row: Row[Any] | None = await self.store.read(unit)
        if row is None:
            raise Problem(409, "closed", "the conversation has ended")
        return row

    async def _ask(self, order: Order) -> dict[str, Any]:
        try:
            return await self.router.ask(order)
        except Refused as refused:
            raise self._told(refused) from refused


def _post(
    path: str, handler: Handler, summary: str, body: type[Body] = Nothing, **more: Any
) -> Operation:
    return Operation("POST", path, handler, summary, body, **{"status": 204, **more})


def _of_agent(actor: Actor, action: str, **detail: Any) -> dict[str, Any]:
    """Return notes that put what an agent does to themselves on the audit trail."""
    return {"actor": actor, "action": action, "object": f"agent:{actor.id}", **detail}


def owned_items(agent: Id) -> Work[list[Any]]:
    """Return an agent's unfinished items."""
    rows = yield select(work_item).where(
        work_item.c.owner == agent, work_item.c.state.in_([s.value for s in UNFINISHED])
    )
    return list(rows)
