"""From a batch of inbound events to rows: load many, decide event by event, write many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import select, update

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations import repository
from madoguchi.conversations.calls import repository as call_rows
from madoguchi.conversations.choice import Verdict
from madoguchi.conversations.decide import decide
from madoguchi.conversations.ledger import Arrival, Ledger
from madoguchi.conversations.tables import conversation, message
from madoguchi.files.service import bind_files
from madoguchi.jobs.service import schedule
from madoguchi.model import log
from madoguchi.model.conversation import (
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    Visibility,
)
from madoguchi.model.ids import Id
from madoguchi.model.inbound import (
    InboundCall,
    InboundCallback,
    InboundEnd,
    InboundIdentity,
    InboundMessage,
    InboundReceipt,
    InboundSeen,
)
from madoguchi.model.routing import ItemState
from madoguchi.store.beside import beside
from madoguchi.store.hot import Listed, among, constant
from madoguchi.store.log import append
from madoguchi.store.tables import outbox
from madoguchi.store.work import Work
from unified_profile.resolver import Claim
from unified_profile.service import business_ids, known_to, meet
from unified_profile.tables import customer_of

FETCH = "fetch"
"""The kind of jobs that fetch what lies at a provider."""

TAKE = "take"
"""The kind of jobs that fetch what a provider has recorded of a call."""

LONGEST_WINDOW = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Received:
    """What a batch became; for tests and figures. ``unanswered``: rules that could not tell."""

    conversations: int
    messages: int
    items: int
    unanswered: tuple[Verdict, ...] = ()


def receive(
    arrivals: Sequence[Arrival],
    now: datetime,
    new_id: Callable[[], Id],
    catalog: Catalog,
    zone: tzinfo | None = None,
) -> Work[Received]:
    """Turn inbound events into conversations, messages and work items; one transaction.

    ``zone``: where rules' "now" is told, None on this machine.
    """
    ledger = yield from _load(arrivals, now, new_id, catalog, zone)
    for arrival in arrivals:
        decide(ledger, arrival)
    yield from _save(ledger)
    made = (len(ledger.new), len(ledger.new_messages), len(ledger.new_items))
    return Received(*made, tuple(ledger.unanswered))


def _load(
    arrivals: Sequence[Arrival],
    now: datetime,
    new_id: Callable[[], Id],
    catalog: Catalog,
    zone: tzinfo | None,
) -> Work[Ledger]:
    claims = [claim for a in arrivals if (claim := _claim(a))]
    threads = sorted({(a.account.id, t) for a in arrivals if (t := _thread(a)) is not None})
    known_people, (loaded, items), named = yield from beside(
        known_to(claims),
        repository.by_threads(threads, now - LONGEST_WINDOW),
        repository.ids_by_provider(_provider_keys(arrivals)),
    )
    people = yield from meet(claims, known_people, now, new_id)
    messages = yield from _messages(loaded, named, arrivals)
    known = {c.id for c in loaded}
    visitors = yield from _visitors(
        [m.conversation for m in messages.values() if m.conversation not in known]
    )
    ledger = Ledger(now, new_id, people, loaded, items, messages, visitors, catalog, zone)
    yield from _load_calls(ledger, arrivals)
    served = {(c.account, c.thread) for c in loaded if c.id in items}
    if any(_asks(a) and (a.account.id, _thread(a)) not in served for a in arrivals):
        yield from _load_colleagues(ledger)
        if catalog.routing_rules:
            ledger.business_ids = yield from business_ids({c.id for _, c in people.values()})
    return ledger


def _asks(arrival: Arrival) -> bool:
    """Tell whether an event needs an agent, unless somebody is at its conversation already."""
    return isinstance(arrival.inbound, InboundMessage | InboundCall)


def _load_calls(ledger: Ledger, arrivals: Sequence[Arrival]) -> Work[None]:
    """Load the calls that a batch speaks of, and the open conversations where new ones belong."""
    names = _calls(arrivals)
    if not names:
        return
    known = yield from call_rows.homes_of(names)
    callers = {
        ledger.people[a.inbound.sender][0].id
        for a in arrivals
        if isinstance(a.inbound, InboundCall) and not a.capabilities.by_browser
    }
    homes, items, busy = yield from repository.homes(callers, known | set(ledger.conversations))
    calls = yield from call_rows.by_names(names)
    ledger.taken = yield from call_rows.taken(_ids(arrivals))
    ledger.lines = yield from call_rows.lines(
        (a.account.id, a.inbound.thread)
        for a in arrivals
        if isinstance(a.inbound, InboundCall) and a.capabilities.by_browser
    )
    for id, item in items.items():
        ledger.items.setdefault(id, item)
    ledger.call_items.update({id: row.id for id, row in busy.items()})
    ledger.waiting_since = {id: row.enqueued_at for id, row in busy.items()}
    ledger.wrapping = {id for id, row in busy.items() if row.state == ItemState.wrap_up.value}
    ledger.know_calls(calls, homes)


def _ids(arrivals: Sequence[Arrival]) -> list[Id]:
    return [a.inbound.id for a in arrivals if isinstance(a.inbound, InboundCall) and a.inbound.id]


def _calls(arrivals: Sequence[Arrival]) -> list[tuple[Id, str]]:
    return [(a.account.id, a.inbound.call) for a in arrivals if isinstance(a.inbound, InboundCall)]


def _claim(arrival: Arrival) -> Claim | None:
    inbound = arrival.inbound
    language = arrival.account.language
    if isinstance(inbound, InboundMessage | InboundCall):
        return Claim(inbound.sender, inbound.verified, inbound.name, inbound.language or language)
    if isinstance(inbound, InboundIdentity):
        return Claim(
            inbound.sender,
            True,
            inbound.name,
            inbound.language or language,
            inbound.claims,
            inbound.attributes,
        )
    return None


_ON_THREADS = InboundMessage | InboundSeen | InboundEnd | InboundCallback | InboundCall


def _thread(arrival: Arrival) -> str | None:
    inbound = arrival.inbound
    if isinstance(inbound, _ON_THREADS):
        return inbound.thread
    if isinstance(inbound, InboundIdentity):
        return inbound.sender.value
    return None


def _provider_keys(arrivals: Sequence[Arrival]) -> list[tuple[Id, str]]:
    return [
        (a.account.id, a.inbound.provider_id)
        for a in arrivals
        if isinstance(a.inbound, InboundReceipt | InboundMessage) and a.inbound.provider_id
    ]


def _visitors(conversations: Sequence[Id]) -> Work[dict[Id, str]]:
    """Return conversation → the audience of the customer's own client."""
    if not conversations:
        return {}
    rows = yield select(conversation.c.id, conversation.c.account, conversation.c.thread).where(
        conversation.c.id.in_(sorted(set(conversations)))
    )
    return {r.id: log.visitor(r.account, r.thread) for r in rows}


def _messages(
    loaded: Sequence[Conversation], provided: Sequence[Id], arrivals: Sequence[Arrival]
) -> Work[dict[Id, Message]]:
    """Load the stored messages that a batch speaks of, by their own ids or by their provider's:
    all are locked at once, in id order, before anything of theirs is written.
    """
    named = list(provided)
    for one in (a.inbound for a in arrivals):
        if isinstance(one, InboundReceipt) and one.message:
            named.append(one.message)
        elif isinstance(one, InboundSeen):
            named += one.delivered
    named += yield from _shown(loaded, arrivals)
    return (yield from repository.messages_by_ids(named))


def _shown(loaded: Sequence[Conversation], arrivals: Sequence[Arrival]) -> Work[list[Id]]:
    """Return our messages that a customer's client says it has shown."""
    threads = {
        (a.account.id, a.inbound.thread) for a in arrivals if isinstance(a.inbound, InboundSeen)
    }
    shown = [c.id for c in loaded if (c.account, c.thread) in threads]
    if not shown:
        return []
    rows = yield select(message.c.id).where(
        message.c.conversation.in_(sorted(shown)),
        message.c.direction == Direction.OUT.value,
        message.c.visibility == Visibility.PUBLIC.value,
        message.c.state.in_([MessageState.SENT.value, MessageState.DELIVERED.value]),
    )
    return [r.id for r in rows]


_COLLEAGUES = Listed(
    lambda customers: (
        select(customer_of.c.customer, conversation.c.owner)
        .join(conversation, conversation.c.identity == customer_of.c.identity)
        .where(
            among(customer_of.c.customer, customers),
            conversation.c.owner.is_not(None),
            conversation.c.state != constant(ConversationState.CLOSED),
        )
        .order_by(conversation.c.last_at)
    ),
    customer_of.c.customer,
)


def _load_colleagues(ledger: Ledger) -> Work[None]:
    """Load who owns other open conversations of the customers in this batch."""
    customers = sorted({c.id for _, c in ledger.people.values()})
    if not customers:
        return
    rows = yield _COLLEAGUES(customers)
    ledger.colleagues = {r.customer: r.owner for r in rows}


def _save(ledger: Ledger) -> Work[None]:
    first = yield from repository.next_numbers(len(ledger.new))
    new, changed = ledger.numbered(first)
    yield repository.insert_conversations(new)
    yield repository.update_conversations(changed)
    yield repository.insert_messages(ledger.new_messages)
    yield repository.update_messages(list(ledger.changed_messages.values()))
    yield from _to_fetch(ledger)
    yield bind_files((m.conversation, m.parts) for m in ledger.new_messages)
    if ledger.outgoing:
        yield repository.enqueue(ledger.outgoing, ledger.now)
    if ledger.settled:
        yield update(outbox).where(outbox.c.message.in_(sorted(ledger.settled))).values(state=2)
    yield repository.insert_items(ledger.new_items)
    yield append(ledger.entries())
    yield from call_rows.save(ledger.known_calls, ledger.calls.values(), ledger.now)
    for call, made in ledger.recorded:
        data: dict[str, Any] = {"account": call.account, "call": call.id}
        data |= {"take": ledger.new_id()}
        data |= {"name": made.name, "seconds": made.seconds, "since": ledger.now.isoformat()}
        data |= {"began_at": made.began_at.isoformat()}
        yield from schedule(TAKE, f"{call.id}:{made.name}", ledger.now, data)


def _to_fetch(ledger: Ledger) -> Work[None]:
    """Let files be fetched that lie at a provider."""
    for one in ledger.new_messages:
        for n, part in enumerate(one.parts):
            if part.get("fetch"):
                data = {"account": one.account, "message": one.id, "number": n}
                since = ledger.now.isoformat()
                data |= {"url": part["url"], "name": part["name"], "since": since}
                yield from schedule(FETCH, f"{one.id}:{n}", ledger.now, data)
