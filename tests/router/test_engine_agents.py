"""Agents who come, go, vanish and return."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    Activity,
    AgentChanged,
    AgentLoadChanged,
    AgentRemoved,
    AgentReplied,
    AgentSpec,
    CallbackAsked,
    CallEnded,
    ConnectionChanged,
    CustomerWrote,
    ItemClosed,
    ItemState,
    ItemWaiting,
    ItemWrapUp,
    OfferAccepted,
    OfferClosed,
    Offered,
    OfferState,
    Presence,
    PresenceChanged,
    PresenceSet,
    QueuePolicy,
    WorkEnded,
    WrapUpStarted,
)
from tests.router.stage import Stage, only


@pytest.mark.parametrize("presence", [Presence.away, Presence.offline])
def test_leaving_withdraws_the_offer_and_the_item_goes_on_at_once(presence: Presence) -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.item("i1")
    made = stage.do(PresenceSet("a", presence, "lunch", "a"))
    assert only(OfferClosed, made) == [
        OfferClosed("i1-1", "i1", "a", OfferState.withdrawn, "presence")
    ]
    assert only(Offered, made)[0].agent == "b"
    assert stage.engine.load("a").reserved == 0


def test_work_stays_with_an_agent_who_leaves() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(PresenceSet("a", Presence.offline, "", "a"))
    assert stage.owner("i1") == "a"


def test_a_presence_is_told_once() -> None:
    stage = Stage()
    stage.agent("a")
    assert stage.do(PresenceSet("a", Presence.available, "", "a")) == []
    assert stage.do(ConnectionChanged("a", True)) == []


def test_without_a_connection_no_offer_comes_and_a_pending_one_runs_on() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    assert stage.do(ConnectionChanged("a", False)) == []
    stage.item("i2")
    assert stage.offered_to("i2") is None
    stage.now = 19
    stage.do(ConnectionChanged("a", True))
    assert stage.offered_to("i2") == "a"
    assert only(OfferClosed, stage.do(OfferAccepted("i1-1", "a")))[0].state is OfferState.accepted


def test_an_offer_that_nobody_could_see_is_no_miss() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    stage.do(ConnectionChanged("a", False))
    made = stage.after(20)
    assert only(OfferClosed, made)[0].state is OfferState.timed_out
    assert only(PresenceChanged, made) == []
    stage.do(ConnectionChanged("a", True))
    assert stage.offered_to("i1") == "a"


def test_a_lost_connection_makes_away_after_60_s_until_it_is_back() -> None:
    stage = Stage()
    stage.agent("a")
    stage.do(ConnectionChanged("a", False))
    assert stage.after(59.9) == []
    made = stage.after(0.1)
    assert made == [PresenceChanged("a", Presence.away, "connection", "system")]
    stage.item("i1")
    made = stage.do(ConnectionChanged("a", True))
    assert only(PresenceChanged, made) == [PresenceChanged("a", Presence.available, "", "system")]
    assert stage.offered_to("i1") == "a"


def test_a_connection_back_in_time_changes_nothing() -> None:
    stage = Stage()
    stage.agent("a")
    stage.do(ConnectionChanged("a", False))
    stage.now = 59
    assert stage.do(ConnectionChanged("a", True)) == []
    stage.do(ConnectionChanged("a", False))
    assert stage.after(59) == []


def test_a_connection_that_returns_does_not_end_lunch() -> None:
    stage = Stage()
    stage.agent("a")
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    stage.do(ConnectionChanged("a", False))
    assert stage.after(120) == []
    assert stage.do(ConnectionChanged("a", True)) == []


def test_available_without_a_desk_lasts_60_s() -> None:
    stage = Stage()
    stage.do(AgentChanged(AgentSpec("a", 0, serves={"q": 1})))
    stage.now = 300
    stage.do(PresenceSet("a", Presence.available, "", "a"))
    assert only(PresenceChanged, stage.after(60))[0].reason == "connection"


def test_an_unanswered_text_under_an_absent_owner_is_put_back() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b", {"x": 1})
    stage.assigned("i1")
    stage.now = 100
    stage.do(ConnectionChanged("a", False))
    stage.after(599)
    assert stage.owner("i1") == "a"
    made = stage.after(1)
    assert only(ItemWaiting, made) == [ItemWaiting("i1", "q", "owner_absent")]
    assert stage.engine.load("a").used == 0
    stage.do(ConnectionChanged("a", True))
    assert stage.offered_to("i1") == "a"


def test_a_text_to_an_absent_owner_waits_ten_minutes_from_the_text() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AgentReplied("i1"))
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    assert only(ItemWaiting, stage.after(3600)) == []
    stage.do(CustomerWrote("i1"))
    stage.do(PresenceSet("a", Presence.away, "training", "a"))
    assert only(ItemWaiting, stage.after(599)) == []
    assert only(ItemWaiting, stage.after(1))[0].why == "owner_absent"


def test_an_owner_who_returns_keeps_the_item() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    stage.after(599)
    stage.do(PresenceSet("a", Presence.available, "", "a"))
    assert only(ItemWaiting, stage.after(3600)) == []
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    assert only(ItemWaiting, stage.after(599)) == []
    assert only(ItemWaiting, stage.after(1)) != []


def test_a_call_is_never_put_back_for_silence() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("call", channel="voice", exclusive=True)
    stage.do(PresenceSet("a", Presence.away, "", "a"))
    assert only(ItemWaiting, stage.after(3600)) == []


def test_a_call_waits_thirty_seconds_for_a_desk_that_is_gone_and_is_first_then() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("call", channel="voice", exclusive=True)
    stage.after(1)
    stage.do(PresenceSet("a", Presence.away, "", "a"))
    stage.do(ConnectionChanged("a", False))
    assert only(ItemWaiting, stage.after(29)) == []
    stage.do(ConnectionChanged("a", True))
    assert only(ItemWaiting, stage.after(3600)) == []
    stage.do(ConnectionChanged("a", False))
    stage.item("other", channel="voice", exclusive=True, priority=1)
    assert only(ItemWaiting, stage.after(30))[0].why == "owner_absent"
    stage.agent("b")
    assert stage.offered_to("call") == "b"


def test_the_end_of_a_call_is_the_end_of_its_work() -> None:
    stage = Stage(QueuePolicy("q", "Queue", wrap_up=True))
    stage.item("waits", channel="voice", exclusive=True)
    assert only(ItemClosed, stage.do(CallEnded("waits")))[0].state is ItemState.abandoned
    stage.agent("a")
    stage.assigned("call", channel="voice", exclusive=True)
    assert only(ItemWrapUp, stage.do(CallEnded("call")))[0].agent == "a"
    assert stage.do(CallEnded("call")) == []
    stage.do(WorkEnded("call", wrapped_up=True))
    assert stage.refuse(CallEnded("call")).code == "finished"


def test_who_asked_to_be_called_back_may_hang_up() -> None:
    stage = Stage()
    stage.item("call", channel="voice", exclusive=True)
    stage.do(CallbackAsked("call"))
    assert stage.do(CallEnded("call")) == []
    stage.agent("a")
    assert stage.offered_to("call") == "a"


def test_removing_an_agent_loses_nothing() -> None:
    stage = Stage()
    stage.agent("a", units=3)
    stage.assigned("work")
    stage.assigned("wrap")
    stage.do(WrapUpStarted("wrap", "a"))
    stage.item("offer")
    made = stage.do(AgentRemoved("a"))
    assert only(OfferClosed, made)[0].state is OfferState.withdrawn
    assert only(ItemWaiting, made) == [ItemWaiting("work", "q", "agent_removed")]
    assert only(ItemClosed, made) == [ItemClosed("wrap", ItemState.done)]
    assert stage.engine.waiting("q") == ["offer", "work"]
    stage.agent("a")
    assert stage.offered_to("work") == "a"


def test_activity_follows_from_work() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    assert stage.engine.load("a").activity is Activity.idle
    (load,) = only(AgentLoadChanged, stage.do(OfferAccepted("i1-1", "a")))
    assert load.activity is Activity.busy
    (load,) = only(AgentLoadChanged, stage.do(WrapUpStarted("i1", "a")))
    assert (load.activity, load.used) == (Activity.wrap_up, 1)
    (load,) = only(AgentLoadChanged, stage.do(WorkEnded("i1")))
    assert (load.activity, load.used) == (Activity.idle, 0)
