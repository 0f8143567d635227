"""A brute-force judge of the engine: it knows the stored facts and `permitted`, no index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from madoguchi.model.routing import (
    AgentChoice,
    AgentFacts,
    AgentSpec,
    ItemFacts,
    ItemSpec,
    ItemState,
    Key,
    Presence,
    QueuePolicy,
    RouterState,
    micros,
)
from router.engine.policy import (
    Widened,
    agent_rank,
    item_rank,
    lacks,
    level_of,
    membership,
    permitted,
    reachable,
    tier_of,
    widened,
)


@dataclass
class SeenAgent:
    facts: AgentFacts
    used: int = 0
    reserved: int = 0
    calls: int = 0
    held: dict[str, int] = field(default_factory=dict)
    taking: dict[str, int] = field(default_factory=dict)
    weighing: int = 0

    @property
    def exclusives(self) -> int:
        return self.calls + self.facts.engaged

    @property
    def spec(self) -> AgentSpec:
        return self.facts.spec

    @property
    def presence(self) -> Presence:
        return self.facts.presence

    @property
    def reason(self) -> str:
        return self.facts.reason

    @property
    def connected(self) -> bool:
        return self.facts.disconnected_since is None

    @property
    def since(self) -> int:
        return self.facts.since

    @property
    def away_after(self) -> str | None:
        return self.facts.away_after

    @property
    def worked_until(self) -> int:
        return self.facts.worked_until

    @property
    def taken(self) -> int:
        return self.facts.taken

    @property
    def given(self) -> Mapping[str, int]:
        return self.facts.given

    @property
    def idle(self) -> bool:
        here = self.presence is Presence.available and self.connected and not self.away_after
        return here and not (self.used or self.reserved or self.exclusives)

    def add(self, item: ItemSpec, *, offered: bool) -> None:
        self.weighing += 1
        if offered:
            self.reserved += item.weight
        else:
            self.used += item.weight
        self.calls += item.exclusive
        self.held[item.channel] = self.held.get(item.channel, 0) + 1
        self.taking[item.channel] = self.taking.get(item.channel, 0) + item.weight

    @property
    def rests(self) -> set[str]:
        """The channels whose work does not count, for others interrupt it."""
        return {name for at in self.held for name in self.spec.interrupts.get(at, ())}

    def over_capacity(self) -> bool:
        counted = [name for name in self.held if name not in self.rests]
        return (
            sum(self.taking[name] for name in counted) > self.spec.units
            or (self.calls > 0 and sum(self.held[name] for name in counted) > 1)
            or any(self.held.get(name, 0) > most for name, most in self.spec.per_channel.items())
        )


@dataclass
class SeenItem:
    facts: ItemFacts
    policy: QueuePolicy
    at: int
    kept: str | None = None
    helpers: tuple[str, ...] = ()

    @property
    def spec(self) -> ItemSpec:
        return self.facts.spec

    @property
    def wide(self) -> Widened:
        return widened(self.policy, self.spec.enqueued_at, self.at).helped_by(self.helpers)

    @property
    def requires(self) -> Mapping[str, int]:
        own = self.spec.requires
        return self.wide.requires(self.policy.requires if own is None else own)

    @property
    def added_teams(self) -> tuple[str, ...]:
        return self.wide.teams

    @property
    def owner(self) -> str | None:
        return self.facts.owner

    @property
    def blocks(self) -> Mapping[str, int]:
        return self.facts.blocks

    @property
    def waits(self) -> bool:
        """Whether somebody may be asked now: what rests between two calls only rests."""
        return self.facts.state is ItemState.waiting and self.spec.not_before <= self.at

    def rank(self, agent: SeenAgent, at: int) -> Key:
        level = level_of(agent.spec, self.policy)
        spec = self.spec
        priority = self.wide.priority_of(spec.priority, self.policy.priority)
        if spec.by_hand and spec.priority is not None:
            priority = spec.priority
        return item_rank(level, priority, self.policy.ageing, spec.ranked_at, spec.id, at)


class Seen:
    """The world as the stored facts show it, every sum computed anew.

    `but` leaves one offer out, as if it had not been made yet.
    """

    def __init__(self, state: RouterState, *, but: str | None = None) -> None:
        self.at = state.clock
        queues = self.queues = {queue.id: queue for queue in state.queues}
        self.agents = {facts.spec.id: SeenAgent(facts) for facts in state.agents}
        self.items = {
            facts.spec.id: SeenItem(facts, queues[facts.spec.queue], state.clock)
            for facts in state.items
        }
        self.let_in = dict(state.let_in)
        for item in self.items.values():
            item.helpers = self.let_in.get(item.spec.queue, ())
        for item in self.items.values():
            item.kept = self.kept_for(item)
        for facts in state.items:
            if facts.owner is not None and not facts.released:
                self.agents[facts.owner].add(facts.spec, offered=False)
        for offer in state.offers:
            if offer.id != but:
                self.agents[offer.agent].add(self.items[offer.item].spec, offered=True)
        self.idle: dict[str, int] = {}
        for agent in self.agents.values():
            for team in agent.spec.teams:
                self.idle[team] = self.idle.get(team, 0) + agent.idle

    def kept_for(self, item: SeenItem) -> str | None:
        """The agent for whom alone the item waits."""
        spec = item.spec
        until = max(spec.enqueued_at, spec.not_before) + micros(item.policy.preferred_wait_s)
        agent = self.agents.get(spec.preferred or "")
        if agent is None or self.at >= until or membership(agent.spec, item):
            return None
        if agent.presence is not Presence.available or agent.away_after is not None:
            return None
        barred = item.blocks.get(agent.spec.id, self.at) > self.at or item.owner == agent.spec.id
        return None if barred else spec.preferred

    def permits(self, agent: str, item: SeenItem) -> bool:
        return permitted(self.agents[agent], item, self.at, self.idle) is None

    def unserved(self) -> list[tuple[str, str]]:
        """Every (item, agent) where the item waits although the agent may take it."""
        return [
            (name, agent)
            for name, item in self.items.items()
            if item.facts.state is ItemState.waiting
            for agent in self.agents
            if self.permits(agent, item)
        ]

    def overtaken(self, agent: str, item: str) -> list[str]:
        """Items still waiting that `agent` should have been offered before `item`."""
        taken = self.items[item]
        if membership(self.agents[agent].spec, taken) == "serves":
            return []
        rank = taken.rank(self.agents[agent], self.at)
        return [
            name
            for name, other in self.items.items()
            if other.waits
            and self.permits(agent, other)
            and other.rank(self.agents[agent], self.at) < rank
        ]

    def choice(self, spec: ItemSpec, policy: QueuePolicy) -> str | None:
        """Whom a new item must be offered to, before it is there."""
        spec = replace(spec, weight=policy.weights.get(spec.channel, spec.weight))
        item = SeenItem(ItemFacts(spec), policy, self.at, helpers=self.let_in.get(policy.id, ()))
        item.kept = self.kept_for(item)
        free = [agent for name, agent in self.agents.items() if self.permits(name, item)]
        if spec.preferred is not None and any(agent.spec.id == spec.preferred for agent in free):
            return spec.preferred
        asked = [skill for skill, least in item.requires.items() if least > 0]
        ranked = sorted(
            (tier_of(agent.spec, policy), *agent_rank(policy, asked, agent)) for agent in free
        )
        if not ranked:
            return None
        if policy.agent_choice is not AgentChoice.random:
            return str(ranked[0][-1])
        best = [rank for rank in ranked if rank[0] == ranked[0][0]]
        assert spec.draw is not None
        return str(best[int(spec.draw * len(best))][-1])

    def lingering(self) -> list[str]:
        """Agents who reserved being away and are kept by nothing: there must be none."""
        return [
            name
            for name, agent in self.agents.items()
            if agent.away_after is not None and not (agent.weighing or agent.facts.engaged)
        ]

    def position(self, name: str) -> int | None:
        """The item's place by looking at every other item through every agent's eyes."""
        item = self.items[name]
        if not item.waits:
            return None
        eyes = [agent for agent in self.agents.values() if self._could(agent, item)]
        if not eyes:
            return None
        ahead = [
            other
            for other in self.items.values()
            if other.waits
            and other is not item
            and any(
                self._could(agent, other) and other.rank(agent, self.at) < item.rank(agent, self.at)
                for agent in eyes
            )
        ]
        return 1 + len(ahead)

    def crew(self, name: str) -> int:
        """The units of the agents whom an offer of such an item can reach, asked before or not."""
        item = self.items[name]
        needs = item.requires.items()
        return sum(
            agent.spec.units
            for agent in self.agents.values()
            if reachable(agent) is None
            and item.kept in (None, agent.spec.id)
            and (item.kept or lacks(agent.spec, item.spec.queue, item.added_teams, needs) is None)
        )

    def _could(self, agent: SeenAgent, item: SeenItem) -> bool:
        """Whether a signed-in agent could ever take the item: all but room and reach."""
        spec = agent.spec
        skilled = all(spec.skills.get(skill, 0) >= least for skill, least in item.requires.items())
        return (
            agent.presence is not Presence.offline
            and item.kept in (None, spec.id)
            and membership(spec, item) != "serves"
            and (skilled or item.kept is not None)
            and item.blocks.get(spec.id, self.at) <= self.at
            and item.owner != spec.id
        )

    def nobody(self, item: SeenItem) -> bool:
        """Whether nobody signed in could ever take the item, here or where it will overflow to."""
        stages = [item, *self._stages(item, self.at, overflows=item.owner is None)]
        return not any(
            self._could(agent, stage) for agent in self.agents.values() for stage in stages
        )

    def _stages(self, item: SeenItem, at: int, *, overflows: bool = True) -> Iterator[SeenItem]:
        """The item as it is at a moment and will be after each step that is still to come; what
        came before it moved to a queue is tried as it arrives there.
        """
        since, facts, policy = item.spec.enqueued_at, item.facts, item.policy
        moments = [since + micros(ring.after_s) for ring in policy.rings]
        for moment in (at, *(moment for moment in moments if moment > at)):
            yield SeenItem(facts, policy, moment, helpers=policy.help_teams)
        arrived = at != self.at
        for step in policy.overflow if overflows else ():
            moment = since + micros(step.after_s)
            if moment > at or arrived:
                spec = replace(facts.spec, queue=step.to_queue)
                there = SeenItem(replace(facts, spec=spec), self.queues[step.to_queue], at)
                yield from self._stages(there, max(at, moment))
