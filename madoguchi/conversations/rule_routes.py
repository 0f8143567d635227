"""REST of the routing rules: checking a condition, trying the rules, putting them in order."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog, connected
from madoguchi.configuration.facts import CONTACT
from madoguchi.configuration.kinds import RoutingRule
from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Change, Configuration, Invalid, MovedOn, body_of
from madoguchi.conversations import choice, repository
from madoguchi.conversations.choice import Contact, Verdict
from madoguchi.conversations.tables import message
from madoguchi.conversations.visibility import allow
from madoguchi.expressions.cel import Facts, Refused
from madoguchi.expressions.cost import BUDGET
from madoguchi.http.table import Body, Call, Nothing, Operation
from madoguchi.model.channels import Account, Channel
from madoguchi.model.conversation import Author
from madoguchi.model.faults import Fault
from madoguchi.model.ids import NIL, Id, is_id
from madoguchi.model.inbound import text_of
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, NotFound
from madoguchi.store.work import Store, Work
from unified_profile import service as profile

_PYTHON = {"text": str, "int": int, "bool": bool, "text_map": dict}


class CheckBody(Body):
    """A condition as it is being written."""

    when: Annotated[str, Field(max_length=10_000)]


class Draft(Body):
    """A rule as it would be saved."""

    key: str
    body: dict[str, Any]


class TryBody(Body):
    """A contact, made up or one that there was; ``draft`` stands for the stored rule of its key."""

    facts: Annotated[dict[str, Any], Field(max_length=100)] = Field(default_factory=dict)
    conversation: Id | None = None
    draft: Draft | None = None


class OrderBody(Body):
    """Every rule's key, the first to be asked first; ``number``: the version that was seen."""

    keys: Annotated[list[str], Field(max_length=10_000)]
    number: Annotated[int, Field(ge=0, lt=2**53)]
    reason: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True)
class RuleApi:
    """The operations of routing rules beside those of all configuration."""

    store: Store
    clock: Clock
    configuration: Configuration
    zone: tzinfo | None

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        rules, write = f"{V1}/routing-rules", Action.CONFIGURE
        return [
            Operation("GET", f"{rules}/facts", self.facts, "What rules may ask", action=write),
            Operation(
                "POST", f"{rules}/check", self.check, "Does it compile?", CheckBody, action=write
            ),
            Operation(
                "POST", f"{rules}/try", self.attempt, "Which rule holds?", TryBody, action=write
            ),
            Operation("PUT", f"{rules}/order", self.order, "Put in order", OrderBody, action=write),
        ]

    async def facts(self, call: Call[Nothing]) -> Any:
        """Return the names and types that conditions may speak of."""
        found = [{"name": name, "type": each.type} for name, each in CONTACT.variables.items()]
        return {"facts": found}

    async def check(self, call: Call[CheckBody]) -> Any:
        """Return what a condition costs at most, or its first fault and where that is."""
        answer: dict[str, Any] = {"steps": None, "budget": BUDGET, "fault": None}
        try:
            answer["steps"] = CONTACT.compile(call.body.when).steps
        except Refused as wrong:
            answer["fault"] = Fault("when", str(wrong), wrong.type, wrong.facts).view()
        return answer

    async def attempt(self, call: Call[TryBody]) -> Any:
        """Return which queue a contact goes to, which rule says so, and why those before do not."""
        body, now = call.body, self.clock.now()
        catalog = await self._with(body.draft)
        values = choice.blank(now, self.zone)
        if body.conversation is not None:
            id = body.conversation
            if not is_id(id):
                raise NotFound("conversation")
            contact = await self.store.read(lambda: _of(call.actor, id, catalog))
            values = choice.facts_of(contact, now, self.zone)
        return _tried(catalog, values | _told(body.facts))

    async def _with(self, draft: Draft | None) -> Catalog:
        """Return the configuration as it would be with a draft. Raises Invalid as saving does."""
        if draft is None:
            return self.configuration.catalog
        written = Change(RoutingRule.kind, draft.key, draft.body)
        return (await self.configuration.preview([written])).new

    async def order(self, call: Call[OrderBody]) -> Any:
        """Give the rules' places to them anew; only those that move are changed."""
        body, catalog = call.body, self.configuration.catalog
        stored = catalog.of(RoutingRule)
        if sorted(body.keys) != sorted(stored):
            raise MovedOn(RoutingRule.kind, "", catalog.number)
        places = sorted(entry.object.order for entry in stored.values())
        changes = [
            Change(RoutingRule.kind, key, {**body_of(entry.object), "order": place}, entry.version)
            for key, place in zip(body.keys, places, strict=True)
            if (entry := stored[key]).object.order != place
        ]
        result = await self.configuration.change(
            call.actor, body.reason, changes, based_on=body.number
        )
        return {"number": result.number}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts that somebody has made up. Raises Invalid."""
    wrong = [
        Fault(f"facts.{name}", f"there is no fact {name!r}", "no_such_fact", {"name": name})
        for name in facts
        if name not in CONTACT.variables
    ]
    wrong += [
        Fault(f"facts.{name}", f"must be of type {CONTACT.variables[name].type}", "fact_type")
        for name, value in facts.items()
        if name in CONTACT.variables and not _fits(name, value)
    ]
    if wrong:
        raise Invalid(wrong)
    attributes = choice.named(facts.get("attributes", {}), facts.get("verified", {}))
    spoken = {name: value for name, value in attributes.items() if value}
    return {**spoken, **facts}


def _fits(name: str, value: Any) -> bool:
    wanted = _PYTHON[CONTACT.variables[name].type]
    if type(value) is not wanted:
        return False
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        return False
    return not isinstance(value, dict) or all(isinstance(text, str) for text in value.values())


def _account(key: str, channel: Channel, catalog: Catalog) -> Account:
    """Return an account as it is configured; one that is not there leads to no queue."""
    entry = catalog.accounts.get(key)
    return connected(entry, channel) if entry else Account(NIL, "", "", channel, "", "")


def _tried(catalog: Catalog, values: dict[str, Any]) -> dict[str, Any]:
    account = _account(values["account"], Channel.CUSTOM, catalog)
    facts = CONTACT.facts(values)
    asked = list(choice.verdicts(catalog.routing_rules, facts))
    chosen = choice.decided(asked, account, values["topic"])
    return {
        "queue": chosen.queue,
        "by": chosen.by,
        "rule": chosen.rule.object.key if chosen.rule else None,
        "rules": [_view(verdict, facts) for verdict in asked],
        "facts": values,
    }


def _view(verdict: Verdict, facts: Facts) -> dict[str, Any]:
    rule = verdict.rule.object
    untrue = CONTACT.untrue(rule.condition, facts) if verdict.outcome == "not" else []
    view = {"key": rule.key, **rule.names, "order": rule.order, "outcome": verdict.outcome}
    return {**view, "why": verdict.why, "untrue": untrue}


def _of(actor: Actor, id: Id, catalog: Catalog) -> Work[Contact]:
    """Return how a conversation began. Raises NotFound."""
    found = yield from repository.by_ids([id])
    if id not in found:
        raise NotFound("conversation")
    one = found[id]
    yield from allow(actor, Action.READ, one)
    customer = (yield from profile.customers_of([one.identity]))[one.identity]
    business = yield from profile.business_ids([customer.id])
    (identity,) = [
        each
        for each in (yield from profile.identities_of([customer.id]))[customer.id]
        if each.id == one.identity
    ]
    first = yield (
        select(message.c.parts)
        .where(message.c.conversation == id, message.c.author == Author.CUSTOMER.value)
        .order_by(message.c.occurred_at, message.c.received_at, message.c.id)
        .limit(1)
    )
    parts = first[0].parts if first else []
    entry = catalog.account_by_id.get(one.account)
    key = entry.object.key if entry else ""
    return Contact(
        account=_account(key, one.channel, catalog),
        sender=identity.address,
        customer=customer,
        business_id=business.get(customer.id, ""),
        text=text_of(parts),
        topic=one.subject,
        language=one.language,
        context=one.context,
    )
