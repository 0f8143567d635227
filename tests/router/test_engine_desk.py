"""Being away after the present work, and wrap-up that ends by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from madoguchi.model.routing import (
    AgentReplied,
    Assigned,
    AwayReserved,
    AwayTakenBack,
    ConfigurationChanged,
    ConnectionChanged,
    CustomerWrote,
    ItemClosed,
    ItemResumed,
    ItemState,
    OfferAccepted,
    OfferDeclined,
    Offered,
    Presence,
    PresenceChanged,
    PresenceSet,
    QueuePolicy,
    Requeued,
    TimePassed,
    TransferredToAgent,
    WorkEnded,
    WrapUpExtended,
    WrapUpStarted,
)
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only

LIMITED = QueuePolicy("q", "Queue", wrap_up_s=60)
LEFT = PresenceChanged("a", Presence.away, "lunch", "system")


def presence(stage: Stage, agent: str = "a") -> tuple[Presence, str, str | None]:
    facts = stage.engine.agent(agent)
    assert facts is not None
    return facts.presence, facts.reason, facts.away_after


def test_nothing_is_offered_from_now_on_and_the_last_end_of_work_makes_away() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.assigned("i2")
    assert stage.do(AwayReserved("a", "lunch")) == []
    assert presence(stage) == (Presence.available, "", "lunch")
    stage.item("i3")
    assert stage.offered_to("i3") is None
    assert [c.obstacle for c in stage.engine.explain("i3").candidates] == ["leaving"]
    stage.do(WorkEnded("i1"))
    stage.do(WrapUpStarted("i2", "a"))
    assert presence(stage)[0] is Presence.available
    assert only(PresenceChanged, stage.do(WorkEnded("i2"))) == [LEFT]
    assert presence(stage) == (Presence.away, "lunch", None)
    assert stage.offered_to("i3") is None


def test_without_work_it_is_away_at_once() -> None:
    stage = Stage()
    stage.agent("a")
    assert only(PresenceChanged, stage.do(AwayReserved("a", "lunch"))) == [LEFT]


def test_a_pending_offer_runs_to_its_end() -> None:
    for answer in (OfferDeclined("i1-1", "a"), OfferAccepted("i1-1", "a")):
        stage = Stage()
        stage.agent("a")
        stage.item("i1")
        stage.do(AwayReserved("a", "lunch"))
        assert stage.offered_to("i1") == "a"
        made = stage.do(answer)
        if isinstance(answer, OfferAccepted):
            assert presence(stage)[0] is Presence.available
            made = stage.do(WorkEnded("i1"))
        assert only(PresenceChanged, made) == [LEFT]


def test_a_missed_offer_makes_missed_and_cancels_the_reservation() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.after(20)
    assert presence(stage) == (Presence.missed, "", None)


def test_what_only_waits_for_the_customer_keeps_nobody() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1", channel="sms")
    stage.assigned("i2", channel="chat")
    stage.do(AgentReplied("i1"))
    stage.do(AwayReserved("a", "lunch"))
    stage.do(AgentReplied("i2"))
    assert presence(stage)[0] is Presence.available
    assert only(PresenceChanged, stage.after(600)) == [LEFT]
    assert stage.owner("i1") == stage.owner("i2") == "a"


def test_a_text_of_the_own_customer_still_comes_and_keeps_the_agent() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1", channel="sms")
    stage.assigned("i2", channel="sms")
    stage.do(AgentReplied("i1"))
    stage.do(AwayReserved("a", "lunch"))
    stage.do(CustomerWrote("i1"))
    stage.do(WorkEnded("i2"))
    assert presence(stage)[0] is Presence.available
    stage.do(AgentReplied("i1"))
    assert presence(stage) == (Presence.away, "lunch", None)


def test_taken_back_it_is_as_before() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.item("i2")
    assert only(Offered, stage.do(AwayTakenBack("a")))[0].item == "i2"
    assert stage.do(AwayTakenBack("a")) == []


@pytest.mark.parametrize(
    "setting",
    [
        PresenceSet("a", Presence.available, "", "a"),
        PresenceSet("a", Presence.away, "training", "sv"),
    ],
)
def test_setting_any_presence_cancels_it(setting: PresenceSet) -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.do(setting)
    stage.do(WorkEnded("i1"))
    assert presence(stage) == (setting.presence, setting.reason, None)


def test_a_lost_connection_does_not_cancel_it() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.do(ConnectionChanged("a", connected=False))
    stage.after(60)
    assert presence(stage) == (Presence.away, "connection", "lunch")
    stage.do(ConnectionChanged("a", connected=True))
    assert presence(stage) == (Presence.available, "", "lunch")
    stage.do(WorkEnded("i1"))
    assert presence(stage) == (Presence.away, "lunch", None)


def test_who_leaves_is_not_absent_and_gets_no_transfer() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("b")
    stage.do(AwayReserved("a", "lunch"))
    stage.after(3_600)
    assert stage.owner("i1") == "a"
    stage.item("i2")
    stage.do(OfferAccepted("i2-1", "b"))
    assert stage.refuse(TransferredToAgent("i2", "a", "b")).code == "not_available"


def test_who_leaves_does_not_count_as_somebody_else() -> None:
    stage = Stage()
    stage.agent("b")
    stage.assigned("i1")
    stage.agent("a")
    stage.do(AwayReserved("b", "lunch"))
    stage.item("i3")
    assert stage.offered_to("i3") == "a"
    stage.do(OfferAccepted("i3-1", "a"))
    stage.do(Requeued("i3", "supervisor"))
    assert stage.offered_to("i3") == "a"


def test_only_who_is_available_can_reserve_it() -> None:
    stage = Stage()
    stage.agent("a")
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    assert stage.refuse(AwayReserved("a", "lunch")).code == "not_receiving"
    assert stage.refuse(AwayReserved("nobody", "")).code == "unknown_agent"
    assert stage.refuse(AwayTakenBack("nobody")).code == "unknown_agent"


def test_the_reservation_survives_a_restart() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.engine = Engine.restore(stage.engine.state(), START)
    stage.item("i2")
    assert stage.offered_to("i2") is None
    assert only(PresenceChanged, stage.do(WorkEnded("i1"))) == [LEFT]


# ---------------------------------------------------------------- wrap-up with a limit


def wrapping(stage: Stage) -> None:
    stage.agent("a", units=1)
    stage.assigned("i1")
    stage.do(WrapUpStarted("i1", "a"))


def until(stage: Stage) -> float | None:
    item = stage.engine.item("i1")
    assert item is not None
    return None if item.wrap_up_until is None else (item.wrap_up_until - START) / 1e6


def test_when_the_time_runs_out_the_work_ends_and_the_agent_is_free() -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    stage.item("i2")
    assert until(stage) == 60
    assert stage.engine.next_due() == START + 60_000_000
    assert stage.after(59.9) == []
    made = stage.after(0.1)
    assert only(ItemClosed, made) == [ItemClosed("i1", ItemState.done, "wrap_up_over")]
    assert only(Offered, made)[0].agent == "a"


def test_thirty_seconds_more_as_often_as_asked_for() -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    stage.after(59)
    stage.do(WrapUpExtended("i1", 30))
    stage.do(WrapUpExtended("i1", 30))
    assert until(stage) == 120
    stage.after(60)
    assert stage.owner("i1") == "a"
    assert only(ItemClosed, stage.after(1)) != []


def test_a_text_stops_the_countdown() -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    assert only(ItemResumed, stage.do(CustomerWrote("i1"))) == [ItemResumed("i1", "a")]
    assert until(stage) is None
    stage.after(600)
    assert stage.owner("i1") == "a"
    stage.do(WrapUpStarted("i1", "a"))
    assert until(stage) == 660


def test_without_a_limit_nothing_ends_and_nothing_is_extended() -> None:
    stage = Stage()
    wrapping(stage)
    assert until(stage) is None
    stage.after(86_400)
    assert stage.owner("i1") == "a"
    assert stage.refuse(WrapUpExtended("i1", 30)).code == "no_limit"


def test_only_a_wrap_up_is_extended() -> None:
    stage = Stage(LIMITED)
    stage.agent("a")
    assert stage.refuse(WrapUpExtended("i1", 30)).code == "unknown_item"
    stage.assigned("i1")
    assert stage.refuse(WrapUpExtended("i1", 30)).code == "not_in_wrap_up"


def test_a_new_limit_is_for_the_next_wrap_up() -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    stage.do(ConfigurationChanged((replace(LIMITED, wrap_up_s=5),)))
    assert until(stage) == 60


@pytest.mark.parametrize(("down", "ends"), [(10, False), (90, True)])
def test_the_countdown_survives_a_restart(down: float, ends: bool) -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    stage.now += down
    stage.engine = Engine.restore(stage.engine.state(), START + round(stage.now * 1e6))
    assert bool(only(ItemClosed, stage.do(TimePassed()))) is ends
    assert bool(only(ItemClosed, stage.after(60 - down if not ends else 0))) is not ends


def test_the_end_of_the_wrap_up_lets_a_reserved_away_begin() -> None:
    stage = Stage(LIMITED)
    wrapping(stage)
    stage.do(AwayReserved("a", "lunch"))
    assert only(PresenceChanged, stage.after(60)) == [LEFT]


def test_a_pull_keeps_who_leaves() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.item("i2")
    stage.do(Assigned("i2", "a", "a"))
    stage.do(WorkEnded("i1"))
    assert presence(stage) == (Presence.available, "", "lunch")


def test_a_limit_below_zero_cannot_be() -> None:
    with pytest.raises(ValueError, match="negative"):
        QueuePolicy("q", "Queue", wrap_up_s=-1)


def test_who_leaves_after_work_that_a_colleague_takes_over_is_away_at_once() -> None:
    stage = Stage(QueuePolicy("q", "Q", auto_accept=True, misses=9))
    stage.agent("a")
    stage.item("i1")
    stage.do(AwayReserved("a", "lunch"))
    stage.agent("b")
    stage.do(TransferredToAgent("i1", "b"))
    made = stage.after(60)
    assert stage.owner("i1") == "b", "it waited for the queue and went to the same colleague"
    assert [(one.agent, one.reason) for one in only(PresenceChanged, made)] == [("a", "lunch")]
