"""Calls that customers ask for instead of waiting before their screen, and work that is put aside:
one function per command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from madoguchi.model.routing import (
    Callback,
    CallbackAsked,
    CallbackCancelled,
    CallbackGivenUp,
    CallbackMissed,
    CallbackReached,
    ItemCallback,
    ItemResumed,
    Parked,
    Preference,
    Refused,
    micros,
)
from router.engine.book import Book
from router.engine.names import ASSIGNED, DONE, WRAP_UP
from router.engine.records import ItemRecord
from router.engine.timers import Timer


def offer_call(book: Book, item: ItemRecord) -> None:
    """Offer the customer a call, once, if the moment to do so has come and nobody took the item."""
    due = item.callback_due()
    if due is not None and due <= book.clock:
        _become(book, item, Callback.offered)


def ask(book: Book, command: CallbackAsked) -> None:
    """Let an item wait for the call that its customer wants, whoever has it by now; in wrap-up it
    goes back to its owner, as it does when the customer writes.
    """
    item = book.item(command.item)
    if item.callback in {Callback.asked, Callback.reached}:
        return
    if item.state is WRAP_UP and item.owner is not None:
        book.hold(item, item.owner, ASSIGNED)
        book.tell(ItemResumed(item.id, item.owner))
    item.waits_until = None
    _become(book, item, Callback.asked)


def cancel(book: Book, command: CallbackCancelled) -> None:
    """Let an item wait as others do; one that rests between two calls waits at once."""
    item = book.item(command.item)
    if item.callback is not Callback.asked:
        return
    item.callback = Callback.offered
    if item.owner is None:
        item.limit_wait(book.clock)
    _become(book, item, Callback.offered)
    if item.resting:
        item.spec = replace(item.spec, not_before=0)
        wake(book, item)


def reach(book: Book, command: CallbackReached) -> None:
    """Let the call count as the customer's answer; from now on it is work like any other."""
    _become(book, _called(book, command.item, command.agent), Callback.reached)


def miss(book: Book, command: CallbackMissed) -> None:
    """Let the item rest until the next call, which the same agent is asked to make first."""
    item = _called(book, command.item, command.agent)
    if item.calls + 1 >= item.policy.callback_attempts:
        raise Refused("no_more_calls", item.id, command.agent)
    item.calls += 1
    item.spec = replace(
        item.spec,
        not_before=book.clock + micros(item.policy.callback_retry_s),
        preferred=command.agent,
        preference=Preference.last_owner,
    )
    book.back_to_queue(item, "callback_missed")


def park(book: Book, command: Parked) -> None:
    """Put an item aside for a while."""
    item = book.owned(command.item)
    if item.owner != command.agent:
        raise Refused("not_yours", item.id, item.owner)
    if item.state is WRAP_UP:
        raise Refused("not_assigned", item.id)
    item.spec = replace(
        item.spec,
        not_before=book.clock + micros(command.seconds),
        preferred=command.agent,
        preference=Preference.last_owner,
    )
    book.back_to_queue(item, "parked")


def give_up(book: Book, command: CallbackGivenUp) -> None:
    """End the work on a customer who could not be reached."""
    item = _called(book, command.item, command.agent)
    book.close(item, DONE, "callback_given_up")


def wake(book: Book, item: ItemRecord) -> None:
    """Let a resting item wait again, with the age that it has; it stays in its queue."""
    book.lift(item)
    book.wait(item)
    item.stepped = book.clock
    book.timers.schedule(Timer.step, item.id)


def refuse_open_call(item: ItemRecord) -> None:
    """Refuse to end work whose customer waits for a call: what came of it must be said first."""
    if item.callback is Callback.asked:
        raise Refused("callback_open", item.id, item.owner)


def _become(book: Book, item: ItemRecord, callback: Callback) -> None:
    """The steps that are still to come are not the same any more."""
    item.callback = callback
    book.timers.schedule(Timer.step, item.id)
    book.tell(ItemCallback(item.id, callback))


def _called(book: Book, name: str, agent: str) -> ItemRecord:
    """Return an item whose customer its owner was to call."""
    item = book.owned(name)
    if item.owner != agent:
        raise Refused("not_yours", item.id, item.owner)
    if item.callback is not Callback.asked:
        raise Refused("no_callback", item.id, item.owner)
    return item


HANDLERS: dict[type, Callable[[Book, Any], None]] = {
    CallbackAsked: ask,
    CallbackCancelled: cancel,
    CallbackReached: reach,
    CallbackMissed: miss,
    CallbackGivenUp: give_up,
    Parked: park,
}
