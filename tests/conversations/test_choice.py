"""Which queue a new contact goes to: five kinds of rules, the same on each channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from madoguchi.clock import ManualClock
from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Object, Queue, RoutingRule
from madoguchi.conversations.choice import Choice, Contact, choose, facts_of
from madoguchi.conversations.decide import decide
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.conversation import Conversation, ConversationState, Part
from madoguchi.model.inbound import InboundMessage
from madoguchi.model.people import Address, Customer, Identity, Scheme

CLOCK = ManualClock()
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 27, 0, 30, tzinfo=UTC)
"""Friday, 9:30 in Tokyo."""
SENDER = Address(Scheme.PHONE, "+819055500100")
TOPICS = {"returns": "returns"}


def account(channel: Channel) -> Account:
    return Account(CLOCK.new_id(), channel.value, "x", channel, "X", "orders", topics=TOPICS)


SMS, CHAT = account(Channel.SMS), account(Channel.CHAT)


def company(*rules: Mapping[str, Any]) -> Catalog:
    """Return queues, and rules in the order in which they are given."""
    names = ["orders", "returns", "gold", "kettles", "osaka", "claims", "dealers"]
    objects: list[Object] = [Queue.model_validate({"key": k, "name": k}) for k in names]
    for n, rule in enumerate(rules):
        body = {"key": f"r{n}", "name": f"Rule {n}", "order": 10 * (n + 1), **rule}
        objects.append(RoutingRule.model_validate(body))
    return Catalog(1, {(o.kind, o.key): Entry(CLOCK.new_id(), 3, o) for o in objects})


RULES = company(
    {"when": 'case == "K-77" || text.matches("K-[0-9]+")', "queue": "claims"},
    {"when": 'partner != ""', "queue": "dealers"},
    {"when": 'customer.id == "C-1024"', "queue": "gold", "priority": 1, "requires": {"vip": 2}},
    {"when": 'contract == "gold" || segment == "vip"', "queue": "gold"},
    {"when": 'product.startsWith("kettle") || page.contains("/kettles/")', "queue": "kettles"},
    {"when": 'problem == "broken"', "queue": "returns"},
    {"when": 'location.contains("Osaka") || address.startsWith("+816")', "queue": "osaka"},
)


def contact(channel: Account, **told: Any) -> Contact:
    signed, said = told.pop("signed", {}), told.pop("said", {})
    page = told.pop("page", None)
    context = {"attributes": said} | ({"page": {"url": page, "title": ""}} if page else {})
    customer = Customer("c-1", "佐藤", "ja", NOW, attributes=signed)
    return Contact(channel, told.pop("sender", SENDER), customer, context=context, **told)


def chosen(channel: Account, **told: Any) -> Choice:
    return choose(RULES, contact(channel, **told), NOW, TOKYO)


@pytest.mark.parametrize("channel", [SMS, CHAT], ids=["sms", "chat"])
@pytest.mark.parametrize(
    ("told", "queue"),
    [
        ({"said": {"product": "kettle-9"}}, "kettles"),
        ({"page": "https://shop.example/kettles/9"}, "kettles"),
        ({"said": {"problem": "broken"}}, "returns"),
        ({"said": {"case": "K-77"}}, "claims"),
        ({"text": "About K-123, please"}, "claims"),
        ({"signed": {"partner": "Tanaka Trading"}}, "dealers"),
        ({"business_id": "C-1024"}, "gold"),
        ({"signed": {"contract": "gold"}}, "gold"),
        ({"signed": {"segment": "vip"}}, "gold"),
        ({"said": {"location": "Kita, Osaka, JP"}}, "osaka"),
        ({"sender": Address(Scheme.PHONE, "+81661234567")}, "osaka"),
        ({}, "orders"),
        ({"topic": "returns"}, "returns"),
        ({"topic": "returns", "said": {"product": "kettle-9"}}, "kettles"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_kind_of_rule_leads_to_its_group_on_each_channel(
    channel: Account, told: dict[str, Any], queue: str
) -> None:
    assert chosen(channel, **told).queue == queue


def test_what_anybody_may_tell_opens_no_door_that_only_the_business_may() -> None:
    forged = {"contract": "gold", "segment": "vip", "partner": "me", "product": "kettle-9"}
    assert chosen(CHAT, said=forged).queue == "kettles"
    assert facts_of(contact(CHAT, said=forged), NOW, TOKYO)["contract"] == ""


def test_the_first_rule_in_the_order_wins_and_inactive_ones_are_not_asked() -> None:
    late = {"when": "true", "queue": "gold", "order": 90}
    soon = {"when": "true", "queue": "osaka", "order": 5}
    off = {"when": "true", "queue": "claims", "order": 1, "active": False}
    assert choose(company(late, soon, off), contact(SMS), NOW, TOKYO).queue == "osaka"


def test_a_rule_that_cannot_tell_does_not_count_and_is_told() -> None:
    rules = company(
        {"when": 'attributes.plan == "b"', "queue": "gold"},
        {"when": "1 / (now.hour - 9) > 0", "queue": "gold"},
        {"when": "now.weekday == 'fri' && now.hour == 9 && now.minute == 30", "queue": "osaka"},
    )
    found = choose(rules, contact(SMS), NOW, TOKYO)
    assert (found.queue, found.by) == ("osaka", "rule")
    assert [(v.rule.object.key, v.outcome) for v in found.unanswered] == [
        ("r0", "cannot_tell"),
        ("r1", "cannot_tell"),
    ]
    assert "plan" in found.unanswered[0].why


def ledger(rules: Catalog, *loaded: Conversation) -> Ledger:
    people = {SENDER: (Identity("i-1", SENDER, True, "", NOW), Customer("c-1", "", "ja", NOW))}
    book = Ledger(NOW, CLOCK.new_id, people, loaded, {}, {}, {}, rules, TOKYO)
    book.business_ids = {"c-1": "C-1024"}
    return book


def write(book: Ledger, text: str = "hello") -> None:
    parts: tuple[Part, ...] = ({"type": "text", "text": text},)
    message = InboundMessage(SENDER, True, "t", parts, CLOCK.new_id())
    decide(book, Arrival(SMS, Capabilities(), message, NOW))


def test_the_item_takes_what_the_rule_says_and_the_log_tells_which_rule() -> None:
    book = ledger(RULES)
    write(book)
    (item,), (one,) = book.new_items, book.conversations.values()
    assert (item.queue, item.priority, item.requires) == ("gold", 1, {"vip": 2})
    assert one.context["chosen"] == {
        "by": "rule",
        "queue": "gold",
        "rule": "r2",
        "version": 3,
        "name": "Rule 2",
        "name_en": "Rule 2",
        "priority": 1,
        "requires": {"vip": 2},
    }
    book.numbered(1)
    (told,) = [entry for entry in book.entries() if entry.type == "item.enqueued"]
    assert told.data == {"rule": "r2", "rule_version": 3}


@pytest.mark.parametrize(("moved_to", "priority"), [("gold", 1), ("orders", None)])
def test_a_conversation_that_goes_on_keeps_its_queue_and_what_its_rule_said(
    moved_to: str, priority: int | None
) -> None:
    book = ledger(RULES)
    write(book)
    (one,) = book.conversations.values()
    ended = Conversation(
        **{
            **{f: getattr(one, f) for f in one.__dataclass_fields__},
            "state": ConversationState.CLOSED,
            "queue": moved_to,
        }
    )
    later = ledger(company({"when": "true", "queue": "osaka"}), ended)
    write(later, "one more thing")
    (item,) = later.new_items
    assert (item.queue, item.priority) == (moved_to, priority)


def test_without_rules_nothing_is_compiled_and_the_account_says_it() -> None:
    found = choose(company(), contact(SMS, topic="elsewhere"), NOW, None)
    assert (found.queue, found.by, found.mark["chosen"]) == (
        "orders",
        "account",
        {"by": "account", "queue": "orders"},
    )
