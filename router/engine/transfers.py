"""Who gives an item to whom: one function per command. Each refuses before it changes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from madoguchi.model.routing import (
    Assigned,
    ItemResumed,
    ItemWaiting,
    Refused,
    TransferCancelled,
    TransferredToAgent,
    TransferredToQueue,
)
from router.engine.book import Book
from router.engine.explain import explain_offer
from router.engine.names import ACCEPTED, ASSIGNED, OFFLINE, OPEN, WAITING, WRAP_UP
from router.engine.policy import reachable, room
from router.engine.records import AgentRecord, ItemRecord
from router.engine.timers import Timer


def transfer_to_queue(book: Book, command: TransferredToQueue) -> None:
    """Move an item to another queue, whose requirements and class it takes over unless its own."""
    item = book.item(command.item)
    policy = book.queue(command.queue)
    if item.state is WRAP_UP:
        raise Refused("finished", "in wrap-up", item.owner)
    if item.spec.queue == policy.id:
        raise Refused("same_queue", policy.id)
    sender = item.owner
    book.withdraw(item, "transfer")
    book.lift(item)
    item.transfer = None
    item.told_blocked = False
    book.hold(item, None, WAITING)
    book.change_queue(item, policy)
    book.wait(item)
    # Somebody meant it for this queue: it does not leave it for what is over already.
    item.stepped = book.clock
    book.timers.schedule(Timer.step, item.id)
    book.tell(ItemWaiting(item.id, policy.id, "transfer"))
    keep_from(book, item, sender)


def keep_from(book: Book, item: ItemRecord, agent: str | None) -> None:
    """Bar the last owner from an item for a while, if somebody else could be offered it."""
    if agent is not None and book.index.others_present(item, agent):
        book.bar(item, agent, item.policy.decline_block_s)


def transfer_to_agent(book: Book, command: TransferredToAgent) -> None:
    """Offer an item to one agent only; an owner keeps it until it is accepted."""
    item = book.item(command.item)
    agent = book.agent(command.agent)
    _check_target(item, agent)
    book.lift(item)
    book.widen(item)
    # Whoever it was kept for, somebody else is meant now.
    item.kept = None
    if item.owner is not None:
        item.state = ASSIGNED
    book.offer(item, agent, explain_offer(book, item, agent, direct=True), direct=True)


def _check_target(item: ItemRecord, agent: AgentRecord) -> None:
    if item.state is WRAP_UP:
        raise Refused("finished", "in wrap-up", item.owner)
    if item.offer is not None:
        raise Refused("already_offered", item.offer.id, item.offer.agent)
    if item.owner == agent.id:
        raise Refused("already_yours", item.id, agent.id)
    if agent.presence is OFFLINE:
        raise Refused("not_signed_in", agent.id, agent.id)
    if reachable(agent) is not None:
        raise Refused("not_available", agent.id, agent.id)
    if room(agent, item.spec) is not None:
        raise Refused("no_room", agent.id, agent.id)


def cancel_transfer(book: Book, command: TransferCancelled) -> None:
    """Let the sender have the item for themselves again."""
    item = book.item(command.item)
    if item.transfer is None or item.owner is None:
        raise Refused("no_transfer", item.id)
    waited = item.transfer is OPEN
    end_transfer(book, item, "transfer_cancelled")
    if waited:
        book.tell(ItemResumed(item.id, item.owner))


def end_transfer(book: Book, item: ItemRecord, why: str) -> None:
    """Take an owned item back from whoever it is on offer to."""
    book.withdraw(item, why)
    book.lift(item)
    item.transfer = None
    item.told_blocked = False
    item.state = ASSIGNED


def assign(book: Book, command: Assigned) -> None:
    """Make an agent the owner without asking for room."""
    item = book.item(command.item)
    agent = book.agent(command.agent)
    _check_assignment(item, agent, pull=command.by == command.agent)
    own = item.pending.get(agent.id)
    if own is not None:
        book.close_offer(item, own, ACCEPTED)
    book.withdraw(item, "assigned")
    book.assign(item, agent, own.id if own is not None else None)


def _check_assignment(item: ItemRecord, agent: AgentRecord, *, pull: bool) -> None:
    if item.state is WRAP_UP:
        raise Refused("finished", "in wrap-up", item.owner)
    if item.owner == agent.id and item.transfer is None:
        raise Refused("already_yours", item.id, agent.id)
    if not agent.signed_in:
        raise Refused("not_signed_in", agent.id, agent.id)
    mine = agent.id == item.owner or agent.id in item.pending
    if not pull or mine:
        return
    if item.owner is not None and item.transfer is not OPEN:
        raise Refused("taken", item.id, item.owner)
    if item.offer is not None:
        raise Refused("already_offered", item.offer.id, item.offer.agent)


HANDLERS: dict[type, Callable[[Book, Any], None]] = {
    TransferredToQueue: transfer_to_queue,
    TransferredToAgent: transfer_to_agent,
    TransferCancelled: cancel_transfer,
    Assigned: assign,
}
