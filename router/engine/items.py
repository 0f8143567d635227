"""What is done with items: one function per command. Each refuses before it changes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from madoguchi.model.routing import (
    MICROS,
    AgentReplied,
    Callback,
    CallEnded,
    CustomerWrote,
    ItemCancelled,
    ItemEnqueued,
    ItemMoved,
    ItemPrioritised,
    ItemRanked,
    ItemResumed,
    ItemWrapUp,
    Offer,
    OfferAccepted,
    OfferDeclined,
    Redialled,
    Refused,
    Requeued,
    WorkEnded,
    WrapUpExtended,
    WrapUpStarted,
    micros,
)
from router.engine.agents import missed
from router.engine.book import Book
from router.engine.calls import offer_call, refuse_open_call
from router.engine.names import (
    ABANDONED,
    ACCEPTED,
    ASSIGNED,
    CANCELLED,
    DECLINED,
    DONE,
    TIMED_OUT,
    WITHDRAWN,
    WRAP_UP,
)
from router.engine.partners import ask_partner
from router.engine.policy import kept_until
from router.engine.records import ItemRecord
from router.engine.timers import Timer
from router.engine.transfers import end_transfer, keep_from

REST_S, LONGEST_REST_S = 2, 60
"""An item that everybody has let pass rests so long for each offer made, and at most so long."""


def enqueue(book: Book, command: ItemEnqueued) -> None:
    """Let a new item wait, or be at once whose it is. A call has no text that could go
    unanswered.
    """
    spec = command.item
    policy = book.queue(spec.queue)
    if spec.id in book.items:
        raise Refused("already_enqueued", spec.id)
    if spec.id in book.finished:
        raise Refused("finished", book.finished[spec.id])
    unanswered = None if spec.exclusive else spec.enqueued_at
    item = ItemRecord(spec, policy, unanswered_since=unanswered)
    book.enter(item)
    item.weigh_by(policy)
    if command.agent in book.agents:
        book.assign(item, book.agents[command.agent], None)
        return
    item.limit_wait(book.clock)
    book.wait(item)
    if not ask_partner(book, item):
        book.entering[item.id] = None


def admit(book: Book) -> bool:
    """Refuse a place to those new items that nobody took at once and that are too many to wait:
    they go where their queue sends them, or end. Who came while it was closed was told to wait.
    Return whether any went elsewhere.
    """
    if not book.entering:
        return False
    entering, book.entering = book.entering, {}
    for name in entering:
        item = book.items.get(name)
        if item is None or item.spec.patient or not book.index.holds(name):
            continue
        if not book.full(item.spec.queue, now_in=item.spec.queue):
            continue
        if item.policy.full_to:
            book.move(item, book.queue(item.policy.full_to), "full")
            book.entering[name] = None
        else:
            book.close(item, CANCELLED, "full")
    return bool(book.entering)


def pass_rings(book: Book, item: ItemRecord) -> None:
    """Let the rings count whose moment has come, and agents look whom the item was too new for or
    for whom it was not kept.
    """
    if item.kept is not None and kept_until(item.spec, item.policy) <= book.clock:
        book.end_preference(item)
        book.resort(item)
        return
    if book.stage_of(item).wide != item.stage.wide:
        book.resort(item)
        return
    old_enough = item.delay_after(item.widened_at)
    if old_enough is not None and old_enough <= book.clock:
        book.arrivals[item.id] = None
    item.widened_at = book.clock
    book.timers.schedule(Timer.step, item.id)


def go_elsewhere(book: Book, item: ItemRecord) -> None:
    """Let a waiting item overflow whose moment to do so has come, else end if it has waited too
    long; what waits on may be offered a call.
    """
    if item.policy.overflow and _overflow(book, item):
        return
    if item.waits_until is not None and item.waits_until <= book.clock:
        book.close(item, ABANDONED, "waited_too_long")
        return
    offer_call(book, item)


def _overflow(book: Book, item: ItemRecord) -> bool:
    """Move an item if there is place where it is to go; later moments try again."""
    before, item.stepped = item.stepped, book.clock
    for step in item.policy.overflow if item.owner is None else ():
        moment = item.spec.enqueued_at + micros(step.after_s)
        if not before < moment <= book.clock:
            continue
        if not book.full(step.to_queue, now_in=item.spec.queue):
            book.move(item, book.queue(step.to_queue), "overflow")
            return True
        # One way less is left: maybe nobody can ever take it now.
        book.arrivals[item.id] = None
    book.timers.schedule(Timer.step, item.id)
    return False


def cancel(book: Book, command: ItemCancelled) -> None:
    """Finish an item from outside."""
    book.close(book.item(command.item), command.why)


def prioritise(book: Book, command: ItemPrioritised) -> None:
    """Change an item's priority class."""
    item = book.item(command.item)
    item.spec = replace(item.spec, priority=command.priority, by_hand=True)
    book.resort(item)


def move(book: Book, command: ItemMoved) -> None:
    """Give a waiting item another place among those of its queue."""
    item = book.item(command.item)
    if not book.index.holds(item.id):
        raise Refused("not_waiting", item.id, item.offer.agent if item.offer else item.owner)
    waiting = book.index.waiting(item.spec.queue, book.clock)
    line = [book.items[name] for name in waiting if name != item.id]
    place = min(max(command.place, 1) - 1, len(line))
    if not line or waiting.index(item.id) == place:
        return
    before = line[place - 1] if place else None
    beside = line[place] if place < len(line) else line[-1]
    if item.priority != beside.priority:
        item.spec = replace(item.spec, priority=beside.priority, by_hand=True)
    _rank(book, item, _between(before, line[place] if place < len(line) else None, beside))
    _make_room(book, item, line[place:])


def _rank(book: Book, item: ItemRecord, at: int) -> None:
    book.lift(item)
    item.spec = replace(item.spec, ahead=item.spec.enqueued_at - at)
    book.place(item)
    book.tell(ItemRanked(item.id))


def _make_room(book: Book, item: ItemRecord, behind: list[ItemRecord]) -> None:
    """Let those behind an item rank later where there is no moment between it and them."""
    at = item.spec.ranked_at
    for other in behind:
        if other.spec.ranked_at > at or other.priority != item.priority:
            return
        at += 1
        _rank(book, other, at)


def _between(before: ItemRecord | None, after: ItemRecord | None, beside: ItemRecord) -> int:
    """Return the time that ranks an item between two others, in the class of `beside`: just behind
    the first, if there is no moment between them.
    """
    at = beside.spec.ranked_at
    if after is None:
        return at + MICROS
    if before is None or before.priority != after.priority:
        return at - MICROS
    return max((before.spec.ranked_at + at) // 2, before.spec.ranked_at + 1)


# ---------------------------------------------------------------- offers


def accept(book: Book, command: OfferAccepted) -> None:
    """Make the agent who has the offer the owner."""
    book.accept(*_offered(book, command.offer, command.agent))


def decline(book: Book, command: OfferDeclined) -> None:
    """End the offer; the item goes on to others, and keeps away from the agent for a while.

    When everybody who could be offered it has declined, all but the last are asked again soon.
    """
    item, offer = _offered(book, command.offer, command.agent)
    book.close_offer(item, offer, DECLINED, command.reason)
    book.widen(item)
    if not (offer.transfer and item.owner is not None):
        keep_away(book, item, command.agent)
    book.go_on(item, offer)


def time_out(book: Book, item: ItemRecord) -> None:
    """End the offers that nobody answered in time; the item goes on to others."""
    due = [one for _, one in sorted(item.pending.items()) if one.deadline <= book.clock]
    for offer in due:
        agent = book.agents[offer.agent]
        book.close_offer(item, offer, TIMED_OUT)
        book.go_on(item, offer, let_pass=True)
        missed(book, agent, item.policy.misses)
        if agent.here and not offer.transfer and book.index.others_present(item, agent.id):
            keep_away(book, item, agent.id)


def keep_away(book: Book, item: ItemRecord, last: str) -> None:
    """Keep an item from who has let it pass. If that are all by now, all but the last are asked
    again.

    The more offers there were, the later: else desks that decline by themselves, or a team that
    looks away, would be asked without a pause for as long as it waits.
    """
    book.bar(item, last, item.policy.decline_block_s)
    pause = min(REST_S * item.offers, LONGEST_REST_S)
    for agent in book.index.exhausted(item):
        if agent != last and agent in item.blocks:
            item.blocks[agent] = min(item.blocks[agent], book.clock + micros(pause))
    book.timers.schedule(Timer.block, item.id)


def _offered(book: Book, offer: str, agent: str) -> tuple[ItemRecord, Offer]:
    """Return a pending offer and its item, refusing with what became of it otherwise."""
    book.agent(agent)
    name, _, number = offer.rpartition("-")
    if name not in book.items and name not in book.finished:
        raise Refused("unknown_offer", offer)
    item = book.item(name)
    for pending in item.pending.values():
        if pending.id == offer:
            if pending.agent != agent:
                raise Refused("not_yours", offer, pending.agent)
            return item, pending
    if not (number.isdecimal() and 1 <= int(number) <= item.offers):
        raise Refused("unknown_offer", offer)
    if item.owner is not None and item.transfer is None:
        raise Refused("taken", offer, item.owner)
    _, end = item.closed.get(int(number), (agent, WITHDRAWN))
    code = WITHDRAWN if end is ACCEPTED else end
    raise Refused(code.value, offer, item.offer.agent if item.offer else None)


# ---------------------------------------------------------------- the life of an assigned item


def heeds_text(item: ItemRecord) -> bool:
    """Tell whether one more text of the customer changes anything about an item.

    Not while it waits for somebody, and not while its owner owes an answer to an earlier text.
    """
    owed = item.paused_since is None and item.unanswered_since is not None
    settled = item.state is not WRAP_UP and not item.released
    return item.owner is not None and not (owed and settled)


def customer_wrote(book: Book, command: CustomerWrote) -> None:
    """Give the text to the owner at once; it takes released units back, even over capacity."""
    item = book.item(command.item)
    if item.owner is None:
        return
    item.paused_since = None
    if item.unanswered_since is None:
        item.unanswered_since = book.clock
    if item.state is WRAP_UP:
        book.hold(item, item.owner, ASSIGNED)
        book.tell(ItemResumed(item.id, item.owner))
    elif item.released:
        book.hold(item, item.owner, item.state)
    book.timers.schedule(Timer.absent, item.id)


def agent_replied(book: Book, command: AgentReplied) -> None:
    """Let the item wait for the customer; its units are released now or after a silence."""
    item = book.item(command.item)
    if item.owner is None:
        raise Refused("not_assigned", item.id)
    item.unanswered_since = None
    if item.state is WRAP_UP:
        return
    item.paused_since = book.clock
    if item.release_after() == 0:
        release(book, item)
    else:
        book.timers.schedule(Timer.release, item.id)


def release(book: Book, item: ItemRecord) -> None:
    """Give the owner the units back; the item stays theirs."""
    if not item.released:
        book.hold(item, item.owner, item.state, released=True)


def start_wrap_up(book: Book, command: WrapUpStarted) -> None:
    """End the contact; the units that the item holds stay held until the work ends."""
    item = book.owned(command.item)
    if item.owner != command.agent:
        raise Refused("not_yours", item.id, item.owner)
    refuse_open_call(item)
    end_transfer(book, item, "ended")
    if not item.policy.wrap_up:
        book.close(item, DONE)
        return
    item.paused_since = item.unanswered_since = None
    book.hold(item, item.owner, WRAP_UP, released=item.released)
    if item.policy.wrap_up_s:
        item.wrap_up_until = book.clock + micros(item.policy.wrap_up_s)
        book.timers.schedule(Timer.wrap_up, item.id)
    book.tell(ItemWrapUp(item.id, command.agent))


def extend_wrap_up(book: Book, command: WrapUpExtended) -> None:
    """Let a wrap-up that ends by itself end later."""
    item = book.item(command.item)
    if item.state is not WRAP_UP:
        raise Refused("not_in_wrap_up", item.id, item.owner)
    if item.wrap_up_until is None:
        raise Refused("no_limit", item.id)
    item.wrap_up_until += micros(command.seconds)
    book.timers.schedule(Timer.wrap_up, item.id)


def wrap_up_over(book: Book, item: ItemRecord) -> None:
    """End the work whose time for wrap-up has run out."""
    book.close(item, DONE, "wrap_up_over")


def end_work(book: Book, command: WorkEnded) -> None:
    """Finish an item that has an owner."""
    item = book.item(command.item)
    if item.owner is None:
        raise Refused("not_assigned", item.id)
    if command.wrapped_up and item.state is not WRAP_UP:
        raise Refused("customer_wrote", item.id, item.owner)
    refuse_open_call(item)
    book.close(item, DONE)


def redial(book: Book, command: Redialled) -> None:
    """Let the owner's call go on that had ended: they call the customer once more."""
    item = book.item(command.item)
    if item.owner != command.agent:
        raise Refused("not_yours", item.id, item.owner)
    if item.state is not WRAP_UP:
        raise Refused("not_in_wrap_up", item.id, item.owner)
    book.hold(item, item.owner, ASSIGNED)
    book.tell(ItemResumed(item.id, command.agent))


def requeue(book: Book, command: Requeued) -> None:
    """Take an item from its owner, who does not get it straight back while others could."""
    item = book.owned(command.item)
    owner = item.owner
    book.back_to_queue(item, command.why)
    keep_from(book, item, owner)


def call_ended(book: Book, command: CallEnded) -> None:
    """Let a call's work follow its end; who asked to be called back keeps the place."""
    item = book.item(command.item)
    if item.owner is None:
        if item.callback is not Callback.asked:
            untaken = CANCELLED if command.waits_on else ABANDONED
            book.close(item, DONE if item.taken else untaken)
    elif item.state is not WRAP_UP and item.callback is not Callback.asked:
        start_wrap_up(book, WrapUpStarted(item.id, item.owner))


def lost_owner(book: Book, item: ItemRecord) -> None:
    """Let an item wait again whose owner is gone. In a call the customer is on the line: it comes
    before all others.
    """
    book.back_to_queue(item, "owner_absent")
    if item.spec.exclusive and book.index.holds(item.id):
        move(book, ItemMoved(item.id, 1))


HANDLERS: dict[type, Callable[[Book, Any], None]] = {
    ItemEnqueued: enqueue,
    ItemCancelled: cancel,
    ItemPrioritised: prioritise,
    ItemMoved: move,
    OfferAccepted: accept,
    OfferDeclined: decline,
    CustomerWrote: customer_wrote,
    AgentReplied: agent_replied,
    WrapUpStarted: start_wrap_up,
    WrapUpExtended: extend_wrap_up,
    WorkEnded: end_work,
    Redialled: redial,
    Requeued: requeue,
    CallEnded: call_ended,
}
