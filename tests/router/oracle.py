"""A brute-force judge of the engine: it knows the stored facts and `permitted`, no index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from madoguchi.model.routing import (
    AgentFacts,
    AgentSpec,
    ItemFacts,
    ItemSpec,
    ItemState,
    Key,
    Presence,
    QueuePolicy,
    RouterState,
)
from router.policy import agent_rank, item_rank, permitted


@dataclass
class SeenAgent:
    facts: AgentFacts
    used: int = 0
    reserved: int = 0
    exclusives: int = 0
    held: dict[str, int] = field(default_factory=dict)
    weighing: int = 0

    @property
    def spec(self) -> AgentSpec:
        return self.facts.spec

    @property
    def presence(self) -> Presence:
        return self.facts.presence

    @property
    def connected(self) -> bool:
        return self.facts.disconnected_since is None

    @property
    def away_after(self) -> str | None:
        return self.facts.away_after

    def add(self, item: ItemSpec, *, offered: bool) -> None:
        self.weighing += 1
        if offered:
            self.reserved += item.weight
        else:
            self.used += item.weight
        self.exclusives += item.exclusive
        self.held[item.channel] = self.held.get(item.channel, 0) + 1

    def over_capacity(self) -> bool:
        return (
            self.used + self.reserved > self.spec.units
            or (self.exclusives > 0 and sum(self.held.values()) > 1)
            or any(self.held.get(name, 0) > most for name, most in self.spec.per_channel.items())
        )


@dataclass
class SeenItem:
    facts: ItemFacts
    policy: QueuePolicy

    @property
    def spec(self) -> ItemSpec:
        return self.facts.spec

    @property
    def requires(self) -> Mapping[str, int]:
        own = self.spec.requires
        return self.policy.requires if own is None else own

    @property
    def owner(self) -> str | None:
        return self.facts.owner

    @property
    def blocks(self) -> Mapping[str, int]:
        return self.facts.blocks

    @property
    def waits(self) -> bool:
        return self.facts.state is ItemState.waiting

    def rank(self, agent: SeenAgent, at: int) -> Key:
        level = agent.spec.serves[self.spec.queue]
        own = self.spec.priority
        priority = self.policy.priority if own is None else own
        spec = self.spec
        return item_rank(level, priority, self.policy.ageing, spec.enqueued_at, spec.id, at)


class Seen:
    """The world as the stored facts show it, every sum computed anew.

    `but` leaves one offer out, as if it had not been made yet.
    """

    def __init__(self, state: RouterState, *, but: str | None = None) -> None:
        self.at = state.clock
        queues = {queue.id: queue for queue in state.queues}
        self.agents = {facts.spec.id: SeenAgent(facts) for facts in state.agents}
        self.items = {
            facts.spec.id: SeenItem(facts, queues[facts.spec.queue]) for facts in state.items
        }
        for facts in state.items:
            if facts.owner is not None and not facts.released:
                self.agents[facts.owner].add(facts.spec, offered=False)
        for offer in state.offers:
            if offer.id != but:
                self.agents[offer.agent].add(self.items[offer.item].spec, offered=True)

    def permits(self, agent: str, item: SeenItem) -> bool:
        return permitted(self.agents[agent], item, self.at) is None

    def unserved(self) -> list[tuple[str, str]]:
        """Every (item, agent) where the item waits although the agent may take it."""
        return [
            (name, agent)
            for name, item in self.items.items()
            if item.waits
            for agent in self.agents
            if self.permits(agent, item)
        ]

    def overtaken(self, agent: str, item: str) -> list[str]:
        """Items still waiting that `agent` should have been offered before `item`."""
        taken = self.items[item]
        if taken.spec.queue not in self.agents[agent].spec.serves:
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
        item = SeenItem(ItemFacts(spec), policy)
        free = [agent for name, agent in self.agents.items() if self.permits(name, item)]
        if spec.preferred is not None and any(agent.spec.id == spec.preferred for agent in free):
            return spec.preferred
        ranked = [
            (
                agent.spec.serves[spec.queue],
                *agent_rank(
                    policy.agent_choice,
                    (agent.used + agent.reserved) / agent.spec.units,
                    agent.facts.worked_until,
                    agent.spec.order,
                    agent.spec.id,
                ),
            )
            for agent in free
        ]
        return str(min(ranked)[-1]) if ranked else None

    def lingering(self) -> list[str]:
        """Agents who reserved being away and are kept by nothing: there must be none."""
        return [
            name
            for name, agent in self.agents.items()
            if agent.away_after is not None and not agent.weighing
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

    def _could(self, agent: SeenAgent, item: SeenItem) -> bool:
        """Whether a signed-in agent could ever take the item: all but room and reach."""
        spec = agent.spec
        skilled = all(spec.skills.get(skill, 0) >= least for skill, least in item.requires.items())
        return (
            agent.presence is not Presence.offline
            and item.spec.queue in spec.serves
            and skilled
            and item.blocks.get(spec.id, self.at) <= self.at
            and item.owner != spec.id
        )

    def nobody(self, item: SeenItem) -> bool:
        """Whether nobody signed in could ever take the item."""
        return not any(self._could(agent, item) for agent in self.agents.values())
