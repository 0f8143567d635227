"""Who belongs where: the agents of each pool, on its shelves, and how many count as what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from madoguchi.model.routing import QueuePolicy, Reserve
from router.engine.buckets import Interned, Place, Pool, PoolKey, Profile
from router.engine.records import AgentRecord
from router.engine.teams import Teams


class Membership:
    """All pools and their agents, kept true by `touch`, `count` and `refresh`."""

    def __init__(self, queues: dict[str, QueuePolicy]) -> None:
        self._queues = queues
        self._pools: dict[PoolKey, Pool] = {}
        self._of_queue: dict[str, list[Pool]] = {}
        self._agents: dict[str, AgentRecord] = {}
        self._serving: dict[str, dict[str, AgentRecord]] = {}
        self._personal: dict[str, list[Pool]] = {}
        self._adding: dict[str, list[Pool]] = {}
        self._profiles: dict[Interned, Profile] = {}
        self._stale: dict[str, AgentRecord] = {}
        self._misplaced: dict[str, AgentRecord] = {}
        self._flipped: dict[Pool, int] = {}
        self._signed_in: dict[str, int] = {}
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

    # ------------------------------------------------------------ pools

    def _pool(self, key: PoolKey) -> Pool:
        pool = self._pools.get(key)
        return pool if pool is not None else self._open_pool(key)

    def _open_pool(self, key: PoolKey) -> Pool:
        self._open_pools([key])
        return self._pools[key]

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
            self._unlist(pool)
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

    def _unlist(self, pool: Pool) -> None:
        """Let nobody look for a pool that is gone."""
        only = pool.key.only
        if not only:
            for team in pool.key.teams:
                self._adding[team].remove(pool)
            return
        self._personal[only].remove(pool)
        if not self._personal[only]:
            del self._personal[only]

    def _close_pool(self, pool: Pool) -> None:
        """Forget the empty pool of what was kept for one agent: there would be ever more. The agent
        is again like those who were alike before.
        """
        del self._pools[pool.key]
        self._of_queue[pool.key.queue].remove(pool)
        self._unlist(pool)
        self._flipped.pop(pool, None)
        for later in pool.leads:
            later.feeders.pop(pool, None)
        if pool.key.only in pool.levels:
            agent = self._agents[pool.key.only]
            profile = profile_of(agent)
            stay = {key: level for key, level in profile.levels.items() if key != pool.key}
            self._regroup(agent, profile, self._profile(stay, profile.reserves, profile.delays))


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
