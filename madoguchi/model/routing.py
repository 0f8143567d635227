"""What the router decides; what it is told and what it knows come along for importers.

Every time here is `at`-like: an int of microseconds since the Unix epoch, UTC. Nothing in this
module reads a clock.
"""

from __future__ import annotations

from madoguchi.model.facts import fact
from madoguchi.model.routing_commands import (
    AgentChanged,
    AgentRemoved,
    AgentReplied,
    Assigned,
    AwayReserved,
    AwayTakenBack,
    CallbackAsked,
    CallbackCancelled,
    CallbackGivenUp,
    CallbackMissed,
    CallbackReached,
    CallEnded,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    CustomerWrote,
    Engaged,
    ItemCancelled,
    ItemEnqueued,
    ItemMoved,
    ItemPrioritised,
    OfferAccepted,
    OfferDeclined,
    Parked,
    PresenceSet,
    Redialled,
    Requeued,
    TeamsLetIn,
    TimePassed,
    TransferCancelled,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
    WrapUpExtended,
    WrapUpStarted,
)
from madoguchi.model.routing_facts import (
    CHAT,
    MICROS,
    Activity,
    Ageing,
    AgentChoice,
    AgentFacts,
    AgentSpec,
    Callback,
    Figure,
    Help,
    IdleSince,
    ItemFacts,
    ItemSpec,
    ItemState,
    Limit,
    Load,
    Offer,
    OfferState,
    Overflow,
    Preference,
    Presence,
    QueuePolicy,
    Reserve,
    Ring,
    RouterState,
    Threshold,
    TransferPhase,
    micros,
)
from madoguchi.model.routing_reasons import (
    Candidate,
    Considered,
    Explanation,
    FilterCounts,
    FullExplanation,
    Key,
)

__all__ = [
    "CHAT",
    "MICROS",
    "Activity",
    "Ageing",
    "AgentChanged",
    "AgentChoice",
    "AgentFacts",
    "AgentLoadChanged",
    "AgentRemoved",
    "AgentReplied",
    "AgentSpec",
    "Assigned",
    "AwayReserved",
    "AwayTakenBack",
    "CallEnded",
    "Callback",
    "CallbackAsked",
    "CallbackCancelled",
    "CallbackGivenUp",
    "CallbackMissed",
    "CallbackReached",
    "Candidate",
    "Command",
    "ConfigurationChanged",
    "ConnectionChanged",
    "Considered",
    "CustomerWrote",
    "Decision",
    "Engaged",
    "Explanation",
    "Figure",
    "FilterCounts",
    "FullExplanation",
    "Help",
    "IdleSince",
    "ItemAssigned",
    "ItemBlocked",
    "ItemCallback",
    "ItemCancelled",
    "ItemClosed",
    "ItemEnqueued",
    "ItemFacts",
    "ItemMoved",
    "ItemPrioritised",
    "ItemRanked",
    "ItemResumed",
    "ItemSpec",
    "ItemState",
    "ItemWaiting",
    "ItemWrapUp",
    "Key",
    "Limit",
    "Load",
    "Offer",
    "OfferAccepted",
    "OfferClosed",
    "OfferDeclined",
    "OfferState",
    "Offered",
    "Overflow",
    "Parked",
    "Preference",
    "Presence",
    "PresenceChanged",
    "PresenceSet",
    "QueuePolicy",
    "Redialled",
    "Refused",
    "Requeued",
    "Reserve",
    "Ring",
    "RouterState",
    "TeamsLetIn",
    "Threshold",
    "TimePassed",
    "TransferCancelled",
    "TransferPhase",
    "TransferredToAgent",
    "TransferredToQueue",
    "WorkEnded",
    "WrapUpExtended",
    "WrapUpStarted",
    "micros",
]


# ---------------------------------------------------------------- decisions


@fact(frozen=True, slots=True)
class Offered:
    """The agent's capacity is reserved until `deadline`.

    `transfer`: meant for this agent alone; an item that has an owner stays assigned to it.
    """

    offer: str
    item: str
    agent: str
    deadline: int
    explanation: Explanation
    transfer: bool = False


@fact(frozen=True, slots=True)
class OfferClosed:
    """The one end of an offer. Not accepted: the item is again what it was before the offer."""

    offer: str
    item: str
    agent: str
    state: OfferState
    why: str = ""


@fact(frozen=True, slots=True)
class ItemAssigned:
    """The item has this owner now."""

    item: str
    agent: str
    previous_agent: str | None
    offer: str | None
    over_capacity: bool


@fact(frozen=True, slots=True)
class ItemWaiting:
    """The item waits in `queue` again, with the enqueue time that it had.

    `owner`: who keeps it until somebody accepts (a transfer that its addressee let pass).
    """

    item: str
    queue: str
    why: str
    owner: str | None = None


@fact(frozen=True, slots=True)
class ItemWrapUp:
    """The agent is in wrap-up for this item."""

    item: str
    agent: str


@fact(frozen=True, slots=True)
class ItemResumed:
    """Plainly assigned to its owner again: a text in wrap-up, or a waiting transfer taken back."""

    item: str
    agent: str


@fact(frozen=True, slots=True)
class ItemClosed:
    """The item is done, cancelled or abandoned; the engine forgets it.

    `why` is `wrap_up_over` where the time for wrap-up has run out, `full` where a new item found
    no place to wait, `waited_too_long` where nobody took it in time, `callback_given_up` where its
    customer was called in vain, empty where people ended it.
    """

    item: str
    state: ItemState
    why: str = ""


@fact(frozen=True, slots=True)
class ItemCallback:
    """Where an item stands with a call: its customer is to be offered one, or wants none any more
    (`offered`), has asked for one, or was reached.
    """

    item: str
    callback: Callback


@fact(frozen=True, slots=True)
class ItemRanked:
    """A waiting item ranks elsewhere among those of its queue, moved itself or to make room."""

    item: str


@fact(frozen=True, slots=True)
class PresenceChanged:
    """`by` is `system` where the engine itself decided."""

    agent: str
    presence: Presence
    reason: str
    by: str


@fact(frozen=True, slots=True)
class AgentLoadChanged:
    """The agent's units in use, reserved by offers, and free. At most one per agent per apply."""

    agent: str
    used: int
    reserved: int
    free: int
    activity: Activity


@fact(frozen=True, slots=True)
class ItemBlocked:
    """Whether nobody signed in could take a waiting item; told once per change of that fact."""

    item: str
    blocked: bool
    explanation: Explanation


Decision = (
    Offered
    | OfferClosed
    | ItemAssigned
    | ItemWaiting
    | ItemWrapUp
    | ItemResumed
    | ItemClosed
    | ItemCallback
    | ItemRanked
    | PresenceChanged
    | AgentLoadChanged
    | ItemBlocked
)


class Refused(Exception):
    """The command changed nothing. `agent` names who has what was asked for.

    `decisions` is what the time brought before the command was looked at (an offer whose deadline
    passed): they stand and must be stored like those that `apply` returns.
    """

    def __init__(self, code: str, detail: str = "", agent: str | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.agent = agent
        self.decisions: list[Decision] = []
