"""What is kept for its preferred agent, and for how long."""

from __future__ import annotations

from dataclasses import replace

from madoguchi.model.routing import (
    AgentChanged,
    AgentRemoved,
    AgentSpec,
    ConfigurationChanged,
    ItemBlocked,
    ItemCancelled,
    ItemState,
    OfferAccepted,
    OfferDeclined,
    Preference,
    Presence,
    PresenceSet,
    QueuePolicy,
    Ring,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
)
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only

WAITS = QueuePolicy("q", "Q", preferred_wait_s=60)


def busy(*queues: QueuePolicy) -> Stage:
    """`own` is in work; `other` has room."""
    stage = Stage(*(queues or (WAITS,)))
    stage.agent("own", units=1)
    stage.assigned("before")
    stage.agent("other", units=5)
    return stage


def test_it_waits_for_who_knows_the_matter() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    assert stage.offered_to("i1") is None
    why = {each.agent: each.obstacle for each in stage.engine.explain("i1").candidates}
    assert why == {"own": "no_room", "other": "kept_for:own"}
    assert stage.engine.position("i1") == 1
    stage.after(30)
    stage.do(WorkEnded("before"))
    assert stage.offered_to("i1") == "own"


def test_it_goes_to_others_when_the_time_is_over() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    stage.after(59.9)
    assert stage.offered_to("i1") is None
    stage.after(0.1)
    assert stage.offered_to("i1") == "other"


def test_without_a_wait_it_goes_to_others_at_once() -> None:
    stage = busy(QueuePolicy("q", "Q"))
    stage.item("i1", preferred="own")
    assert stage.offered_to("i1") == "other"


def test_it_is_not_kept_for_who_is_not_there() -> None:
    stage = busy()
    stage.do(PresenceSet("own", Presence.away, "lunch", "own"))
    stage.item("i1", preferred="own")
    assert stage.offered_to("i1") == "other"


def test_it_goes_to_others_when_they_leave() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    stage.do(PresenceSet("own", Presence.away, "lunch", "own"))
    assert stage.offered_to("i1") == "other"
    stage.come("own")
    stage.do(OfferDeclined("i1-1", "other"))
    assert stage.offered_to("i1") is None, "whoever was away is an agent like others"


def test_it_goes_to_others_when_they_are_removed() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    stage.do(AgentRemoved("own"))
    assert stage.offered_to("i1") == "other"


def test_it_goes_to_others_when_they_decline() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    stage.do(WorkEnded("before"))
    stage.do(OfferDeclined("i1-1", "own"))
    assert stage.offered_to("i1") == "other"


def test_the_last_owner_needs_neither_queue_nor_skill() -> None:
    stage = Stage(QueuePolicy("q", "Q", {"ja": 3}, preferred_wait_s=60), QueuePolicy("r", "R"))
    stage.agent("own", {"r": 1}, units=1)
    stage.item("before", "r")
    stage.do(OfferAccepted("before-1", "own"))
    stage.agent("other", skills={"ja": 3})
    stage.item("i1", preferred="own")
    assert stage.offered_to("i1") is None
    stage.do(WorkEnded("before"))
    assert stage.offered_to("i1") == "own"


def test_who_only_knows_the_customer_needs_the_skill() -> None:
    stage = busy(QueuePolicy("q", "Q", preferred_wait_s=60))
    stage.item("i1", preferred="own", preference=Preference.same_customer, requires={"ja": 1})
    stage.agent("third", skills={"ja": 1})
    assert stage.offered_to("i1") == "third"


def test_who_loses_the_skill_meanwhile_is_not_waited_for() -> None:
    stage = busy()
    stage.do(AgentChanged(AgentSpec("own", 0, {"ja": 1}, {"q": 1}, 1)))
    stage.do(AgentChanged(AgentSpec("other", 1, {"ja": 1}, {"q": 1}, 5)))
    stage.item("i1", preferred="own", preference=Preference.same_customer, requires={"ja": 1})
    assert stage.offered_to("i1") is None
    stage.do(AgentChanged(AgentSpec("own", 0, {}, {"q": 1}, 1)))
    assert stage.offered_to("i1") == "other"


def test_it_ranks_among_what_they_serve_anyway() -> None:
    stage = Stage(WAITS)
    stage.agent("own", units=1)
    stage.assigned("before")
    stage.item("older")
    stage.now += 1
    stage.item("i1", preferred="own")
    stage.now += 1
    stage.item("newer")
    assert stage.engine.position("i1") == 2
    for expected in ("older", "i1", "newer"):
        held = next(item.spec.id for item in stage.engine.state().items if item.owner)
        stage.do(WorkEnded(held))
        assert stage.offered_to(expected) == "own"
        stage.do(OfferAccepted(f"{expected}-1", "own"))


def test_it_is_not_blocked_while_somebody_else_could_take_it_later() -> None:
    stage = busy()
    assert only(ItemBlocked, stage.item("i1", preferred="own")) == []
    assert only(ItemBlocked, stage.do(PresenceSet("other", Presence.offline, "", "other"))) == []
    (told,) = only(ItemBlocked, stage.do(PresenceSet("own", Presence.offline, "", "own")))
    assert told.blocked


def test_a_transfer_keeps_by_the_rules_of_the_queue_there() -> None:
    stage = busy(WAITS, QueuePolicy("r", "R"))
    stage.agent("there", {"r": 1})
    stage.item("i1", preferred="own")
    stage.do(TransferredToQueue("i1", "r", "sv"))
    assert stage.offered_to("i1") == "there"


def test_a_restart_does_not_forget_for_whom() -> None:
    stage = busy()
    stage.item("i1", preferred="own")
    twin = Engine.restore(stage.engine.state(), START)
    twin.apply(WorkEnded("before"), START)
    assert [(offer.item, offer.agent) for offer in twin.state().offers] == [("i1", "own")]


def test_nothing_is_left_behind() -> None:
    stage = busy()
    pools = len(stage.engine._book.index._pools)
    for number in range(30):
        stage.item(f"i{number}", preferred="own")
    assert len(stage.engine._book.index._pools) == pools + 1
    stage.do(PresenceSet("own", Presence.away, "", "own"))
    assert len(stage.engine._book.index._pools) == pools


def test_what_was_kept_leaves_no_pool_behind_when_it_is_given_to_somebody_else() -> None:
    """The next change of the queue would look for it."""
    ring = (Ring(1, add_teams=("t",)),)
    stage = busy(replace(WAITS, rings=ring))
    stage.item("i1", preferred="own")
    stage.after(5)
    stage.do(TransferredToAgent("i1", "other", "boss"))
    assert stage.offered_to("i1") == "other"
    stage.do(ConfigurationChanged((replace(WAITS, rings=ring, priority=2),), 2))
    stage.do(AgentChanged(AgentSpec("own", 0, {}, {"q": 2})))
    assert stage.offered_to("i1") == "other"


def test_whom_much_was_kept_for_is_like_all_others_again() -> None:
    stage = busy(replace(WAITS, rings=(Ring(1, priority=1),)))
    index = stage.engine._book.index
    before = len(index._profiles)
    for number in range(20):
        stage.item(f"i{number}", preferred="own")
        stage.do(ItemCancelled(f"i{number}", ItemState.cancelled))
    assert not index.keeping
    assert len(index._profiles) == before
    there = {*index._pools.values()}
    assert all(there.issuperset(pool.feeders) for pool in there)
