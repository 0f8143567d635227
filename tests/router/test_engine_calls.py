"""Calls instead of waiting: offered once, kept in the line, tried again at their moment."""

from __future__ import annotations

from typing import Any

import pytest

from madoguchi.model.routing import (
    MICROS,
    Assigned,
    Callback,
    CallbackAsked,
    CallbackCancelled,
    CallbackGivenUp,
    CallbackMissed,
    CallbackReached,
    ItemCallback,
    ItemCancelled,
    ItemClosed,
    ItemState,
    ItemWaiting,
    OfferAccepted,
    Offered,
    Overflow,
    Parked,
    Presence,
    PresenceSet,
    QueuePolicy,
    Requeued,
    TransferredToQueue,
    WorkEnded,
    WrapUpStarted,
)
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only


def queue(**policy: Any) -> QueuePolicy:
    return QueuePolicy("q", "Queue", **{"callback_after_s": 120, **policy})


def asked(stage: Stage, name: str = "i") -> None:
    """An item whose customer wants to be called."""
    stage.item(name)
    stage.do(CallbackAsked(name))


def called(stage: Stage, name: str = "i", agent: str = "a") -> None:
    """The agent has accepted the item."""
    offer = next(offer for offer in stage.engine.state().offers if offer.item == name)
    stage.do(OfferAccepted(offer.id, agent))


def callback(stage: Stage, name: str = "i") -> Callback | None:
    found = stage.engine.item(name)
    return found.callback if found is not None else None


def test_who_waits_is_offered_a_call_once() -> None:
    stage = Stage(queue())
    stage.item("i")
    assert only(ItemCallback, stage.after(119.9)) == []
    assert only(ItemCallback, stage.after(0.1)) == [ItemCallback("i", Callback.offered)]
    assert only(ItemCallback, stage.after(600)) == []
    assert stage.engine.waiting("q") == ["i"]


def test_whom_an_agent_takes_at_that_moment_is_offered_none() -> None:
    stage = Stage(queue())
    stage.agent("a")
    stage.do(PresenceSet("a", Presence.away, "", "a"))
    stage.item("i")
    stage.now = 120
    made = stage.do(PresenceSet("a", Presence.available, "", "a"))
    assert only(ItemCallback, made) == [ItemCallback("i", Callback.offered)], "time goes first"
    stage.item("j")
    assert stage.offered_to("j") == "a"
    assert only(ItemCallback, stage.after(10)) == []


def test_who_is_on_offer_is_offered_a_call_when_nobody_takes_them() -> None:
    stage = Stage(queue(offer_timeout_s=200))
    stage.agent("a")
    stage.item("i")
    assert only(ItemCallback, stage.after(130)) == []
    made = stage.after(70)
    assert only(ItemCallback, made) == [ItemCallback("i", Callback.offered)]


def test_asking_keeps_place_age_and_class_and_ends_the_limit() -> None:
    stage = Stage(queue(max_wait_s=300))
    for name in ("i", "j", "k"):
        stage.item(name)
        stage.now += 1
    stage.do(CallbackAsked("j"))
    assert stage.engine.waiting("q") == ["i", "j", "k"]
    closed = only(ItemClosed, stage.after(600))
    assert [one.item for one in closed] == ["i", "k"]
    stage.agent("a")
    assert stage.offered_to("j") == "a"


def test_later_steps_come_to_who_has_asked_early() -> None:
    stage = Stage(queue(overflow=(Overflow(300, "r"),)), QueuePolicy("r", "Other"))
    asked(stage)
    moved = only(ItemWaiting, stage.after(300))
    assert moved == [ItemWaiting("i", "r", "overflow")]


def test_a_cancelled_wish_waits_as_others_do() -> None:
    stage = Stage(queue(max_wait_s=300))
    asked(stage)
    stage.after(1000)
    assert stage.do(CallbackCancelled("i")) == [ItemCallback("i", Callback.offered)]
    assert stage.do(CallbackCancelled("i")) == []
    assert only(ItemClosed, stage.after(299)) == []
    assert [one.why for one in only(ItemClosed, stage.after(1))] == ["waited_too_long"]


def test_what_came_of_a_call_is_said_before_the_end() -> None:
    stage = Stage(queue())
    stage.agent("a")
    asked(stage)
    called(stage)
    assert stage.refuse(WrapUpStarted("i", "a")).code == "callback_open"
    assert stage.refuse(WorkEnded("i")).code == "callback_open"
    assert stage.refuse(CallbackReached("i", "b")).code == "not_yours"
    assert stage.do(CallbackReached("i", "a")) == [ItemCallback("i", Callback.reached)]
    assert stage.refuse(CallbackMissed("i", "a")).code == "no_callback"
    stage.do(WrapUpStarted("i", "a"))
    assert stage.refuse(CallbackGivenUp("i", "a")).code == "finished"
    assert only(ItemClosed, stage.do(WorkEnded("i"))) == [ItemClosed("i", ItemState.done)]


def test_a_call_in_vain_rests_and_comes_back_to_the_front() -> None:
    stage = Stage(queue(callback_retry_s=900))
    stage.agent("a", units=1)
    asked(stage)
    called(stage)
    stage.now = 100
    made = stage.do(CallbackMissed("i", "a"))
    assert only(ItemWaiting, made) == [ItemWaiting("i", "q", "callback_missed")]
    assert only(Offered, made) == []
    assert stage.engine.position("i") is None
    full = stage.engine.explain("i")
    assert [one.obstacle for one in full.candidates] == ["not_yet"]
    stage.assigned("j")
    for name in ("k", "l"):
        stage.item(name)
    assert only(Offered, stage.after(899.9)) == []
    stage.after(0.1)
    assert stage.engine.waiting("q") == ["i", "k", "l"]
    stage.do(WorkEnded("j"))
    assert stage.offered_to("i") == "a"


def test_the_same_agent_is_asked_first_for_a_while() -> None:
    stage = Stage(queue(callback_retry_s=60, preferred_wait_s=30))
    stage.agent("a", units=1)
    asked(stage)
    called(stage)
    stage.do(CallbackMissed("i", "a"))
    stage.assigned("j")
    stage.agent("b")
    assert stage.after(60) == []
    assert stage.engine.explain("i").candidates[-1].obstacle == "kept_for:a"
    stage.after(29.9)
    assert stage.offered_to("i") is None
    stage.after(0.1)
    assert stage.offered_to("i") == "b"


def test_after_so_many_calls_there_is_no_other() -> None:
    stage = Stage(queue(callback_retry_s=60, callback_attempts=2))
    stage.agent("a")
    asked(stage)
    called(stage)
    stage.do(CallbackMissed("i", "a"))
    stage.after(60)
    called(stage)
    assert stage.refuse(CallbackMissed("i", "a")).code == "no_more_calls"
    (end,) = only(ItemClosed, stage.do(CallbackGivenUp("i", "a")))
    assert (end.state, end.why) == (ItemState.done, "callback_given_up")


@pytest.mark.parametrize("chatting", [False, True])
def test_who_takes_the_wish_back_while_it_rests_waits_at_once(chatting: bool) -> None:
    stage = Stage(queue(callback_retry_s=900))
    stage.agent("a", units=1)
    asked(stage)
    called(stage)
    stage.do(CallbackMissed("i", "a"))
    if chatting:
        stage.assigned("j")
    stage.do(CallbackCancelled("i"))
    assert stage.offered_to("i") == (None if chatting else "a")
    assert stage.engine.waiting("q") == (["i"] if chatting else [])


def test_a_wish_in_wrap_up_brings_the_work_back() -> None:
    stage = Stage(queue())
    stage.agent("a")
    stage.assigned("i")
    stage.do(WrapUpStarted("i", "a"))
    stage.do(CallbackAsked("i"))
    item = stage.engine.item("i")
    assert item is not None
    assert (item.state, item.owner, item.callback) == (ItemState.assigned, "a", Callback.asked)


def test_a_person_may_take_what_rests_and_move_it() -> None:
    other = QueuePolicy("r", "Other")
    stage = Stage(queue(callback_retry_s=900, overflow=(Overflow(500, "r"),)), other)
    stage.agent("a", {"q": 1, "r": 1})
    for name in ("i", "j"):
        asked(stage, name)
        called(stage, name)
        stage.do(CallbackMissed(name, "a"))
    stage.do(Assigned("i", "a", "a"))
    item = stage.engine.item("i")
    assert item is not None
    assert (item.owner, item.spec.not_before) == ("a", 0)
    stage.do(TransferredToQueue("j", "r", "sv"))
    assert stage.offered_to("j") is None, "it rests there, too"
    stage.after(900)
    assert stage.offered_to("j") == "a"


def test_what_rests_is_restored_and_can_be_cancelled() -> None:
    stage = Stage(
        queue(callback_retry_s=900, overflow=(Overflow(500, "r"),)), QueuePolicy("r", "R")
    )
    stage.agent("a")
    asked(stage)
    called(stage)
    stage.do(CallbackMissed("i", "a"))
    at = START + 901 * MICROS
    stage.engine = Engine.restore(stage.engine.state(), at)
    assert stage.offered_to("i") is None
    stage.now = 901
    stage.after(0)
    assert stage.offered_to("i") == "a"
    stage.do(ItemCancelled("i"))
    assert stage.engine.item("i") is None


def test_calls_that_cannot_be_are_refused() -> None:
    for wrong in (
        {"callback_after_s": -1},
        {"callback_retry_s": 0},
        {"callback_attempts": 0},
    ):
        with pytest.raises(ValueError, match="call"):
            queue(**wrong)


def test_what_is_parked_rests_and_comes_back_to_who_parked_it() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("call", channel="voice", exclusive=True)
    stage.agent("b")
    assert stage.refuse(Parked("call", "b", 60)).code == "not_yours"
    stage.do(Parked("call", "a", 60))
    assert stage.offered_to("call") is None
    stage.after(59)
    assert stage.offered_to("call") is None
    stage.after(1)
    assert stage.offered_to("call") == "a"


def test_what_is_parked_can_be_pulled() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("call", channel="voice", exclusive=True)
    stage.agent("b")
    stage.do(Parked("call", "a", 60))
    stage.do(Assigned("call", "b", "b"))
    assert stage.owner("call") == "b"
    stage.do(Requeued("call", "given back"))
    assert stage.offered_to("call") == "a", "what was picked up does not rest any more"
