"""The engine's view of the configuration: queues, and people who may be given work. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Agent, Queue
from madoguchi.configuration.queue_parts import routed_order
from madoguchi.model.ids import Id
from madoguchi.model.people import Role
from madoguchi.model.routing import AgentSpec, QueuePolicy, Reserve


@dataclass(frozen=True, slots=True)
class Configured:
    """What the engine knows of a catalog."""

    catalog: Catalog
    policies: tuple[QueuePolicy, ...]
    specs: dict[Id, AgentSpec]

    @classmethod
    def of(cls, catalog: Catalog) -> Configured:
        """Return what the engine knows of a catalog."""
        return cls(catalog, policies(catalog), specs(catalog))

    def after(self, catalog: Catalog) -> Configured:
        """Return what it knows of a later one: only the people are looked at whom what has changed
        can concern.
        """
        concerned = _concerned(self.catalog, catalog)
        found: dict[Id, AgentSpec] = {}
        for order, entry in _people(catalog):
            known = self.specs.get(entry.id)
            if known is None or concerned(entry):
                found[entry.id] = spec(catalog, entry.id, entry.object, order)
            else:
                found[entry.id] = known if known.order == order else replace(known, order=order)
        return Configured(catalog, policies(catalog), found)


def _concerned(old: Catalog, new: Catalog) -> Callable[[Entry[Agent]], bool]:
    """Return whether a change from one catalog to another may change what somebody can do."""
    keys = {*old.teams, *new.teams}
    teams = {key for key in keys if old.teams.get(key) is not new.teams.get(key)}
    asked = _changed(old, new, lambda queue: (queue.requires, queue.agents))
    let_in = _changed(old, new, lambda queue: queue.agents)
    if let_in:
        teams |= {
            key
            for key, team in new.teams.items()
            if any(one.queue in let_in for one in team.object.serves)
        }

    def concerned(entry: Entry[Agent]) -> bool:
        if old.agents.get(entry.object.key) is not entry:
            return True
        member = entry.object.teams
        return any(team in teams for team in member) if member else bool(asked)

    return concerned


def _changed(old: Catalog, new: Catalog, part: Callable[[Queue], object]) -> set[str]:
    """Return the queues of which a part is not what it was."""

    def of(catalog: Catalog, key: str) -> object:
        entry = catalog.queues.get(key)
        return None if entry is None else part(entry.object)

    return {
        key
        for key in {*old.queues, *new.queues}
        if old.queues.get(key) is not new.queues.get(key) and of(old, key) != of(new, key)
    }


def policy(catalog: Catalog, key: str, queue: Queue) -> QueuePolicy:
    """Return the engine's view of a configured queue."""
    return QueuePolicy(
        id=key,
        name=queue.name,
        requires=dict(queue.requires),
        priority=queue.priority,
        ageing=routed_order(queue.order, queue.ageing, queue.service_level_s),
        rings=tuple(ring.routed() for ring in queue.rings),
        overflow=tuple(step.routed() for step in queue.overflow),
        team_order=tuple(map(tuple, queue.group_order)),
        last_level=catalog.last_level(key),
        delays_s=catalog.delays(key),
        help_teams=tuple(sorted({team for help in queue.help for team in help.add_groups})),
        prefers=dict(queue.prefers),
        agent_choice=queue.agent_choice,
        idle_since=queue.idle_since,
        offer_to=queue.offer_to,
        auto_accept=queue.auto_accept,
        preferred_wait_s=queue.preferred_wait_s,
        weights={channel.value: weight for channel, weight in queue.weights.items()},
        offer_timeout_s=queue.offer_timeout_s,
        transfer_timeout_s=queue.transfer_timeout_s,
        misses=queue.misses,
        wrap_up_s=queue.wrap_up_s,
        max_waiting=queue.max_waiting,
        max_wait_s=queue.max_wait_s,
        full_to=queue.full.to_queue,
        callback_after_s=queue.callback.after or 0,
        callback_retry_s=queue.callback.retry_s,
        callback_attempts=queue.callback.attempts,
    )


def spec(catalog: Catalog, id: Id, agent: Agent, order: int) -> AgentSpec:
    """Return the engine's view of a configured agent."""
    served = catalog.served(agent)
    return AgentSpec(
        id=id,
        order=order,
        skills=dict(agent.skills),
        serves=catalog.serves(agent),
        units=agent.units,
        per_channel={channel.value: most for channel, most in agent.per_channel.items()},
        teams=tuple(agent.teams),
        keep_free={
            queue: Reserve(team, one.keep_free)
            for queue, (team, one) in served.items()
            if one.keep_free
        },
        delays_s={queue: one.after for queue, (_, one) in served.items() if one.after},
        share=agent.share,
        interrupts={
            channel.value: tuple(one.value for one in below)
            for channel, below in agent.interrupts.items()
            if below
        },
    )


def policies(catalog: Catalog) -> tuple[QueuePolicy, ...]:
    """Return all queues for the engine."""
    return tuple(
        policy(catalog, key, entry.object) for key, entry in sorted(catalog.queues.items())
    )


def specs(catalog: Catalog) -> dict[Id, AgentSpec]:
    """Return everybody who may be given work."""
    return {
        entry.id: spec(catalog, entry.id, entry.object, order) for order, entry in _people(catalog)
    }


def _people(catalog: Catalog) -> Iterator[tuple[int, Entry[Agent]]]:
    """Yield those who may be given work, with their place among all."""
    by_key = sorted(catalog.agents.items(), key=lambda one: one[0])
    for order, (_, entry) in enumerate(by_key):
        if entry.object.active and Role.AGENT in entry.object.roles:
            yield order, entry
