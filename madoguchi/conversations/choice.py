"""Which queue a new contact goes to: the first rule that holds, else its topic's, else its
account's. Pure; what rules may ask is said in :mod:`madoguchi.configuration.facts`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.facts import CONTACT, SIGNED, TOLD
from madoguchi.configuration.kinds import RoutingRule
from madoguchi.expressions.cel import Facts, Unanswered
from madoguchi.model.channels import Account
from madoguchi.model.conversation import Conversation, NewItem
from madoguchi.model.hours import WEEKDAYS
from madoguchi.model.ids import Id
from madoguchi.model.people import Address, Customer
from madoguchi.model.routing import Preference

CHOSEN = "chosen"
"""Under this key a conversation's context keeps who chose its queue."""

OWNER = "owner"
"""The attribute of a customer that names who is responsible for them."""

_KINDS = {"text": "", "int": 0, "bool": False, "texts": [], "text_map": {}}

Outcome = Literal["holds", "not", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of a contact; ``why`` it cannot tell."""

    rule: Entry[RoutingRule]
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A queue and who chose it; with a rule, what the work item takes from it."""

    queue: str
    by: Literal["rule", "topic", "account"]
    rule: Entry[RoutingRule] | None = None
    unanswered: tuple[Verdict, ...] = ()

    @property
    def mark(self) -> dict[str, Any]:
        """Return what the conversation's context keeps; a rule's name as it was then."""
        kept: dict[str, Any] = {"by": self.by, "queue": self.queue}
        if self.rule is not None:
            one = self.rule.object
            kept |= {"rule": one.key, "version": self.rule.version, **one.names}
            kept |= {"priority": one.priority} if one.priority else {}
            kept |= {"requires": dict(one.requires)} if one.requires else {}
            kept |= {"agent": one.agent} if one.agent else {}
        return {CHOSEN: kept}


def taken(one: Conversation) -> dict[str, Any]:
    """Return what a work item takes from the rule that chose its queue, as the rule was then."""
    chosen = one.context.get(CHOSEN) or {}
    if "rule" not in chosen or chosen["queue"] != one.queue:
        return {}
    rule = (chosen["rule"], chosen["version"])
    return {
        "rule": rule,
        "priority": chosen.get("priority"),
        "requires": chosen.get("requires"),
    }


def resumed(one: Conversation, id: Id, now: datetime) -> NewItem:
    """Return the work with which a conversation goes on that was about to end: as old as its
    customer's last text, and for whom they knew.
    """
    return NewItem(
        id=id,
        conversation=one.id,
        queue=one.queue,
        came_to=one.queue,
        channel=one.channel,
        enqueued_at=one.inbound_at or now,
        preferred=one.last_owner,
        preference="last_owner" if one.last_owner else None,
        **taken(one),
    )


def preferred(
    catalog: Catalog, one: Conversation, customer: Customer, colleague: Id | None
) -> tuple[Id | None, str | None]:
    """Return who is asked first for a conversation that nobody has had, and why: whom a rule names,
    who is responsible for the customer (their attribute ``owner``, an agent's sign-in name), or the
    colleague who has another conversation of theirs.
    """
    chosen = one.context.get(CHOSEN) or {}
    named = chosen.get("agent") if chosen.get("queue") == one.queue else None
    wanted = ((named, Preference.named), (customer.attributes.get(OWNER), Preference.account_owner))
    for key, why in wanted:
        entry = catalog.agents.get(key) if isinstance(key, str) else None
        if entry is not None and entry.object.active:
            return entry.id, why.value
    return (colleague, Preference.same_customer.value) if colleague else (None, None)


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer's first words, and who says them where."""

    account: Account
    sender: Address
    customer: Customer
    business_id: str = ""
    text: str = ""
    topic: str = ""
    language: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


def blank(now: datetime, zone: tzinfo | None) -> dict[str, Any]:
    """Return the facts of a contact of which nothing is known but the time."""
    local = now.astimezone(zone)
    return {
        **{name: _KINDS[variable.type] for name, variable in CONTACT.variables.items()},
        "now.date": local.date().isoformat(),
        "now.hour": local.hour,
        "now.minute": local.minute,
        "now.weekday": WEEKDAYS[local.weekday()],
    }


def facts_of(contact: Contact, now: datetime, zone: tzinfo | None) -> dict[str, Any]:
    """Return what rules are told of a contact; ``zone`` None is the machine's own."""
    told = _texts(contact.context.get("attributes"))
    signed = _texts(contact.customer.attributes)
    return {
        **blank(now, zone),
        **named(told, signed),
        "channel": contact.account.channel.value,
        "account": contact.account.key,
        "topic": contact.topic,
        "language": contact.language or contact.account.language,
        "text": contact.text,
        "address": contact.sender.value,
        "page": str((contact.context.get("page") or {}).get("url", "")),
        "customer.known": bool(contact.business_id),
        "customer.id": contact.business_id,
        "customer.name": contact.customer.name,
        "customer.language": contact.customer.language,
    }


def named(told: Mapping[str, str], signed: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes as rules see them; of those with names of their own the signed one goes
    before what anybody may have told.
    """
    return {
        **{name: signed.get(name) or told.get(name, "") for name in TOLD},
        **{name: signed.get(name, "") for name in SIGNED},
        "attributes": dict(told),
        "verified": dict(signed),
    }


def _texts(attributes: object) -> dict[str, str]:
    if not isinstance(attributes, Mapping):
        return {}
    return {str(name): str(value) for name, value in attributes.items()}


def choose(catalog: Catalog, contact: Contact, now: datetime, zone: tzinfo | None) -> Choice:
    """Return the queue of a new contact."""
    asked: Iterable[Verdict] = ()
    if catalog.routing_rules:
        facts = CONTACT.facts(facts_of(contact, now, zone))
        asked = verdicts(catalog.routing_rules, facts)
    return decided(asked, contact.account, contact.topic)


def decided(asked: Iterable[Verdict], account: Account, topic: str) -> Choice:
    """Return the queue that rules which were asked choose, else the topic's, else the account's."""
    unanswered: list[Verdict] = []
    for verdict in asked:
        if verdict.outcome == "holds":
            return Choice(verdict.rule.object.queue, "rule", verdict.rule, tuple(unanswered))
        if verdict.outcome == "cannot_tell":
            unanswered.append(verdict)
    if topic in account.topics:
        return Choice(account.topics[topic], "topic", unanswered=tuple(unanswered))
    return Choice(account.queue, "account", unanswered=tuple(unanswered))


def verdicts(rules: Iterable[Entry[RoutingRule]], facts: Facts) -> Iterator[Verdict]:
    """Ask rules in their order, up to the first that holds."""
    for rule in rules:
        try:
            holds = rule.object.condition.holds(facts)
        except Unanswered as wrong:
            yield Verdict(rule, "cannot_tell", str(wrong))
            continue
        yield Verdict(rule, "holds" if holds else "not")
        if holds:
            return
