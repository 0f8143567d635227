"""The index over buckets and pools: who comes next for an item, what comes next for an agent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from weakref import WeakValueDictionary

from madoguchi.model.routing import AgentChoice, Candidate, Key, QueuePolicy, Reserve
from router.engine.buckets import Ahead, Bucket, BucketKey, Place, Pool, PoolKey, Profile
from router.engine.policy import allows, item_rank, stages
from router.engine.records import AgentRecord, ItemRecord, Room
from router.engine.teams import Teams

Interned = tuple[
    tuple[tuple[PoolKey, int], ...], tuple[tuple[str, Reserve], ...], tuple[tuple[str, int], ...]
]


class Index:
    """All pools with their buckets and shelves, kept true by `place`, `lift` and `refresh`."""

    def __init__(self, queues: dict[str, QueuePolicy]) -> None:
        self._queues = queues
        self._pools: dict[PoolKey, Pool] = {}
        self._of_queue: dict[str, list[Pool]] = {}
        self._agents: dict[str, AgentRecord] = {}
        self._serving: dict[str, dict[str, AgentRecord]] = {}
        self._personal: dict[str, list[Pool]] = {}
        self._adding: dict[str, list[Pool]] = {}
        self._profiles: WeakValueDictionary[Interned, Profile] = WeakValueDictionary()
        self._profile_of: dict[str, Profile] = {}
        self._places: dict[str, Place] = {}
        self._buckets: dict[str, tuple[Pool, Bucket]] = {}
        self._stale: dict[str, AgentRecord] = {}
        self._flipped: dict[PoolKey, int] = {}
        self._later: dict[PoolKey, set[PoolKey]] = {}
        self._signed: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self.teams = Teams()
        self.signed = 0

    # ------------------------------------------------------------ agents

    def add_agent(self, agent: AgentRecord) -> None:
        """Take in an agent who is not in the index."""
        self._agents[agent.id] = agent
        for queue in agent.spec.serves:
            self._serving.setdefault(queue, {})[agent.id] = agent
        self.teams.add(agent)
        self._enroll(agent)

    def drop_agent(self, agent: AgentRecord) -> None:
        """Take an agent out, before their spec changes or they are forgotten."""
        self._leave(agent)
        del self._agents[agent.id]
        for queue in agent.spec.serves:
            del self._serving[queue][agent.id]
        self.teams.drop(agent)
        self._stale.pop(agent.id, None)

    def touch(self, agent: AgentRecord) -> None:
        """Note that an agent's presence or load changed; they are moved when somebody looks."""
        self._stale[agent.id] = agent

    def refresh(self, *, but: str | None = None) -> None:
        """Move every touched agent to the shelf where they belong now.

        `but` may stay for now, where the caller leaves this agent out and nobody counts the idle.
        """
        stays = None if self.teams.reserved else but
        later = self._stale.pop(stays, None) if stays is not None else None
        for agent in self._stale.values():
            old, new = self._places[agent.id], Place.of(agent)
            if old == new:
                continue
            self._places[agent.id] = new
            self._count(agent, new.signed_in - old.signed_in, new.present - old.present)
            if new.idle != old.idle:
                self.teams.count(agent, new.idle - old.idle)
            if old.room is None and new.room is None:
                continue
            for _, pool in self._profile_of[agent.id].pools():
                pool.take(agent.id)
                pool.put(agent, new.room)
        self._stale.clear()
        if later is not None:
            self._stale[later.id] = later

    def _enroll(self, agent: AgentRecord) -> None:
        levels = {
            pool.key: level
            for pool in self._open_to(agent)
            if (level := pool.level(agent)) is not None
        }
        reserves, delays = agent.spec.keep_free, agent.delays
        interned = (
            tuple(sorted(levels.items())),
            tuple(sorted(reserves.items())),
            tuple(sorted(delays.items())),
        )
        profile = self._profiles.get(interned)
        if profile is None:
            profile = Profile(levels, reserves, delays, self._pools)
            self._profiles[interned] = profile
        self._profile_of[agent.id] = profile
        place = self._places[agent.id] = Place.of(agent)
        for level, pool in profile.pools():
            pool.levels[agent.id] = level
            pool.put(agent, place.room)
        self._count(agent, place.signed_in, place.present)
        self.teams.count(agent, place.idle)

    def _open_to(self, agent: AgentRecord) -> Iterator[Pool]:
        """Yield the pools of the queues that an agent serves, or that let in one of their teams,
        and those of what is kept for them.
        """
        yield from self._personal.get(agent.id, ())
        for queue in agent.spec.serves:
            for pool in self._of_queue.get(queue, ()):
                if not pool.key.only:
                    yield pool
        for team in agent.spec.teams:
            for pool in self._adding.get(team, ()):
                if pool.key.queue not in agent.spec.serves:
                    yield pool

    def _leave(self, agent: AgentRecord) -> None:
        place = self._places[agent.id]
        self._count(agent, -place.signed_in, -place.present)
        self.teams.count(agent, -place.idle)
        for _, pool in self._profile_of[agent.id].pools():
            pool.take(agent.id)
            del pool.levels[agent.id]
        del self._places[agent.id], self._profile_of[agent.id]

    def _count(self, agent: AgentRecord, signed: int, present: int) -> None:
        if not signed and not present:
            return
        self.signed += signed
        for queue in agent.spec.serves:
            self._signed[queue] = self._signed.get(queue, 0) + signed
        profile = self._profile_of[agent.id]
        for _, pool in profile.pools():
            pool.count(profile, signed, present, agent.spec.units)
            if not signed:
                continue
            for key in (pool.key, *self._later.get(pool.key, ())):
                if key in self._pools and self._pools[key].buckets:
                    self._flipped[key] = min(pool.signed, self._flipped.get(key, pool.signed))

    # ------------------------------------------------------------ items

    def pool(self, item: ItemRecord) -> Pool:
        """Return the pool of the item's queue and requirements, made when first asked for."""
        placed = self._buckets.get(item.id)
        if placed is not None:
            return placed[0]
        key = _key(item)
        pool = self._pools.get(key)
        return pool if pool is not None else self._open_pool(key)

    def _open_pool(self, key: PoolKey) -> Pool:
        self._open_pools([key])
        return self._pools[key]

    def open_for(self, items: Iterable[ItemRecord]) -> None:
        """Open all pools at once that items are going to need: each agent moves but once."""
        keys: dict[PoolKey, None] = {}
        for item in items:
            keys[_key(item)] = None
            keys.update(dict.fromkeys(self._later_keys(item)))
        self._open_pools(keys)

    def _open_pools(self, keys: Iterable[PoolKey]) -> None:
        fresh = sorted(key for key in keys if key not in self._pools)
        if not fresh:
            return
        self.refresh()
        joining: dict[str, AgentRecord] = {}
        for key in fresh:
            pool = self._pools[key] = Pool(key, self._queues[key.queue], self.teams.idle)
            self._of_queue.setdefault(key.queue, []).append(pool)
            for agent in self._members(pool).values():
                if pool.level(agent) is not None:
                    joining[agent.id] = agent
        for agent in joining.values():
            self._leave(agent)
            self._enroll(agent)

    def replace_queues(self, queues: dict[str, QueuePolicy], changed: Collection[str]) -> None:
        """Take over new policies; the pools of the queues that changed, in which nothing waits by
        now, are forgotten and opened anew when they are needed.
        """
        self.refresh()
        self._queues = queues
        gone = [pool for queue in sorted(changed) for pool in self._of_queue.pop(queue, ())]
        leaving = {agent: self._agents[agent] for pool in gone for agent in pool.levels}
        for agent in leaving.values():
            self._leave(agent)
        for pool in gone:
            del self._pools[pool.key]
            self._later.pop(pool.key, None)
            self._flipped.pop(pool.key, None)
            for team in pool.key.teams:
                self._adding[team].remove(pool)
        for agent in leaving.values():
            self._enroll(agent)

    def members_of(self, queues: Iterable[str]) -> list[AgentRecord]:
        """Return the agents of all pools of some queues, by id."""
        pools = (pool for queue in queues for pool in self._of_queue.get(queue, ()))
        return [self._agents[name] for name in sorted({n for pool in pools for n in pool.levels})]

    def _members(self, pool: Pool) -> dict[str, AgentRecord]:
        """Note who will have to look at a new pool; return who may belong to it now."""
        key = pool.key
        if key.only:
            self._personal.setdefault(key.only, []).append(pool)
            return {key.only: self._agents[key.only]}
        members = dict(self._serving.get(key.queue, {}))
        for team in key.teams:
            self._adding.setdefault(team, []).append(pool)
            members.update((agent.id, agent) for agent in self.teams.members(team))
        return members

    def _close_pool(self, pool: Pool) -> None:
        """Forget the empty pool of what was kept for one agent: there would be ever more."""
        agent = self._agents.get(pool.key.only)
        if agent is not None:
            self._leave(agent)
        del self._pools[pool.key]
        self._of_queue[pool.key.queue].remove(pool)
        self._personal[pool.key.only].remove(pool)
        if not self._personal[pool.key.only]:
            del self._personal[pool.key.only]
        self._flipped.pop(pool.key, None)
        if agent is not None:
            self._enroll(agent)

    def place(self, item: ItemRecord) -> None:
        """Put a waiting item into its bucket."""
        pool = self.pool(item)
        key = BucketKey(item.priority, item.shape, item.barred())
        bucket = pool.buckets.get(key)
        if bucket is None:
            bucket = pool.buckets[key] = Bucket(key, item.policy)
        bucket.items.add((item.spec.ranked_at, item.id))
        self._waiting[pool.key.queue] = self._waiting.get(pool.key.queue, 0) + 1
        self._buckets[item.id] = (pool, bucket)
        for later in self._yet_to_come(item):
            self._later.setdefault(later.key, set()).add(pool.key)

    def lift(self, item: ItemRecord) -> None:
        """Take an item out of its bucket; nothing happens if it is in none."""
        pool, bucket = self._buckets.pop(item.id, (None, None))
        if pool is None or bucket is None:
            return
        bucket.items.remove((item.spec.ranked_at, item.id))
        self._waiting[pool.key.queue] -= 1
        if not bucket.items:
            del pool.buckets[bucket.key]
            if pool.key.only and not pool.buckets:
                self._close_pool(pool)

    def holds(self, item: str) -> bool:
        """Return whether the item is in a bucket."""
        return item in self._buckets

    def kept_for(self, agent: str) -> list[str]:
        """Return the items that wait for this agent alone."""
        return [
            name
            for pool in self._personal.get(agent, ())
            for bucket in pool.buckets.values()
            for _, name in bucket.items
        ]

    def number_waiting(self, queue: str) -> int:
        """Return how many items wait in a queue, not on offer."""
        return self._waiting.get(queue, 0)

    # ------------------------------------------------------------ looking

    def best_item(self, agent: AgentRecord, room: Room, at: int) -> str | None:
        """Return the waiting item that an agent with this room takes first."""
        profile = self._profile_of[agent.id]
        delays = profile.delays
        if profile.reserves:
            self.refresh()
        for level, pools in profile.tiers:
            best: Key | None = None
            for pool in pools:
                reserve = profile.reserves.get(pool.key.queue)
                if reserve is not None and not allows(reserve, self.teams.idle, own=room.empty):
                    continue
                delay = delays.get(pool.key.queue, 0) if delays else 0
                for bucket in pool.buckets.values():
                    if bucket.takes(agent, room) and not (delay and bucket.age(at) < delay):
                        head = bucket.head(level, at)
                        best = head if best is None or head < best else best
            if best is not None:
                return str(best[-1])
        return None

    def best_agent(
        self,
        item: ItemRecord,
        draw: Callable[[], float],
        at: int,
        *,
        but: str | None = None,
        beside: Collection[str] = (),
    ) -> Candidate | None:
        """Return the agent with room whom the item chooses, leaving out `but`, who may stand in a
        wrong place now, and those `beside` whom one more is looked for.
        """
        self.refresh(but=but)
        barred = item.barred().union(beside, (but,) if but else ())
        lot = draw() if item.policy.agent_choice is AgentChoice.random else None
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
        self.refresh()
        pools = (self.pool(item), *self._yet_to_come(item))
        return all(pool.signed <= self.count_barred(item, pool) for pool in pools)

    def _yet_to_come(self, item: ItemRecord) -> list[Pool]:
        """Return the pools to which an item comes if nobody takes it before."""
        keys = self._later_keys(item)
        return [self._pools.get(key) or self._open_pool(key) for key in keys]

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
        for queue, wide in (*ahead, (policy, item.wide)):
            teams = wide.helped_by(queue.help_teams).teams
            keys.add(PoolKey(queue.id, item.signature_in(queue, wide), teams))
        return sorted(keys)

    def count_barred(self, item: ItemRecord, pool: Pool) -> int:
        """Return how many signed-in members of `pool` are barred from the item."""
        return sum(
            1 for agent in item.barred() if agent in pool.levels and self._places[agent].signed_in
        )

    def exhausted(self, item: ItemRecord) -> list[str]:
        """Return the barred agents of the pool who are present, if nobody else is; else none."""
        self.refresh()
        pool = self.pool(item)
        barred = [
            agent
            for agent in sorted(item.barred())
            if agent in pool.levels and self._places[agent].present
        ]
        return barred if len(barred) >= pool.present else []

    def others_present(self, item: ItemRecord, agent: str) -> bool:
        """Return whether somebody else than `agent` could be offered the item in time."""
        self.refresh()
        pool = self.pool(item)
        return pool.present > (agent in pool.levels and self._places[agent].present)

    def opened(self) -> list[AgentRecord]:
        """Return the agents whose reserve has opened since this was asked last.

        Where nobody keeps anybody free no shelf is looked at, so nobody is moved: who ends work
        mostly gets the next at once, and would have been put on every shelf for nothing.
        """
        if self.teams.reserved:
            self.refresh()
        return self.teams.opened()

    def serving(self, queue: str) -> Iterator[AgentRecord]:
        """Yield the agents who serve a queue, signed in or not."""
        return iter(self._serving.get(queue, {}).values())

    def signed_serving(self, queue: str) -> int:
        """Return how many signed-in agents serve a queue."""
        return self._signed.get(queue, 0)

    def flipped(self) -> list[str]:
        """Return the waiting items for whom the number of signed-in agents changed, and forget."""
        self.refresh()
        items = [
            key[1]
            for name, signed in self._flipped.items()
            for bucket in self._pools[name].buckets.values()
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
        for other, rival in profile.pools():
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
            if self._profile_of.get(agent) is profile and self._places[agent].signed_in
        )


def _key(item: ItemRecord) -> PoolKey:
    return PoolKey(item.spec.queue, item.signature(), item.added_teams, item.kept or "")
