"""What people and other rooms ask of the router: a command, and what is to be stored with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from madoguchi.model import routing
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.model.routing import Command, ItemEnqueued, Presence

_KNOWN: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        routing.PresenceSet,
        routing.AwayReserved,
        routing.AwayTakenBack,
        routing.ConnectionChanged,
        routing.OfferAccepted,
        routing.OfferDeclined,
        routing.WrapUpStarted,
        routing.WrapUpExtended,
        routing.WorkEnded,
        routing.TransferredToQueue,
        routing.TransferredToAgent,
        routing.TransferCancelled,
        routing.Assigned,
        routing.Requeued,
        routing.ItemPrioritised,
        routing.ItemMoved,
        routing.CallbackReached,
        routing.CallbackMissed,
        routing.CallbackGivenUp,
        routing.Parked,
        routing.Redialled,
    )
}


@dataclass(frozen=True, slots=True)
class Order:
    """A command with notes that the engine does not need: summary, wrap-up code, who asked."""

    command: Command
    notes: Mapping[str, Any] = field(default_factory=dict)


def encode(order: Order) -> dict[str, Any]:
    """Return an order as JSON for ``router_command``. Only what people ask can travel."""
    name = type(order.command).__name__
    if name not in _KNOWN:
        raise ValueError(f"{name} is not asked for by people")
    return {"type": name, "fields": asdict(order.command), "notes": dict(order.notes)}


def decode(row: Mapping[str, Any]) -> Order:
    """Return the order of a ``router_command`` row."""
    fields = dict(row["fields"])
    if "presence" in fields:
        fields["presence"] = Presence(fields["presence"])
    notes = dict(row["notes"])
    if "actor" in notes:
        notes["actor"] = Actor(notes["actor"]["id"], notes["actor"]["name"])
    return Order(_KNOWN[row["type"]](**fields), notes)


def item_of(command: Command) -> Id | None:
    """Return the item that a command speaks of."""
    if isinstance(command, ItemEnqueued):
        return command.item.id
    offer = getattr(command, "offer", None)
    if isinstance(offer, str):
        return offer.rpartition("-")[0]
    item = getattr(command, "item", None)
    return item if isinstance(item, str) else None


def handover(
    command: routing.TransferredToQueue | routing.TransferredToAgent | routing.Assigned,
    notes: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """Return what the next agent is told of how an item came to them."""
    return {
        "by": command.by,
        "at": at.isoformat(),
        "reason": getattr(command, "reason", "") or str(notes.get("reason", "")),
        "summary": str(notes.get("summary", "")),
        "queue": getattr(command, "queue", None),
        "agent": getattr(command, "agent", None),
    }
