"""What is known and decided while a batch of inbound events becomes rows. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations import telling
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.choice import Verdict
from madoguchi.model import log
from madoguchi.model.channels import Account, Capabilities
from madoguchi.model.conversation import (
    Conversation,
    ConversationState,
    ItemKind,
    Message,
    MessageState,
    NewItem,
)
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Inbound, Recorded
from madoguchi.model.log import LogEntry
from madoguchi.model.people import Address, Customer, Identity

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
        zone: tzinfo | None = None,
    ) -> None:
        self.now = now
        self.zone = zone
        self.catalog = catalog
        self.new_id = new_id
        self.people = people
        self.colleagues: dict[Id, Id] = {}
        self.business_ids: Mapping[Id, str] = {}
        self.unanswered: list[Verdict] = []
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
        self.call_items: dict[Id, Id] = {}
        self.waiting_since: dict[Id, datetime] = {}
        self.open_of: dict[Id, Id] = {}
        self.wrapping: set[Id] = set()
        self.taken: set[Id] = set()
        self.lines: set[tuple[Id, str, str]] = set()
        self.calls: dict[tuple[Id, str], Call] = {}
        self.known_calls: dict[Id, Call] = {}
        self.recorded: list[tuple[Call, Recorded]] = []
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
            lambda ledger: telling.message_changed(one, visitor, ledger.now, telling.AUTOMATIC)
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
        book = self.items if item.kind is ItemKind.TEXT else self.call_items
        book[item.conversation] = item.id
        entry = telling.item_enqueued(item, self.now)
        self._entries.append(lambda _: entry)

    def know_calls(
        self, calls: Mapping[tuple[Id, str], Call], homes: Iterable[Conversation]
    ) -> None:
        """Add stored calls, by account and name, and the open conversations where calls may go."""
        self.calls.update(calls)
        self.known_calls.update({one.id: one for one in calls.values()})
        for one in homes:
            self.conversations.setdefault(one.id, one)
            self.open_of[one.identity] = one.id

    def put_call(self, one: Call) -> None:
        """Keep a call that is new or in which something has happened."""
        self.calls[one.account, one.name] = one

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
