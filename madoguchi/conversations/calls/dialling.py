"""Calls that agents make: a call to a customer begins with the agent, who then hears it ring."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from madoguchi.configuration.tables import config_object
from madoguchi.conversations import repository as conversations
from madoguchi.conversations import telling
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.story import line
from madoguchi.conversations.tables import work_item
from madoguchi.conversations.visibility import allow
from madoguchi.model import log
from madoguchi.model.calls import CALLER, CallEvent, Happened, Party
from madoguchi.model.channels import Channel
from madoguchi.model.conversation import (
    UNFINISHED,
    Conversation,
    ConversationState,
    Direction,
    ItemKind,
    NewItem,
)
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor, Scheme
from madoguchi.model.routing import ItemState
from madoguchi.security.audit import record
from madoguchi.security.permissions import Action, NotFound
from madoguchi.store.log import append
from madoguchi.store.work import Work
from unified_profile import service as profile

OURS = "OC"
"""The names of calls that we make begin so; those of a provider's own calls do not."""


def made_here(name: str) -> bool:
    """Tell by a call's name whether it is one that we make."""
    return name.startswith(OURS)


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom an agent calls: a number in E.164, by an account."""

    conversation: Id
    account: Id
    number: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A call that was made; ``again`` is the work that it goes on with, None: it is new work."""

    call: Id
    again: Id | None


def wanted(actor: Actor, conversation: Id) -> Work[tuple[Conversation, Id | None]]:
    """Return a conversation in which an actor may call its customer, and the text work that is to
    become theirs first, None: nothing. Raises NotFound, Forbidden, Refusal.
    """
    found = yield from conversations.by_ids([conversation])
    if conversation not in found:
        raise NotFound("conversation")
    one = found[conversation]
    work = yield from _work(one.id)
    holders = {row.owner for row in work.values() if row.owner}
    if actor.id in holders:
        yield from allow(actor, Action.REPLY, one, actor.id)
    else:
        yield from allow(actor, Action.PULL, one)
        if holders:
            raise Refusal("not_your_conversation", "a colleague has this conversation")
    if one.state is ConversationState.CLOSED:
        raise Refusal("closed", "the conversation has ended")
    text = work.get(ItemKind.TEXT.value)
    return one, text.id if text is not None and actor.id not in holders else None


def address_of(one: Conversation, identity: Id) -> Work[str]:
    """Return the telephone number that is an identity of a conversation's customer. Raises
    NotFound.
    """
    customer = (yield from profile.customers_of([one.identity]))[one.identity].id
    known = (yield from profile.bodies([customer]))[customer]["identities"]
    for each in known:
        if each["id"] == identity and each["scheme"] == Scheme.PHONE.value:
            return str(each["value"])
    raise NotFound("identity")


def place(actor: Actor, dialled: Dialled, now: datetime, new_id: Callable[[], Id]) -> Work[Placed]:
    """Make a call that belongs to the actor; the customer is rung when they have come in.

    Raises Refusal ``in_call``, ``closed``, ``not_your_conversation``.
    """
    found = yield from conversations.by_ids([dialled.conversation], lock=True)
    one = found[dialled.conversation]
    if one.state is ConversationState.CLOSED:
        raise Refusal("closed", "the conversation has ended")
    # One after the other: two calls at one moment would each find the agent free.
    yield select(config_object.c.id).where(config_object.c.id == actor.id).with_for_update()
    work = (yield from _work(one.id)).get(ItemKind.CALL.value)
    again = _own_wrap_up(actor, work) if work is not None else None
    yield from _refuse_second(actor, again)
    call = _begun(one, dialled, now, new_id)
    item = again or new_id()
    call = replace(call, item=item)
    yield from repository.save({}, [call], now)
    told = line(new_id(), call, Direction.OUT, now)
    yield conversations.insert_messages([told])
    mine = log.visitor(one.account, one.thread)
    yield append([telling.message_changed(told, mine, now, "message.noted")])
    if again is None:
        yield from _born(actor, one, item, now)
    yield record(actor, "call.dial", f"call:{call.id}", {"number": dialled.number}, now)
    return Placed(call.id, again)


def _work(conversation: Id) -> Work[dict[str, Any]]:
    rows = yield select(work_item).where(
        work_item.c.conversation == conversation,
        work_item.c.state.in_([state.value for state in UNFINISHED]),
    )
    return {row.kind: row for row in rows}


def _own_wrap_up(actor: Actor, work: Any) -> Id:
    """Return the work of the call that has just ended, which is gone on with."""
    if work.owner != actor.id:
        raise Refusal("not_your_conversation", "a colleague has this conversation")
    if work.state != ItemState.wrap_up.value:
        raise Refusal("in_call", "you are in a call")
    return str(work.id)


def _refuse_second(actor: Actor, again: Id | None) -> Work[None]:
    if actor.id in (yield from repository.helping()):
        raise Refusal("in_call", "you are in a colleague's call")
    rows = yield select(work_item.c.id).where(
        work_item.c.owner == actor.id,
        work_item.c.kind == ItemKind.CALL.value,
        work_item.c.state.in_([s.value for s in UNFINISHED if s is not ItemState.wrap_up]),
    )
    if any(row.id != again for row in rows):
        raise Refusal("in_call", "you are in a call")


def _begun(one: Conversation, dialled: Dialled, now: datetime, new_id: Callable[[], Id]) -> Call:
    id = new_id()
    address = {"party": Party.CUSTOMER.value, "address": dialled.number}
    return Call(
        id=id,
        conversation=one.id,
        account=dialled.account,
        thread=f"{Scheme.PHONE.value}:{dialled.number}",
        name=OURS + id.replace("-", ""),
        channel=Channel.VOICE,
        queue=one.queue,
        began_at=now,
        events=(
            CallEvent("hub:began", now, Happened.BEGAN, data={"direction": "out"}),
            CallEvent("hub:rang", now, Happened.RANG, CALLER, address),
        ),
    )


def _born(actor: Actor, one: Conversation, item: Id, now: datetime) -> Work[None]:
    """Store the work that the call is: the actor's from the start."""
    new = NewItem(
        item,
        one.id,
        one.queue,
        one.queue,
        Channel.VOICE,
        now,
        None,
        None,
        kind=ItemKind.CALL,
        owner=actor.id,
    )
    yield conversations.insert_items([new])
    yield append([telling.item_enqueued(new, now)])


def refused(call: Id, why: str, now: datetime) -> Work[None]:
    """End a call that is not made after all."""
    found = yield from repository.by_ids([call], lock=True)
    ended = CallEvent("hub:refused", now, Happened.ENDED, data={"why": why})
    yield from repository.save(found, [one.after(ended) for one in found.values()], now)


def asked(call: Id, leg: str, now: datetime) -> Work[bool]:
    """Store that a provider is asked to call a leg's number; tell whether it is to be asked: it is
    asked once, whatever happens to us meanwhile.
    """
    return (yield from _happens(call, leg, "dialled", Happened.DIALLED, {}, now))


def rung(call: Id, leg: str, name: str, now: datetime) -> Work[bool]:
    """Keep the provider's name of the call to a leg's number: with it, the ringing can be ended."""
    return (yield from _happens(call, leg, "rung", Happened.DIALLED, {"rung": name}, now))


def failed(call: Id, leg: str, why: str, now: datetime) -> Work[bool]:
    """Let a leg end that the provider does not call."""
    return (yield from _happens(call, leg, "failed", Happened.LEFT, {"why": why}, now))


def _happens(
    call: Id, leg: str, name: str, kind: Happened, data: dict[str, Any], now: datetime
) -> Work[bool]:
    found = yield from repository.by_ids([call], lock=True)
    one = found.get(call)
    known = one.facts.legs.get(leg) if one else None
    id = f"hub:{name}:{leg}"
    if one is None or known is None or not known.live or any(each.id == id for each in one.events):
        return False
    yield from repository.save(found, [one.after(CallEvent(id, now, kind, leg, data))], now)
    return True
