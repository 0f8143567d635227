"""Who may take what, and in which order: pure functions over facts, the router's only judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChoice,
    AgentSpec,
    ItemSpec,
    Key,
    Preference,
    Presence,
)


class AgentView(Protocol):
    """An agent as `permitted` sees it.

    `used` and `reserved` are units, `exclusives` the calls held or on offer, `held` the items per
    channel, held or on offer.
    """

    @property
    def spec(self) -> AgentSpec:
        """Skills, queues served, capacity."""

    @property
    def presence(self) -> Presence:
        """What the agent set."""

    @property
    def connected(self) -> bool:
        """Whether a desk of theirs is reachable."""

    @property
    def away_after(self) -> str | None:
        """The reason for being away after the present work, if that is reserved."""

    @property
    def used(self) -> int:
        """Units of the work held."""

    @property
    def reserved(self) -> int:
        """Units of pending offers."""

    @property
    def exclusives(self) -> int:
        """Exclusive items, held or on offer."""

    @property
    def held(self) -> Mapping[str, int]:
        """Items per channel, held or on offer."""


class ItemView(Protocol):
    """An item as `permitted` sees it; `requires` is the item's own or its queue's."""

    @property
    def spec(self) -> ItemSpec:
        """Queue, channel, weight; `preferred` only while the first offer is still to be made."""

    @property
    def requires(self) -> Mapping[str, int]:
        """Skill -> minimum proficiency."""

    @property
    def owner(self) -> str | None:
        """Who keeps the item until somebody else accepts."""

    @property
    def blocks(self) -> Mapping[str, int]:
        """Agent -> µs until which they are barred from this item."""


def permitted(agent: AgentView, item: ItemView, at: int) -> str | None:
    """Return None if `agent` may be offered `item` at `at`, else the code of the first obstacle.

    Codes in the order of the filters: `not_signed_in`, `serves`, `skill:<skill>:<minimum>`,
    `presence`, `disconnected`, `leaving`, `no_room`, `exclusive`, `channel_full:<channel>`,
    `declined`, `owner`. A preferred agent who was the last owner is asked for neither `serves`
    nor skills.
    """
    if agent.presence is Presence.offline:
        return "not_signed_in"
    return (
        membership(agent.spec, item)
        or reachable(agent)
        or room(agent, item.spec)
        or barred(agent.spec.id, item, at)
    )


def membership(agent: AgentSpec, item: ItemView) -> str | None:
    """Return which of queue and skills `agent` lacks for `item`, or None."""
    spec = item.spec
    if spec.preferred == agent.id and spec.preference is Preference.last_owner:
        return None
    if spec.queue not in agent.serves:
        return "serves"
    for skill, minimum in item.requires.items():
        if agent.skills.get(skill, 0) < minimum:
            return f"skill:{skill}:{minimum}"
    return None


def reachable(agent: AgentView) -> str | None:
    """Return why no offer can reach `agent` now, or None."""
    if agent.presence is not Presence.available:
        return "presence"
    if not agent.connected:
        return "disconnected"
    return None if agent.away_after is None else "leaving"


def room(agent: AgentView, item: ItemSpec) -> str | None:
    """Return what keeps `item` from fitting beside the work and the offers of `agent`, or None."""
    taken = agent.used + agent.reserved
    if agent.exclusives or (item.exclusive and taken):
        return "exclusive"
    if taken + item.weight > agent.spec.units:
        return "no_room"
    most = agent.spec.per_channel.get(item.channel)
    if most is not None and agent.held.get(item.channel, 0) >= most:
        return f"channel_full:{item.channel}"
    return None


def barred(agent: str, item: ItemView, at: int) -> str | None:
    """Return `declined` or `owner` where this one item must not go to this one agent, or None."""
    if item.blocks.get(agent, at) > at:
        return "declined"
    return "owner" if item.owner == agent else None


def score(ageing: Ageing, enqueued_at: int, at: int) -> float:
    """Return slope x wait + boost, in µs: exact for whole slopes, monotone for all."""
    return ageing.slope * (at - enqueued_at) + ageing.boost * MICROS


def item_rank(
    level: int, priority: int, ageing: Ageing, enqueued_at: int, item: str, at: int
) -> Key:
    """Return what an agent compares: (level, priority, -score, enqueue time, item)."""
    return (level, priority, -score(ageing, enqueued_at, at), enqueued_at, item)


def agent_rank(
    choice: AgentChoice, loaded: float, worked_until: int, order: int, agent: str
) -> Key:
    """Return what an item compares among agents of one level.

    `loaded` is the part of the units in use or reserved. Longest idle is the smallest time of the
    last end of work (0 before any), then `order`.
    """
    idle: Key = (worked_until, order, agent)
    return (loaded, *idle) if choice is AgentChoice.least_loaded else idle
