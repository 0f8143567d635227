"""Rings, overflow, waiting rooms and reserves, one behaviour a test."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    ConfigurationChanged,
    Decision,
    ItemBlocked,
    ItemClosed,
    ItemState,
    ItemWaiting,
    Limit,
    Offered,
    Overflow,
    Presence,
    PresenceSet,
    QueuePolicy,
    Refused,
    Requeued,
    Reserve,
    Ring,
    TransferredToQueue,
    WorkEnded,
)
from tests.router.stage import Stage, only

WIDENING = QueuePolicy(
    "q",
    "Queue",
    {"ja": 5},
    rings=(Ring(10, relax={"vip": 0}), Ring(30, relax={"ja": 2}), Ring(60, add_teams=("night",))),
)


def test_a_ring_lets_in_who_was_not_skilled_enough() -> None:
    stage = Stage(WIDENING)
    stage.agent("a", skills={"ja": 3})
    stage.item("i1")
    assert stage.offered_to("i1") is None
    stage.after(29.9)
    assert stage.offered_to("i1") is None
    # The ring before asked for nothing that was asked: this one counts all the same.
    stage.after(0.1)
    assert stage.offered_to("i1") == "a"


def test_a_team_that_a_ring_adds_serves_at_the_last_level() -> None:
    stage = Stage(QueuePolicy("q", "Q", rings=(Ring(5, add_teams=("night",)),), last_level=3))
    stage.agent("a", {"other": 1}, teams=("night",))
    stage.item("i1")
    assert stage.offered_to("i1") is None
    made = stage.after(5)
    assert stage.offered_to("i1") == "a"
    assert next(one.explanation.rank[0] for one in made if hasattr(one, "explanation")) == 3


def test_a_ring_raises_what_waits_over_others() -> None:
    raised = QueuePolicy("q", "Q", priority=5, rings=(Ring(30, priority=1),))
    stage = Stage(raised, QueuePolicy("r", "R", priority=3))
    stage.item("old")
    stage.after(20)
    stage.item("new", queue="r")
    stage.after(11)
    stage.agent("a", {"q": 1, "r": 1}, units=1)
    assert stage.offered_to("old") == "a"


def overflowing(**more: object) -> tuple[QueuePolicy, QueuePolicy]:
    return (
        QueuePolicy("q", "Q", overflow=(Overflow(30, "r"),)),
        QueuePolicy("r", "R", **more),  # type: ignore[arg-type]
    )


def test_what_nobody_takes_overflows_with_its_age() -> None:
    stage = Stage(*overflowing())
    stage.item("i1")
    made = stage.after(30)
    assert only(ItemWaiting, made) == [ItemWaiting("i1", "r", "overflow")]
    stage.agent("a", {"r": 1})
    assert stage.offered_to("i1") == "a"
    found = stage.engine.item("i1")
    assert found is not None
    assert found.spec.enqueued_at == stage.engine.state().clock - 30_000_000


def test_an_overflow_stays_where_its_target_is_full() -> None:
    stage = Stage(*overflowing(max_waiting=1))
    stage.item("full", queue="r")
    stage.item("i1")
    assert only(ItemWaiting, stage.after(30)) == []
    assert stage.engine.waiting("q") == ["i1"]


def test_what_was_on_offer_at_its_moment_overflows_when_it_comes_back() -> None:
    stage = Stage(*overflowing())
    stage.agent("a")
    stage.after(15)
    stage.item("i1")
    stage.after(15)
    assert stage.offered_to("i1") == "a"
    stage.after(5)
    made = stage.do(PresenceSet("a", Presence.away, "", "a"))
    assert only(ItemWaiting, made) == []
    assert only(ItemWaiting, stage.after(10)) == [ItemWaiting("i1", "r", "overflow")]


def test_overflows_may_follow_each_other_at_once() -> None:
    stage = Stage(
        QueuePolicy("q", "Q", overflow=(Overflow(30, "r"),)),
        QueuePolicy("r", "R", overflow=(Overflow(20, "s"),)),
        QueuePolicy("s", "S"),
    )
    stage.item("i1")
    assert [one.queue for one in only(ItemWaiting, stage.after(30))] == ["r", "s"]


def test_whom_a_person_transferred_does_not_leave_for_what_is_over() -> None:
    stage = Stage(QueuePolicy("s", "S"), *overflowing())
    stage.item("i1", queue="s")
    stage.after(60)
    made = stage.do(TransferredToQueue("i1", "q", "sv", ""))
    assert [one.queue for one in only(ItemWaiting, made)] == ["q"]


def test_what_comes_back_to_its_queue_too_late_overflows() -> None:
    stage = Stage(*overflowing())
    stage.agent("a", units=1)
    stage.assigned("i1")
    stage.after(60)
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    made = stage.do(Requeued("i1", "signed_out"))
    assert [one.queue for one in only(ItemWaiting, made)] == ["q", "r"]


def test_a_new_item_is_refused_a_place_only_after_it_looked_for_an_agent() -> None:
    stage = Stage(QueuePolicy("q", "Q", max_waiting=1))
    stage.agent("a", units=1)
    assert stage.assigned("i1") == "a"
    assert only(ItemClosed, stage.item("i2")) == []
    assert only(ItemClosed, stage.item("i3")) == [ItemClosed("i3", ItemState.cancelled, "full")]
    stage.do(WorkEnded("i1"))
    assert stage.offered_to("i2") == "a"
    assert only(ItemClosed, stage.item("i4")) == [], "what is on offer does not wait"


def test_what_finds_no_place_goes_where_its_queue_sends_it() -> None:
    stage = Stage(
        QueuePolicy("q", "Q", max_waiting=1, full_to="r"),
        QueuePolicy("r", "R", max_waiting=1, full_to="s"),
        QueuePolicy("s", "S", max_waiting=0),
    )
    for name in ("i1", "i2"):
        assert only(ItemClosed, stage.item(name)) == []
    assert (stage.engine.waiting("q"), stage.engine.waiting("r")) == (["i1"], ["i2"])
    stage.agent("a", {"s": 1}, units=1)
    made = stage.item("i3")
    assert [(one.queue, one.why) for one in only(ItemWaiting, made)] == [
        ("r", "full"),
        ("s", "full"),
    ]
    assert [one.agent for one in only(Offered, made)] == ["a"], "who is free there takes it"
    refused = stage.item("i4")
    assert only(ItemClosed, refused) == [ItemClosed("i4", ItemState.cancelled, "full")]


def test_full_queues_that_pass_on_in_a_circle_are_refused() -> None:
    stage = Stage()
    circle = (QueuePolicy("q", "Q", full_to="r"), QueuePolicy("r", "R", full_to="q"))
    assert stage.refuse(ConfigurationChanged(circle)).code == "overflow_loop"
    nowhere = (QueuePolicy("q", "Q", full_to="x"),)
    assert stage.refuse(ConfigurationChanged(nowhere)).code == "unknown_queue"
    with pytest.raises(ValueError, match="into itself"):
        QueuePolicy("q", "Q", full_to="q")


def test_a_wait_ends_when_nobody_has_taken_it_in_time() -> None:
    stage = Stage(QueuePolicy("q", "Q", max_wait_s=60, offer_timeout_s=20))
    stage.item("i1")
    assert stage.after(59.9) == []
    assert only(ItemClosed, stage.after(0.1)) == [
        ItemClosed("i1", ItemState.abandoned, "waited_too_long")
    ]
    stage.item("i2")
    stage.after(55)
    stage.agent("a")
    assert stage.offered_to("i2") == "a"
    assert only(ItemClosed, stage.after(19)) == [], "what is on offer is not taken back"
    assert [one.why for one in only(ItemClosed, stage.after(2))] == ["waited_too_long"]


def test_what_somebody_has_had_waits_as_long_as_it_must() -> None:
    stage = Stage(QueuePolicy("q", "Q", max_wait_s=60))
    stage.agent("a")
    stage.assigned("i1")
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    stage.do(Requeued("i1", "signed_out"))
    assert only(ItemClosed, stage.after(3600)) == []
    stage.item("night", patient=True)
    assert only(ItemClosed, stage.after(3600)) == []


def test_an_overflow_begins_the_time_anew_and_comes_first() -> None:
    queues = (
        QueuePolicy("q", "Q", max_wait_s=60, overflow=(Overflow(60, "r"),)),
        QueuePolicy("r", "R", max_wait_s=30),
    )
    stage = Stage(*queues)
    stage.item("i1")
    assert [one.queue for one in only(ItemWaiting, stage.after(60))] == ["r"]
    assert stage.after(29) == []
    assert [one.why for one in only(ItemClosed, stage.after(1))] == ["waited_too_long"]


def test_a_changed_limit_moves_the_end_but_ends_nothing_itself() -> None:
    def limited(seconds: float) -> ConfigurationChanged:
        return ConfigurationChanged((QueuePolicy("q", "Q", max_wait_s=seconds),))

    stage = Stage(QueuePolicy("q", "Q", max_wait_s=600))
    stage.item("i1")
    stage.after(300)
    stage.do(limited(60))
    assert only(ItemClosed, stage.after(299)) == [], "it keeps the limit with which it came"
    stage.do(limited(900))
    assert only(ItemClosed, stage.after(200)) == []
    stage.do(limited(0))
    assert only(ItemClosed, stage.after(86_400)) == []


def test_queues_may_share_a_waiting_room() -> None:
    stage = Stage()
    queues = (QueuePolicy("q", "Q"), QueuePolicy("r", "R"))
    stage.do(ConfigurationChanged(queues, limits=(Limit(("q", "r"), 2),)))
    stage.item("i1")
    stage.item("i2", queue="r")
    assert only(ItemClosed, stage.item("i3"))[0].why == "full"


def test_a_reserve_keeps_agents_for_the_main_work() -> None:
    stage = Stage(QueuePolicy("q", "Q"), QueuePolicy("low", "Low"))
    for name in "abc":
        stage.agent(
            name,
            {"q": 1, "low": 2},
            teams=("t",),
            keep_free={"low": Reserve("t", 2)},
            units=1,
        )
    assert stage.assigned("l1", queue="low") == "a"
    stage.item("l2", queue="low")
    assert stage.offered_to("l2") is None
    assert stage.assigned("i1") == "b"
    stage.do(WorkEnded("l1"))
    assert stage.offered_to("l2") is None, "two are idle: one besides each of them"
    stage.do(WorkEnded("i1"))
    assert stage.offered_to("l2") == "c"


def test_overflows_that_lead_round_or_nowhere_are_refused() -> None:
    stage = Stage()
    q = QueuePolicy("q", "Q", overflow=(Overflow(5, "r"),))
    r = QueuePolicy("r", "R", overflow=(Overflow(5, "q"),))
    assert stage.refuse(ConfigurationChanged((q, r))).code == "overflow_loop"
    assert stage.refuse(ConfigurationChanged((q,))).code == "unknown_queue"
    shared = (Limit(("x",), 1),)
    refused: Refused = stage.refuse(ConfigurationChanged((QueuePolicy("q", "Q"),), limits=shared))
    assert refused.code == "unknown_queue"


# ---------------------------------------------------------------- nobody, ever


def blocked(decisions: list[Decision]) -> list[tuple[bool, tuple[str, ...]]]:
    return [(one.blocked, one.explanation.facts) for one in only(ItemBlocked, decisions)]


def test_whom_a_later_ring_lets_in_counts_before_it_has_come() -> None:
    stage = Stage(WIDENING)
    stage.agent("a", skills={"ja": 3})
    assert blocked(stage.item("i1")) == [], "in 30 s they may take it"
    stage = Stage(WIDENING)
    stage.agent("a", skills={"ja": 1})
    assert blocked(stage.item("i1")) == [(True, ("missing_skill:ja:5",))]
    # The team that is let in after a minute: its skill suffices by then.
    assert blocked(stage.agent("b", {"other": 1}, skills={"ja": 2}, teams=("night",))) == [
        (False, ())
    ]
    assert blocked(stage.do(PresenceSet("b", Presence.offline))) == [
        (True, ("missing_skill:ja:5",))
    ]


def test_who_serves_where_it_overflows_counts_until_that_is_over() -> None:
    narrow = QueuePolicy("q", "Q", {"ja": 5}, overflow=(Overflow(60, "r"),))
    full = QueuePolicy("r", "R", max_waiting=0)
    stage = Stage(narrow, full)
    stage.agent("b", {"r": 1}, units=1)
    stage.agent("a")
    assert stage.assigned("other", queue="r") == "b"
    assert blocked(stage.item("i1")) == []
    # Nobody is free there and nobody may wait there: the only way is over.
    assert blocked(stage.after(60)) == [(True, ("missing_skill:ja:5",))]


# ---------------------------------------------------------------- weights


def heavy(queue: str = "q", **weights: int) -> QueuePolicy:
    return QueuePolicy(queue, queue.upper(), weights=weights)


def used(stage: Stage, agent: str = "a") -> int:
    load = stage.engine.load(agent)
    return load.used + load.reserved


def test_an_item_takes_as_many_units_as_its_queue_says() -> None:
    stage = Stage(heavy(chat=2))
    stage.agent("a", units=3)
    assert stage.assigned("i1") == "a"
    assert used(stage) == 2
    stage.item("i2")
    assert stage.offered_to("i2") is None, "one unit is left, and a chat takes two"
    stage.item("i3", channel="sms")
    assert stage.offered_to("i3") == "a"


def test_another_weight_counts_for_what_waits_and_not_for_what_somebody_has() -> None:
    stage = Stage(heavy(chat=2))
    stage.agent("a", units=3)
    stage.assigned("i1")
    stage.item("i2")
    stage.do(ConfigurationChanged((heavy(),)))
    assert stage.offered_to("i2") == "a"
    assert used(stage) == 3
    stage.do(WorkEnded("i1"))
    assert used(stage) == 1


def test_an_item_takes_over_the_weight_of_the_queue_to_which_it_goes() -> None:
    stage = Stage(heavy("q", chat=3), heavy("r", sms=2))
    stage.agent("a", {"r": 1}, units=2)
    stage.item("i1")
    stage.do(TransferredToQueue("i1", "r", "sue"))
    assert stage.offered_to("i1") == "a"
    assert used(stage) == 1
