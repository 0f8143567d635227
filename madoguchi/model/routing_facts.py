"""What the router knows: configuration, agents, items, offers.

Every time here is `at`-like: an int of microseconds since the Unix epoch, UTC. Fields that end in
`_s` are seconds and come from the configuration. Nothing in this module reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from madoguchi.model.facts import fact

MICROS = 1_000_000
"""Microseconds in a second."""

CHAT = "chat"
"""The channel whose silence releases capacity late; every other text channel releases at once."""


def micros(seconds: float) -> int:
    """Return `seconds` as whole microseconds."""
    return round(seconds * MICROS)


class AgentChoice(StrEnum):
    """How an item chooses among agents of one level; ties go to the longest idle.

    `best_proficiency` sums the proficiencies in the skills that are still required;
    `least_proficiency` takes the lowest sum, so that the most able stay free. `fewest_today` counts
    assignments since midnight; `weighted` divides them by the agent's share. `round_robin` takes
    whom this queue gave an offer longest ago. `top_down` follows the agents' order. `random` draws
    evenly.
    """

    longest_idle = "longest_idle"
    least_loaded = "least_loaded"
    best_proficiency = "best_proficiency"
    least_proficiency = "least_proficiency"
    fewest_today = "fewest_today"
    weighted = "weighted"
    round_robin = "round_robin"
    top_down = "top_down"
    random = "random"


class Figure(StrEnum):
    """What a queue's help and alerts look at: how many wait; for how many seconds the oldest does
    and a new contact would; and of the last half hour the part answered in time and how many
    were abandoned.
    """

    waiting = "waiting"
    longest_wait = "longest_wait"
    expected_wait = "expected_wait"
    service_level = "service_level"
    abandoned = "abandoned"


class IdleSince(StrEnum):
    """From when an agent counts as idle: the end of the last work; besides, the last presence they
    set; or the last offer, whatever became of it.
    """

    work = "work"
    presence = "presence"
    offer = "offer"


class Preference(StrEnum):
    """Why an item names a preferred agent.

    The last owner knows the matter, and somebody named is meant, so neither `serves` nor skills are
    asked of them. Who is responsible for the customer, or has another conversation of theirs, only
    knows the customer: both are asked.
    """

    last_owner = "last_owner"
    named = "named"
    account_owner = "account_owner"
    same_customer = "same_customer"


class Presence(StrEnum):
    """What people set. `away` carries a reason (lunch, training, connection)."""

    available = "available"
    away = "away"
    missed = "missed"
    offline = "offline"


class Activity(StrEnum):
    """What follows from work."""

    idle = "idle"
    busy = "busy"
    wrap_up = "wrap_up"


class ItemState(StrEnum):
    """Where a work item stands; the last three are final."""

    waiting = "waiting"
    offered = "offered"
    assigned = "assigned"
    wrap_up = "wrap_up"
    done = "done"
    cancelled = "cancelled"
    abandoned = "abandoned"


class OfferState(StrEnum):
    """Pending, then exactly one of the others."""

    pending = "pending"
    accepted = "accepted"
    declined = "declined"
    timed_out = "timed_out"
    withdrawn = "withdrawn"


class Callback(StrEnum):
    """Whether a customer is to be called: not spoken of; offered, once; asked for; spoken with."""

    none = "none"
    offered = "offered"
    asked = "asked"
    reached = "reached"


class TransferPhase(StrEnum):
    """`direct`: on offer to one agent only. `open`: on offer to the queue; the owner keeps it."""

    direct = "direct"
    open = "open"


# ---------------------------------------------------------------- configuration


@dataclass(frozen=True, slots=True)
class Ageing:
    """Inside a priority class an item scores `slope` x wait seconds + `boost` seconds."""

    slope: float = 1.0
    boost: float = 0.0

    def __post_init__(self) -> None:
        if self.slope < 0:
            raise ValueError("ageing.slope must not be negative: the newest would go first")


@dataclass(frozen=True, slots=True)
class Ring:
    """A step that widens who may serve an item, `after_s` after it was enqueued.

    `relax` is skill -> the minimum from now on (0: not asked any more). `add_teams` may serve it
    too, at the queue's last level. `priority` is its class from now on. Steps add up.
    """

    after_s: float
    relax: Mapping[str, int] = field(default_factory=dict)
    add_teams: tuple[str, ...] = ()
    priority: int | None = None
    after: int = field(init=False, repr=False, compare=False)
    """The same in µs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "after", micros(self.after_s))
        if self.after_s <= 0:
            raise ValueError("a ring must come after more than 0 s")
        if not (self.relax or self.add_teams or self.priority is not None):
            raise ValueError(f"the ring after {self.after_s:g} s widens nothing")


@dataclass(frozen=True, slots=True)
class Overflow:
    """`after_s` after it was enqueued an item moves to another queue, if that has place for it."""

    after_s: float
    to_queue: str
    after: int = field(init=False, repr=False, compare=False)
    """The same in µs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "after", micros(self.after_s))
        if self.after_s <= 0:
            raise ValueError("an overflow must come after more than 0 s")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure and its limit. Past it is below for `service_level`, above for the others."""

    figure: Figure
    limit: float

    def asked(self, value: float) -> bool:
        """Tell whether the figure is past its limit."""
        return value < self.limit if self.figure is Figure.service_level else value > self.limit


@dataclass(frozen=True, slots=True)
class Help(Threshold):
    """Teams that help a queue while a figure is past a limit."""

    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A waiting room that some queues share: so many items may wait in all of them together."""

    queues: tuple[str, ...]
    max_waiting: int

    def __post_init__(self) -> None:
        if self.max_waiting < 0:
            raise ValueError("max_waiting must not be negative")


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How one queue is served.

    `requires` is skill -> minimum proficiency. `priority` 1 is served first, strictly.
    `misses`: so many unanswered offers in a row make an agent `missed`. `wrap_up` False ends the
    work at the moment when wrap-up would begin; `wrap_up_s` ends it so long after (0: no limit).
    `max_waiting`: so many may wait, not on offer; None: no limit. A new item that would be one too
    many goes to `full_to` at once, or ends. `max_wait_s`: what nobody has taken so long after it
    came into the queue ends (0: no limit). `team_order` stands for the
    levels when an item looks for an agent: those of the first list are asked first, who is in none
    last. `last_level` is the highest level at which anybody serves the queue. `weights` is channel
    -> units that an item takes, instead of its own. `prefers` is skill -> minimum: of one level,
    those who meet more of them are asked first. For `preferred_wait_s` an item is kept for its
    preferred agent, while they are available. `offer_to`: so many agents are asked at once, if so
    many would have nothing else; the first to accept has it. `auto_accept`: who is chosen has the
    item at once. `help_teams` are those that TeamsLetIn may name.
    `delays_s` are the ages at which more agents may take an item (AgentSpec.delays_s).
    `callback_after_s`: what nobody has taken so long after it was enqueued is offered a call (0:
    not); `callback_attempts`: so many calls are tried, `callback_retry_s` apart.
    Raises ValueError for values that cannot work.
    """

    id: str
    name: str
    requires: Mapping[str, int] = field(default_factory=dict)
    priority: int = 1
    ageing: Ageing = Ageing()
    agent_choice: AgentChoice = AgentChoice.longest_idle
    offer_timeout_s: float = 20
    transfer_timeout_s: float = 60
    decline_block_s: float = 300
    chat_release_s: float = 600
    absent_requeue_s: float = 600
    misses: int = 1
    wrap_up: bool = True
    wrap_up_s: float = 0
    rings: tuple[Ring, ...] = ()
    overflow: tuple[Overflow, ...] = ()
    max_waiting: int | None = None
    team_order: tuple[tuple[str, ...], ...] = ()
    last_level: int = 1
    weights: Mapping[str, int] = field(default_factory=dict)
    prefers: Mapping[str, int] = field(default_factory=dict)
    idle_since: IdleSince = IdleSince.work
    offer_to: int = 1
    auto_accept: bool = False
    preferred_wait_s: float = 0
    delays_s: tuple[float, ...] = ()
    help_teams: tuple[str, ...] = ()
    full_to: str = ""
    max_wait_s: float = 0
    callback_after_s: float = 0
    callback_retry_s: float = 900
    callback_attempts: int = 3

    def __post_init__(self) -> None:
        if any(weight < 1 for weight in self.weights.values()):
            raise ValueError(f"queue {self.id}: a weight must be at least 1")
        if min(self.offer_timeout_s, self.transfer_timeout_s, self.absent_requeue_s) <= 0:
            raise ValueError(f"queue {self.id}: time-outs must be above 0 s")
        waits = (self.decline_block_s, self.chat_release_s, self.wrap_up_s, self.preferred_wait_s)
        if min(*waits, self.max_wait_s) < 0:
            raise ValueError(f"queue {self.id}: a time must not be negative")
        if min(self.offer_to, self.misses) < 1:
            raise ValueError(f"queue {self.id}: offer_to and misses must be at least 1")
        self._check_calls()
        if self.max_waiting is not None and self.max_waiting < 0:
            raise ValueError(f"queue {self.id}: max_waiting must not be negative")
        for steps in (self.rings, self.overflow):
            times = [step.after_s for step in steps]
            if times != sorted(times):
                raise ValueError(f"queue {self.id}: steps must stand in the order of their times")
        if any(delay <= 0 for delay in self.delays_s):
            raise ValueError(f"queue {self.id}: a delay must be above 0 s")
        if self.id and self.id in {self.full_to, *(step.to_queue for step in self.overflow)}:
            raise ValueError(f"queue {self.id}: it overflows into itself")

    def _check_calls(self) -> None:
        if self.callback_after_s < 0 or self.callback_retry_s <= 0:
            raise ValueError(f"queue {self.id}: calls come later, never before")
        if self.callback_attempts < 1:
            raise ValueError(f"queue {self.id}: callback_attempts must be at least 1")


@dataclass(frozen=True, slots=True)
class Reserve:
    """An agent takes an item of a queue only while `free` others of `team` are idle."""

    team: str
    free: int


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who can do what. `serves` is queue id -> level (1 first); `order` breaks the last tie.

    `units` is the capacity, `per_channel` the most items of a channel held at once. `teams` are
    those that rings and reserves name. `keep_free` is queue id -> what is kept for other queues.
    `delays_s` is queue id -> the age from which its items may be taken. `share` is the part of the
    work that a weighted choice gives, compared with others' shares. `interrupts` is channel -> the
    channels whose work does not keep its items away.
    """

    id: str
    order: int
    skills: Mapping[str, int] = field(default_factory=dict)
    serves: Mapping[str, int] = field(default_factory=dict)
    units: int = 5
    per_channel: Mapping[str, int] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    keep_free: Mapping[str, Reserve] = field(default_factory=dict)
    delays_s: Mapping[str, float] = field(default_factory=dict)
    share: int = 1
    interrupts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(channel in below for channel, below in self.interrupts.items()):
            raise ValueError(f"agent {self.id}: a channel cannot interrupt itself")
        if self.share < 1:
            raise ValueError(f"agent {self.id}: the share must be at least 1")
        if any(reserve.team not in self.teams for reserve in self.keep_free.values()):
            raise ValueError(f"agent {self.id}: only an own team can keep agents free")


@fact(frozen=True, slots=True)
class ItemSpec:
    """A conversation that needs an agent now.

    `requires` and `priority` None mean the queue's. `exclusive` (voice, video) wants an agent with
    no other load. `preferred` gets the first offer, for the reason in `preference`, if they may
    take it at the moment when the item arrives. `release_after_s` is how long after a reply the
    units are released; None means the queue's `chat_release_s` for chat and 0 otherwise. `draw` is
    the number in [0, 1) that a random choice uses; None: one that follows from seed, id and offer.
    `ahead` is by how many µs it ranks as if it were older; what is told of its wait is not changed.
    `by_hand`: a person chose `priority`, and rings leave it. `patient`: it came while its queue was
    closed, and waits as long as it must. `not_before`: nobody is asked earlier, for a call that
    was in vain is tried again then.
    """

    id: str
    conversation: str
    queue: str
    channel: str
    enqueued_at: int
    weight: int = 1
    exclusive: bool = False
    requires: Mapping[str, int] | None = None
    priority: int | None = None
    preferred: str | None = None
    preference: Preference = Preference.last_owner
    release_after_s: float | None = None
    draw: float | None = None
    ahead: int = 0
    by_hand: bool = False
    patient: bool = False
    not_before: int = 0

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError(f"item {self.id}: weight must be at least 1")

    @property
    def ranked_at(self) -> int:
        """The time that stands for the enqueue time wherever items are put in order."""
        return self.enqueued_at - self.ahead


# ---------------------------------------------------------------- what is stored, and what is shown


@fact(frozen=True, slots=True)
class Load:
    """Units in use, reserved and free; `exclusive`: a call is held or on offer."""

    units: int
    used: int
    reserved: int
    free: int
    exclusive: bool
    activity: Activity


@fact(frozen=True, slots=True)
class Offer:
    """An offer with its times in µs."""

    id: str
    item: str
    agent: str
    offered_at: int
    deadline: int
    transfer: bool = False


@fact(frozen=True, slots=True)
class AgentFacts:
    """What must be stored of an agent.

    `since`: of the presence. `disconnected_since` None: connected. `absent_since`: since when the
    agent has been without interruption not available or not connected; None: derived from the two
    others. `worked_until`: the last end of work, 0 before any. `away_after`: the reason of the
    away that follows when the present work has ended; None: none is reserved. `taken`: what was
    assigned since midnight. `given`: queue -> when it last gave an offer. `engaged`: they take part
    in a colleague's call.
    """

    spec: AgentSpec
    presence: Presence = Presence.offline
    reason: str = ""
    since: int = 0
    disconnected_since: int | None = 0
    absent_since: int | None = None
    worked_until: int = 0
    misses: int = 0
    away_after: str | None = None
    taken: int = 0
    given: Mapping[str, int] = field(default_factory=dict)
    engaged: bool = False


@fact(frozen=True, slots=True)
class ItemFacts:
    """What must be stored of an unfinished item.

    `spec` is the present one (queue after a transfer). `paused_since`: waits for the customer.
    `released`: holds no units. `unanswered_since`: the oldest text without an answer.
    `blocks`: agent -> until when barred. `offers`: how many were made. `closed`: number, agent and
    end of past offers (may be left out: late answers then learn less). `told_blocked`: the last
    ItemBlocked said so. `wrap_up_until`: when the wrap-up ends by itself; None: no limit.
    `taken`: somebody has had it. `waits_until`: when it ends if nobody takes it; None: never.
    `calls`: how many calls were in vain.
    """

    spec: ItemSpec
    state: ItemState = ItemState.waiting
    owner: str | None = None
    transfer: TransferPhase | None = None
    paused_since: int | None = None
    released: bool = False
    unanswered_since: int | None = None
    blocks: Mapping[str, int] = field(default_factory=dict)
    offers: int = 0
    closed: tuple[tuple[int, str, OfferState], ...] = ()
    told_blocked: bool = False
    wrap_up_until: int | None = None
    taken: bool = False
    waits_until: int | None = None
    callback: Callback = Callback.none
    calls: int = 0


@dataclass(frozen=True, slots=True)
class RouterState:
    """Everything that the engine is rebuilt from, each tuple ordered by id.

    `midnight` is when a day begins, in µs after midnight UTC; `let_in` is queue -> the teams that
    TeamsLetIn has let in.
    """

    queues: tuple[QueuePolicy, ...] = ()
    agents: tuple[AgentFacts, ...] = ()
    items: tuple[ItemFacts, ...] = ()
    offers: tuple[Offer, ...] = ()
    finished: tuple[tuple[str, ItemState], ...] = ()
    version: int = 0
    sequence: int = 0
    clock: int = 0
    seed: str = "0"
    limits: tuple[Limit, ...] = ()
    midnight: int = 0
    let_in: tuple[tuple[str, tuple[str, ...]], ...] = ()
