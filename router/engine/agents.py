"""What agents and administrators do: presence, connection, who there is, and the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from madoguchi.model.routing import (
    AgentChanged,
    AgentRemoved,
    AwayReserved,
    AwayTakenBack,
    ConfigurationChanged,
    ConnectionChanged,
    Engaged,
    Presence,
    PresenceChanged,
    PresenceSet,
    QueuePolicy,
    Refused,
    TeamsLetIn,
)
from madoguchi.model.ways import reachable, way_round
from router.engine.book import Book
from router.engine.names import AVAILABLE, AWAY, DONE, MISSED, OFFLINE, WITHDRAWN, WRAP_UP
from router.engine.records import AgentRecord
from router.engine.timers import Timer

SYSTEM = "system"
CONNECTION = "connection"


def presence_set(book: Book, command: PresenceSet) -> None:
    """Set a presence; becoming available forgives missed offers."""
    agent = book.agent(command.agent)
    if command.presence is AVAILABLE:
        agent.misses = 0
    reserve_away(book, agent, None)
    set_presence(book, agent, command.presence, command.reason, command.by)


def away_reserved(book: Book, command: AwayReserved) -> None:
    """Let an agent go away when the present work has ended; at once if there is none."""
    agent = book.agent(command.agent)
    if agent.presence is not AVAILABLE:
        raise Refused("not_receiving", agent.id)
    reserve_away(book, agent, command.reason)


def away_taken_back(book: Book, command: AwayTakenBack) -> None:
    """Let an agent be offered work again as before."""
    reserve_away(book, book.agent(command.agent), None)


def reserve_away(book: Book, agent: AgentRecord, reason: str | None) -> None:
    """Note whether and why an agent goes away after the present work."""
    if agent.away_after != reason:
        agent.away_after = reason
        book.touch(agent)


def let_go(book: Book) -> None:
    """Make those `away` who reserved it and whose last work has ended."""
    for name in sorted(book.moved):
        agent = book.agents.get(name)
        if agent is not None and agent.away_after is not None and agent.leaves:
            reason, agent.away_after = agent.away_after, None
            set_presence(book, agent, AWAY, reason, SYSTEM)


def set_presence(book: Book, agent: AgentRecord, presence: Presence, reason: str, by: str) -> None:
    """Change a presence, told once; leaving `available` withdraws what is on offer."""
    if (agent.presence, agent.reason) == (presence, reason):
        return
    agent.presence, agent.reason, agent.since = presence, reason, book.clock
    book.touch(agent)
    book.tell(PresenceChanged(agent.id, presence, reason, by))
    if presence is not AVAILABLE:
        withdraw_offers(book, agent, "presence")
    note_absence(book, agent)


def withdraw_offers(book: Book, agent: AgentRecord, why: str) -> None:
    """Take every pending offer from an agent; the items go on at once."""
    for offer in sorted(agent.offers.values(), key=lambda offer: (offer.offered_at, offer.id)):
        item = book.items[offer.item]
        book.close_offer(item, offer, WITHDRAWN, why)
        book.go_on(item, offer)


def note_absence(book: Book, agent: AgentRecord) -> None:
    """Start or end the time for which an agent is absent, and the timers that follow from it."""
    if agent.here:
        agent.absent_since = None
    elif agent.absent_since is None:
        agent.absent_since = book.clock
        for item in agent.work:
            book.timers.schedule(Timer.absent, item)
    book.timers.schedule(Timer.away, agent.id)


def connection_changed(book: Book, command: ConnectionChanged) -> None:
    """Note that a desk came or went. A desk that comes back ends `away (connection)`."""
    agent = book.agent(command.agent)
    if agent.connected == command.connected:
        return
    agent.disconnected_since = None if command.connected else book.clock
    book.touch(agent)
    for item in agent.work:
        book.timers.schedule(Timer.absent, item)
    note_absence(book, agent)
    if command.connected and (agent.presence, agent.reason) == (AWAY, CONNECTION):
        set_presence(book, agent, AVAILABLE, "", SYSTEM)


def engaged(book: Book, command: Engaged) -> None:
    """Note that an agent takes part in a colleague's call, or does so no more."""
    agent = book.agent(command.agent)
    if agent.engaged == command.on:
        return
    agent.engage(command.on)
    if not command.on:
        agent.worked_until = book.clock
    book.touch(agent)


def connection_lost(book: Book, agent: AgentRecord) -> None:
    """End the grace of a lost connection."""
    set_presence(book, agent, AWAY, CONNECTION, SYSTEM)


def missed(book: Book, agent: AgentRecord, limit: int) -> None:
    """Count an offer that ran out before the agent's eyes.

    Without a connection nobody saw it: the connection's own rule then applies.
    """
    if not agent.here:
        return
    agent.misses += 1
    if agent.misses >= limit:
        reserve_away(book, agent, None)
        set_presence(book, agent, MISSED, "", SYSTEM)


# ---------------------------------------------------------------- who there is


def agent_changed(book: Book, command: AgentChanged) -> None:
    """Take in a new agent, offline, or new facts about a known one, whose offers stay."""
    spec = command.spec
    agent = book.agents.get(spec.id)
    if agent is None:
        since = book.clock
        agent = book.agents[spec.id] = AgentRecord(
            spec, since=since, disconnected_since=since, absent_since=since
        )
        agent.told = agent.load()
    else:
        book.index.drop_agent(agent)
        agent.become(spec)
        agent.seen = None
    book.index.add_agent(agent)
    book.touch(agent)


def agent_removed(book: Book, command: AgentRemoved) -> None:
    """Forget an agent: offers are withdrawn, assigned items wait again, wrap-up ends."""
    agent = book.agent(command.agent)
    if agent.signed_in:
        set_presence(book, agent, OFFLINE, "removed", SYSTEM)
    for item in sorted(agent.work.values(), key=lambda item: item.id):
        if item.state is WRAP_UP:
            book.close(item, DONE)
        else:
            book.back_to_queue(item, "agent_removed")
    book.index.drop_agent(agent)
    del book.agents[agent.id]


def configuration_changed(book: Book, command: ConfigurationChanged) -> None:
    """Take over all queues; what waits in those that changed, or comes there later, is looked at
    again, and so is everybody with room who may take it.
    """
    queues = {queue.id: queue for queue in command.queues}
    for name, items in book.queued.items():
        if items and name not in queues:
            raise Refused("queue_in_use", name)
    check_overflow(queues)
    for queue in (name for limit in command.limits for name in limit.queues):
        if queue not in queues:
            raise Refused("unknown_queue", queue)
    book.version = book.version + 1 if command.version is None else command.version
    book.limits, book.midnight = command.limits, command.midnight
    book.let_in = {
        name: teams
        for name, known in book.let_in.items()
        if name in queues
        and (teams := tuple(team for team in known if team in queues[name].help_teams))
    }
    use_queues(book, queues)


def teams_let_in(book: Book, command: TeamsLetIn) -> None:
    """Let teams help a queue, or no longer; what waits there is looked at again."""
    policy, teams = book.queue(command.queue), tuple(sorted(set(command.teams)))
    for team in teams:
        if team not in policy.help_teams:
            raise Refused("unknown_team", team)
    if teams == book.let_in.get(policy.id, ()):
        return
    if teams:
        book.let_in[policy.id] = teams
    else:
        del book.let_in[policy.id]
    for name in book.index.waiting(policy.id, book.clock):
        book.resort(book.items[name])


def check_overflow(queues: Mapping[str, QueuePolicy]) -> None:
    """Refuse overflows into queues that are not there, or round and round; also at once."""
    later = {key: [step.to_queue for step in queue.overflow] for key, queue in queues.items()}
    at_once = {key: [queue.full_to] if queue.full_to else [] for key, queue in queues.items()}
    for ahead in (later, at_once):
        for target in (target for targets in ahead.values() for target in targets):
            if target not in queues:
                raise Refused("unknown_queue", target)
        for start in ahead:
            if way_round(start, ahead.__getitem__):
                raise Refused("overflow_loop", start)


def use_queues(book: Book, queues: dict[str, QueuePolicy]) -> None:
    """Build what changed of index and timers anew from the records under these queues."""
    changed = _touched(book.queues, queues)
    items = [item for name in sorted(changed) for item in book.queued.get(name, {}).values()]
    waiting = [item for item in items if book.index.holds(item.id)]
    for item in waiting:
        book.lift(item)
    book.queues = queues
    book.stages.clear()
    book.index.replace_queues(queues, changed)
    for item in items:
        before = item.policy
        item.come_under(queues[item.spec.queue])
        item.relimit_wait(before, book.clock)
        for kind in (Timer.release, Timer.absent):
            book.timers.schedule(kind, item.id)
    book.wait_all(waiting)
    for agent in book.index.members_of(changed):
        agent.seen = None
        book.touch(agent)


def _touched(old: Mapping[str, QueuePolicy], new: Mapping[str, QueuePolicy]) -> set[str]:
    """Return the queues that changed, and those whose items overflow there."""
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    sources: dict[str, set[str]] = {}
    for queues in (old, new):
        for queue in queues.values():
            for step in queue.overflow:
                sources.setdefault(step.to_queue, set()).add(queue.id)
    return set().union(*(reachable(name, lambda place: sources.get(place, ())) for name in changed))


HANDLERS: dict[type, Callable[[Book, Any], None]] = {
    PresenceSet: presence_set,
    AwayReserved: away_reserved,
    AwayTakenBack: away_taken_back,
    ConnectionChanged: connection_changed,
    Engaged: engaged,
    AgentChanged: agent_changed,
    AgentRemoved: agent_removed,
    ConfigurationChanged: configuration_changed,
    TeamsLetIn: teams_let_in,
}
