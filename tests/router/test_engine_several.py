"""Several agents are asked at once: the first to accept has it."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    AgentRemoved,
    Assigned,
    ItemCancelled,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    OfferState,
    Presence,
    PresenceSet,
    QueuePolicy,
    TransferredToQueue,
    WorkEnded,
)
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only

BOTH = QueuePolicy("q", "Q", offer_to=2, offer_timeout_s=20)


def asked(stage: Stage, item: str = "i1") -> set[str]:
    return {offer.agent for offer in stage.engine.state().offers if offer.item == item}


def three(*queues: QueuePolicy) -> Stage:
    stage = Stage(*(queues or (BOTH,)))
    for name in "abc":
        stage.agent(name, units=1)
    stage.item("i1")
    return stage


def test_so_many_are_asked_as_the_queue_says() -> None:
    stage = three()
    assert asked(stage) == {"a", "b"}
    assert stage.engine.load("a").reserved == stage.engine.load("b").reserved == 1
    assert stage.engine.load("c").reserved == 0


def test_the_first_to_accept_has_it_and_the_others_are_told() -> None:
    stage = three()
    made = stage.do(OfferAccepted("i1-2", "b"))
    assert stage.owner("i1") == "b"
    assert only(OfferClosed, made) == [
        OfferClosed("i1-2", "i1", "b", OfferState.accepted),
        OfferClosed("i1-1", "i1", "a", OfferState.withdrawn, "taken"),
    ]
    refused = stage.refuse(OfferAccepted("i1-1", "a"))
    assert (refused.code, refused.agent) == ("taken", "b")
    assert stage.engine.load("a").reserved == 0


def test_it_waits_again_only_when_nobody_is_asked_any_more() -> None:
    stage = three()
    stage.do(OfferDeclined("i1-1", "a"))
    assert asked(stage) == {"b"}
    stage.do(OfferDeclined("i1-2", "b"))
    assert asked(stage) == {"c"}


def test_all_offers_run_out_together_and_all_have_missed() -> None:
    stage = three()
    made = stage.after(20)
    assert [one.state for one in only(OfferClosed, made)] == [OfferState.timed_out] * 2
    assert asked(stage) == {"c"}
    presences = {one.spec.id: one.presence for one in stage.engine.state().agents}
    assert presences == {"a": "missed", "b": "missed", "c": "available"}


def test_nobody_is_asked_besides_who_would_get_something_else() -> None:
    stage = Stage(BOTH)
    stage.item("i1")
    stage.item("i2")
    for name in "ab":
        stage.agent(name, units=1)
    assert (asked(stage, "i1"), asked(stage, "i2")) == ({"a"}, {"b"})


def test_who_leaves_is_not_asked_any_more_and_the_others_are() -> None:
    stage = three()
    stage.do(PresenceSet("a", Presence.away, "", "a"))
    assert asked(stage) == {"b"}
    stage.do(AgentRemoved("b"))
    assert asked(stage) == {"c"}


@pytest.mark.parametrize(
    "command",
    [
        ItemCancelled("i1"),
        TransferredToQueue("i1", "r", "sv"),
        Assigned("i1", "c", "sv"),
    ],
)
def test_what_ends_the_wait_takes_every_offer_back(command: object) -> None:
    stage = three(BOTH, QueuePolicy("r", "R"))
    made = stage.do(command)  # type: ignore[arg-type]
    ends = {(one.agent, one.state) for one in only(OfferClosed, made)}
    assert ends == {("a", OfferState.withdrawn), ("b", OfferState.withdrawn)}
    assert asked(stage) == set()


def test_one_of_those_asked_may_pull_it() -> None:
    stage = three()
    made = stage.do(Assigned("i1", "b", "b"))
    assert {(one.agent, one.state) for one in only(OfferClosed, made)} == {
        ("b", OfferState.accepted),
        ("a", OfferState.withdrawn),
    }
    assert stage.refuse(Assigned("i1", "c", "c")).code == "taken"


def test_who_becomes_free_later_is_not_asked_as_well() -> None:
    stage = Stage(BOTH)
    for name in "ab":
        stage.agent(name, units=1)
        stage.item(f"by-{name}")
        stage.do(Assigned(f"by-{name}", name, "sv"))
    stage.item("i1")
    stage.do(WorkEnded("by-a"))
    assert asked(stage) == {"a"}
    assert only(Offered, stage.do(WorkEnded("by-b"))) == []


def test_a_restart_keeps_every_offer() -> None:
    stage = three()
    twin = Engine.restore(stage.engine.state(), START)
    assert twin.state() == stage.engine.state()
    twin.apply(OfferAccepted("i1-2", "b"), START)
    found = twin.item("i1")
    assert found is not None
    assert found.owner == "b"
    assert twin.state().offers == ()
