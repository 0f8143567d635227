"""What the engine says: why it chose, who is missing, where an item stands."""

from __future__ import annotations

from madoguchi.model.routing import (
    MICROS,
    AgentChanged,
    AgentSpec,
    ConnectionChanged,
    CustomerWrote,
    ItemBlocked,
    OfferDeclined,
    Offered,
    Presence,
    PresenceSet,
    QueuePolicy,
    TimePassed,
)
from tests.router.stage import START, Stage, only

SALES = QueuePolicy("sales", "Sales")
HELP = QueuePolicy("help", "Help")


def test_an_offer_says_why() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 2}))
    stage.agent("a", {"q": 1}, skills={"ja": 4})
    stage.agent("b", {"q": 1}, skills={"ja": 2})
    stage.agent("c", {"q": 1}, skills={"ja": 1})
    stage.agent("d", {"x": 1})
    (offered,) = only(Offered, stage.item("i1", enqueued_at=START - 7 * MICROS))
    why = offered.explanation
    assert why.facts == ("longest_idle", "skill:ja:4", "free:5/5")
    assert why.rank == (1, 1, -7 * MICROS, START - 7 * MICROS, "i1")
    assert why.waited_us == 7 * MICROS
    assert why.runner_up is not None
    assert why.runner_up.agent == "b"
    counts = why.counts
    assert (counts.signed_in, counts.serves, counts.skills, counts.room) == (4, 3, 2, 2)
    stage.do(OfferDeclined("i1-1", "a"))
    assert stage.engine.explain("i1").explanation.counts.declined == 1


def test_the_full_explanation_names_what_removed_each() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 2}))
    stage.agent("none", {"x": 1})
    stage.agent("weak", {"q": 1}, skills={"ja": 1})
    stage.agent("lunch", {"q": 1}, skills={"ja": 2})
    stage.do(PresenceSet("lunch", Presence.away, "lunch"))
    stage.agent("gone", {"q": 1}, skills={"ja": 2})
    stage.do(ConnectionChanged("gone", False))
    stage.agent("full", {"q": 1}, skills={"ja": 2}, units=0)
    stage.do(AgentChanged(AgentSpec("home", 9, {"ja": 2}, {"q": 1})))
    stage.item("i1")
    found = {each.agent: each.obstacle for each in stage.engine.explain("i1").candidates}
    assert found == {
        "none": "serves",
        "weak": "skill:ja:2",
        "lunch": "presence",
        "gone": "disconnected",
        "full": "no_room",
        "home": "not_signed_in",
    }


def test_blocked_is_told_once_and_taken_back() -> None:
    stage = Stage()
    (blocked,) = only(ItemBlocked, stage.item("i1"))
    assert blocked.explanation.facts == ("missing_queue:q",)
    assert stage.after(1) == []
    stage.agent("a", units=0)
    assert stage.engine.position("i1") == 1
    assert only(ItemBlocked, stage.do(PresenceSet("a", Presence.offline)))[0].blocked
    assert not only(ItemBlocked, stage.do(PresenceSet("a", Presence.away, "lunch")))[0].blocked
    assert only(ItemBlocked, stage.do(PresenceSet("a", Presence.available))) == []


def test_skills_that_nobody_has_together() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 1, "vip": 1}))
    stage.agent("a", skills={"ja": 1})
    stage.agent("b", skills={"vip": 1})
    assert only(ItemBlocked, stage.item("i1"))[0].explanation.facts == ("missing_combination",)


def test_the_position_counts_what_goes_before() -> None:
    stage = Stage(SALES, HELP)
    stage.item("i1", "sales")
    stage.item("i2", "help")
    stage.item("i3", "sales")
    assert stage.engine.position("i3") is None, "nobody is signed in"
    stage.agent("a", {"sales": 1}, units=0)
    assert [stage.engine.position(name) for name in ("i1", "i2", "i3")] == [1, None, 2]
    stage.agent("b", {"sales": 2, "help": 1}, units=0)
    assert [stage.engine.position(name) for name in ("i1", "i2", "i3")] == [2, 1, 3]


def test_the_position_is_the_worst_that_any_agent_makes_it() -> None:
    for order in (("a", "b"), ("b", "a")):
        serves = {"a": {"sales": 1, "help": 2}, "b": {"sales": 1, "help": 1}}
        stage = Stage(SALES, HELP)
        for name in order:
            stage.agent(name, serves[name], units=0)
        stage.item("i1", "help")
        stage.item("i2", "sales")
        assert [stage.engine.position(name) for name in ("i1", "i2")] == [2, 2]


def test_views() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    offer = stage.engine.offer("i1-1")
    assert offer is not None
    assert (offer.agent, offer.item) == ("a", "i1")
    assert stage.engine.offer("i1-2") is None
    assert stage.engine.offer("x") is None
    assert stage.engine.item("x") is None
    agent = stage.engine.agent("a")
    assert agent is not None
    assert agent.presence is Presence.available
    assert stage.engine.agent("x") is None
    assert stage.engine.position("i1") is None
    assert stage.refuse(CustomerWrote("x")).code == "unknown_item"


def test_time_never_goes_back() -> None:
    stage = Stage()
    stage.agent("a")
    stage.now = 10
    stage.do(TimePassed())
    stage.now = 0
    assert only(Offered, stage.item("i1"))[0].deadline == START + 30 * MICROS
