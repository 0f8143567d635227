"""The engine's living records: what changes while items are routed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from madoguchi.model.routing import (
    CHAT,
    AgentFacts,
    AgentSpec,
    Callback,
    ItemFacts,
    ItemSpec,
    ItemState,
    Load,
    Offer,
    OfferState,
    Presence,
    QueuePolicy,
    TransferPhase,
    micros,
)
from router.engine.names import (
    ASSIGNED,
    AVAILABLE,
    BUSY,
    IDLE,
    OFFERED,
    OFFLINE,
    WAITING,
    WRAP_UP,
    WRAPPING,
)
from router.engine.policy import NARROW, Widened, full, kept_until, next_moment
from router.engine.room import Room, Shape

if TYPE_CHECKING:
    from router.engine.buckets import Bucket, ItemKey, Place, Pool, Profile

CONNECTION_GRACE_S = 60
"""A desk that is gone for so long makes its agent `away`."""

CALL_GRACE_S = 30
"""So long a customer on the line waits for an agent whose desk is gone."""


Signature = tuple[tuple[str, int], ...]
"""Skills with their least proficiency, by skill."""


@dataclass(slots=True, eq=False)
class AgentRecord:
    """An agent with the sums over their work; the sums change only by `weigh`."""

    spec: AgentSpec
    presence: Presence = OFFLINE
    reason: str = ""
    since: int = 0
    disconnected_since: int | None = 0
    absent_since: int | None = 0
    worked_until: int = 0
    misses: int = 0
    away_after: str | None = None
    taken: int = 0
    given: dict[str, int] = field(default_factory=dict)
    gifts: int = 0
    """How many offers queues have given them since they are known here."""
    used: int = 0
    reserved: int = 0
    exclusives: int = 0
    engaged: bool = False
    """Whether they take part in a colleague's call; it counts among the exclusives."""
    busy: int = 0
    wrapping: int = 0
    held: dict[str, int] = field(default_factory=dict)
    taking: dict[str, int] = field(default_factory=dict)
    work: dict[str, ItemRecord] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    delays: dict[str, int] = field(init=False)
    """Queue -> the µs for which its items are left to others."""
    seen: Room | None = None
    """The room when the agent last looked for work."""
    told: Load | None = None
    """The load that the last AgentLoadChanged told."""
    profile: Profile | None = None
    """The pools that they belong to; the index keeps it, as the next two."""
    place: Place | None = None
    """As what they count."""
    shelved: Place | None = None
    """As what they stand on the shelves."""
    _room: Room | None = None
    _changed: bool = True

    def __post_init__(self) -> None:
        self.become(self.spec)

    def become(self, spec: AgentSpec) -> None:
        """Take over new facts about the agent, who is in no index meanwhile."""
        self.spec = spec
        self.delays = {queue: micros(seconds) for queue, seconds in spec.delays_s.items()}
        self.changed()

    def give(self, queue: str, at: int) -> None:
        """Note that a queue has given them an offer."""
        self.given[queue] = at
        self.gifts += 1

    def engage(self, on: bool) -> None:
        """Note whether they take part in a colleague's call."""
        self.exclusives += on - self.engaged
        self.engaged = on
        self.changed()

    def changed(self) -> None:
        """Note that presence, connection, facts or load have changed: the room is another."""
        self._changed = True

    @property
    def id(self) -> str:
        """The agent's id."""
        return self.spec.id

    @property
    def connected(self) -> bool:
        """Whether a desk of theirs is reachable."""
        return self.disconnected_since is None

    @property
    def signed_in(self) -> bool:
        """Whether they are at work at all."""
        return self.presence is not OFFLINE

    @property
    def here(self) -> bool:
        """Whether they are available before a reachable desk."""
        return self.presence is AVAILABLE and self.disconnected_since is None

    @property
    def present(self) -> bool:
        """Whether an offer can reach them: they are here, and stay after the present work."""
        return self.here and self.away_after is None

    @property
    def leaves(self) -> bool:
        """Whether a reserved away is due: nothing weighs on them and nothing is on offer."""
        idle = not (self.busy or self.wrapping or self.offers or self.engaged)
        return self.away_after is not None and idle

    def free(self) -> int:
        """Return the units that an offer could still reserve."""
        return 0 if self.exclusives else max(0, self.spec.units - self.used - self.reserved)

    def room(self) -> Room | None:
        """Return what the agent could be offered now; None: nothing at all."""
        if self._changed:
            self._room = self._look_around()
            self._changed = False
        return self._room

    def _look_around(self) -> Room | None:
        free = self.free() if self.present else 0
        beside = self._beside() if self.present and self.spec.interrupts else ()
        if free == 0 and not any(units for _, units, _ in beside):
            return None
        closed = full(self) if self.spec.per_channel or self.reason else _NOTHING_FULL
        return Room(free, self.used == 0 and self.reserved == 0, closed, beside)

    def _beside(self) -> tuple[tuple[str, int, bool], ...]:
        """Return what is free for the channels that interrupt others; nothing interrupts a call."""
        if self.exclusives:
            return ()
        found = []
        for channel, below in sorted(self.spec.interrupts.items()):
            taken = sum(units for name, units in self.taking.items() if name not in below)
            found.append((channel, max(0, self.spec.units - taken), taken == 0))
        return tuple(found)

    def weigh(self, shape: Shape, sign: int, state: ItemState) -> None:
        """Add (+1) or take away (-1) one item that is `offered`, `assigned` or in `wrap_up`."""
        self.changed()
        if state is OFFERED:
            self.reserved += sign * shape.weight
        else:
            self.used += sign * shape.weight
            if state is WRAP_UP:
                self.wrapping += sign
            else:
                self.busy += sign
        self.exclusives += sign * shape.exclusive
        self.held[shape.channel] = self.held.get(shape.channel, 0) + sign
        self.taking[shape.channel] = self.taking.get(shape.channel, 0) + sign * shape.weight

    def over_capacity(self) -> bool:
        """Return whether the agent holds more than offers alone could have brought."""
        below = self._interrupted() if self.spec.interrupts else _NOBODY
        taken = sum(units for name, units in self.taking.items() if name not in below)
        held = sum(number for name, number in self.held.items() if name not in below)
        beside_call = self.exclusives > self.engaged and held > 1
        most = self.spec.per_channel
        return (
            taken > self.spec.units
            or beside_call
            or any(self.held.get(name, 0) > limit for name, limit in most.items())
        )

    def _interrupted(self) -> frozenset[str]:
        """Return the channels whose work rests while that of another is there."""
        there = (name for name, number in self.held.items() if number)
        return frozenset(below for name in there for below in self.spec.interrupts.get(name, ()))

    def load(self) -> Load:
        """Return the load as told to others."""
        activity = IDLE
        if self.busy or self.engaged:
            activity = BUSY
        elif self.wrapping:
            activity = WRAPPING
        return Load(
            self.spec.units,
            self.used,
            self.reserved,
            self.free(),
            self.exclusives > 0,
            activity,
        )

    def away_due(self) -> int | None:
        """Return when the lost connection makes them `away`."""
        if self.disconnected_since is None or self.presence is not AVAILABLE:
            return None
        return max(self.disconnected_since, self.since) + micros(CONNECTION_GRACE_S)

    def facts(self) -> AgentFacts:
        """Return what must be stored."""
        return AgentFacts(
            self.spec,
            self.presence,
            self.reason,
            self.since,
            self.disconnected_since,
            self.absent_since,
            self.worked_until,
            self.misses,
            self.away_after,
            self.taken,
            dict(sorted(self.given.items())),
            self.engaged,
        )


def skills_of(signature: Signature) -> tuple[str, ...]:
    """Return the skills that are still required."""
    return tuple([skill for skill, _ in signature])


def signature_of(requires: Mapping[str, int]) -> Signature:
    """Return requirements as a key: equal where the same is asked for."""
    return tuple(sorted([(skill, least) for skill, least in requires.items() if least > 0]))


def _sooner(one: int | None, other: int | None) -> int | None:
    if one is None or (other is not None and other < one):
        return other
    return one


_NOTHING_FULL: frozenset[str] = frozenset()
_NOBODY: frozenset[str] = frozenset()


class Stage:
    """What items ask for after some of their queue's rings: of one stage they are alike to agents.

    `requires` is skill -> minimum, as relaxed; `signature` the same as a key, `skills` its skills.
    The index keeps the `pool` here, and in `later` the pools to which an item comes if nobody takes
    it before, by the number of overflows that it has left.
    """

    __slots__ = ("later", "pool", "requires", "signature", "skills", "wide")

    def __init__(self, policy: QueuePolicy, own: Mapping[str, int] | None, wide: Widened) -> None:
        self.wide = wide
        self.requires: Mapping[str, int] = wide.requires(policy.requires if own is None else own)
        self.signature = signature_of(self.requires)
        self.skills = skills_of(self.signature)
        self.pool: Pool | None = None
        self.later: dict[int, list[Pool]] = {}


@dataclass(slots=True, eq=False)
class ItemRecord:
    """An unfinished item. `policy` is its queue's; `pending` are its offers, by agent.

    `stage` is where the rings up to `widened_at` have brought it; overflows up to `stepped` are
    done with. `kept`: for which agent alone it waits. `waits_until`: when it ends if nobody takes
    it. `pool`, `bucket` and `placed` are the index's: where it waits, and by which key. `resting`:
    it waits in no bucket, until `spec.not_before`. `calls`: how many were in vain.
    """

    spec: ItemSpec
    policy: QueuePolicy
    state: ItemState = WAITING
    owner: str | None = None
    transfer: TransferPhase | None = None
    paused_since: int | None = None
    released: bool = False
    unanswered_since: int | None = None
    blocks: dict[str, int] = field(default_factory=dict)
    offers: int = 0
    closed: dict[int, tuple[str, OfferState]] = field(default_factory=dict)
    told_blocked: bool = False
    wrap_up_until: int | None = None
    pending: dict[str, Offer] = field(default_factory=dict)
    kept: str | None = None
    stage: Stage = field(init=False)
    shape: Shape = field(init=False)
    pool: Pool | None = None
    bucket: Bucket | None = None
    placed: ItemKey = (0, 0, "")
    widened_at: int = 0
    stepped: int = 0
    taken: bool = False
    waits_until: int | None = None
    callback: Callback = Callback.none
    calls: int = 0
    resting: bool = False

    def __post_init__(self) -> None:
        self.stage = Stage(self.policy, self.spec.requires, NARROW)
        self.shape = Shape(self.spec.channel, self.spec.weight, self.spec.exclusive)

    @property
    def id(self) -> str:
        """The item's id."""
        return self.spec.id

    @property
    def offer(self) -> Offer | None:
        """The first of the pending offers, in the order of agents."""
        return self.pending[min(self.pending)] if self.pending else None

    @property
    def requires(self) -> Mapping[str, int]:
        """Skill -> minimum: the item's own, else its queue's, as relaxed by rings."""
        return self.stage.requires

    @property
    def added_teams(self) -> tuple[str, ...]:
        """Teams that rings have let in."""
        return self.stage.wide.teams

    @property
    def priority(self) -> int:
        """The item's own class, else its queue's, as raised by rings unless a person chose it."""
        if self.spec.by_hand and self.spec.priority is not None:
            return self.spec.priority
        return self.stage.wide.priority_of(self.spec.priority, self.policy.priority)

    def come_under(self, policy: QueuePolicy) -> None:
        """Take over a queue's policy."""
        before, self.policy = self.policy, policy
        self.stage = Stage(policy, self.spec.requires, self.stage.wide)
        self.weigh_by(before)

    def weigh_by(self, before: QueuePolicy) -> None:
        """Take as many units as the queue says, while nobody's are taken; `before` had its say."""
        if self.owner is not None or self.pending:
            return
        channel = self.spec.channel
        own = 1 if channel in before.weights else self.spec.weight
        weight = self.policy.weights.get(channel, own)
        if weight != self.spec.weight:
            self.spec = replace(self.spec, weight=weight)
            self.shape = Shape(channel, weight, self.spec.exclusive)

    def limit_wait(self, at: int) -> None:
        """Begin to count how long it may wait in the queue into which it has come."""
        most = self.policy.max_wait_s
        patient = self.taken or self.spec.patient or self.callback is Callback.asked
        limited = most > 0 and not patient
        self.waits_until = at + micros(most) if limited else None

    def relimit_wait(self, before: QueuePolicy, at: int) -> None:
        """Let a changed limit count from when the item came; one that would be over already does
        not: nothing that waits ends because somebody has changed the configuration.
        """
        most, was = self.policy.max_wait_s, before.max_wait_s
        if self.waits_until is None or most == was:
            return
        moved = self.waits_until + micros(most) - micros(was)
        if not most or moved > at:
            self.waits_until = moved if most else None

    def step_due(self) -> int | None:
        """Return when the next step comes, if the item still waits then."""
        policy, since = self.policy, self.spec.enqueued_at
        due = self.waits_until
        if policy.rings:
            due = _sooner(due, next_moment(policy.rings, since, self.widened_at))
        if policy.overflow:
            due = _sooner(due, next_moment(policy.overflow, since, self.stepped))
        if policy.delays_s:
            due = _sooner(due, self.delay_after(self.widened_at))
        if policy.callback_after_s:
            due = _sooner(due, self.callback_due())
        if self.kept is not None:
            due = _sooner(due, kept_until(self.spec, policy))
        return due

    def callback_due(self) -> int | None:
        """Return when its customer is offered a call, if nobody has taken it by then."""
        after = self.policy.callback_after_s
        if not after or self.taken or self.callback is not Callback.none:
            return None
        return self.spec.enqueued_at + micros(after)

    def delay_after(self, passed: int) -> int | None:
        """Return when the item is next old enough for more agents, later than `passed`."""
        since = self.spec.ranked_at
        moments = (since + micros(delay) for delay in self.policy.delays_s)
        return min((moment for moment in moments if moment > passed), default=None)

    def signature_in(self, queue: QueuePolicy, wide: Widened) -> Signature:
        """Return the requirements as they will be in a queue when its rings have widened so far."""
        own = self.spec.requires
        return signature_of(wide.requires(queue.requires if own is None else own))

    def barred(self) -> frozenset[str]:
        """Return the agents who must not get the item: those who declined it and its owner."""
        if self.owner is None:
            return frozenset(self.blocks) if self.blocks else _NOBODY
        return frozenset((*self.blocks, self.owner))

    def load_state(self) -> ItemState:
        """Return how the item weighs on its owner: in wrap-up, else as assigned."""
        return WRAP_UP if self.state is WRAP_UP else ASSIGNED

    def release_after(self) -> int:
        """Return the µs after a reply at which the units are released."""
        own = self.spec.release_after_s
        if own is None:
            own = self.policy.chat_release_s if self.spec.channel == CHAT else 0
        return micros(own)

    def release_due(self) -> int | None:
        """Return when the customer's silence releases the units."""
        if self.owner is None or self.paused_since is None or self.released:
            return None
        return self.paused_since + self.release_after()

    def absent_due(self, owner: AgentRecord | None) -> int | None:
        """Return when an unanswered text under an absent owner puts the item back, or a call under
        one whose desk is gone.
        """
        if owner is None:
            return None
        if self.spec.exclusive:
            gone = None if self.state is WRAP_UP else owner.disconnected_since
            return None if gone is None else gone + micros(CALL_GRACE_S)
        if owner.absent_since is None or self.unanswered_since is None:
            return None
        since = max(self.unanswered_since, owner.absent_since)
        return since + micros(self.policy.absent_requeue_s)

    def facts(self) -> ItemFacts:
        """Return what must be stored."""
        return ItemFacts(
            spec=self.spec,
            state=self.state,
            owner=self.owner,
            transfer=self.transfer,
            paused_since=self.paused_since,
            released=self.released,
            unanswered_since=self.unanswered_since,
            blocks=dict(sorted(self.blocks.items())),
            offers=self.offers,
            closed=tuple((n, agent, end) for n, (agent, end) in sorted(self.closed.items())),
            told_blocked=self.told_blocked,
            wrap_up_until=self.wrap_up_until,
            taken=self.taken,
            waits_until=self.waits_until,
            callback=self.callback,
            calls=self.calls,
        )
