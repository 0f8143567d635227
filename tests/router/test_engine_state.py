"""Stored facts bring the same engine back: nothing lost, nothing doubled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from madoguchi.model.routing import (
    MICROS,
    AgentFacts,
    AgentReplied,
    AgentSpec,
    ItemCancelled,
    ItemFacts,
    ItemSpec,
    ItemState,
    ItemWaiting,
    Offer,
    OfferAccepted,
    OfferClosed,
    Offered,
    Presence,
    PresenceChanged,
    QueuePolicy,
    RouterState,
    TimePassed,
    TransferredToAgent,
)
from router.engine.book import FINISHED_KEPT
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only

Q = QueuePolicy("q", "Queue")


def agent(name: str, **facts: object) -> AgentFacts:
    """A stored agent who is available and connected since the start."""
    spec = AgentSpec(name, 0, serves={"q": 1})
    given = AgentFacts(spec, Presence.available, since=START, disconnected_since=None)
    return replace(given, **facts)  # type: ignore[arg-type]


def item(name: str, **facts: object) -> ItemFacts:
    """A stored chat that waits since the start."""
    spec = ItemSpec(name, f"c-{name}", "q", "chat", START)
    return replace(ItemFacts(spec, unanswered_since=START), **facts)  # type: ignore[arg-type]


def test_an_empty_engine_comes_back() -> None:
    assert Engine.restore(Engine(seed="7").state(), START).state() == replace(
        Engine(seed="7").state(), clock=START
    )


def test_pending_offers_survive_with_their_deadline() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    stage.now = 10
    stage.engine = Engine.restore(stage.engine.state(), START + 10 * MICROS)
    assert stage.do(TimePassed()) == [], "not offered again"
    assert stage.engine.next_due() == START + 20 * MICROS
    assert only(OfferClosed, stage.do(OfferAccepted("i1-1", "a")))
    made = stage.item("i2")
    assert only(Offered, made)[0].offer == "i2-1"


def test_an_offer_that_ran_out_meanwhile_ends_once() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.item("i1")
    stage.now = 500
    stage.engine = Engine.restore(stage.engine.state(), START + 500 * MICROS)
    made = stage.do(TimePassed())
    assert [each.offer for each in only(OfferClosed, made)] == ["i1-1"]
    (offered,) = only(Offered, made)
    assert (offered.offer, offered.agent) == ("i1-2", "b")
    assert offered.deadline == START + 520 * MICROS


def test_what_nobody_has_routed_yet_is_offered_with_its_preference() -> None:
    spec = ItemSpec("i1", "c", "q", "chat", START, preferred="b")
    waiting = ItemFacts(spec, unanswered_since=START)
    engine = Engine.restore(RouterState((Q,), (agent("a"), agent("b")), (waiting,)), START)
    (offered,) = only(Offered, engine.apply(TimePassed(), START))
    assert (offered.offer, offered.agent) == ("i1-1", "b")


def test_a_direct_transfer_survives() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("b")
    stage.do(TransferredToAgent("i1", "b", "a"))
    stored = stage.engine.state()
    bare = replace(stored, items=tuple(replace(each, transfer=None) for each in stored.items))
    for state in (stored, bare):
        engine = Engine.restore(state, START)
        assert engine.state() == stored
        made = engine.apply(TimePassed(), START + 60 * MICROS)
        assert only(ItemWaiting, made)[0].owner == "a"


def test_pauses_and_absences_go_on() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AgentReplied("i1"))
    engine = Engine.restore(stage.engine.state(), START + 600 * MICROS)
    engine.apply(TimePassed(), START + 600 * MICROS)
    assert engine.load("a").used == 0
    gone = agent("a", disconnected_since=START)
    held = item("i1", state=ItemState.assigned, owner="a")
    engine = Engine.restore(RouterState((Q,), (gone,), (held,)), START)
    assert engine.next_due() == START + 60 * MICROS
    made = engine.apply(TimePassed(), START + 600 * MICROS)
    assert only(PresenceChanged, made)[0].reason == "connection"
    assert only(ItemWaiting, made)[0].why == "owner_absent"


def test_blocks_go_on() -> None:
    barred = item("i1", blocks={"a": START + 10 * MICROS}, offers=3)
    engine = Engine.restore(RouterState((Q,), (agent("a"),), (barred,)), START)
    assert only(Offered, engine.apply(TimePassed(), START)) == []
    made = engine.apply(TimePassed(), START + 10 * MICROS)
    assert only(Offered, made)[0].offer == "i1-4"


@pytest.mark.parametrize(
    "state",
    [
        RouterState((), (), (item("i1"),)),
        RouterState((Q,), (), (item("i1"), item("i1"))),
        RouterState((Q,), (), (item("i1", owner="x"),)),
        RouterState((Q,), (), (item("i1"),), (Offer("i1-1", "i1", "x", START, START),)),
        RouterState((Q,), (agent("a"),), (), (Offer("i1-1", "i1", "a", START, START),)),
        RouterState(
            (Q,),
            (agent("a"),),
            (item("i1"),),
            (Offer("i1-1", "i1", "a", START, START), Offer("i1-2", "i1", "a", START, START)),
        ),
    ],
)
def test_facts_that_contradict_each_other_are_not_taken(state: RouterState) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each contradiction has its own words
        Engine.restore(state, START)


def test_only_the_last_finished_items_are_remembered() -> None:
    stage = Stage()
    for number in range(FINISHED_KEPT + 2):
        stage.item(f"i{number}")
        stage.do(ItemCancelled(f"i{number}"))
    assert len(stage.engine.state().finished) == FINISHED_KEPT
    assert stage.refuse(ItemCancelled("i0")).code == "unknown_item"
    assert stage.refuse(ItemCancelled("i2")).code == "finished"
