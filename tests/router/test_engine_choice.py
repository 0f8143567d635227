"""Whom an item chooses and what goes first, one policy a test."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChoice,
    Assigned,
    IdleSince,
    ItemAssigned,
    ItemMoved,
    ItemPrioritised,
    ItemRanked,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    OfferState,
    Presence,
    PresenceSet,
    QueuePolicy,
    Ring,
    WorkEnded,
)
from tests.router.stage import START, Stage, only


def choosing(choice: AgentChoice, **more: object) -> Stage:
    return Stage(QueuePolicy("q", "Q", agent_choice=choice, **more))  # type: ignore[arg-type]


def served(stage: Stage, name: str) -> str:
    """Who takes a new item, and has it done at once."""
    agent = stage.assigned(name)
    stage.now += 1
    stage.do(WorkEnded(name))
    return agent


# ---------------------------------------------------------------- agents


def test_the_least_able_who_may_take_it_are_asked_first() -> None:
    stage = choosing(AgentChoice.least_proficiency, requires={"ja": 2})
    for name, proficiency in (("expert", 5), ("newcomer", 1), ("junior", 2), ("senior", 4)):
        stage.agent(name, skills={"ja": proficiency}, units=1)
    chosen = []
    for n in range(3):
        stage.item(f"i{n}")
        chosen.append(stage.offered_to(f"i{n}"))
    assert chosen == ["junior", "senior", "expert"]


def test_a_weighted_choice_gives_by_shares() -> None:
    stage = choosing(AgentChoice.weighted)
    stage.agent("half", share=1)
    stage.agent("full", share=2)
    stage.agent("three", share=3)
    took = [served(stage, f"i{n}") for n in range(60)]
    assert {name: took.count(name) for name in ("half", "full", "three")} == {
        "half": 10,
        "full": 20,
        "three": 30,
    }


def test_who_has_more_of_what_is_preferred_is_asked_first() -> None:
    stage = choosing(AgentChoice.longest_idle, prefers={"ja": 3, "vip": 1})
    stage.agent("none", units=1)
    stage.agent("some", skills={"ja": 3}, units=1)
    stage.agent("both", skills={"ja": 4, "vip": 1}, units=1)
    stage.agent("low", skills={"ja": 2}, units=1)
    chosen = []
    for n in range(4):
        stage.item(f"i{n}")
        chosen.append(stage.offered_to(f"i{n}"))
    assert chosen == ["both", "some", "none", "low"]


def test_a_preference_does_not_go_before_the_level() -> None:
    stage = choosing(AgentChoice.longest_idle, prefers={"ja": 1})
    stage.agent("second", {"q": 2}, skills={"ja": 5})
    stage.agent("first", {"q": 1})
    stage.item("i1")
    assert stage.offered_to("i1") == "first"


def test_lots_are_drawn_among_those_who_meet_what_is_preferred() -> None:
    stage = choosing(AgentChoice.random, prefers={"ja": 1})
    for name in ("a", "b", "c", "d"):
        stage.agent(name, skills={"ja": 1} if name in "cd" else {}, units=50)
    chosen = set()
    for n in range(20):
        stage.item(f"i{n}", draw=n / 20)
        chosen.add(stage.offered_to(f"i{n}"))
    assert chosen == {"c", "d"}


def both_worked(since: IdleSince) -> Stage:
    """`a` has ended work longer ago than `b`."""
    stage = choosing(AgentChoice.longest_idle, idle_since=since)
    for name in ("a", "b"):
        stage.item(f"by-{name}")
    for name in ("a", "b"):
        stage.agent(name, units=2, skills={name: 1})
        stage.do(Assigned(f"by-{name}", name, "sv"))
    for name in ("a", "b"):
        stage.now += 10
        stage.do(WorkEnded(f"by-{name}"))
    return stage


@pytest.mark.parametrize(
    ("since", "first"), [(IdleSince.work, "a"), (IdleSince.presence, "b"), (IdleSince.offer, "a")]
)
def test_a_pause_counts_as_work_only_if_the_queue_says_so(since: IdleSince, first: str) -> None:
    stage = both_worked(since)
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    stage.now = 30
    stage.come("a")
    stage.item("i1")
    assert stage.offered_to("i1") == first


@pytest.mark.parametrize(("since", "first"), [(IdleSince.work, "a"), (IdleSince.offer, "b")])
def test_an_offer_counts_as_work_only_if_the_queue_says_so(since: IdleSince, first: str) -> None:
    stage = both_worked(since)
    stage.now = 30
    stage.item("i1", requires={"a": 1})
    stage.do(OfferDeclined("i1-1", "a"))
    stage.item("i2")
    assert stage.offered_to("i2") == first


# ---------------------------------------------------------------- order


def line(stage: Stage) -> list[str]:
    return stage.engine.waiting("q")


def test_what_has_least_time_left_goes_first() -> None:
    """The order by service level is a boost less the target: 60 s against 20 s."""
    stage = Stage(
        QueuePolicy("slow", "", ageing=Ageing(1, -60)),
        QueuePolicy("fast", "", ageing=Ageing(1, -20)),
    )
    stage.item("early", "slow")
    stage.now = 30
    stage.item("late", "fast")
    stage.agent("a", {"slow": 1, "fast": 1}, units=1)
    assert stage.offered_to("late") == "a"


def three(stage: Stage | None = None) -> Stage:
    stage = stage or Stage()
    for name in ("i1", "i2", "i3"):
        stage.now += 10
        stage.item(name)
    return stage


@pytest.mark.parametrize(
    ("item", "place", "after"),
    [
        ("i3", 1, ["i3", "i1", "i2"]),
        ("i3", 2, ["i1", "i3", "i2"]),
        ("i1", 2, ["i2", "i1", "i3"]),
        ("i1", 3, ["i2", "i3", "i1"]),
        ("i1", 99, ["i2", "i3", "i1"]),
        ("i3", 3, ["i1", "i2", "i3"]),
        ("i1", 1, ["i1", "i2", "i3"]),
    ],
)
def test_an_item_is_moved_within_its_line(item: str, place: int, after: list[str]) -> None:
    stage = three()
    stage.do(ItemMoved(item, place))
    assert line(stage) == after
    found = stage.engine.item(item)
    assert found is not None
    assert found.spec.enqueued_at == START + int(item[1]) * 10 * MICROS
    stage.agent("a", units=1)
    assert stage.offered_to(after[0]) == "a"


def test_moves_follow_each_other() -> None:
    stage = three()
    for name in ("i4", "i5", "i6"):
        stage.item(name)
    stage.do(ItemMoved("i4", 2))
    stage.do(ItemMoved("i5", 3))
    stage.do(ItemMoved("i6", 1))
    assert line(stage) == ["i6", "i1", "i4", "i5", "i2", "i3"]


def test_there_is_always_room_between_two() -> None:
    """However often something is put there: those behind make room."""
    stage = three()
    names = [f"n{number}" for number in range(60)]
    for name in names:
        stage.item(name)
        made = stage.do(ItemMoved(name, 2))
        assert line(stage)[:2] == ["i1", name]
        assert {one.item for one in only(ItemRanked, made)} >= {name}
    assert line(stage) == ["i1", *reversed(names), "i2", "i3"]
    stage.do(ItemMoved("i3", 30))
    assert line(stage).index("i3") == 29


def test_items_of_one_moment_are_moved_apart() -> None:
    stage = Stage()
    for number in range(5):
        stage.item(f"i{number}", enqueued_at=START)
    stage.do(ItemMoved("i4", 3))
    assert line(stage) == ["i0", "i1", "i4", "i2", "i3"]
    stage.do(ItemMoved("i0", 3))
    assert line(stage) == ["i1", "i4", "i0", "i2", "i3"]


def test_no_ring_takes_a_class_back_that_a_person_gave() -> None:
    stage = Stage(QueuePolicy("q", "", priority=3, rings=(Ring(30, priority=1),)))
    stage.item("old")
    stage.after(31)
    for name in ("young", "younger"):
        stage.item(name)
    assert line(stage) == ["old", "young", "younger"]
    stage.do(ItemMoved("old", 3))
    assert line(stage) == ["young", "younger", "old"]
    stage.do(ItemPrioritised("younger", 5))
    stage.after(40)
    assert line(stage) == ["young", "old", "younger"]


def test_what_is_moved_takes_over_the_class_there() -> None:
    stage = three()
    stage.item("urgent", priority=0)
    stage.do(ItemMoved("i3", 1))
    assert line(stage) == ["i3", "urgent", "i1", "i2"]
    stage.do(ItemMoved("urgent", 4))
    assert line(stage) == ["i3", "i1", "i2", "urgent"]


def test_a_place_outlives_a_return_to_the_queue() -> None:
    stage = three()
    stage.do(ItemMoved("i3", 1))
    stage.agent("a", units=1)
    stage.do(PresenceSet("a", Presence.away, "", "a"))
    assert line(stage) == ["i3", "i1", "i2"]


def test_what_does_not_wait_is_not_moved() -> None:
    stage = three()
    assert stage.refuse(ItemMoved("nothing", 1)).code == "unknown_item"
    stage.agent("a", units=1)
    assert stage.refuse(ItemMoved("i1", 2)).code == "not_waiting"
    stage.do(OfferAccepted("i1-1", "a"))
    assert (refused := stage.refuse(ItemMoved("i1", 2))).code == "not_waiting"
    assert refused.agent == "a"


# ---------------------------------------------------------------- delays


def late(**more: object) -> Stage:
    """`helper` takes what is older than 30 s, `own` what is there."""
    stage = Stage(QueuePolicy("q", "", delays_s=(30,), **more))  # type: ignore[arg-type]
    stage.agent("helper", units=1, delays_s={"q": 30})
    return stage


def test_a_delay_leaves_young_items_to_others() -> None:
    stage = late()
    stage.item("i1")
    stage.after(29.9)
    assert stage.offered_to("i1") is None
    (why,) = stage.engine.explain("i1").candidates
    assert why.obstacle == "too_early:30"
    stage.after(0.1)
    assert stage.offered_to("i1") == "helper"


def test_who_comes_before_the_delay_is_over_takes_it() -> None:
    stage = late()
    stage.item("i1")
    stage.after(10)
    stage.agent("own")
    assert stage.offered_to("i1") == "own"


def test_an_agent_looks_only_at_what_is_old_enough() -> None:
    stage = late()
    stage.assigned("busy", enqueued_at=START - 60 * MICROS)
    stage.item("old", enqueued_at=START - 60 * MICROS)
    stage.item("young")
    stage.do(WorkEnded("busy"))
    stage.do(OfferAccepted("old-1", "helper"))
    stage.do(WorkEnded("old"))
    assert stage.offered_to("young") is None
    stage.after(30)
    assert stage.offered_to("young") == "helper"


def test_what_is_moved_ahead_is_old_enough_at_once() -> None:
    stage = late()
    stage.agent("own", units=1)
    stage.assigned("busy")
    stage.item("i1")
    stage.after(15)
    stage.item("i2")
    stage.after(15)
    assert stage.offered_to("i1") == "helper"
    assert stage.offered_to("i2") is None
    stage.item("i3")
    stage.do(PresenceSet("helper", Presence.away, "", "helper"))
    stage.do(ItemMoved("i3", 1))
    stage.come("helper")
    assert stage.offered_to("i3") == "helper"


# ---------------------------------------------------------------- offers


def test_who_is_chosen_has_it_at_once() -> None:
    stage = Stage(QueuePolicy("q", "", auto_accept=True))
    stage.agent("a", units=1)
    made = stage.item("i1")
    (offered,) = only(Offered, made)
    assert only(OfferClosed, made) == [OfferClosed(offered.offer, "i1", "a", OfferState.accepted)]
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "a", None, offered.offer, False)]
    stage.item("i2")
    assert stage.owner("i2") is None
    stage.do(WorkEnded("i1"))
    assert stage.owner("i2") == "a"


def test_what_everybody_declines_rests_longer_and_longer() -> None:
    stage = Stage()
    for name in ("a", "b"):
        stage.agent(name)
    stage.item("i1")
    rests = []
    for n in range(1, 50):
        agent = stage.offered_to("i1")
        while agent is None:
            due = stage.engine.next_due()
            assert due is not None
            rests.append(round((due - START) / MICROS - stage.now))
            stage.now = (due - START) / MICROS
            stage.after(0)
            agent = stage.offered_to("i1")
        stage.do(OfferDeclined(f"i1-{n}", agent))
    assert rests[:4] == [4, 6, 8, 10]
    assert max(rests) == 60


def test_who_looks_away_is_not_asked_again_before_the_others() -> None:
    stage = Stage(QueuePolicy("q", "", misses=3, offer_timeout_s=10))
    for name in ("a", "b"):
        stage.agent(name)
    stage.item("i1")
    assert stage.offered_to("i1") == "a"
    stage.after(10)
    assert stage.offered_to("i1") == "b"
    stage.after(10)
    assert stage.offered_to("i1") is None
    stage.after(4)
    assert stage.offered_to("i1") == "a"


def test_two_queues_that_give_at_one_instant_are_told_apart() -> None:
    """Who declines one queue's offer and is given another's has had an offer of both."""
    stage = Stage(*[QueuePolicy(k, k, agent_choice=AgentChoice.round_robin) for k in "ABC"])
    stage.agent("x", {"A": 1, "B": 1, "C": 1}, units=4, order=0)
    stage.agent("y", {"B": 1}, units=4, order=1)
    stage.do(PresenceSet("x", Presence.away, "", "x"))
    stage.after(7)
    stage.assigned("full", queue="B", weight=4)
    stage.do(PresenceSet("x", Presence.available, "", "x"))
    stage.after(3)
    (first,) = only(Offered, stage.item("i1", "A", weight=2))
    stage.after(5)
    stage.item("i2", "C")
    stage.item("iB", "B", weight=2)
    stage.do(OfferDeclined(first.offer, "x"))
    assert stage.offered_to("iB") == "x"
    stage.after(1)
    stage.do(WorkEnded("full"))
    stage.item("new", "B")
    assert stage.offered_to("new") == "y"
