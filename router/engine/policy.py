"""Who may take what, and in which order: pure functions over facts, the router's only judge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Protocol

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChoice,
    AgentSpec,
    ItemSpec,
    Key,
    Overflow,
    Preference,
    Presence,
    QueuePolicy,
    Reserve,
    Ring,
    micros,
)
from router.engine.names import (
    AVAILABLE,
    BEST_PROFICIENCY,
    FEWEST_TODAY,
    LEAST_LOADED,
    LONGEST_IDLE,
    OFFLINE,
    RANDOM,
    ROUND_ROBIN,
    SINCE_PRESENCE,
    SINCE_WORK,
    TOP_DOWN,
    WEIGHTED,
)

NOBODY: Mapping[str, int] = {}

TEXTS_ONLY = "texts_only"
"""The reason of who is available, but not for talking: a desk without a microphone."""

TALKS = frozenset({"voice", "video"})

MEANT = frozenset({Preference.last_owner, Preference.named})


class AgentView(Protocol):
    """An agent as `permitted` sees it.

    `used` and `reserved` are units, `exclusives` the calls held, on offer or helped in,
    `held` the items and `taking` the units per channel, held or on offer.
    """

    @property
    def spec(self) -> AgentSpec:
        """Skills, queues served, capacity."""

    @property
    def presence(self) -> Presence:
        """What the agent set."""

    @property
    def reason(self) -> str:
        """Why; of who is available, `TEXTS_ONLY` or nothing."""

    @property
    def connected(self) -> bool:
        """Whether a desk of theirs is reachable."""

    @property
    def since(self) -> int:
        """Since when that is the presence."""

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

    @property
    def taking(self) -> Mapping[str, int]:
        """Units per channel, held or on offer."""

    @property
    def worked_until(self) -> int:
        """The last end of work, 0 before any."""

    @property
    def taken(self) -> int:
        """What was assigned since midnight."""

    @property
    def given(self) -> Mapping[str, int]:
        """Queue -> when it last gave an offer."""


class ItemView(Protocol):
    """An item as `permitted` sees it; `requires` is the item's own or its queue's, as far as its
    rings have not relaxed it.
    """

    @property
    def spec(self) -> ItemSpec:
        """Queue, channel, weight; `preferred` only while the first offer is still to be made."""

    @property
    def requires(self) -> Mapping[str, int]:
        """Skill -> minimum proficiency."""

    @property
    def added_teams(self) -> Collection[str]:
        """Teams that its rings have let in."""

    @property
    def owner(self) -> str | None:
        """Who keeps the item until somebody else accepts."""

    @property
    def blocks(self) -> Mapping[str, int]:
        """Agent -> µs until which they are barred from this item."""

    @property
    def kept(self) -> str | None:
        """For whom alone it is kept now."""


def permitted(
    agent: AgentView, item: ItemView, at: int, idle: Mapping[str, int] = NOBODY
) -> str | None:
    """Return None if `agent` may be offered `item` at `at`, else the code of the first obstacle.

    `idle` is team -> how many of its agents are idle. Codes in the order of the filters:
    `not_signed_in`, `not_yet`, `serves`, `skill:<skill>:<minimum>`, `presence`, `disconnected`,
    `leaving`, `no_room`, `exclusive`, `channel_full:<channel>`, `kept_free:<team>:<number>`,
    `too_early:<seconds>`, `kept_for:<agent>`, `declined`, `owner`. A preferred agent who was the
    last owner, or was named, is asked for neither `serves` nor skills.
    """
    if agent.presence is OFFLINE:
        return "not_signed_in"
    if at < item.spec.not_before:
        return "not_yet"
    others = item.kept is not None and item.kept != agent.spec.id
    return (
        membership(agent.spec, item)
        or reachable(agent)
        or room(agent, item.spec)
        or kept_free(agent, item.spec.queue, idle)
        or too_early(agent.spec, item.spec, at)
        or (f"kept_for:{item.kept}" if others else None)
        or barred(agent.spec.id, item, at)
    )


def membership(agent: AgentSpec, item: ItemView) -> str | None:
    """Return which of queue and skills `agent` lacks for `item`, or None."""
    spec = item.spec
    if spec.preferred == agent.id and spec.preference in MEANT:
        return None
    return lacks(agent, spec.queue, item.added_teams, item.requires.items())


def lacks(
    agent: AgentSpec, queue: str, teams: Collection[str], requires: Iterable[tuple[str, int]]
) -> str | None:
    """Return what keeps `agent` from items of `queue` that let in `teams` and require skills."""
    if queue not in agent.serves and not any(team in teams for team in agent.teams):
        return "serves"
    for skill, minimum in requires:
        if agent.skills.get(skill, 0) < minimum:
            return f"skill:{skill}:{minimum}"
    return None


def reachable(agent: AgentView) -> str | None:
    """Return why no offer can reach `agent` now, or None."""
    if agent.presence is not AVAILABLE:
        return "presence"
    if not agent.connected:
        return "disconnected"
    return None if agent.away_after is None else "leaving"


def room(agent: AgentView, item: ItemSpec) -> str | None:
    """Return what keeps `item` from fitting beside the work and the offers of `agent`, or None."""
    taken = agent.used + agent.reserved
    for channel in agent.spec.interrupts.get(item.channel, ()):
        taken -= agent.taking.get(channel, 0)
    if agent.exclusives or (item.exclusive and taken):
        return "exclusive"
    if taken + item.weight > agent.spec.units:
        return "no_room"
    if item.channel in full(agent):
        return f"channel_full:{item.channel}"
    return None


def full(agent: AgentView) -> frozenset[str]:
    """Return the channels of which an agent takes no more now."""
    most = agent.spec.per_channel
    held = frozenset(name for name, limit in most.items() if agent.held.get(name, 0) >= limit)
    return held | TALKS if agent.reason == TEXTS_ONLY else held


def is_idle(agent: AgentView) -> bool:
    """Return whether nothing keeps an agent whom offers reach from the next work."""
    taken = agent.used or agent.reserved or agent.exclusives
    return reachable(agent) is None and not taken


def kept_free(agent: AgentView, queue: str, idle: Mapping[str, int]) -> str | None:
    """Return which reserve keeps `agent` from items of `queue` now, or None."""
    reserve = agent.spec.keep_free.get(queue)
    if allows(reserve, idle, own=is_idle(agent)) or reserve is None:
        return None
    return f"kept_free:{reserve.team}:{reserve.free}"


def allows(reserve: Reserve | None, idle: Mapping[str, int], *, own: bool) -> bool:
    """Tell whether enough others of a reserve's team are idle; `own`: so is the agent."""
    return reserve is None or idle.get(reserve.team, 0) - own >= reserve.free


def too_early(agent: AgentSpec, item: ItemSpec, at: int) -> str | None:
    """Return the age that an item must have before it is `agent`'s, if it has not; or None."""
    delay = agent.delays_s.get(item.queue)
    if delay is None or at - item.ranked_at >= micros(delay):
        return None
    return f"too_early:{delay:g}"


def barred(agent: str, item: ItemView, at: int) -> str | None:
    """Return `declined` or `owner` where this one item must not go to this one agent, or None."""
    if item.blocks.get(agent, at) > at:
        return "declined"
    return "owner" if item.owner == agent else None


def kept_for(
    item: ItemView, queue: QueuePolicy, preferred: AgentView | None, at: int
) -> str | None:
    """Return for whom alone an item waits: its preferred agent, for a while after it came, if they
    may take it as soon as they have room. A cut connection may be back in time.
    """
    if preferred is None or at >= kept_until(item.spec, queue):
        return None
    agent = preferred.spec
    stays = preferred.presence is AVAILABLE and preferred.away_after is None
    if not stays or membership(agent, item) or barred(agent.id, item, at):
        return None
    return agent.id


def kept_until(item: ItemSpec, queue: QueuePolicy) -> int:
    """Return the µs until which an item may be kept for its preferred agent."""
    return max(item.enqueued_at, item.not_before) + micros(queue.preferred_wait_s)


def score(ageing: Ageing, enqueued_at: int, at: int) -> float:
    """Return slope x wait + boost, in µs: exact for whole slopes, monotone for all."""
    return ageing.slope * (at - enqueued_at) + ageing.boost * MICROS


def item_rank(
    level: int, priority: int, ageing: Ageing, enqueued_at: int, item: str, at: int
) -> Key:
    """Return what an agent compares: (level, priority, -score, enqueue time, item)."""
    return (level, priority, -score(ageing, enqueued_at, at), enqueued_at, item)


def level_of(agent: AgentSpec, queue: QueuePolicy) -> int:
    """Return the level at which an agent serves a queue: the last one, if only a ring let them."""
    return agent.serves.get(queue.id, queue.last_level)


def tier_of(agent: AgentSpec, queue: QueuePolicy) -> int:
    """Return how early an item of `queue` asks an agent: by its order of teams, else by level; of
    one level first those who meet more of what it prefers.
    """
    first = _team_tier(agent, queue)
    if not queue.prefers:
        return first
    skills = agent.skills
    unmet = 0
    for skill, least in queue.prefers.items():
        unmet += skills.get(skill, 0) < least
    return first * (len(queue.prefers) + 1) + unmet


def _team_tier(agent: AgentSpec, queue: QueuePolicy) -> int:
    if not queue.team_order:
        return level_of(agent, queue)
    for tier, teams in enumerate(queue.team_order):
        if any(team in teams for team in agent.teams):
            return tier
    return len(queue.team_order)


def agent_rank(queue: QueuePolicy, requires: Iterable[str], agent: AgentView) -> Key:
    """Return what an item of `queue` that requires some skills compares among agents of one tier.

    Longest idle is the smallest time since which they are idle, then `order`. A random choice draws
    a place in `order`.
    """
    spec, choice = agent.spec, queue.agent_choice
    if choice is TOP_DOWN or choice is RANDOM:
        return (spec.order, spec.id)
    if choice is ROUND_ROBIN:
        return (agent.given.get(queue.id, 0), spec.order, spec.id)
    idle = idle_since(queue, agent)
    if choice is LONGEST_IDLE:
        return (idle, spec.order, spec.id)
    return (_preference(choice, requires, agent), idle, spec.order, spec.id)


def _preference(choice: AgentChoice, requires: Iterable[str], agent: AgentView) -> float:
    """Return what a choice compares before the idle time."""
    if choice is LEAST_LOADED:
        return load_share(agent)
    if choice is FEWEST_TODAY:
        return agent.taken
    if choice is WEIGHTED:
        return (agent.taken + 1) / agent.spec.share
    proficiency = _proficiency(agent.spec, requires)
    return -proficiency if choice is BEST_PROFICIENCY else proficiency


def _proficiency(agent: AgentSpec, requires: Iterable[str]) -> int:
    total = 0
    for skill in requires:
        total += agent.skills.get(skill, 0)
    return total


def idle_since(queue: QueuePolicy, agent: AgentView) -> int:
    """Return since when `agent` counts as idle where `queue` chooses; 0 before any work."""
    if queue.idle_since is SINCE_WORK:
        return agent.worked_until
    if queue.idle_since is SINCE_PRESENCE:
        return max(agent.worked_until, agent.since)
    return max(agent.worked_until, *agent.given.values(), 0)


def load_share(agent: AgentView) -> float:
    """Return the part of the units in use or reserved."""
    return (agent.used + agent.reserved) / agent.spec.units if agent.spec.units > 0 else 1.0


# ---------------------------------------------------------------- rings


@dataclass(frozen=True, slots=True)
class Widened:
    """What the rings passed so far have changed for an item."""

    relax: Mapping[str, int]
    teams: tuple[str, ...]
    priority: int | None

    def helped_by(self, teams: Iterable[str]) -> Widened:
        """Return the same with more teams let in."""
        together = {*self.teams, *teams}
        return (
            self
            if len(together) == len(self.teams)
            else replace(self, teams=tuple(sorted(together)))
        )

    def requires(self, least: Mapping[str, int]) -> Mapping[str, int]:
        """Return requirements as relaxed so far."""
        if not self.relax:
            return least
        return {skill: min(n, self.relax.get(skill, n)) for skill, n in least.items()}

    def priority_of(self, own: int | None, queue: int) -> int:
        """Return the class of an item: its own may be raised by a ring, its queue's is replaced."""
        if self.priority is None:
            return queue if own is None else own
        return self.priority if own is None else min(own, self.priority)


NARROW = Widened({}, (), None)


def widened(queue: QueuePolicy, enqueued_at: int, at: int) -> Widened:
    """Return what the rings passed at `at` have changed for an item of `queue`."""
    return widened_by(queue.rings[: steps_passed(queue.rings, at - enqueued_at)])


def steps_passed(steps: Sequence[Ring | Overflow], age: int) -> int:
    """Return how many of some steps, in the order of their times, have come at an age in µs."""
    passed = 0
    for step in steps:
        if step.after > age:
            break
        passed += 1
    return passed


def widened_by(passed: Sequence[Ring]) -> Widened:
    """Return what some rings have changed."""
    if not passed:
        return NARROW
    relax = {skill: least for ring in passed for skill, least in ring.relax.items()}
    teams = sorted({team for ring in passed for team in ring.add_teams})
    classes = [ring.priority for ring in passed if ring.priority is not None]
    return Widened(relax, tuple(teams), classes[-1] if classes else None)


def stages(
    queue: QueuePolicy,
    queues: Mapping[str, QueuePolicy],
    since: int,
    rung: int,
    stepped: int | None,
) -> Iterator[tuple[QueuePolicy, Widened]]:
    """Yield the queues, and what their rings will have changed there, to which an item of `queue`
    has yet to come, enqueued at `since`, if nobody takes it. Its rings up to `rung` have passed and
    its overflows up to `stepped` are done with; None: it does not overflow.
    """
    yield from _rings_after(queue, since, rung)
    if stepped is None or not queue.overflow:
        return
    moments = [(since + step.after, step.to_queue) for step in queue.overflow]
    ahead = [(moment, target) for moment, target in moments if moment > stepped]
    heapify(ahead)
    come: set[str] = set()
    while ahead:
        # Whoever comes to a queue first sees all that comes there later: each is looked at once.
        moment, target = heappop(ahead)
        if target in come:
            continue
        come.add(target)
        there = queues[target]
        yield there, widened(there, since, moment)
        yield from _rings_after(there, since, moment)
        for step in there.overflow:
            heappush(ahead, (max(moment, since + step.after), step.to_queue))


def _rings_after(
    queue: QueuePolicy, since: int, passed: int
) -> Iterator[tuple[QueuePolicy, Widened]]:
    for ring in queue.rings:
        moment = since + ring.after
        if moment > passed:
            yield queue, widened(queue, since, moment)


def next_moment(steps: Iterable[Ring | Overflow], enqueued_at: int, passed: int) -> int | None:
    """Return when the first of some steps comes after `passed`, or None."""
    for step in steps:
        moment = enqueued_at + step.after
        if moment > passed:
            return moment
    return None
