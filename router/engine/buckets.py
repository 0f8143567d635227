"""The index: waiting items in buckets, agents with room on shelves, so that nothing is scanned.

A bucket holds items that look alike to every agent: the same queue, requirements, shape and the
same barred agents (and the same class, where agents leave items to others until they are older). So
its first item stands for all: either an agent may take the first, or none of the bucket. A pool
holds the agents who can serve one (queue, requirements, teams let in); on its shelves stand those
with room, by tier, kind of room and reserve, in the order of the queue's agent choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import merge
from itertools import islice
from typing import NamedTuple

from madoguchi.model.routing import Ageing, Candidate, Key, QueuePolicy, Reserve
from router.engine.ordered import Ordered
from router.engine.policy import agent_rank, allows, item_rank, lacks, level_of, load_share, tier_of
from router.engine.records import AgentRecord, Signature, skills_of
from router.engine.room import Room, Shape, fits

ItemKey = tuple[int, int, str]
"""Class, the time that ranks it, item: in a bucket the smallest goes first at any time."""


class PoolKey(NamedTuple):
    """A queue, what is required in it, the teams that rings have let in, and the one agent for
    whom items are kept, if they are.
    """

    queue: str
    signature: Signature
    teams: tuple[str, ...]
    only: str = ""


def rank_of(key: ItemKey, level: int, ageing: Ageing, at: int) -> Key:
    """Return the rank of one item for an agent of `level`."""
    priority, ranked_at, item = key
    return item_rank(level, priority, ageing, ranked_at, item, at)


class BucketKey(NamedTuple):
    """All that decides who may take an item; the class is 0 where it does not."""

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
    """Waiting items that differ only in class and age; `first` goes first, while there is one."""

    __slots__ = ("barred", "first", "items", "key", "policy", "shape")

    def __init__(self, key: BucketKey, policy: QueuePolicy) -> None:
        self.key = key
        _, self.shape, self.barred = key
        self.policy = policy
        self.items: Ordered[ItemKey] = Ordered()
        self.first: ItemKey = (0, 0, "")

    def add(self, item: ItemKey) -> None:
        """Take in an item."""
        self.items.add(item)
        self.first = self.items.first()

    def remove(self, item: ItemKey) -> None:
        """Take out an item; KeyError if it is not there."""
        self.items.remove(item)
        if self.items:
            self.first = self.items.first()

    def takes(self, agent: AgentRecord, room: Room) -> bool:
        """Return whether a member of the pool with this room may take the items."""
        return fits(self.shape, room) and not (self.barred and agent.spec.id in self.barred)

    def age(self, at: int) -> int:
        """Return the µs that the first item ranks as waited."""
        return at - self.first[1]

    def rank(self, key: ItemKey, level: int, at: int) -> Key:
        """Return the rank of one item for an agent of `level`."""
        return rank_of(key, level, self.policy.ageing, at)

    def count_before(self, rank: Key, level: int, at: int) -> int:
        """Return how many items go before `rank`; in a bucket the rank follows the key."""
        if self.rank(self.items.last(), level, at) < rank:
            return len(self.items)
        return self.items.count_while(lambda key: self.rank(key, level, at) < rank)


Interned = tuple[
    tuple[tuple[PoolKey, int], ...], tuple[tuple[str, Reserve], ...], tuple[tuple[str, int], ...]
]
"""What makes agents alike: levels by pool, reserves and delays by queue."""


Rival = tuple["Pool", Reserve | None, int]


class Profile:
    """The pools that a set of like agents belong to, best level first.

    `tiers` are (level, pools), each pool with the reserve that must allow it and the µs for which
    they leave its items to others. `reserves` is queue -> what they keep free, `delays` queue ->
    these µs, `members` how many agents share it.
    """

    __slots__ = ("delays", "interned", "levels", "members", "pools", "reserves", "tiers")

    def __init__(
        self,
        levels: dict[PoolKey, int],
        reserves: Mapping[str, Reserve],
        delays: Mapping[str, int],
        pools: Mapping[PoolKey, Pool],
    ) -> None:
        self.members = 0
        self.reserves = reserves
        self.delays = delays
        self.become(levels, pools)

    def become(self, levels: dict[PoolKey, int], pools: Mapping[PoolKey, Pool]) -> None:
        """Take over other levels."""
        in_order = sorted(levels.items())
        self.levels = levels
        self.interned: Interned = (
            tuple(in_order),
            tuple(sorted(self.reserves.items())),
            tuple(sorted(self.delays.items())),
        )
        tiers: dict[int, list[Rival]] = {}
        for key, level in in_order:
            rival = (pools[key], self.reserves.get(key.queue), self.delays.get(key.queue, 0))
            tiers.setdefault(level, []).append(rival)
        self.tiers = sorted(tiers.items(), key=lambda tier: tier[0])
        self.pools = [pool for _, rivals in self.tiers for pool, _, _ in rivals]


class Place:
    """What decides where an agent stands on the shelves and whom they count among."""

    __slots__ = ("idle", "key", "present", "room", "signed_in")

    def __init__(self, agent: AgentRecord) -> None:
        room = agent.room()
        self.room = room
        self.signed_in = agent.signed_in
        self.present = agent.present
        self.idle = room is not None and room[1]
        """Whether nothing keeps the agent from the next work."""
        taken, gifts = agent.taken, agent.gifts
        self.key = (load_share(agent), agent.since, agent.worked_until, taken, gifts)
        """All that may rank them among others."""

    def stands_like(self, other: Place | None) -> bool:
        """Return whether who is here stands on the same shelves as `other`, or both on none."""
        room = other.room if other is not None else None
        if self.room is None or room is None or other is None:
            return self.room is room
        return self.room == room and self.key == other.key


class Shelf:
    """Agents of a pool, in the order of its queue's choice, who have the same room, the same
    reserve that must allow it, and leave items to others for the same `delay` in µs.
    """

    __slots__ = ("agents", "delay", "key", "reserve", "room", "tier")

    def __init__(self, tier: int, key: ShelfKey) -> None:
        self.tier = tier
        self.key = key
        self.room, self.reserve, self.delay = key
        self.agents: Ordered[Key] = Ordered()

    def takes(self, shape: Shape, age: int, idle: Mapping[str, int]) -> bool:
        """Return whether the agents may take an item of this shape and age."""
        return (
            age >= self.delay
            and fits(shape, self.room)
            and allows(self.reserve, idle, own=self.room[1])
        )


ShelfKey = tuple[Room, Reserve | None, int]


class Pool:
    """Agents who may serve one queue's items of one kind, and what waits for them."""

    __slots__ = (
        "_stands",
        "ageing",
        "buckets",
        "feeders",
        "idle",
        "key",
        "leads",
        "levels",
        "policy",
        "present",
        "profiles",
        "shelves",
        "signed_in",
        "skills",
        "top",
        "units",
    )

    def __init__(self, key: PoolKey, policy: QueuePolicy, idle: Mapping[str, int]) -> None:
        self.key = key
        self.policy = policy
        self.ageing = policy.ageing
        self.idle = idle
        self.skills = skills_of(key.signature)
        self.levels: dict[str, int] = {}
        self.signed_in = 0
        self.present = 0
        self.units = 0
        self.profiles: dict[Profile, int] = {}
        self.shelves: dict[int, dict[ShelfKey, Shelf]] = {}
        self.buckets: dict[BucketKey, Bucket] = {}
        self.feeders: dict[Pool, None] = {}
        """The pools whose items come here if nobody takes them before."""
        self.leads: dict[Pool, None] = {}
        """The pools that have this one among their feeders, where it may be closed."""
        self.top: ItemKey | None = None
        """What goes first of all that waits here, whoever may take it."""
        self._stands: dict[str, tuple[Shelf, Key]] = {}

    def add(self, key: BucketKey, item: ItemKey) -> Bucket:
        """Let an item wait; return its bucket."""
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = Bucket(key, self.policy)
        bucket.add(item)
        if self.top is None or item < self.top:
            self.top = item
        return bucket

    def remove(self, bucket: Bucket, item: ItemKey) -> None:
        """Take an item out of its bucket, which goes when it is empty."""
        bucket.remove(item)
        if not bucket.items:
            del self.buckets[bucket.key]
        if item == self.top:
            self.top = min([one.first for one in self.buckets.values()], default=None)

    def rank(self, key: ItemKey, level: int, at: int) -> Key:
        """Return the rank of one item for an agent of `level`."""
        return rank_of(key, level, self.ageing, at)

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
        queue = self.policy.id
        about = (room, agent.spec.keep_free.get(queue), agent.delays.get(queue, 0))
        key = agent_rank(self.policy, self.skills, agent)
        shelves = self.shelves.setdefault(tier, {})
        shelf = shelves.get(about)
        if shelf is None:
            shelf = shelves[about] = Shelf(tier, about)
        shelf.agents.add(key)
        self._stands[agent.id] = (shelf, key)

    def take(self, agent: str) -> None:
        """Take an agent off the shelf; nothing happens if they are on none."""
        stands = self._stands.pop(agent, None)
        if stands is None:
            return
        shelf, key = stands
        shelf.agents.remove(key)
        if not shelf.agents:
            del self.shelves[shelf.tier][shelf.key]
            if not self.shelves[shelf.tier]:
                del self.shelves[shelf.tier]

    def stands(self, agent: str, shape: Shape, age: int) -> bool:
        """Return whether an agent stands on a shelf from which such an item is served."""
        stands = self._stands.get(agent)
        return stands is not None and stands[0].takes(shape, age, self.idle)

    def count(self, profile: Profile, signed: int, present: int, units: int) -> None:
        """Add to the numbers of members who are signed in, and whom an offer can reach; and to the
        units of these, free or not.
        """
        self.signed_in += signed
        self.present += present
        self.units += present * units
        left = self.profiles.pop(profile, 0) + signed
        if left:
            self.profiles[profile] = left

    def best(
        self, shape: Shape, age: int, barred: frozenset[str], lot: float | None
    ) -> Candidate | None:
        """Return the agent whom an item of this shape and age chooses, with (tier, key), or None.

        With a `lot` in [0, 1) it is the one in this place of all who are there.
        """
        for tier in sorted(self.shelves):
            shelves = [
                shelf.agents
                for shelf in self.shelves[tier].values()
                if shelf.takes(shape, age, self.idle)
            ]
            if not shelves:
                continue
            key = _first(shelves, barred) if lot is None else _drawn(shelves, barred, lot)
            if key is not None:
                return Candidate(str(key[-1]), (tier, *key))
        return None

    def with_room(self, shape: Shape, age: int) -> int:
        """Return how many agents have room for an item of this shape and age."""
        number = 0
        for shelves in self.shelves.values():
            for shelf in shelves.values():
                if shelf.takes(shape, age, self.idle):
                    number += len(shelf.agents)
        return number


def _first(shelves: list[Ordered[Key]], barred: frozenset[str]) -> Key | None:
    best: Key | None = None
    for shelf in shelves:
        for key in shelf:
            if key[-1] not in barred:
                if best is None or key < best:
                    best = key
                break
    return best


def _drawn(shelves: list[Ordered[Key]], barred: frozenset[str], lot: float) -> Key | None:
    """Return the key at a place drawn among all; those of barred agents do not count."""
    if len(shelves) == 1 and not barred:
        return shelves[0].at(int(lot * len(shelves[0])))
    keys = [key for key in merge(*shelves) if key[-1] not in barred]
    return next(islice(keys, int(lot * len(keys)), None), None)
