"""What one inbound event means, decided in memory. Pure: no statement, no clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Any

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations import outside, telling
from madoguchi.model import log
from madoguchi.model.channels import Account, Capabilities
from madoguchi.model.conversation import (
    Author,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    NewItem,
    Visibility,
    advance,
    occurred_at,
)
from madoguchi.model.hours import Opening
from madoguchi.model.ids import Id
from madoguchi.model.inbound import (
    Inbound,
    InboundEnd,
    InboundIdentity,
    InboundMessage,
    InboundReceipt,
    InboundSeen,
    InboundUnknown,
)
from madoguchi.model.log import LogEntry
from madoguchi.model.people import Address, Customer, Identity

PREVIEW = 160
ALWAYS_OPEN = Catalog(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One understood event and where it came in."""

    account: Account
    capabilities: Capabilities
    inbound: Inbound
    received_at: datetime
    late: bool = False


class Ledger:
    """What is known about a batch's threads, plus what was decided so far."""

    def __init__(
        self,
        now: datetime,
        new_id: Callable[[], Id],
        people: Mapping[Address, tuple[Identity, Customer]],
        loaded: Iterable[Conversation],
        items: Mapping[Id, Id],
        messages: Mapping[Id, Message],
        visitors: Mapping[Id, str],
        catalog: Catalog = ALWAYS_OPEN,
    ) -> None:
        self.now = now
        self.catalog = catalog
        self.new_id = new_id
        self.people = people
        self.colleagues: dict[Id, Id] = {}
        self.conversations: dict[Id, Conversation] = {c.id: c for c in loaded}
        self._threads: dict[tuple[Id, str], list[Id]] = {}
        for one in self.conversations.values():
            self._threads.setdefault((one.account, one.thread), []).append(one.id)
        self.items: dict[Id, Id] = dict(items)
        self.messages: dict[Id, Message] = {}
        self._provider: dict[tuple[Id, str], Id] = {}
        self._visitors = dict(visitors)
        self.know_messages(messages.values())
        self.new: list[Id] = []
        self.new_messages: list[Message] = []
        self.changed_messages: dict[Id, Message] = {}
        self.outgoing: list[Message] = []
        self.new_items: list[NewItem] = []
        self.settled: set[Id] = set()
        self._touched: dict[Id, dict[str, Any]] = {}
        self._left: dict[Id, str] = {}
        self._entries: list[Callable[[Ledger], LogEntry]] = []

    def know_messages(self, messages: Iterable[Message]) -> None:
        """Add stored messages."""
        for one in messages:
            self.messages.setdefault(one.id, one)
            if one.account and one.provider_id:
                self._provider[one.account, one.provider_id] = one.id

    def of_thread(self, key: tuple[Id, str]) -> list[Conversation]:
        """Return the conversations of a thread, the newest last."""
        found = [self.conversations[id] for id in self._threads.get(key, [])]
        return sorted(found, key=lambda c: (c.state is not ConversationState.CLOSED, c.last_at))

    def by_provider(self, account: Id, provider_id: str | None) -> Message | None:
        """Return the message that a provider's id names."""
        return self.messages.get(self._provider.get((account, provider_id or ""), ""))

    def open(self, new: Conversation) -> Conversation:
        """Add a conversation that does not exist yet."""
        self.conversations[new.id] = new
        self._threads.setdefault((new.account, new.thread), []).append(new.id)
        self.new.append(new.id)
        return new

    def change(self, one: Conversation, **values: Any) -> Conversation:
        """Change a conversation; it gets one new version per batch, however often it changes."""
        if one.id not in self._touched and one.id not in self.new:
            values["version"] = one.version + 1
        changed = replace(one, **values)
        self.conversations[one.id] = changed
        self._touched.setdefault(one.id, {})
        return changed

    def move(self, one: Conversation, queue: str) -> Conversation:
        """Let a conversation belong to another queue; the one that it leaves hears of it."""
        self._left.setdefault(one.id, one.queue)
        return self.change(one, queue=queue)

    def tell(self, conversation: Id, type: str, **data: Any) -> None:
        """Tell something of a conversation besides its plain change."""
        self._entries.append(
            lambda ledger: telling.conversation_changed(
                ledger.conversations[conversation], ledger.now, type, **data
            )
        )

    def add_message(self, one: Message, **data: Any) -> None:
        """Add a new message; the router hears of it with its item."""
        visitor = self._visitor_of(one)
        self.new_messages.append(one)
        self.know_messages([one])
        item = self.items.get(one.conversation)
        self._entries.append(
            lambda ledger: telling.message_changed(
                one,
                visitor,
                ledger.now,
                "message.received",
                item=item,
                author=one.author.value,
                **data,
            )
        )

    def answer(self, one: Message) -> None:
        """Add a message that the hub itself writes: no agent has answered by it."""
        visitor = self._visitor_of(one)
        self.new_messages.append(one)
        self.know_messages([one])
        if one.state is MessageState.QUEUED:
            self.outgoing.append(one)
        self._entries.append(
            lambda ledger: telling.message_changed(one, visitor, ledger.now, "message.automatic")
        )

    def change_message(self, one: Message, **values: Any) -> None:
        """Change a stored message; later changes of the same batch count on from it."""
        changed = replace(one, **values, version=one.version + 1)
        self.messages[one.id] = changed
        self.changed_messages[one.id] = changed
        visitor = self._visitor_of(one)
        self._entries.append(lambda ledger: telling.message_changed(changed, visitor, ledger.now))

    def add_item(self, item: NewItem) -> None:
        """Add a work item."""
        self.new_items.append(item)
        self.items[item.conversation] = item.id
        entry = telling.item_enqueued(item.id, item.queue, self.now)
        self._entries.append(lambda _: entry)

    def numbered(self, first: int) -> tuple[list[Conversation], list[Conversation]]:
        """Return new conversations with their numbers, and the changed old ones, in id order."""
        for offset, id in enumerate(self.new):
            self.conversations[id] = replace(self.conversations[id], number=first + offset)
        new = [self.conversations[id] for id in self.new]
        changed = [self.conversations[id] for id in sorted(self._touched) if id not in self.new]
        return new, changed

    def entries(self) -> list[LogEntry]:
        """Return what is to be told, conversations once each and before their messages."""
        touched = dict.fromkeys([*self.new, *self._touched])
        plain = [
            telling.conversation_changed(self.conversations[id], self.now, left=self._left.get(id))
            for id in touched
        ]
        return plain + [make(self) for make in self._entries]

    def _visitor_of(self, one: Message) -> str:
        known = self.conversations.get(one.conversation)
        if known is not None:
            return log.visitor(known.account, known.thread)
        return self._visitors[one.conversation]


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
    one, preferred, preference = _conversation_for(ledger, arrival, inbound, identity)
    message = _received(ledger.new_id(), one.id, identity.id, inbound, arrival)
    one = _written_to(ledger, one, message, inbound.context)
    opening = Opening()
    if needs_agent := one.id not in ledger.items:
        came_to = one.queue
        one, opening = _placed(ledger, one)
        if preferred is None and (colleague := ledger.colleagues.get(customer.id)):
            preferred, preference = colleague, "same_customer"
        ledger.add_item(
            NewItem(
                ledger.new_id(),
                one.id,
                one.queue,
                came_to,
                arrival.account.channel,
                arrival.received_at,
                preferred,
                preference,
                inbound.topic,
            )
        )
    ledger.add_message(message, inbound_seq=one.inbound_seq)
    if needs_agent and not opening.open and not inbound.automatic:
        _tell_closed(ledger, arrival, one, opening)


def _placed(ledger: Ledger, one: Conversation) -> tuple[Conversation, Opening]:
    """Return a conversation in the queue where it is to wait now, and how it stands there."""
    queue, opening = ledger.catalog.destination(one.queue, ledger.now)
    return (one if queue == one.queue else ledger.move(one, queue)), opening


def _tell_closed(ledger: Ledger, arrival: Arrival, one: Conversation, opening: Opening) -> None:
    """Tell the customer that the queue is closed: once in a conversation and closed period."""
    if arrival.account.paused or outside.told(one, opening, ledger.now):
        return
    policy = ledger.catalog.queues[one.queue].object.outside
    text = outside.text(policy, opening, one.language)
    context = {**one.context, **outside.mark(one, opening)}
    ledger.change(ledger.conversations[one.id], context=context)
    ledger.answer(outside.message(ledger.new_id(), one, arrival.capabilities, text, ledger.now))


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
    ledger: Ledger, one: Conversation, message: Message, context: Mapping[str, Any]
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
        context={**one.context, **context},
    )


def _conversation_for(
    ledger: Ledger, arrival: Arrival, inbound: InboundMessage, identity: Identity
) -> tuple[Conversation, Id | None, str | None]:
    """Return the open conversation of the thread, a reopened one, or a new one.

    With it come the agent who shall get the first offer, and why.
    """
    account = arrival.account
    earlier = ledger.of_thread((account.id, inbound.thread))
    last = earlier[-1] if earlier else None
    if last is not None and last.state is not ConversationState.CLOSED:
        return last, None, None
    if last is not None and _reopens(last, arrival):
        reopened = ledger.change(
            last,
            state=ConversationState.OPEN,
            closed_at=None,
            wrap_up=None,
            context=outside.unmarked(last.context),
        )
        return reopened, last.last_owner, "last_owner" if last.last_owner else None
    return (
        ledger.open(
            Conversation(
                id=ledger.new_id(),
                number=0,
                account=account.id,
                channel=account.channel,
                thread=inbound.thread,
                identity=identity.id,
                state=ConversationState.OPEN,
                queue=account.topics.get(inbound.topic or "", account.queue),
                language=inbound.language or account.language,
                created_at=arrival.received_at,
                last_at=arrival.received_at,
                subject=inbound.topic or "",
                continues=last.id if last else None,
            )
        ),
        None,
        None,
    )


def _reopens(last: Conversation, arrival: Arrival) -> bool:
    window = arrival.capabilities.reopen_window_s
    return (arrival.received_at - last.last_at).total_seconds() <= window


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
        if one.state is ConversationState.CLOSED:
            continue
        ledger.change(one)
        ledger.tell(one.id, "conversation.customer_left", item=ledger.items.get(one.id))
        ledger.add_message(_left(ledger, one, arrival))


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
