"""What providers and clients tell of calls, decided in memory. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from madoguchi.conversations import outside
from madoguchi.conversations.beginning import Preferred, conversation_for, enqueue
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.story import line
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.calls import CallEvent, Happened, Recording
from madoguchi.model.channels import Channel
from madoguchi.model.conversation import Conversation, ConversationState, Direction, Message, Part
from madoguchi.model.inbound import InboundCall
from madoguchi.model.people import Identity

MOST_EVENTS = 500
"""So many events a call may have before signs are not kept any more."""

SIGNS = frozenset({Happened.MUTED, Happened.UNMUTED, Happened.VIDEO, Happened.SCREEN})
SURVEY = "survey"
CALLBACK = "callback"
"""Why a call ends whose caller is to be called back; they wait on for that."""

BUSY, CLOSED = "busy", "closed"
"""Why a call ends at once: its caller is in another one, or nobody works now."""


def arrived(ledger: Ledger, arrival: Arrival, inbound: InboundCall) -> None:
    """Take in what happened in a call; a call that is not known begins."""
    known = ledger.calls.get((arrival.account.id, inbound.call))
    if known is None and not inbound.begins:
        return
    if known is None and inbound.id in ledger.taken:
        return
    if known is None:
        known = _begun(ledger, arrival, inbound)
    known = known.after(*_counts(ledger, known, inbound.events))
    known = known.after(*_recorded(ledger, arrival, known))
    ledger.put_call(known)
    if inbound.asks_for:
        ledger.answer(_asked_for(ledger, arrival, inbound, known))
    if inbound.recorded is not None:
        ledger.recorded.append((known, inbound.recorded))
    if inbound.wants and known.item is None and not known.facts.over:
        _wait(ledger, arrival, inbound, known)
        waiting = ledger.calls[arrival.account.id, inbound.call]
        ledger.put_call(waiting.after(*_recorded(ledger, arrival, waiting)))
    if known.item is None and ledger.calls[arrival.account.id, inbound.call].facts.over:
        _left_alone(ledger, arrival, known)


def _asked_for(ledger: Ledger, arrival: Arrival, inbound: InboundCall, call: Call) -> Message:
    """Return the text message that a caller wants instead of waiting."""
    one = ledger.conversations[call.conversation]
    told = outside.message(ledger.new_id(), one, arrival.capabilities, inbound.asks_for, ledger.now)
    part: Part = {"type": "text", "text": inbound.asks_for, "asked_for": True}
    identity, _ = ledger.people[inbound.sender]
    return replace(
        told,
        channel=Channel.SMS,
        account=arrival.account.id,
        identity=identity.id,
        parts=(part,),
    )


def _counts(ledger: Ledger, call: Call, events: Sequence[CallEvent]) -> list[CallEvent]:
    """Return the events that count: of signs, which anybody can send without end, so many, and none
    after the end; of answers to the survey those that are asked for.
    """
    full = len(call.events) >= MOST_EVENTS or call.facts.over
    kept = [one for one in events if not (full and one.kind in SIGNS)]
    return [one for one in kept if one.data.get("step") != SURVEY or _asked(ledger, call, one)]


def _asked(ledger: Ledger, call: Call, answer: CallEvent) -> bool:
    """Tell whether the queue asks how a call was, and takes such an answer."""
    queue = ledger.catalog.queues.get(call.queue)
    if queue is None or not queue.object.survey.scale or call.facts.answered_at is None:
        return False
    survey = queue.object.survey
    return survey.least <= int(answer.data["value"]) <= survey.scale


def _left_alone(ledger: Ledger, arrival: Arrival, call: Call) -> None:
    """Close the conversation of a call that ended before it needed anybody, and that has no other
    work: nobody else would.
    """
    one = ledger.conversations[call.conversation]
    busy = one.id in ledger.items or one.id in ledger.call_items
    if one.state is not ConversationState.CLOSED and not busy:
        ledger.change(one, state=ConversationState.CLOSED, closed_at=arrival.received_at)


def _recorded(ledger: Ledger, arrival: Arrival, call: Call) -> list[CallEvent]:
    """Return that a call is recorded from now on, as its queue's are if customers agree."""
    queue = ledger.catalog.queues.get(call.queue)
    facts = call.facts
    asks = queue is not None and queue.object.recording.when == "agreed"
    if not asks or not facts.agreed or facts.over or facts.recording is not Recording.OFF:
        return []
    on = {"state": Recording.ON.value}
    return [CallEvent("hub:agreed", arrival.received_at, Happened.RECORDING, data=on)]


def _begun(ledger: Ledger, arrival: Arrival, inbound: InboundCall) -> Call:
    """Return a new call: in the open conversation of its caller, whatever that came by."""
    identity, _ = ledger.people[inbound.sender]
    one = _home(ledger, arrival, inbound, identity)
    call = Call(
        id=inbound.id or ledger.new_id(),
        conversation=one.id,
        account=arrival.account.id,
        thread=inbound.thread,
        name=inbound.call,
        channel=inbound.channel,
        queue=one.queue,
        began_at=arrival.received_at,
    )
    ledger.change(one, last_at=max(one.last_at, arrival.received_at))
    ledger.add_message(line(ledger.new_id(), call, Direction.IN, arrival.received_at))
    return call


def _home(
    ledger: Ledger, arrival: Arrival, inbound: InboundCall, identity: Identity
) -> Conversation:
    known = ledger.open_of.get(identity.id)
    if known is not None and known not in ledger.call_items:
        return ledger.conversations[known]
    thread = inbound.thread
    earlier = ledger.of_thread((arrival.account.id, thread))
    # A company's people show one number: the second of them is another matter. A visitor has one
    # call at a time, but may call again while the last one is wrapped up.
    busy = ledger.wrapping if arrival.capabilities.by_browser else ledger.call_items
    if any(one.id in busy for one in earlier):
        thread = f"{thread}#{inbound.call}"
    return conversation_for(ledger, arrival, inbound, identity, thread)[0]


def _wait(ledger: Ledger, arrival: Arrival, inbound: InboundCall, call: Call) -> None:
    """Let a call wait for an agent: first for whoever serves its customer by text."""
    one = ledger.conversations[call.conversation]
    others = {
        name
        for account, thread, name in ledger.lines
        if (account, thread) == (call.account, call.thread) and name != call.name
    }
    if one.id in ledger.call_items or others:
        ledger.put_call(_ended(call, arrival, BUSY))
        return
    if one.state is ConversationState.CLOSED:
        one = ledger.change(one, state=ConversationState.OPEN, closed_at=None, wrap_up=None)
    if inbound.queue is not None and inbound.queue in ledger.catalog.queues:
        one = ledger.move(one, inbound.queue) if one.id not in ledger.items else one
    _, customer = ledger.people[inbound.sender]
    person = one.owner or one.last_owner
    first: Preferred = (person, "last_owner" if person else None)
    opening = ledger.catalog.destination(one.queue, ledger.now)[1]
    if not opening.open:
        ledger.put_call(_ended(call, arrival, CLOSED))
        return
    placed, _ = enqueue(ledger, arrival, inbound, one, customer, first)
    ledger.put_call(replace(call, item=ledger.call_items[one.id], queue=placed.queue))


def _ended(call: Call, arrival: Arrival, why: str) -> Call:
    event = CallEvent(f"hub:{why}", arrival.received_at, Happened.ENDED, data={"why": why})
    return call.after(event)
