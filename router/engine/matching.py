"""Bringing items and agents together until nobody waits whom a permitted agent has room for."""

from __future__ import annotations

from collections import deque

from madoguchi.model.routing import ItemBlocked, Key
from router.engine.book import Book
from router.engine.explain import explain_blocked, explain_offer
from router.engine.partners import ask_partner
from router.engine.policy import item_rank, kept_for, permitted
from router.engine.records import AgentRecord, ItemRecord
from router.engine.room import Room


class IndexBroken(Exception):
    """The index proposed what the policy forbids: a defect; the engine must be rebuilt."""


def settle(book: Book) -> None:
    """Make every offer that is possible now.

    Before the events of this apply nobody waited for an agent with room, so only agents who gained
    room or whose reserve opened and items that newly wait are looked at. Agents look first, in
    turns, longest idle first: they see items that waited longer than the new ones. A new item has a
    say in who takes it, for others may have had room all along. But an agent always takes what
    ranks first for them, so that nothing overtakes; only a preferred agent is given the item that
    asks for them.
    """
    _release_kept(book)
    lookers = deque(_lookers(book))
    while lookers:
        agent = lookers[0]
        item = _find_work(book, agent)
        if item is None:
            lookers.popleft()
            continue
        chosen = _chosen(book, item) if item.id in book.arrivals else None
        if chosen is None or chosen is agent:
            _offer(book, item, agent)
            lookers.rotate(-1)
        else:
            _give(book, item, chosen)
    for name in _in_order(book):
        item = book.items[name]
        while name in book.arrivals and (taker := _chosen(book, item)) is not None:
            _give(book, item, taker)
    _ask_more(book)
    _tell_blocked(book)
    _remember(book)


def _release_kept(book: Book) -> None:
    """Let go of what is kept for those who changed, if they can be asked no more; who serves the
    customer by text and nobody else is asked.
    """
    if not book.index.keeping:
        return
    for name in book.moved:
        for item in [book.items[kept] for kept in book.index.kept_for(name)]:
            agent = book.agents.get(name)
            if kept_for(item, item.policy, agent, book.clock) is None:
                book.end_preference(item)
                book.resort(item)
            else:
                ask_partner(book, item)


def gains(before: Room | None, now: Room) -> bool:
    """Return whether `now` might take something that `before` could not."""
    if before is None:
        return True
    if now.beside != before.beside:
        return True
    return now.free > before.free or now.empty > before.empty or not now.full >= before.full


def _lookers(book: Book) -> list[AgentRecord]:
    found = []
    for name in book.moved:
        agent = book.agents.get(name)
        room = agent.room() if agent else None
        if agent is not None and room is not None and gains(agent.seen, room):
            found.append(agent)
    found += [agent for agent in book.index.opened() if agent.room() is not None]
    if len(found) < 2:
        return found
    return sorted(
        dict.fromkeys(found),
        key=lambda agent: (agent.worked_until, agent.spec.order, agent.id),
    )


def _remember(book: Book) -> None:
    """Note what everybody has room for now; those whose last work went to a colleague meanwhile,
    and who wanted to leave after it, stay to be let go.
    """
    leaving = []
    for name in book.moved:
        agent = book.agents.get(name)
        if agent is not None:
            agent.seen = agent.room()
            if agent.away_after is not None and agent.leaves:
                leaving.append(name)
    book.moved.clear()
    for name in leaving:
        book.moved[name] = None


def _find_work(book: Book, agent: AgentRecord) -> ItemRecord | None:
    room = agent.room()
    found = book.index.best_item(agent, room, book.clock) if room is not None else None
    return book.items[found] if found is not None else None


def _in_order(book: Book) -> list[str]:
    """Return the items that newly wait, first served first."""
    if len(book.arrivals) < 2:
        return list(book.arrivals)
    return sorted(book.arrivals, key=lambda name: _arrival_rank(book, name))


def _arrival_rank(book: Book, name: str) -> Key:
    item = book.items[name]
    return item_rank(0, item.priority, item.policy.ageing, item.spec.ranked_at, item.id, book.clock)


def _chosen(book: Book, item: ItemRecord) -> AgentRecord | None:
    """Return whom a newly waiting item goes to: the preferred agent, else the queue's choice."""
    preferred = book.agents.get(item.spec.preferred) if item.spec.preferred else None
    if preferred is not None and _permitted(book, preferred, item) is None:
        return preferred
    best = book.index.best_agent(item, book.lot(item), book.clock)
    return book.agents[best.agent] if best is not None else None


def _give(book: Book, item: ItemRecord, agent: AgentRecord) -> None:
    """Offer `agent` what ranks first for them: `item`, if it asked for them, or a better one."""
    if item.spec.preferred != agent.id:
        item = _find_work(book, agent) or item
    _offer(book, item, agent)


def _offer(book: Book, item: ItemRecord, agent: AgentRecord) -> None:
    obstacle = _permitted(book, agent, item)
    if obstacle is not None:
        raise IndexBroken(f"{item.id} for {agent.id}: {obstacle}")
    book.offer(item, agent, explain_offer(book, item, agent), direct=False)
    if item.policy.auto_accept:
        book.accept(item, item.pending[agent.id])
    elif item.policy.offer_to > 1:
        book.asking[item.id] = None


def _ask_more(book: Book) -> None:
    """Ask more agents where a queue asks several at once: only those for whom nothing waits."""
    if not book.asking:
        return
    asking, book.asking = book.asking, {}
    for name in asking:
        item = book.items.get(name)
        while item is not None and item.pending and len(item.pending) < item.policy.offer_to:
            lot = book.lot(item)
            best = book.index.best_agent(item, lot, book.clock, beside=item.pending)
            if best is None:
                break
            agent = book.agents[best.agent]
            book.offer(item, agent, explain_offer(book, item, agent), direct=False)


def _permitted(book: Book, agent: AgentRecord, item: ItemRecord) -> str | None:
    if agent.spec.keep_free:
        book.index.count()
    return permitted(agent, item, book.clock, book.index.teams.idle)


def _tell_blocked(book: Book) -> None:
    """Tell each change of whether anybody signed in could take what waits; end preferences."""
    flipped = book.index.flipped()
    if not (book.arrivals or flipped):
        return
    names = dict.fromkeys((*book.arrivals, *flipped))
    for name in sorted(names):
        item = book.items[name]
        blocked = book.index.nobody(item)
        if blocked != item.told_blocked:
            item.told_blocked = blocked
            book.tell(ItemBlocked(name, blocked, explain_blocked(book, item, blocked=blocked)))
    for name in book.arrivals:
        if book.items[name].kept is None:
            book.end_preference(book.items[name])
    book.arrivals.clear()
