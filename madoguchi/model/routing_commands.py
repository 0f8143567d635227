"""What the router is told. Every time is an int of microseconds since the Unix epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass

from madoguchi.model.routing_facts import (
    AgentSpec,
    ItemSpec,
    ItemState,
    Limit,
    Presence,
    QueuePolicy,
)


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """The complete set of queues and shared limits. `version` None counts on from the last one.

    `midnight` is when a day begins, in µs after midnight UTC. Refused: `queue_in_use` when a queue
    that has unfinished items is missing, `unknown_queue` and `overflow_loop` for steps that lead
    nowhere or for ever.
    """

    queues: tuple[QueuePolicy, ...]
    version: int | None = None
    limits: tuple[Limit, ...] = ()
    midnight: int = 0


@dataclass(frozen=True, slots=True)
class TeamsLetIn:
    """The teams that help a queue from now on, besides those that serve it; none: nobody does.

    They take its items at the queue's last level. Refused: `unknown_queue`, `unknown_team`.
    """

    queue: str
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """A new agent (offline, not connected) or new facts about a known one."""

    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """The agent is gone: offers are withdrawn, assigned items wait again, wrap-up ends."""

    agent: str


@dataclass(frozen=True, slots=True)
class PresenceSet:
    """A person set a presence. `by` is who did: the agent or a supervisor."""

    agent: str
    presence: Presence
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class AwayReserved:
    """From now on no new offer comes; when the present work has ended, the presence is `away`.

    Work is what weighs on the agent: assigned and in wrap-up, and a pending offer, which runs to
    its end. What only waits for the customer, its units released, keeps nobody. Whatever sets a
    presence cancels it, but for a lost connection. Refused: `not_receiving`.
    """

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AwayTakenBack:
    """The reserved away is not wanted any more; without one nothing changes."""

    agent: str


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The agent's desk is reachable, or its last socket is gone."""

    agent: str
    connected: bool


@dataclass(frozen=True, slots=True)
class ItemEnqueued:
    """A new item waits; `agent`: it is theirs from the start, and nobody else is asked. Refused:
    `already_enqueued`, `finished`, `unknown_queue`.
    """

    item: ItemSpec
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class ItemCancelled:
    """Nobody needs the item any more; `why` is cancelled or abandoned (the customer left)."""

    item: str
    why: ItemState = ItemState.cancelled


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """Refused: `taken` and `not_yours` (with who has it), `timed_out`, `withdrawn`, `declined`."""

    offer: str
    agent: str


@dataclass(frozen=True, slots=True)
class OfferDeclined:
    """Refused like OfferAccepted."""

    offer: str
    agent: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CustomerWrote:
    """A customer's text on this item: the owner's at once, even over capacity."""

    item: str


@dataclass(frozen=True, slots=True)
class AgentReplied:
    """The owner answered; the item now waits for the customer. Refused: `not_assigned`."""

    item: str


@dataclass(frozen=True, slots=True)
class WrapUpStarted:
    """The contact is over, the work is not; the units stay held. Refused: `not_yours`, ...

    `inbound_seq` is how many of the customer's texts the desk has shown: the router's service
    refuses (`newer_inbound`) when it has heard of more. None: whatever there is.
    """

    item: str
    agent: str
    inbound_seq: int | None = None


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The owner needs `seconds` more. Refused: `not_in_wrap_up`, `no_limit`."""

    item: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkEnded:
    """The item is done. Refused: `not_assigned`, and `customer_wrote` if it was to end from
    wrap-up and is in none: a text has brought it back to its owner.
    """

    item: str
    wrapped_up: bool = False


@dataclass(frozen=True, slots=True)
class TransferredToQueue:
    """Moves an item, keeping its enqueue time. Refused: `same_queue`, `unknown_queue`, ..."""

    item: str
    queue: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferredToAgent:
    """Offers an item to one agent; its owner keeps it until then.

    `serves` and skills are not asked: a person chose. Refused: `not_signed_in`, `not_available`,
    `no_room`, `already_offered`, `already_yours`.
    """

    item: str
    agent: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferCancelled:
    """The sender takes the transfer back. Refused: `no_transfer`."""

    item: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """A pull (`by` is the agent) or a supervisor's assignment; may exceed capacity.

    A pull is refused `taken` if somebody owns the item and `already_offered` if it is on offer to
    somebody else; a supervisor overrides both. Refused for both: `not_signed_in`.
    """

    item: str
    agent: str
    by: str


@dataclass(frozen=True, slots=True)
class Requeued:
    """The owner gives the item back; it keeps its enqueue time. Refused: `not_assigned`."""

    item: str
    why: str


@dataclass(frozen=True, slots=True)
class ItemPrioritised:
    """A new priority class for one item, which no ring changes any more."""

    item: str
    priority: int


@dataclass(frozen=True, slots=True)
class ItemMoved:
    """A new place among the items that wait in its queue, 1 for the first; too large: the last.

    It takes over the class of the items there, which no ring changes any more; its enqueue time
    stays. Refused: `not_waiting`.
    """

    item: str
    place: int


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """The customer asks to be called: from now on the item waits as long as it must."""

    item: str


@dataclass(frozen=True, slots=True)
class CallbackCancelled:
    """The customer does not want to be called any more; the item waits on as others do."""

    item: str


@dataclass(frozen=True, slots=True)
class CallbackReached:
    """The owner speaks with the customer who asked to be called. Refused: `not_yours`,
    `no_callback`, `finished`, ...
    """

    item: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallbackMissed:
    """The owner has called in vain. The item waits for the next call, first for the same agent.

    Refused like CallbackReached, and `no_more_calls` where that was the last one.
    """

    item: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallbackGivenUp:
    """The owner could not reach the customer, and nobody tries again. Refused like
    CallbackReached.
    """

    item: str
    agent: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over: what waited is abandoned, but for a callback that was asked for; what had an
    owner goes into wrap-up. ``waits_on``: its customer waits for a call, by other work.
    """

    item: str
    waits_on: bool = False


@dataclass(frozen=True, slots=True)
class Redialled:
    """The owner calls once more, from wrap-up. Refused: `not_yours`, `not_in_wrap_up`."""

    item: str
    agent: str


@dataclass(frozen=True, slots=True)
class Parked:
    """The owner puts an item aside for so many seconds: it is nobody's, and nobody is asked to take
    it; who wants may pull it. Then its owner is asked first. Refused: `not_yours`, `not_assigned`.
    """

    item: str
    agent: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Engaged:
    """An agent takes part in a colleague's call, or does so no more: meanwhile they have no room,
    as in a call of their own. Refused: `unknown_agent`.
    """

    agent: str
    on: bool


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing but the time: runs what is due."""


Command = (
    ConfigurationChanged
    | TeamsLetIn
    | AgentChanged
    | AgentRemoved
    | PresenceSet
    | AwayReserved
    | AwayTakenBack
    | ConnectionChanged
    | ItemEnqueued
    | ItemCancelled
    | OfferAccepted
    | OfferDeclined
    | CustomerWrote
    | AgentReplied
    | WrapUpStarted
    | WrapUpExtended
    | WorkEnded
    | TransferredToQueue
    | TransferredToAgent
    | TransferCancelled
    | Assigned
    | Requeued
    | ItemPrioritised
    | ItemMoved
    | CallbackAsked
    | CallbackCancelled
    | CallbackReached
    | CallbackMissed
    | CallbackGivenUp
    | CallEnded
    | Parked
    | Redialled
    | Engaged
    | TimePassed
)
