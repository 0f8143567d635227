"""What becomes of contacts while their queue is closed, decided in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from madoguchi.clock import ManualClock
from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Hours, Object, Queue
from madoguchi.conversations import outside
from madoguchi.conversations.decide import decide
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.conversations.receive import Received, receive
from madoguchi.model import log
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.conversation import (
    Author,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    Part,
)
from madoguchi.model.hours import Opening, Why
from madoguchi.model.inbound import InboundMessage
from madoguchi.model.people import Address, Customer, Identity, Scheme
from madoguchi.store.work import Work
from tests.support.stores import opened

CLOCK = ManualClock()
SENDER = Address(Scheme.PHONE, "+819055500100")
ACCOUNT = Account(CLOCK.new_id(), "sms", "twilio_sms", Channel.SMS, "SMS", "orders")
STREAM = Capabilities(stream=True)
NIGHT = datetime(2026, 11, 26, 12, tzinfo=UTC)
"""Thursday, 21:00 in Tokyo."""
DAY = datetime(2026, 11, 26, 3, tzinfo=UTC)
WEEK = {day: [["9:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = Hours.model_validate({"key": "office", "name": "Office", "week": WEEK})


def queue(key: str, **fields: Any) -> Queue:
    return Queue.model_validate({"key": key, "name": key, **fields})


def catalog(*more: Object, **orders: Any) -> Catalog:
    """Return a company whose queue for orders has office hours."""
    objects: list[Object] = [OFFICE, queue("orders", **{"hours": "office", **orders}), *more]
    return Catalog(1, {(o.kind, o.key): Entry(CLOCK.new_id(), 1, o) for o in objects})


def text(id: str, **values: Any) -> InboundMessage:
    hello: Part = {"type": "text", "text": "hello"}
    return InboundMessage(SENDER, True, SENDER.value, (hello,), id, **values)


def written(
    company: Catalog,
    at: datetime,
    *inbound: InboundMessage,
    loaded: list[Conversation] | None = None,
    can: Capabilities = STREAM,
    account: Account = ACCOUNT,
) -> Ledger:
    """Let a customer write."""
    people = {SENDER: (Identity("i-1", SENDER, True, "", at), Customer("c-1", "", "ja", at))}
    book = Ledger(at, CLOCK.new_id, people, loaded or [], {}, {}, {}, company)
    for one in inbound:
        decide(book, Arrival(account, can, one, at))
    book.numbered(1)
    return book


def told(book: Ledger) -> list[Message]:
    return [m for m in book.new_messages if m.direction is Direction.OUT]


def the_one(book: Ledger) -> Conversation:
    (one,) = book.conversations.values()
    return one


def test_by_day_nobody_is_told_anything() -> None:
    book = written(catalog(), DAY, text("1"))
    assert told(book) == []
    assert book.new_items[0].queue == "orders"
    assert outside.MARK not in the_one(book).context


def test_by_night_the_contact_waits_and_the_customer_is_told_once() -> None:
    book = written(catalog(), NIGHT, text("1"), text("2"))
    (message,) = told(book)
    assert (message.author, message.agent, message.state) == (
        Author.SYSTEM,
        None,
        MessageState.SENT,
    )
    assert (message.identity, message.account) == ("i-1", ACCOUNT.id)
    assert "11月27日（金） 9:00" in message.text
    assert [item.queue for item in book.new_items] == ["orders"]
    one = the_one(book)
    assert one.unanswered_since == NIGHT
    assert (one.preview, one.preview_author) == ("hello", Author.CUSTOMER)
    entries = [e.type for e in book.entries()]
    assert entries.count("message.automatic") == 1
    assert "message.sent" not in entries, "the router would take it for an agent's answer"
    assert book.outgoing == []


def test_other_channels_get_it_by_the_outbox() -> None:
    book = written(catalog(), NIGHT, text("1"), can=Capabilities())
    assert [m.state for m in book.outgoing] == [MessageState.QUEUED]


def test_a_second_item_of_the_same_night_is_not_told_again_one_of_the_next_is() -> None:
    company = catalog()
    first = the_one(written(company, NIGHT, text("1")))
    again = written(company, NIGHT + timedelta(hours=2), text("2"), loaded=[first])
    assert (told(again), len(again.new_items)) == ([], 1)
    tomorrow = written(company, NIGHT + timedelta(days=1), text("3"), loaded=[the_one(again)])
    assert "11月30日（月） 9:00" in told(tomorrow)[0].text


def test_a_machine_is_never_answered_and_a_paused_account_says_nothing() -> None:
    book = written(catalog(), NIGHT, text("1", automatic=True))
    assert (told(book), len(book.new_items)) == ([], 1)
    paused = Account(ACCOUNT.id, "sms", "twilio_sms", Channel.SMS, "SMS", "orders", paused=True)
    assert told(written(catalog(), NIGHT, text("1"), account=paused)) == []


def test_closed_queues_hand_on_to_one_that_is_open() -> None:
    company = catalog(
        queue("late", closed=True, outside={"action": "queue", "to_queue": "night"}),
        queue("night"),
        outside={"action": "queue", "to_queue": "late"},
    )
    book = written(company, NIGHT, text("1"))
    assert told(book) == []
    assert book.new_items[0].queue == the_one(book).queue == "night"
    assert log.queue("orders") in book.entries()[0].audience, "it hears that it has lost it"


def test_the_last_closed_queue_speaks() -> None:
    late = queue("late", closed=True, outside={"text": "遅番は休みです。"})
    company = catalog(late, outside={"action": "queue", "to_queue": "late", "text": "x"})
    book = written(company, NIGHT, text("1"))
    assert book.new_items[0].queue == "late"
    assert told(book)[0].text == "遅番は休みです。"


def test_closed_by_hand_is_told_anew_when_the_conversation_begins_again() -> None:
    company = catalog(closed=True)
    first = the_one(written(company, DAY, text("1")))
    assert first.context[outside.MARK] == {"queue": "orders", "until": None}
    same = written(company, DAY, text("2"), loaded=[first])
    assert told(same) == []
    ended = the_one(same)
    closed = replace(ended, state=ConversationState.CLOSED, closed_at=DAY)
    again = written(company, DAY, text("3"), loaded=[closed])
    assert len(told(again)) == 1


FRIDAY = Opening(Why.WEEKLY, ("", ""), datetime(2026, 11, 27, 0, tzinfo=UTC), "Asia/Tokyo")


def said(opening: Opening, language: str, **words: str) -> str:
    return outside.text(queue("q", outside=words).outside, opening, language)


def test_the_own_text_is_in_the_customers_language_with_the_next_opening() -> None:
    words = {"text": "{opens} に開きます。", "text_en": "We open {opens}."}
    assert said(FRIDAY, "ja", **words) == "11月27日（金） 9:00 に開きます。"
    assert said(FRIDAY, "en", **words) == "We open Fri 27 Nov, 9:00."
    assert said(FRIDAY, "en", text="休みです。") == "休みです。"
    assert "Fri 27 Nov, 9:00" in said(FRIDAY, "en")


def test_sentences_about_an_opening_that_nobody_knows_are_left_out() -> None:
    by_hand = Opening(Why.BY_HAND)
    words = {"text": "休みです。{opens} に開きます。急ぎは https://a.example/b.html へ。"}
    assert said(by_hand, "ja", **words) == "休みです。急ぎは https://a.example/b.html へ。"
    english = "Closed. We open {opens}! See a.example."
    assert said(by_hand, "en", text_en=english) == "Closed. See a.example."
    assert "停止" in said(by_hand, "ja")
    assert said(by_hand, "ja", text="{opens} から") == said(by_hand, "ja")
    assert "{" not in said(Opening(Why.WEEKLY), "en")


def counted(unit: Work[Received], steps: list[Any]) -> Work[Received]:
    """Run a unit and note what it asks of the database."""
    step = next(unit)
    while True:
        steps.append(step)
        rows = yield step
        try:
            step = unit.send(rows)
        except StopIteration as done:
            return cast(Received, done.value)


async def test_an_open_queue_costs_no_statement_a_closed_one_only_its_outbox_row(
    tmp_path: Path,
) -> None:
    async def asked(company: Catalog, sender: str) -> int:
        parts: tuple[Part, ...] = ({"type": "text", "text": "hello"},)
        inbound = InboundMessage(Address(Scheme.PHONE, sender), True, sender, parts, sender)
        arrivals = [Arrival(ACCOUNT, Capabilities(), inbound, NIGHT)]
        steps: list[Any] = []

        def unit() -> Work[Received]:
            steps.clear()
            return counted(receive(arrivals, NIGHT, CLOCK.new_id, company), steps)

        await store.write(unit)
        return len(steps)

    async with opened(tmp_path, "") as store:
        await asked(catalog(), "+819055500100")
        without = await asked(catalog(hours=""), "+819055500101")
        thursday = {"thu": [["0:00", "24:00"]]}
        office = Hours.model_validate({"key": "office", "name": "Office", "week": thursday})
        by_night = await asked(catalog(office), "+819055500102")
        closed = await asked(catalog(), "+819055500103")
    assert by_night == without
    assert closed == without + 1
