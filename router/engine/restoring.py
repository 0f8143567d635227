"""Stored facts to a living book, and back."""

from __future__ import annotations

from madoguchi.model.routing import (
    AgentFacts,
    ItemFacts,
    ItemState,
    Offer,
    RouterState,
)
from router.engine.book import DAY, Book
from router.engine.index import Index
from router.engine.names import ASSIGNED, AVAILABLE, DIRECT, OFFERED, OPEN, WAITING, WRAP_UP
from router.engine.records import AgentRecord, ItemRecord
from router.engine.timers import Timer


def facts_of(book: Book) -> RouterState:
    """Return everything that the engine can be rebuilt from."""
    items = sorted(book.items.values(), key=lambda item: item.id)
    return RouterState(
        queues=tuple(sorted(book.queues.values(), key=lambda queue: queue.id)),
        agents=tuple(
            agent.facts() for agent in sorted(book.agents.values(), key=lambda agent: agent.id)
        ),
        items=tuple(item.facts() for item in items),
        offers=tuple(item.pending[agent] for item in items for agent in sorted(item.pending)),
        finished=tuple(book.finished.items()),
        version=book.version,
        sequence=book.sequence,
        clock=book.clock,
        seed=book.seed,
        limits=book.limits,
        midnight=book.midnight,
        let_in=tuple(sorted(book.let_in.items())),
    )


def book_of(state: RouterState, at: int) -> Book:
    """Return a book with these facts. Nothing is offered yet: the next apply does that.

    Raises ValueError where the facts contradict each other.
    """
    book = Book(state.seed)
    book.clock = max(at, state.clock)
    book.limits, book.midnight = state.limits, state.midnight
    book.let_in = dict(state.let_in)
    book.day = (state.clock - state.midnight) // DAY
    book.version, book.sequence = state.version, state.sequence
    book.finished = dict(state.finished)
    book.queues = {queue.id: queue for queue in state.queues}
    book.index = Index(book.queues)
    for agent_facts in state.agents:
        book.agents[agent_facts.spec.id] = _agent(agent_facts)
    offers: dict[str, list[Offer]] = {}
    for offer in state.offers:
        offers.setdefault(offer.item, []).append(offer)
    for item_facts in state.items:
        _restore_item(book, item_facts, offers.pop(item_facts.spec.id, []))
    if offers:
        raise ValueError(f"offers of unknown items: {sorted(offers)}")
    for agent in book.agents.values():
        book.index.add_agent(agent)
        book.touch(agent)
        agent.told = agent.load()
        book.timers.schedule(Timer.away, agent.id)
    waiting = [item for item in book.items.values() if item.state is WAITING]
    early = [item for item in waiting if item.spec.not_before > state.clock]
    for item in early:
        book.rest(item)
    waiting = [item for item in waiting if not item.resting]
    book.wait_all(waiting)
    for item in waiting:
        item.stepped = state.clock
        book.timers.schedule(Timer.step, item.id)
    return book


def _agent(facts: AgentFacts) -> AgentRecord:
    agent = AgentRecord(
        spec=facts.spec,
        presence=facts.presence,
        reason=facts.reason,
        since=facts.since,
        disconnected_since=facts.disconnected_since,
        worked_until=facts.worked_until,
        misses=facts.misses,
        absent_since=facts.absent_since,
        away_after=facts.away_after,
        taken=facts.taken,
        given=dict(facts.given),
    )
    agent.engage(facts.engaged)
    if agent.here:
        agent.absent_since = None
    elif agent.absent_since is None:
        gone = facts.disconnected_since
        left = None if agent.presence is AVAILABLE else facts.since
        agent.absent_since = min(time for time in (gone, left) if time is not None)
    return agent


def _restore_item(book: Book, facts: ItemFacts, offers: list[Offer]) -> None:
    spec = facts.spec
    if spec.queue not in book.queues:
        raise ValueError(f"item {spec.id} is in the unknown queue {spec.queue}")
    if spec.id in book.items:
        raise ValueError(f"item {spec.id} is there twice")
    item = ItemRecord(
        spec,
        book.queues[spec.queue],
        transfer=facts.transfer,
        unanswered_since=facts.unanswered_since,
        blocks=dict(facts.blocks),
        offers=facts.offers,
        closed={number: (agent, end) for number, agent, end in facts.closed},
        told_blocked=facts.told_blocked,
        taken=facts.taken,
        waits_until=facts.waits_until,
        callback=facts.callback,
        calls=facts.calls,
    )
    book.enter(item)
    state = _state(facts, offers[0] if offers else None)
    if facts.owner is not None and facts.owner not in book.agents:
        raise ValueError(f"item {spec.id} belongs to the unknown agent {facts.owner}")
    book.hold(item, facts.owner, state, released=facts.released)
    item.paused_since = facts.paused_since
    item.wrap_up_until = facts.wrap_up_until if state is WRAP_UP else None
    for offer in offers:
        if offer.agent not in book.agents:
            raise ValueError(f"offer {offer.id} is for the unknown agent {offer.agent}")
        if offer.agent in item.pending:
            raise ValueError(f"item {spec.id} is on offer to {offer.agent} twice")
        if state is ASSIGNED or offer.transfer:
            item.transfer = DIRECT
        book.reserve(item, offer)
    for kind in (Timer.release, Timer.absent, Timer.block, Timer.wrap_up):
        book.timers.schedule(kind, item.id)


def _state(facts: ItemFacts, offer: Offer | None) -> ItemState:
    """Return the state that owner and offer imply: they are the facts, the state is derived."""
    if facts.state is WRAP_UP and facts.owner is not None:
        return WRAP_UP
    if offer is not None:
        return ASSIGNED if offer.transfer and facts.owner else OFFERED
    if facts.owner is None or facts.transfer is OPEN:
        return WAITING
    return ASSIGNED
