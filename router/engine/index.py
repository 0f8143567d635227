"""The index over buckets and pools: who comes next for an item, what comes next for an agent."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from madoguchi.model.routing import Candidate, Key, QueuePolicy
from router.engine.buckets import (
    Ahead,
    Bucket,
    BucketKey,
    Place,
    Pool,
    PoolKey,
    Profile,
)
from router.engine.membership import Membership, place_of, profile_of
from router.engine.policy import allows, item_rank, stages, steps_passed
from router.engine.records import AgentRecord, ItemRecord
from router.engine.room import Room

_NOWHERE: list[Pool] = []


class Index(Membership):
    """All pools with what waits in them, kept true by `place` and `lift`."""

    def __init__(self, queues: dict[str, QueuePolicy]) -> None:
        super().__init__(queues)
        self._held: dict[str, ItemRecord] = {}
        self._waiting: dict[str, int] = {}

    # ------------------------------------------------------------ items

    def pool(self, item: ItemRecord) -> Pool:
        """Return the pool of the item's queue and requirements, made when first asked for."""
        if item.pool is not None:
            return item.pool
        stage = item.stage
        if item.kept is not None:
            return self._pool(_key(item))
        if stage.pool is None:
            stage.pool = self._pool(_key(item))
        return stage.pool

    def open_for(self, items: Iterable[ItemRecord]) -> None:
        """Open all pools at once that items are going to need: each agent moves but once."""
        keys: dict[PoolKey, None] = {}
        for item in items:
            keys[_key(item)] = None
            keys.update(dict.fromkeys(self._later_keys(item)))
        self._open_pools(keys)

    def place(self, item: ItemRecord) -> None:
        """Put a waiting item into its bucket."""
        pool = self.pool(item)
        priority = item.priority
        apart = priority if item.policy.delays_s else 0
        key = BucketKey(apart, item.shape, item.barred())
        item.placed = (priority, item.spec.ranked_at, item.id)
        item.pool, item.bucket = pool, pool.add(key, item.placed)
        queue = pool.key.queue
        self._waiting[queue] = self._waiting.get(queue, 0) + 1
        self._held[item.id] = item
        for later in self._yet_to_come(item):
            later.feeders[pool] = None
            if pool.key.only:
                pool.leads[later] = None

    def lift(self, item: ItemRecord) -> None:
        """Take an item out of its bucket; nothing happens if it is in none."""
        pool, bucket = item.pool, item.bucket
        if pool is None or bucket is None:
            return
        item.pool = item.bucket = None
        del self._held[item.id]
        pool.remove(bucket, item.placed)
        self._waiting[pool.key.queue] -= 1
        if pool.key.only and not pool.buckets:
            self._close_pool(pool)

    def holds(self, item: str) -> bool:
        """Return whether the item is in a bucket."""
        return item in self._held

    @property
    def keeping(self) -> bool:
        """Whether anything waits for one agent alone."""
        return bool(self._personal)

    def kept_for(self, agent: str) -> list[str]:
        """Return the items that wait for this agent alone."""
        return [
            name
            for pool in self._personal.get(agent, ())
            for bucket in pool.buckets.values()
            for _, _, name in bucket.items
        ]

    def number_waiting(self, queue: str) -> int:
        """Return how many items wait in a queue, not on offer."""
        return self._waiting.get(queue, 0)

    # ------------------------------------------------------------ looking

    def best_item(self, agent: AgentRecord, room: Room, at: int) -> str | None:
        """Return the waiting item that an agent with this room takes first.

        Of a pool that has nothing better than what was found already the buckets are not looked at.
        """
        profile = profile_of(agent)
        if profile.reserves:
            self.count()
        for level, rivals in profile.tiers:
            best: Key | None = None
            for pool, reserve, delay in rivals:
                top = pool.top
                if top is None or (best is not None and not pool.rank(top, level, at) < best):
                    continue
                if not allows(reserve, self.teams.idle, own=room.empty):
                    continue
                for bucket in pool.buckets.values():
                    if bucket.takes(agent, room) and not (delay and bucket.age(at) < delay):
                        rank = bucket.rank(bucket.first, level, at)
                        best = rank if best is None or rank < best else best
            if best is not None:
                return str(best[-1])
        return None

    def best_agent(
        self,
        item: ItemRecord,
        lot: float | None,
        at: int,
        *,
        but: str | None = None,
        beside: Collection[str] = (),
    ) -> Candidate | None:
        """Return the agent with room whom the item chooses, leaving out `but`, who may stand in a
        wrong place now, and those `beside` whom one more is looked for. By `lot` it is drawn.
        """
        self.refresh(but=but)
        barred = item.barred()
        if beside or but is not None:
            barred = barred.union(beside, () if but is None else (but,))
        age = at - item.spec.ranked_at
        return self.pool(item).best(item.shape, age, barred, lot)

    def rivals(self, item: ItemRecord, agent: str | None, at: int) -> int:
        """Return how many agents besides `agent` have room for the item."""
        self.refresh(but=agent)
        pool, shape, age = self.pool(item), item.shape, at - item.spec.ranked_at
        return pool.with_room(shape, age) - (agent is not None and pool.stands(agent, shape, age))

    def nobody(self, item: ItemRecord) -> bool:
        """Return whether nobody signed in could ever take the item: now, when its rings have
        widened, or where it overflows.
        """
        self.count()
        pools = (self.pool(item), *self._yet_to_come(item))
        return all(pool.signed_in <= self.count_barred(item, pool) for pool in pools)

    def _yet_to_come(self, item: ItemRecord) -> list[Pool]:
        """Return the pools to which an item comes if nobody takes it before."""
        policy = item.policy
        if not (policy.rings or policy.overflow or policy.help_teams or item.kept):
            return _NOWHERE
        left = -1
        if item.owner is None:
            done = steps_passed(policy.overflow, item.stepped - item.spec.enqueued_at)
            left = len(policy.overflow) - done
        found = item.stage.later.get(left)
        if found is None:
            found = item.stage.later[left] = [self._pool(key) for key in self._later_keys(item)]
        return found

    def _later_keys(self, item: ItemRecord) -> list[PoolKey]:
        policy = item.policy
        if not (policy.rings or policy.overflow or policy.help_teams or item.kept):
            return []
        ahead = stages(
            item.policy,
            self._queues,
            item.spec.enqueued_at,
            item.widened_at,
            item.stepped if item.owner is None else None,
        )
        keys = set()
        for queue, wide in (*ahead, (policy, item.stage.wide)):
            teams = wide.helped_by(queue.help_teams).teams
            keys.add(PoolKey(queue.id, item.signature_in(queue, wide), teams))
        return sorted(keys)

    def count_barred(self, item: ItemRecord, pool: Pool) -> int:
        """Return how many signed-in members of `pool` are barred from the item."""
        return sum(
            1 for agent in item.barred() if agent in pool.levels and self._place(agent).signed_in
        )

    def exhausted(self, item: ItemRecord) -> list[str]:
        """Return the barred agents of the pool who are present, if nobody else is; else none."""
        self.count()
        pool = self.pool(item)
        barred = [
            agent
            for agent in sorted(item.barred())
            if agent in pool.levels and self._place(agent).present
        ]
        return barred if len(barred) >= pool.present else []

    def others_present(self, item: ItemRecord, agent: str) -> bool:
        """Return whether somebody else than `agent` could be offered the item in time."""
        self.count()
        pool = self.pool(item)
        return pool.present > (agent in pool.levels and self._place(agent).present)

    def flipped(self) -> list[str]:
        """Return the waiting items for whom the number of signed-in agents changed, and forget."""
        self.count()
        if not self._flipped:
            return []
        items = [
            key[-1]
            for pool, signed in self._flipped.items()
            for bucket in pool.buckets.values()
            if bucket.key.barred or signed <= 1
            for key in bucket.items
        ]
        self._flipped.clear()
        return items

    # ------------------------------------------------------------ reading

    def waiting(self, queue: str, at: int) -> list[str]:
        """Return the waiting items of a queue, first served first."""
        ranks = [
            bucket.rank(key, 0, at)
            for pool in self._of_queue.get(queue, ())
            for bucket in pool.buckets.values()
            for key in bucket.items
        ]
        return [str(rank[-1]) for rank in sorted(ranks)]

    def ahead(self, item: ItemRecord, at: int) -> Ahead | None:
        """Return what goes before an item, in a bucket or not, for the signed-in agents who may
        take it; None: there are none. Of several agents the one with the longest line counts.
        """
        self.refresh()
        pool, barred = self.pool(item), item.barred()
        ahead: dict[tuple[Bucket, int, int], int] = {}
        somebody = False
        for profile, signed in pool.profiles.items():
            if signed > self._among(barred, profile):
                somebody = True
                self._count_ahead(item, profile, ahead, at)
        if not somebody:
            return None
        most: dict[Bucket, int] = {}
        for (bucket, _, _), count in ahead.items():
            if count:
                most[bucket] = max(count, most.get(bucket, 0))
        units: dict[str, int] = {}
        for bucket, count in most.items():
            queue = bucket.policy.id
            units[queue] = units.get(queue, 0) + count * bucket.key.shape.weight
        free = pool.best(item.shape, at - item.spec.ranked_at, barred, None) is not None
        return Ahead(1 + sum(most.values()), units, pool.units, free)

    def _count_ahead(
        self,
        item: ItemRecord,
        profile: Profile,
        ahead: dict[tuple[Bucket, int, int], int],
        at: int,
    ) -> None:
        """Add what this profile's agents take before the item: bucket and both levels -> count."""
        level, own = profile.levels[self.pool(item).key], item.barred()
        rank = item_rank(level, item.priority, item.policy.ageing, item.spec.ranked_at, item.id, at)
        for rival in profile.pools:
            other = profile.levels[rival.key]
            if other > level:
                return
            for bucket in rival.buckets.values():
                if (bucket, other, level) in ahead:
                    continue
                barred = own | bucket.key.barred
                if barred and rival.profiles[profile] <= self._among(barred, profile):
                    continue
                ahead[bucket, other, level] = bucket.count_before(rank, other, at)

    def _among(self, agents: frozenset[str], profile: Profile) -> int:
        return sum(
            1
            for agent in agents
            if (known := self._agents.get(agent)) is not None
            and known.profile is profile
            and place_of(known).signed_in
        )

    def _place(self, agent: str) -> Place:
        return place_of(self._agents[agent])


def _key(item: ItemRecord) -> PoolKey:
    return PoolKey(item.spec.queue, item.stage.signature, item.added_teams, item.kept or "")
