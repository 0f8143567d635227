"""The index: waiting items in buckets, agents with room on shelves, so that nothing is scanned.

A bucket holds items that look alike to every agent: the same queue, requirements, class, shape and
the same barred agents. So its first item stands for all: either an agent may take the first, or
none of the bucket. A pool holds the agents who can serve one (queue, requirements); on its shelves
stand those with room, by level and kind of room, in the order of the queue's agent choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from madoguchi.model.routing import Candidate, Key, QueuePolicy
from router.ordered import Ordered
from router.policy import agent_rank, item_rank
from router.records import AgentRecord, Room, Shape

Signature = tuple[tuple[str, int], ...]
PoolKey = tuple[str, Signature]
ItemKey = tuple[int, str]


class BucketKey(NamedTuple):
    """All that decides who may take an item."""

    priority: int
    shape: Shape
    barred: frozenset[str]


class Bucket:
    """Waiting items that differ only in age; the oldest is first."""

    __slots__ = ("items", "key", "policy")

    def __init__(self, key: BucketKey, policy: QueuePolicy) -> None:
        self.key = key
        self.policy = policy
        self.items: Ordered[ItemKey] = Ordered()

    def takes(self, agent: AgentRecord, room: Room) -> bool:
        """Return whether a member of the pool with this room may take the items."""
        return self.key.shape.fits(room) and agent.id not in self.key.barred

    def head(self, level: int, at: int) -> Key:
        """Return the rank of the first item for an agent of `level`."""
        return self.rank(self.items.first(), level, at)

    def rank(self, item: ItemKey, level: int, at: int) -> Key:
        """Return the rank of one item for an agent of `level`."""
        return item_rank(level, self.key.priority, self.policy.ageing, item[0], item[1], at)

    def count_before(self, rank: Key, level: int, at: int) -> int:
        """Return how many items go before `rank`; in a bucket the rank follows the age."""
        if self.rank(self.items.last(), level, at) < rank:
            return len(self.items)
        return self.items.count_while(lambda key: self.rank(key, level, at) < rank)


class Profile:
    """The pools that a set of like agents belong to, by level, best level first."""

    __slots__ = ("__weakref__", "levels", "tiers")

    def __init__(self, levels: dict[PoolKey, int], pools: dict[PoolKey, Pool]) -> None:
        tiers: dict[int, list[Pool]] = {}
        for key, level in sorted(levels.items()):
            tiers.setdefault(level, []).append(pools[key])
        self.levels = levels
        self.tiers = tuple(sorted(tiers.items(), key=lambda tier: tier[0]))

    def pools(self) -> Iterator[tuple[int, Pool]]:
        """Yield (level, pool)."""
        for level, pools in self.tiers:
            for pool in pools:
                yield level, pool


class Place(NamedTuple):
    """Where an agent stands on the shelves, and whether they count as signed in and present."""

    room: Room | None
    loaded: float
    worked_until: int
    signed_in: bool
    present: bool

    @classmethod
    def of(cls, agent: AgentRecord) -> Place:
        """Return where the agent belongs now."""
        return cls(agent.room(), agent.loaded, agent.worked_until, agent.signed_in, agent.present)


class Pool:
    """Agents who serve one queue and meet one set of requirements, and what waits for them."""

    __slots__ = ("buckets", "key", "levels", "policy", "present", "profiles", "shelves", "signed")

    def __init__(self, key: PoolKey, policy: QueuePolicy) -> None:
        self.key = key
        self.policy = policy
        self.levels: dict[str, int] = {}
        self.signed = 0
        self.present = 0
        self.profiles: dict[Profile, int] = {}
        self.shelves: dict[int, dict[Room, Ordered[Key]]] = {}
        self.buckets: dict[BucketKey, Bucket] = {}

    def accepts(self, agent: AgentRecord) -> bool:
        """Return whether the agent belongs here."""
        if self.key[0] not in agent.spec.serves:
            return False
        return all(agent.spec.skills.get(skill, 0) >= least for skill, least in self.key[1])

    def put(self, agent: AgentRecord, place: Place) -> None:
        """Put an agent with room on their shelf."""
        if place.room is None:
            return
        shelf = self.shelves.setdefault(self.levels[agent.id], {})
        if place.room not in shelf:
            shelf[place.room] = Ordered()
        shelf[place.room].add(self._key(agent, place))

    def take(self, agent: AgentRecord, place: Place) -> None:
        """Undo `put` with the same place."""
        if place.room is None:
            return
        level = self.levels[agent.id]
        ordered = self.shelves[level][place.room]
        ordered.remove(self._key(agent, place))
        if not ordered:
            del self.shelves[level][place.room]
            if not self.shelves[level]:
                del self.shelves[level]

    def count(self, profile: Profile, signed: int, present: int) -> None:
        """Add to the numbers of members who are signed in, and whom an offer can reach."""
        self.signed += signed
        self.present += present
        left = self.profiles.pop(profile, 0) + signed
        if left:
            self.profiles[profile] = left

    def _key(self, agent: AgentRecord, place: Place) -> Key:
        return agent_rank(
            self.policy.agent_choice,
            place.loaded,
            place.worked_until,
            agent.spec.order,
            agent.id,
        )

    def best(self, shape: Shape, barred: frozenset[str]) -> Candidate | None:
        """Return the agent whom an item of this shape chooses, with (level, key); None: nobody."""
        for level in sorted(self.shelves):
            found = [
                key
                for room, ordered in self.shelves[level].items()
                if shape.fits(room) and (key := _first(ordered, barred)) is not None
            ]
            if found:
                key = min(found)
                return Candidate(str(key[-1]), (level, *key))
        return None

    def with_room(self, shape: Shape) -> int:
        """Return how many agents have room for this shape."""
        return sum(
            len(ordered)
            for shelf in self.shelves.values()
            for room, ordered in shelf.items()
            if shape.fits(room)
        )


def _first(ordered: Ordered[Key], barred: frozenset[str]) -> Key | None:
    return next((key for key in ordered if key[-1] not in barred), None)
