"""What one event means, decided in memory: threads, copies, reopening, receipts, marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.clock import ManualClock
from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Agent
from madoguchi.conversations import choice
from madoguchi.conversations.decide import decide, preview
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.conversation import (
    Author,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    Visibility,
)
from madoguchi.model.inbound import (
    Inbound,
    InboundEnd,
    InboundIdentity,
    InboundMessage,
    InboundReceipt,
    InboundSeen,
    InboundUnknown,
)
from madoguchi.model.people import Address, Customer, Identity, Scheme

CLOCK = ManualClock()
NOW = CLOCK.now()
ACCOUNT = Account(CLOCK.new_id(), "sms", "twilio_sms", Channel.SMS, "SMS", "orders")
HOURS_72 = Capabilities(reopen_window_s=72 * 3600)
SENDERS = [Address(Scheme.PHONE, f"+8190555001{n:02d}") for n in range(3)]
PEOPLE = {
    a: (Identity(f"i-{a.value}", a, True, "", NOW), Customer(f"c-{a.value}", "", "ja", NOW))
    for a in SENDERS
}


def arrival(inbound: Inbound, at: datetime = NOW, *, late: bool = False) -> Arrival:
    return Arrival(ACCOUNT, HOURS_72, inbound, at, late)


def text(
    id: str, body: str = "hello", sender: int = 0, at: datetime | None = None
) -> InboundMessage:
    one = SENDERS[sender]
    return InboundMessage(one, True, one.value, ({"type": "text", "text": body},), id, at)


def ledger(
    loaded: list[Conversation] | None = None,
    messages: list[Message] | None = None,
    items: Mapping[str, Any] | None = None,
) -> Ledger:
    by_id = {m.id: m for m in messages or []}
    return Ledger(NOW, CLOCK.new_id, PEOPLE, loaded or [], items or {}, by_id, {})


def conversation(**values: Any) -> Conversation:
    one = Conversation(
        id=CLOCK.new_id(),
        number=1,
        account=ACCOUNT.id,
        channel=Channel.SMS,
        thread=SENDERS[0].value,
        identity="i-" + SENDERS[0].value,
        state=ConversationState.OPEN,
        queue="orders",
        language="ja",
        created_at=NOW,
        last_at=NOW,
    )
    return replace(one, **values)


def answer(one: Conversation, **values: Any) -> Message:
    made = Message(
        id=CLOCK.new_id(),
        conversation=one.id,
        author=Author.AGENT,
        direction=Direction.OUT,
        visibility=Visibility.PUBLIC,
        channel=Channel.SMS,
        account=ACCOUNT.id,
        identity=one.identity,
        agent="ann",
        parts=({"type": "text", "text": "an answer"},),
        state=MessageState.SENDING,
        provider_at=None,
        received_at=NOW,
    )
    return replace(made, **values)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=30))
def test_copies_have_no_effect_whatever_the_order(events: list[tuple[int, int]]) -> None:
    book = ledger()
    for id, sender in events:
        decide(book, arrival(text(f"SM{id}-{sender}", sender=sender)))
    unique = set(events)
    assert len(book.new_messages) == len(unique)
    assert len(book.new) == len({sender for _, sender in events})
    assert len(book.new_items) == len(book.new)
    for one in book.conversations.values():
        mine = [m for m in book.new_messages if m.conversation == one.id]
        assert one.inbound_seq == len(mine)
    assert all(c.version == 1 for c in book.conversations.values()), "new ones are written once"


@given(
    st.permutations([MessageState.SENT, MessageState.DELIVERED, MessageState.READ]),
    st.integers(1, 3),
)
def test_receipts_in_any_order(states: list[MessageState], times: int) -> None:
    one = conversation()
    sent = answer(one)
    book = ledger([one], [sent])
    for state in states * times:
        decide(book, arrival(InboundReceipt(state, sent.id, "SM1")))
    assert book.messages[sent.id].state is MessageState.READ
    assert book.messages[sent.id].provider_id == "SM1"
    assert len(book.changed_messages) == 1
    assert book.settled == {sent.id}


def test_a_receipt_for_an_inbound_or_unknown_message_means_nothing() -> None:
    one = conversation()
    inbound = answer(one, direction=Direction.IN, state=MessageState.RECEIVED)
    book = ledger([one], [inbound])
    for message in (inbound.id, CLOCK.new_id(), None):
        decide(book, arrival(InboundReceipt(MessageState.READ, message, None)))
    decide(book, arrival(InboundUnknown("?")))
    assert book.entries() == []
    assert book.changed_messages == {}


def test_a_failure_keeps_its_reason_and_a_later_delivery_clears_it() -> None:
    one = conversation()
    sent = answer(one)
    book = ledger([one], [sent])
    decide(book, arrival(InboundReceipt(MessageState.FAILED, sent.id, "SM1", "30003")))
    assert (book.messages[sent.id].state, book.messages[sent.id].reason) == ("failed", "30003")
    decide(book, arrival(InboundReceipt(MessageState.DELIVERED, sent.id, "SM1")))
    assert (book.messages[sent.id].state, book.messages[sent.id].reason) == ("delivered", None)


@pytest.mark.parametrize(
    ("hours", "reopens"), [(1, True), (72, True), (72.01, False), (999, False)]
)
def test_the_reopen_window(hours: float, reopens: bool) -> None:
    closed = conversation(
        state=ConversationState.CLOSED,
        closed_at=NOW,
        last_owner="ann",
        wrap_up={"code": "solved"},
        last_at=NOW - timedelta(hours=hours),
    )
    book = ledger([closed])
    decide(book, arrival(text("SM1")))
    item = book.new_items[0]
    if reopens:
        again = book.conversations[closed.id]
        assert (again.state, again.closed_at, again.wrap_up) == ("open", None, None)
        assert again.version == closed.version + 1
        assert (item.conversation, item.preferred, item.preference) == (
            closed.id,
            "ann",
            "last_owner",
        )
        assert book.new == []
    else:
        fresh = book.conversations[book.new[0]]
        assert fresh.continues == closed.id
        assert (item.conversation, item.preferred) == (fresh.id, None)


def test_an_open_conversation_gets_the_text_and_no_second_item() -> None:
    one = conversation(owner="ann", unanswered_since=NOW - timedelta(hours=1), inbound_seq=4)
    book = ledger([one], items={one.id: "item"})
    for n in range(3):
        decide(book, arrival(text(f"SM{n}", f"text {n}")))
    after = book.conversations[one.id]
    assert (after.inbound_seq, after.preview, after.version) == (7, "text 2", 2)
    assert after.unanswered_since == NOW - timedelta(hours=1), "since the first unanswered one"
    assert book.new_items == []
    received = [e for e in book.entries() if e.type == "message.received"]
    assert [e.data and e.data["item"] for e in received] == ["item"] * 3


def test_a_colleague_of_the_same_customer_is_preferred() -> None:
    book = ledger()
    book.colleagues = {"c-" + SENDERS[0].value: "ben"}
    decide(book, arrival(text("SM1")))
    assert (book.new_items[0].preferred, book.new_items[0].preference) == ("ben", "same_customer")


def test_who_is_meant_goes_before_who_only_knows_the_customer() -> None:
    people = {
        ("agent", key): Entry(key, 1, Agent(key=key, name=key, active=key != "gone"))
        for key in ("ann", "ben", "gone")
    }
    one = conversation(context={"chosen": {"queue": "orders", "agent": "ann"}})
    customer = Customer("c", "", "ja", NOW, attributes={"owner": "ben"})

    def preferred(one: Conversation, customer: Customer) -> tuple[str | None, str | None]:
        return choice.preferred(Catalog(1, people), one, customer, "eve")

    assert preferred(one, customer) == ("ann", "named")
    assert preferred(replace(one, queue="elsewhere"), customer) == ("ben", "account_owner")
    for owner in ("gone", "nobody", 7, None):
        stranger = replace(customer, attributes={"owner": owner})
        assert preferred(replace(one, context={}), stranger) == ("eve", "same_customer")


def test_marks_of_the_customers_client() -> None:
    one = conversation()
    early = answer(one, state=MessageState.SENT, received_at=NOW - timedelta(hours=2))
    later = answer(one, state=MessageState.SENT, received_at=NOW)
    note = answer(one, state=MessageState.RECEIVED, direction=Direction.IN)
    book = ledger([one], [early, later, note])
    seen = InboundSeen(SENDERS[0], one.thread, (later.id,), NOW - timedelta(hours=1))
    decide(book, arrival(seen))
    decide(book, arrival(seen))
    states = {m.id: m.state for m in book.messages.values()}
    assert states == {early.id: "read", later.id: "delivered", note.id: "received"}
    assert len(book.changed_messages) == 2
    assert all(m.version == 2 for m in book.changed_messages.values())


def test_a_customer_who_leaves_ends_open_conversations_only() -> None:
    open_, closed = conversation(), conversation(state=ConversationState.CLOSED)
    book = ledger([open_, closed])
    decide(book, arrival(InboundEnd(SENDERS[0], open_.thread)))
    left = [m for m in book.new_messages if m.author is Author.SYSTEM]
    assert [m.conversation for m in left] == [open_.id]
    assert "conversation.customer_left" in {e.type for e in book.entries()}


def test_becoming_known_is_told_to_open_desks() -> None:
    one, closed = conversation(), conversation(state=ConversationState.CLOSED)
    visitor = Address(Scheme.VISITOR, one.thread)
    book = ledger([one, closed])
    decide(book, arrival(InboundIdentity(visitor, ())))
    assert [e.entity_id for e in book.entries()] == [one.id]


def test_replayed_dead_letters_are_marked_late_and_ordered_by_time() -> None:
    book = ledger()
    decide(book, arrival(text("SM1", at=NOW - timedelta(days=3)), late=True))
    message = book.new_messages[0]
    assert message.late
    assert book.conversations[message.conversation].inbound_at == NOW - timedelta(hours=24)


@given(st.text())
def test_a_preview_is_one_short_line(body: str) -> None:
    line = preview(answer(conversation(), parts=({"type": "text", "text": body},)))
    assert len(line) <= 160
    assert "\n" not in line
