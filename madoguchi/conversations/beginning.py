"""Where a contact belongs: the open conversation of its thread, a reopened or a new one; and the
work that it makes. Pure.
"""

from datetime import datetime

from madoguchi.conversations import callbacks, choice, outside
from madoguchi.conversations.choice import Choice, Contact
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.conversation import Conversation, ConversationState, ItemKind, NewItem
from madoguchi.model.hours import Opening
from madoguchi.model.ids import Id
from madoguchi.model.inbound import InboundCall, InboundMessage
from madoguchi.model.people import Customer, Identity

Contacting = InboundMessage | InboundCall
Preferred = tuple[Id | None, str | None]
"""Who shall get the first offer, and why."""


def conversation_for(
    ledger: Ledger, arrival: Arrival, inbound: Contacting, identity: Identity, thread: str
) -> tuple[Conversation, Preferred]:
    """Return the open conversation of a thread, a reopened one, or a new one; with it come the
    agent who shall get the first offer, and why.
    """
    earlier = ledger.of_thread((arrival.account.id, thread))
    last = earlier[-1] if earlier else None
    if last is not None and last.state is not ConversationState.CLOSED:
        return last, (None, None)
    if last is not None and _reopens(last, arrival):
        reopened = ledger.change(
            last,
            state=ConversationState.OPEN,
            closed_at=None,
            wrap_up=None,
            context=outside.unmarked(callbacks.forgotten(last)),
        )
        return reopened, (last.last_owner, "last_owner" if last.last_owner else None)
    return _opened(ledger, arrival, inbound, identity, thread, last), (None, None)


def _opened(
    ledger: Ledger,
    arrival: Arrival,
    inbound: Contacting,
    identity: Identity,
    thread: str,
    last: Conversation | None,
) -> Conversation:
    account = arrival.account
    chosen = _choose(ledger, arrival, inbound)
    return ledger.open(
        Conversation(
            id=ledger.new_id(),
            number=0,
            account=account.id,
            channel=account.channel,
            thread=thread,
            identity=identity.id,
            state=ConversationState.OPEN,
            queue=chosen.queue,
            language=inbound.language or account.language,
            created_at=arrival.received_at,
            last_at=arrival.received_at,
            subject=inbound.topic or "",
            continues=last.id if last else None,
            context=chosen.mark,
        )
    )


def _choose(ledger: Ledger, arrival: Arrival, inbound: Contacting) -> Choice:
    """Return the queue of a new conversation; rules that could not tell are noted."""
    _, customer = ledger.people[inbound.sender]
    contact = Contact(
        account=arrival.account,
        sender=inbound.sender,
        customer=customer,
        business_id=ledger.business_ids.get(customer.id, ""),
        text=inbound.text,
        topic=inbound.topic or "",
        language=inbound.language,
        context=inbound.context,
    )
    chosen = choice.choose(ledger.catalog, contact, ledger.now, ledger.zone)
    ledger.unanswered += chosen.unanswered
    return chosen


def _reopens(last: Conversation, arrival: Arrival) -> bool:
    window = arrival.capabilities.reopen_window_s
    return (arrival.received_at - last.last_at).total_seconds() <= window


def enqueue(
    ledger: Ledger,
    arrival: Arrival,
    inbound: Contacting,
    one: Conversation,
    customer: Customer,
    asked_first: Preferred,
    since: datetime | None = None,
) -> tuple[Conversation, Opening]:
    """Let a conversation's contact wait for an agent, as one that waits ``since`` a moment; return
    the conversation in the queue where it waits, and how it stands there.
    """
    came_to = one.queue
    own = choice.taken(one)
    queue, opening = ledger.catalog.destination(one.queue, ledger.now)
    one = one if queue == one.queue else ledger.move(one, queue)
    preferred, preference = asked_first
    if preferred is None:
        colleague = ledger.colleagues.get(customer.id)
        preferred, preference = choice.preferred(ledger.catalog, one, customer, colleague)
    call = inbound if isinstance(inbound, InboundCall) else None
    ledger.add_item(
        NewItem(
            ledger.new_id(),
            one.id,
            one.queue,
            came_to,
            call.channel if call else arrival.account.channel,
            since or arrival.received_at,
            preferred,
            preference,
            inbound.topic,
            kind=ItemKind.CALL if call else ItemKind.TEXT,
            **own,
        )
    )
    return one, opening
