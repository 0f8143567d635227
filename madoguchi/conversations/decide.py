"""What one inbound event means, decided in memory. Pure: no statement, no clock."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from madoguchi.conversations import callback_asking, callbacks, outside, turning_away
from madoguchi.conversations.beginning import Preferred, conversation_for, enqueue
from madoguchi.conversations.calls.arriving import arrived
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.conversation import (
    Author,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    Visibility,
    advance,
    occurred_at,
)
from madoguchi.model.hours import Opening
from madoguchi.model.ids import Id
from madoguchi.model.inbound import (
    InboundCall,
    InboundCallback,
    InboundEnd,
    InboundIdentity,
    InboundMessage,
    InboundReceipt,
    InboundSeen,
    InboundUnknown,
)
from madoguchi.model.people import Identity

PREVIEW = 160
NOBODY: Preferred = (None, None)


def decide(ledger: Ledger, arrival: Arrival) -> None:
    """Let one event change the ledger."""
    _handle(arrival.inbound, ledger, arrival)


@singledispatch
def _handle(inbound: object, ledger: Ledger, arrival: Arrival) -> None:
    raise TypeError(f"no handler for {type(inbound).__name__}")


@_handle.register
def _(inbound: InboundUnknown, ledger: Ledger, arrival: Arrival) -> None:
    """Accepted and without effect; the raw event stays in the inbox."""


@_handle.register
def _(inbound: InboundMessage, ledger: Ledger, arrival: Arrival) -> None:
    if ledger.by_provider(arrival.account.id, inbound.provider_id) is not None:
        return
    identity, customer = ledger.people[inbound.sender]
    place = ledger.calls.get((arrival.account.id, inbound.instead))
    if place is not None:
        one, asked_first = ledger.conversations[place.conversation], NOBODY
    else:
        one, asked_first = conversation_for(ledger, arrival, inbound, identity, inbound.thread)
    message = _received(ledger.new_id(), one.id, identity.id, inbound, arrival)
    one = _written_to(ledger, one, message, inbound)
    opening = Opening()
    # Who speaks with the customer on the telephone has their texts before the eyes, too.
    if needs_agent := one.id not in ledger.items and one.owner is None:
        queue = place.queue if place is not None else inbound.queue
        if queue in ledger.catalog.queues:
            one = ledger.move(one, queue)
        since = ledger.waiting_since.get(one.id) if place is not None else None
        one, opening = enqueue(ledger, arrival, inbound, one, customer, asked_first, since)
    ledger.add_message(message, inbound_seq=one.inbound_seq)
    if inbound.automatic:
        return
    if not needs_agent:
        one = ledger.conversations[one.id]
        callback_asking.wrote(ledger, arrival, one, identity, inbound.text)
    elif not opening.open:
        _tell_closed(ledger, arrival, one, identity, opening)


def _tell_closed(
    ledger: Ledger, arrival: Arrival, one: Conversation, identity: Identity, opening: Opening
) -> None:
    """Tell the customer that the queue is closed, once in a conversation and closed period; and
    offer a call where it is to be offered, once for each work item.
    """
    one, item = ledger.conversations[one.id], ledger.items[one.id]
    queue = ledger.catalog.queues[one.queue].object
    told = outside.told(one, opening, ledger.now)
    offers = queue.outside.action == "callback" and not callbacks.wish(one, item)
    if arrival.account.paused or (told and not offers):
        return
    texts = [] if told else [outside.text(queue.outside, opening, one.language)]
    one = ledger.change(one, context={**one.context, **outside.mark(one, opening)})
    if offers:
        texts.append(callbacks.offer(queue.callback, one.language, closed=True))
        if not arrival.capabilities.stream:
            texts.append(callbacks.how(one.language, callbacks.number_of(one, identity)))
        one = ledger.change(one, context=callbacks.offered(one, item, ledger.now))
    said = "\n".join(texts)
    ledger.answer(outside.message(ledger.new_id(), one, arrival.capabilities, said, ledger.now))


def _received(
    id: Id, conversation: Id, identity: Id, inbound: InboundMessage, arrival: Arrival
) -> Message:
    return Message(
        id=id,
        conversation=conversation,
        author=Author.CUSTOMER,
        direction=Direction.IN,
        visibility=Visibility.PUBLIC,
        channel=arrival.account.channel,
        account=arrival.account.id,
        identity=identity,
        agent=None,
        parts=inbound.parts,
        state=MessageState.RECEIVED,
        provider_at=inbound.provider_at,
        received_at=arrival.received_at,
        provider_id=inbound.provider_id,
        late=arrival.late,
    )


def _written_to(
    ledger: Ledger, one: Conversation, message: Message, inbound: InboundMessage
) -> Conversation:
    """Return a conversation after its customer has written: open, unanswered, with a preview."""
    at = occurred_at(message.provider_at, message.received_at)
    return ledger.change(
        one,
        state=ConversationState.OPEN,
        identity=message.identity,
        preview=preview(message),
        preview_author=Author.CUSTOMER,
        last_at=max(one.last_at, at),
        inbound_at=at,
        inbound_seq=one.inbound_seq + 1,
        unanswered_since=one.unanswered_since or at,
        context={**_noted(one.context, automatic=inbound.automatic), **inbound.context},
    )


def _noted(context: Mapping[str, Any], *, automatic: bool) -> dict[str, Any]:
    """Return a conversation's context, which says whether a machine wrote last."""
    left = {key: value for key, value in context.items() if key != turning_away.AUTOMATIC}
    return {**left, turning_away.AUTOMATIC: True} if automatic else left


@_handle.register
def _(inbound: InboundReceipt, ledger: Ledger, arrival: Arrival) -> None:
    one = ledger.messages.get(inbound.message or "") or ledger.by_provider(
        arrival.account.id, inbound.provider_id
    )
    if one is None or one.direction is Direction.IN:
        return
    state = advance(one.state, inbound.state)
    namesake = ledger.by_provider(arrival.account.id, inbound.provider_id)
    fresh = inbound.provider_id if namesake is None else None
    provider_id = one.provider_id or fresh
    if state is one.state and provider_id == one.provider_id:
        return
    ledger.settled.add(one.id)
    reason = inbound.reason if state is MessageState.FAILED else None
    ledger.change_message(one, state=state, provider_id=provider_id, reason=reason)


@_handle.register
def _(inbound: InboundIdentity, ledger: Ledger, arrival: Arrival) -> None:
    """The profile was told already; open desks must see who it is now."""
    for one in ledger.of_thread((arrival.account.id, inbound.sender.value)):
        if one.state is not ConversationState.CLOSED:
            ledger.change(one)


@_handle.register
def _(inbound: InboundSeen, ledger: Ledger, arrival: Arrival) -> None:
    for one in ledger.of_thread((arrival.account.id, inbound.thread)):
        for shown in [m for m in ledger.messages.values() if _in_thread(m, one)]:
            told = _shown_state(shown, inbound)
            if shown.direction is Direction.OUT and told is not None:
                state = advance(shown.state, told)
                if state is not shown.state:
                    ledger.change_message(shown, state=state)


def _in_thread(message: Message, one: Conversation) -> bool:
    """Tell whether the customer's client of a thread can have shown a message: what went to
    another address of theirs it never got.
    """
    return message.conversation == one.id and message.account == one.account


def _shown_state(one: Message, seen: InboundSeen) -> MessageState | None:
    at = occurred_at(one.provider_at, one.received_at)
    if seen.read_to is not None and at <= seen.read_to:
        return MessageState.READ
    return MessageState.DELIVERED if one.id in seen.delivered else None


@_handle.register
def _(inbound: InboundEnd, ledger: Ledger, arrival: Arrival) -> None:
    for one in ledger.of_thread((arrival.account.id, inbound.thread)):
        # Who is to be called may leave the page.
        if one.state is ConversationState.CLOSED or callback_asking.waits_for_call(ledger, one):
            continue
        ledger.change(one)
        ledger.tell(one.id, "conversation.customer_left", item=ledger.items.get(one.id))
        ledger.add_message(_left(ledger, one, arrival))


@_handle.register
def _(inbound: InboundCallback, ledger: Ledger, arrival: Arrival) -> None:
    callback_asking.clicked(ledger, arrival, inbound)


@_handle.register
def _(inbound: InboundCall, ledger: Ledger, arrival: Arrival) -> None:
    arrived(ledger, arrival, inbound)


def _left(ledger: Ledger, one: Conversation, arrival: Arrival) -> Message:
    return Message(
        id=ledger.new_id(),
        conversation=one.id,
        author=Author.SYSTEM,
        direction=Direction.IN,
        visibility=Visibility.PUBLIC,
        channel=one.channel,
        account=None,
        identity=None,
        agent=None,
        parts=({"type": "system", "code": "customer_left"},),
        state=MessageState.RECEIVED,
        provider_at=None,
        received_at=arrival.received_at,
    )


def preview(message: Message) -> str:
    """Return the one line that lists show of a message."""
    if message.text:
        return " ".join(message.text.split())[:PREVIEW]
    names = [p.get("name", "") for p in message.parts if p.get("type") == "file"]
    return " ".join(names)[:PREVIEW]
