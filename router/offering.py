"""What an agent is shown with an offer, as it stood when the offer was made.

It is stored with the offer: an offer's view never changes under the agent's eyes, and later one
can tell what the agent knew when accepting.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations import callbacks
from madoguchi.conversations.calls.repository import Call, of_items
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.channels import Channel
from madoguchi.model.conversation import ConversationState
from madoguchi.model.ids import Id
from madoguchi.model.people import Customer, Identity
from madoguchi.store.work import Work
from unified_profile.service import customers_of, identities_of
from unified_profile.tables import customer_of

MOST_MATTERS = 5
MOST_EARLIER = 2

_TALKED = frozenset({Channel.VOICE, Channel.VIDEO})


def snapshots(
    items: Sequence[Id], handovers: Mapping[Id, dict[str, Any]], catalog: Catalog
) -> Work[dict[Id, dict[str, Any]]]:
    """Return item → what its offer shows: the customer, the matter, what else is open."""
    if not items:
        return {}
    rows = yield (
        select(
            work_item.c.id.label("item"),
            work_item.c.queue,
            work_item.c.channel,
            work_item.c.topic,
            work_item.c.enqueued_at,
            work_item.c.handover,
            conversation.c.id,
            conversation.c.number,
            conversation.c.identity,
            conversation.c.subject,
            conversation.c.preview,
            conversation.c.context,
        )
        .join(conversation, conversation.c.id == work_item.c.conversation)
        .where(work_item.c.id.in_(sorted(set(items))))
    )
    people = yield from customers_of(sorted({r.identity for r in rows}))
    customers = sorted({c.id for c in people.values()})
    identities = yield from identities_of(customers)
    matters = yield from _open_matters(customers)
    talked = {people[r.identity].id for r in rows if r.channel in _TALKED}
    earlier = yield from _earlier_matters(sorted(talked))
    calls = yield from of_items(items)
    return {
        r.item: {
            **_matter_of(r, handovers.get(r.item, r.handover), catalog),
            "call": _call(calls.get(r.item)),
            "customer": _customer(people[r.identity], identities),
            "open": [
                _other(m, catalog)
                for m in matters
                if m.customer == people[r.identity].id and m.id != r.id
            ][:MOST_MATTERS],
            "earlier": [_over(m, catalog) for m in earlier if m.customer == people[r.identity].id],
        }
        for r in rows
    }


def _matter_of(row: Row[Any], handover: dict[str, Any] | None, catalog: Catalog) -> dict[str, Any]:
    queue = catalog.queues.get(row.queue)
    return {
        "conversation": row.id,
        "number": row.number,
        "queue": row.queue,
        "channel": row.channel,
        "topic": row.topic,
        "subject": row.subject,
        "preview": row.preview,
        "enqueued_at": row.enqueued_at.isoformat(),
        "handover": told_handover(handover, catalog),
        "callback": _callback(row),
        "service_level_s": queue.object.service_level_s if queue else None,
    }


def _call(one: Call | None) -> dict[str, Any] | None:
    """Return what a call's offer says of it: what its customer has chosen so far."""
    if one is None:
        return None
    facts = one.facts
    return {"id": one.id, "answers": [dict(answer) for answer in facts.answers]}


def _callback(row: Row[Any]) -> dict[str, Any] | None:
    """Return the call that an item's customer asks for; None: they ask for none."""
    found = row.context.get(callbacks.MARK) or {}
    if found.get("item") != row.item or found.get("state") != callbacks.Wish.ASKED:
        return None
    return {name: found.get(name) for name in ("number", "shown", "asked_at", "calls")}


def told_handover(handover: dict[str, Any] | None, catalog: Catalog) -> dict[str, Any] | None:
    """Return a handover with the names of those in it."""
    if not handover:
        return None
    return {
        **handover,
        "by_name": catalog.agent_name(handover.get("by")),
        "agent_name": catalog.agent_name(handover.get("agent")),
    }


def _customer(one: Customer, identities: Mapping[Id, Sequence[Identity]]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "identities": [
            {"scheme": i.address.scheme, "value": i.address.value, "verified": i.verified}
            for i in identities[one.id]
        ],
    }


def _other(row: Row[Any], catalog: Catalog) -> dict[str, Any]:
    return {
        "conversation": row.id,
        "number": row.number,
        "channel": row.channel,
        "subject": row.subject,
        "preview": row.preview,
        "state": row.state,
        "owner_name": catalog.agent_name(row.owner),
        "last_at": row.last_at.isoformat(),
    }


def _over(row: Row[Any], catalog: Catalog) -> dict[str, Any]:
    code = (row.wrap_up or {}).get("code", "")
    served = catalog.agent_name(row.last_owner)
    return {**_other(row, catalog), "owner_name": served, "queue": row.queue, "code": code}


def _earlier_matters(customers: Sequence[Id]) -> Work[Sequence[Row[Any]]]:
    """Return what customers who call were served with last; whoever answers has no time to look."""
    if not customers:
        return []
    place = func.row_number().over(
        partition_by=customer_of.c.customer, order_by=conversation.c.last_at.desc()
    )
    found = (
        select(conversation, customer_of.c.customer, place.label("place"))
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .where(
            customer_of.c.customer.in_(customers),
            conversation.c.state == ConversationState.CLOSED.value,
        )
        .subquery()
    )
    return (yield select(found).where(found.c.place <= MOST_EARLIER).order_by(found.c.place))


def _open_matters(customers: Sequence[Id]) -> Work[Sequence[Row[Any]]]:
    return (
        yield select(conversation, customer_of.c.customer)
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .where(
            customer_of.c.customer.in_(customers),
            conversation.c.state != ConversationState.CLOSED.value,
        )
        .order_by(conversation.c.last_at.desc())
    )
