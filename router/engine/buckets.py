"""The index: waiting items in buckets, agents with room on shelves, so that nothing is scanned.

A bucket holds items that look alike to every agent: the same queue, requirements, class, shape and
the same barred agents. So its first item stands for all: either an agent may take the first, or
none of the bucket. A pool holds the agents who can serve one (queue, requirements, teams let in);
on its shelves stand those with room, by tier, kind of room and reserve, in the order of the queue's
agent choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import NamedTuple

from madoguchi.model.routing import Candidate, Key, QueuePolicy, Reserve
from router.engine.ordered import Ordered
from router.engine.policy import agent_rank, allows, item_rank, lacks, level_of, load_share, tier_of
from router.engine.records import AgentRecord, Room, Shape

Signature = tuple[tuple[str, int], ...]
ItemKey = tuple[int, str]


class PoolKey(NamedTuple):
    """A queue, what is required in it, the teams that rings have let in, and the one agent for
    whom items are kept, if they are.
    """

    queue: str
    signature: Signature
    teams: tuple[str, ...]
    only: str = ""


class BucketKey(NamedTuple):
    """All that decides who may take an item."""

    priority: int
    shape: Shape
    barred: frozenset[str]


class Ahead(NamedTuple):
    """What an item waits for: its place, the units of what goes before it by queue (at most, over
    the agents who may take it), the units of those of them whom offers can reach, and whether one
    of these has room now.
    """

    position: int
    before: Mapping[str, int]
    units: int
    free: bool


class Bucket:
    """Waiting items that differ only in age; the oldest is first."""

    __slots__ = ("items", "key", "policy")

    def __init__(self, key: BucketKey, policy: QueuePolicy) -> None:
        self.key = key
        self.policy = policy
        self.items: Ordered[ItemKey] = Ordered()

    def takes(self, agent: AgentRecord, room: Room) -> bool:
        """Return whether a member of the pool with this room may take the items."""
        _, shape, barred = self.key
        return shape.fits(room) and not (barred and agent.id in barred)

    def head(self, level: int, at: int) -> Key:
        """Return the rank of the first item for an agent of `level`."""
        ranked_at, item = self.items.first()
        return item_rank(level, self.key.priority, self.policy.ageing, ranked_at, item, at)

    def age(self, at: int) -> int:
        """Return the µs that the first item ranks as waited."""
        return at - self.items.first()[0]

    def rank(self, item: ItemKey, level: int, at: int) -> Key:
        """Return the rank of one item for an agent of `level`."""
        return item_rank(level, self.key.priority, self.policy.ageing, item[0], item[1], at)

    def count_before(self, rank: Key, level: int, at: int) -> int:
        """Return how many items go before `rank`; in a bucket the rank follows the age."""
        if self.rank(self.items.last(), level, at) < rank:
            return len(self.items)
        return self.items.count_while(lambda key: self.rank(key, level, at) < rank)


class Profile:
    """The pools that a set of like agents belong to, by level, best level first.

    `reserves` is queue -> what they keep free for others, `delays` queue -> the µs for which they
    leave its items to others.
    """

    __slots__ = ("__weakref__", "delays", "levels", "reserves", "tiers")

    def __init__(
        self,
        levels: dict[PoolKey, int],
        reserves: Mapping[str, Reserve],
        delays: Mapping[str, int],
        pools: dict[PoolKey, Pool],
    ) -> None:
        tiers: dict[int, list[Pool]] = {}
        for key, level in sorted(levels.items()):
            tiers.setdefault(level, []).append(pools[key])
        self.levels = levels
        self.reserves = reserves
        self.delays = delays
        self.tiers = tuple(sorted(tiers.items(), key=lambda tier: tier[0]))

    def pools(self) -> Iterator[tuple[int, Pool]]:
        """Yield (level, pool)."""
        for level, pools in self.tiers:
            for pool in pools:
                yield level, pool


class Place(NamedTuple):
    """What decides where an agent stands on the shelves and whom they count among."""

    room: Room | None
    loaded: float
    since: int
    worked_until: int
    signed_in: bool
    present: bool
    taken: int
    given: int

    @classmethod
    def of(cls, agent: AgentRecord) -> Place:
        """Return where the agent belongs now."""
        room, signed, present = agent.room(), agent.signed_in, agent.present
        loaded, until = load_share(agent), agent.worked_until
        return cls(room, loaded, agent.since, until, signed, present, agent.taken, agent.given_at)

    @property
    def idle(self) -> bool:
        """Whether nothing keeps the agent from the next work."""
        return self.room is not None and self.room.empty


class Shelf(NamedTuple):
    """What the agents of one shelf have in common: room, the reserve that must allow it, and the
    µs for which they leave items to others.
    """

    room: Room
    reserve: Reserve | None
    delay: int

    def takes(self, shape: Shape, age: int, idle: Mapping[str, int]) -> bool:
        """Return whether the agents may take an item of this shape and age."""
        return (
            age >= self.delay
            and shape.fits(self.room)
            and allows(self.reserve, idle, own=self.room.empty)
        )


class Pool:
    """Agents who may serve one queue's items of one kind, and what waits for them."""

    __slots__ = (
        "_stands",
        "buckets",
        "idle",
        "key",
        "levels",
        "policy",
        "present",
        "profiles",
        "shelves",
        "signed",
        "units",
    )

    def __init__(self, key: PoolKey, policy: QueuePolicy, idle: Mapping[str, int]) -> None:
        self.key = key
        self.policy = policy
        self.idle = idle
        self.levels: dict[str, int] = {}
        self.signed = 0
        self.present = 0
        self.units = 0
        self.profiles: dict[Profile, int] = {}
        self.shelves: dict[int, dict[Shelf, Ordered[Key]]] = {}
        self.buckets: dict[BucketKey, Bucket] = {}
        self._stands: dict[str, tuple[int, Shelf, Key]] = {}

    def level(self, agent: AgentRecord) -> int | None:
        """Return at which level the agent belongs here; None: not at all."""
        queue, signature, teams, only = self.key
        if only:
            return level_of(agent.spec, self.policy) if agent.id == only else None
        if lacks(agent.spec, queue, teams, signature) is not None:
            return None
        return level_of(agent.spec, self.policy)

    def put(self, agent: AgentRecord, room: Room | None) -> None:
        """Put an agent with room on the shelf where they belong."""
        if room is None:
            return
        tier = tier_of(agent.spec, self.policy)
        queue = self.key.queue
        delay = agent.delays.get(queue, 0)
        shelf = Shelf(room, agent.spec.keep_free.get(queue), delay)
        key = agent_rank(self.policy, (skill for skill, _ in self.key.signature), agent)
        shelves = self.shelves.setdefault(tier, {})
        if shelf not in shelves:
            shelves[shelf] = Ordered()
        shelves[shelf].add(key)
        self._stands[agent.id] = (tier, shelf, key)

    def take(self, agent: str) -> None:
        """Take an agent off the shelf; nothing happens if they are on none."""
        stands = self._stands.pop(agent, None)
        if stands is None:
            return
        tier, shelf, key = stands
        ordered = self.shelves[tier][shelf]
        ordered.remove(key)
        if not ordered:
            del self.shelves[tier][shelf]
            if not self.shelves[tier]:
                del self.shelves[tier]

    def stands(self, agent: str, shape: Shape, age: int) -> bool:
        """Return whether an agent stands on a shelf from which such an item is served."""
        stands = self._stands.get(agent)
        return stands is not None and stands[1].takes(shape, age, self.idle)

    def count(self, profile: Profile, signed: int, present: int, units: int) -> None:
        """Add to the numbers of members who are signed in, and whom an offer can reach; and to the
        units of these, free or not.
        """
        self.signed += signed
        self.present += present
        self.units += present * units
        left = self.profiles.pop(profile, 0) + signed
        if left:
            self.profiles[profile] = left

    def best(
        self, shape: Shape, age: int, barred: frozenset[str], draw: float | None
    ) -> Candidate | None:
        """Return the agent whom an item of this shape and age chooses, with (tier, key), or None.

        With `draw` in [0, 1) it is the one in this place of all who are there.
        """
        for tier in sorted(self.shelves):
            shelves = [
                ordered
                for shelf, ordered in self.shelves[tier].items()
                if shelf.takes(shape, age, self.idle)
            ]
            key = _first(shelves, barred) if draw is None else _drawn(shelves, barred, draw)
            if key is not None:
                return Candidate(str(key[-1]), (tier, *key))
        return None

    def with_room(self, shape: Shape, age: int) -> int:
        """Return how many agents have room for an item of this shape and age."""
        return sum(
            len(ordered)
            for shelves in self.shelves.values()
            for shelf, ordered in shelves.items()
            if shelf.takes(shape, age, self.idle)
        )


def _first(shelves: list[Ordered[Key]], barred: frozenset[str]) -> Key | None:
    firsts = (next((key for key in one if key[-1] not in barred), None) for one in shelves)
    return min((key for key in firsts if key is not None), default=None)


def _drawn(shelves: list[Ordered[Key]], barred: frozenset[str], draw: float) -> Key | None:
    """Return the key at a place drawn among all; those of barred agents do not count."""
    if len(shelves) == 1 and not barred:
        return shelves[0].at(int(draw * len(shelves[0])))
    keys = [key for key in merge(*shelves) if key[-1] not in barred]
    return next(islice(keys, int(draw * len(keys)), None), None)
