"""The index over buckets and pools: who comes next for an item, what comes next for an agent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from madoguchi.model.routing import Candidate, Key, QueuePolicy, Reserve
from router.engine.buckets import (
    Ahead,
    Bucket,
    BucketKey,
    Interned,
    Place,
    Pool,
    PoolKey,
    Profile,
)
from router.engine.policy import allows, item_rank, stages, steps_passed
from router.engine.records import AgentRecord, ItemRecord, Room
from router.engine.teams import Teams

_NOWHERE: list[Pool] = []


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
        self._profiles: dict[Interned, Profile] = {}
        self._held: dict[str, ItemRecord] = {}
        self._stale: dict[str, AgentRecord] = {}
        self._misplaced: dict[str, AgentRecord] = {}
        self._flipped: dict[Pool, int] = {}
        self._signed_in: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self.teams = Teams()
        self.signed_in = 0

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
        """Note that an agent's presence or load changed; they are counted anew when a number is
        asked for, and moved when somebody looks at the shelves.
        """
        self._stale[agent.id] = agent

    def count(self) -> None:
        """Let every touched agent count where they belong now: signed in, present, idle."""
        if not self._stale:
            return
        for agent in self._stale.values():
            old, new = place_of(agent), Place(agent)
            agent.place = new
            self._count(agent, new.signed_in - old.signed_in, new.present - old.present)
            if new.idle != old.idle:
                self.teams.count(agent, new.idle - old.idle)
            if new.stands_like(agent.shelved):
                self._misplaced.pop(agent.id, None)
            else:
                self._misplaced[agent.id] = agent
        self._stale.clear()

    def refresh(self, *, but: str | None = None) -> None:
        """Move every touched agent to the shelf where they belong now.

        `but` may stay for now, where the caller leaves this agent out: who ends work mostly gets
        the next at once, and would be put on every shelf for nothing.
        """
        self.count()
        if not self._misplaced:
            return
        later = self._misplaced.pop(but, None) if but is not None else None
        for agent in self._misplaced.values():
            before, agent.shelved = agent.shelved, place_of(agent)
            for pool in profile_of(agent).pools:
                if before is not None and before.room is not None:
                    pool.take(agent.id)
                pool.put(agent, agent.shelved.room)
        self._misplaced.clear()
        if later is not None:
            self._misplaced[later.id] = later

    def _enroll(self, agent: AgentRecord) -> None:
        levels = {
            pool.key: level
            for pool in self._open_to(agent)
            if (level := pool.level(agent)) is not None
        }
        profile = self._profile(levels, agent.spec.keep_free, agent.delays)
        profile.members += 1
        agent.profile = profile
        place = agent.place = agent.shelved = Place(agent)
        for pool in profile.pools:
            pool.levels[agent.id] = levels[pool.key]
            pool.put(agent, place.room)
        self._count(agent, place.signed_in, place.present)
        self.teams.count(agent, place.idle)

    def _profile(
        self, levels: dict[PoolKey, int], reserves: Mapping[str, Reserve], delays: Mapping[str, int]
    ) -> Profile:
        fresh = Profile(levels, reserves, delays, self._pools)
        return self._profiles.setdefault(fresh.interned, fresh)

    def _reshape(self, profile: Profile, levels: dict[PoolKey, int]) -> None:
        """Let all who share a profile belong to other pools."""
        self._forget(profile)
        profile.become(levels, self._pools)
        self._profiles.setdefault(profile.interned, profile)

    def _forget(self, profile: Profile) -> None:
        if self._profiles.get(profile.interned) is profile:
            del self._profiles[profile.interned]

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
        place, profile = place_of(agent), profile_of(agent)
        self._count(agent, -place.signed_in, -place.present)
        self.teams.count(agent, -place.idle)
        for pool in profile.pools:
            pool.take(agent.id)
            del pool.levels[agent.id]
        self._part(agent, profile)
        agent.place = agent.shelved = agent.profile = None
        self._misplaced.pop(agent.id, None)

    def _part(self, agent: AgentRecord, profile: Profile) -> None:
        agent.profile = None
        profile.members -= 1
        if not profile.members:
            self._forget(profile)

    def _count(self, agent: AgentRecord, signed: int, present: int) -> None:
        if not signed and not present:
            return
        self.signed_in += signed
        for queue in agent.spec.serves:
            self._signed_in[queue] = self._signed_in.get(queue, 0) + signed
        profile = profile_of(agent)
        for pool in profile.pools:
            pool.count(profile, signed, present, agent.spec.units)
            if not signed:
                continue
            for one in (pool, *pool.feeders):
                if one.buckets:
                    self._flipped[one] = min(pool.signed_in, self._flipped.get(one, pool.signed_in))

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

    def _pool(self, key: PoolKey) -> Pool:
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
        joining: dict[str, dict[PoolKey, int]] = {}
        for key in fresh:
            pool = self._pools[key] = Pool(key, self._queues[key.queue], self.teams.idle)
            self._of_queue.setdefault(key.queue, []).append(pool)
            for agent in self._members(pool).values():
                level = pool.level(agent)
                if level is not None:
                    joining.setdefault(agent.id, {})[key] = level
        self._join(joining)

    def _join(self, joining: dict[str, dict[PoolKey, int]]) -> None:
        """Let agents belong to new pools too. Those who shared a profile and go on to do so keep
        it: nobody moves in the pools that were there before.
        """
        alike: dict[Profile, dict[tuple[tuple[PoolKey, int], ...], list[AgentRecord]]] = {}
        for name, levels in joining.items():
            agent = self._agents[name]
            parts = alike.setdefault(profile_of(agent), {})
            parts.setdefault(tuple(levels.items()), []).append(agent)
        for profile, parts in alike.items():
            for joined, agents in parts.items():
                levels = {**profile.levels, **dict(joined)}
                if len(agents) == profile.members:
                    self._reshape(profile, levels)
                else:
                    to = self._profile(levels, profile.reserves, profile.delays)
                    for agent in agents:
                        self._regroup(agent, profile, to)
        for name, levels in joining.items():
            agent = self._agents[name]
            place, profile = place_of(agent), profile_of(agent)
            for key, level in levels.items():
                pool = self._pools[key]
                pool.levels[name] = level
                pool.put(agent, place.room)
                pool.count(profile, place.signed_in, place.present, agent.spec.units)

    def _regroup(self, agent: AgentRecord, profile: Profile, to: Profile) -> None:
        if place_of(agent).signed_in:
            for pool in profile.pools:
                pool.count(profile, -1, 0, 0)
                pool.count(to, 1, 0, 0)
        self._part(agent, profile)
        agent.profile = to
        to.members += 1

    def replace_queues(self, queues: dict[str, QueuePolicy], changed: Collection[str]) -> None:
        """Take over new policies; the pools of the queues that changed, in which nothing waits by
        now, are forgotten and opened anew when they are needed.
        """
        self.refresh()
        self._queues = queues
        gone = [pool for queue in sorted(changed) for pool in self._of_queue.pop(queue, ())]
        left = {profile_of(self._agents[name]): None for pool in gone for name in pool.levels}
        for pool in gone:
            del self._pools[pool.key]
            self._flipped.pop(pool, None)
            for team in pool.key.teams:
                self._adding[team].remove(pool)
        for profile in left:
            stay = {key: at for key, at in profile.levels.items() if key in self._pools}
            self._reshape(profile, stay)
        for pool in self._pools.values():
            if pool.feeders:
                feeders = {one: None for one in pool.feeders if one.key.queue not in changed}
                pool.feeders = feeders

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
        only = pool.key.only
        del self._pools[pool.key]
        self._of_queue[pool.key.queue].remove(pool)
        self._personal[only].remove(pool)
        if not self._personal[only]:
            del self._personal[only]
        self._flipped.pop(pool, None)
        if only in pool.levels:
            profile = profile_of(self._agents[only])
            stay = {key: level for key, level in profile.levels.items() if key != pool.key}
            self._reshape(profile, stay)

    def place(self, item: ItemRecord) -> None:
        """Put a waiting item into its bucket."""
        pool = self.pool(item)
        priority = item.priority
        apart = priority if item.policy.delays_s else 0
        key = BucketKey(apart, item.shape, item.barred())
        bucket = pool.buckets.get(key)
        if bucket is None:
            bucket = pool.buckets[key] = Bucket(key, item.policy)
        item.placed = (priority, item.spec.ranked_at, item.id)
        bucket.add(item.placed)
        queue = pool.key.queue
        self._waiting[queue] = self._waiting.get(queue, 0) + 1
        item.pool, item.bucket = pool, bucket
        self._held[item.id] = item
        for later in self._yet_to_come(item):
            later.feeders[pool] = None

    def lift(self, item: ItemRecord) -> None:
        """Take an item out of its bucket; nothing happens if it is in none."""
        pool, bucket = item.pool, item.bucket
        if pool is None or bucket is None:
            return
        item.pool = item.bucket = None
        del self._held[item.id]
        bucket.remove(item.placed)
        self._waiting[pool.key.queue] -= 1
        if not bucket.items:
            del pool.buckets[bucket.key]
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
        """Return the waiting item that an agent with this room takes first."""
        profile = profile_of(agent)
        if profile.reserves:
            self.count()
        for level, rivals in profile.tiers:
            best: Key | None = None
            first = 0
            for pool, reserve, delay in rivals:
                if not pool.buckets or not allows(reserve, self.teams.idle, own=room.empty):
                    continue
                for bucket in pool.buckets.values():
                    head = bucket.first
                    if best is not None and head[0] > first:
                        continue
                    if bucket.takes(agent, room) and not (delay and bucket.age(at) < delay):
                        rank = bucket.rank(head, level, at)
                        if best is None or rank < best:
                            best, first = rank, head[0]
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

    def opened(self) -> list[AgentRecord]:
        """Return the agents whose reserve has opened since this was asked last."""
        self.count()
        return self.teams.opened()

    def serving(self, queue: str) -> Iterator[AgentRecord]:
        """Yield the agents who serve a queue, signed in or not."""
        return iter(self._serving.get(queue, {}).values())

    def signed_serving(self, queue: str) -> int:
        """Return how many signed-in agents serve a queue."""
        return self._signed_in.get(queue, 0)

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
    return PoolKey(item.spec.queue, item.signature(), item.added_teams, item.kept or "")


def place_of(agent: AgentRecord) -> Place:
    """Return where an agent of the index counts; KeyError for others."""
    if agent.place is None:
        raise KeyError(agent.id)
    return agent.place


def profile_of(agent: AgentRecord) -> Profile:
    """Return the pools of an agent of the index; KeyError for others."""
    if agent.profile is None:
        raise KeyError(agent.id)
    return agent.profile
