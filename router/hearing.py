"""What the router hears: log entries of conversations, as commands for its engine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from madoguchi.clock import to_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.callbacks import ASKED, CANCELLED
from madoguchi.conversations.calls.arriving import CALLBACK
from madoguchi.model.ids import Id
from madoguchi.model.log import Entity, LogEntry, NumberedEntry
from madoguchi.model.routing import (
    AgentReplied,
    CallbackAsked,
    CallbackCancelled,
    CallEnded,
    Command,
    CustomerWrote,
    Engaged,
    ItemCancelled,
    ItemEnqueued,
    ItemState,
)
from madoguchi.store.work import Work
from router import rebuild
from router.rebuild import Kept
from router.views import ITEMS

_CALLS: Mapping[str, type[CallbackAsked] | type[CallbackCancelled]] = {
    ASKED: CallbackAsked,
    CANCELLED: CallbackCancelled,
}


def items_of(ids: Sequence[Id]) -> Work[dict[Id, Any]]:
    """Return work items by id, as they are stored."""
    return {row.id: row for row in (yield ITEMS(ids))}


def note_text(kept: Kept, numbered: NumberedEntry) -> None:
    """Remember which of its conversation's texts an item has got last."""
    data = numbered.entry.data or {}
    item, texts = data.get("item"), kept.texts
    if item in kept.items and "inbound_seq" in data:
        texts[item] = max(texts.get(item, 0), data["inbound_seq"])


def heard(
    kept: Kept,
    numbered: NumberedEntry,
    specs: Mapping[Id, Any],
    now: datetime,
    catalog: Catalog,
) -> Iterable[Command]:
    """Return what a log entry means to the engine."""
    entry = numbered.entry
    data = entry.data or {}
    item = data.get("item")
    if entry.type == "item.enqueued" and entry.entity_id in specs:
        row = specs[entry.entity_id]
        if row.state == ItemState.waiting.value and row.id not in kept.items:
            yield _born(kept, row, now, catalog)
    elif entry.type == "message.received" and item and data.get("author") == "customer":
        yield CustomerWrote(item)
    elif entry.type == "message.sent" and item:
        yield AgentReplied(item)
    elif entry.type == "conversation.customer_left" and item:
        yield ItemCancelled(item, ItemState.abandoned)
    elif entry.entity is Entity.CALL:
        yield from _of_call(kept, entry)
    elif entry.type in _CALLS and item:
        yield _CALLS[entry.type](item)


def _of_call(kept: Kept, entry: LogEntry) -> Iterable[Command]:
    """Take in who helps in a call, and its end."""
    data = entry.data or {}
    for agent in (*data.get("joined", ()), *data.get("left", ())):
        calls = kept.helping.setdefault(agent, set())
        (calls.add if agent in data["joined"] else calls.discard)(entry.entity_id)
        yield Engaged(agent, bool(calls))
    if data.get("item") and data.get("ends"):
        yield CallEnded(data["item"], waits_on=data.get("why") == CALLBACK)


def _born(kept: Kept, row: Any, now: datetime, catalog: Catalog) -> ItemEnqueued:
    """Take in a new item: it waits, or is somebody's already."""
    kept.know(row)
    if row.owner is not None:
        # Whom an agent calls has not waited for an answer.
        kept.answered.add(row.id)
    spec = rebuild.item_spec(row)
    # A row from just before the clock was set back would wait behind all later ones.
    came = min(spec.enqueued_at, to_micros(now))
    patient = not catalog.opening(row.queue, now).open
    return ItemEnqueued(replace(spec, enqueued_at=came, patient=patient), row.owner)
