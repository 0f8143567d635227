"""A customer who calls while an agent serves them by text: that agent is asked first."""

from __future__ import annotations

from router.engine.book import Book
from router.engine.explain import explain_offer
from router.engine.policy import barred, reachable
from router.engine.records import AgentRecord, ItemRecord


def ask_partner(book: Book, item: ItemRecord) -> bool:
    """Offer a waiting call to its preferred agent if all that keeps them from it is the text work
    of the same conversation; tell whether it was.
    """
    agent = book.agents.get(item.spec.preferred) if item.spec.preferred else None
    if agent is None or not item.spec.exclusive or not book.index.holds(item.id):
        return False
    if not _free_but_for(agent, item) or barred(agent.id, item, book.clock):
        return False
    book.offer(item, agent, explain_offer(book, item, agent), direct=False)
    if item.policy.auto_accept:
        book.accept(item, item.pending[agent.id])
    return True


def _free_but_for(agent: AgentRecord, item: ItemRecord) -> bool:
    """Tell whether an agent whom offers reach works for the item's conversation and no other."""
    if reachable(agent) is not None or agent.exclusives or agent.offers:
        return False
    most = agent.spec.per_channel.get(item.spec.channel)
    if most is not None and agent.held.get(item.spec.channel, 0) >= most:
        return False
    weighing = {one.spec.conversation for one in agent.work.values() if not one.released}
    return weighing == {item.spec.conversation}
