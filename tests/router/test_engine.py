"""Who gets what, in which order: the engine's choices and offers."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChanged,
    AgentChoice,
    AgentLoadChanged,
    AgentRemoved,
    AgentReplied,
    AgentSpec,
    Assigned,
    ConfigurationChanged,
    ItemAssigned,
    ItemBlocked,
    ItemCancelled,
    ItemPrioritised,
    ItemState,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    OfferState,
    Preference,
    Presence,
    PresenceChanged,
    PresenceSet,
    QueuePolicy,
    Refused,
    WorkEnded,
)
from tests.router.stage import START, Stage, only

SALES = QueuePolicy("sales", "Sales")
HELP = QueuePolicy("help", "Help")


def end_all(stage: Stage) -> list[str]:
    """Let one agent work everything off; the items in the order in which they were offered."""
    order = []
    while offers := stage.engine.state().offers:
        stage.do(OfferAccepted(offers[0].id, offers[0].agent))
        order.append(offers[0].item)
        stage.do(WorkEnded(offers[0].item))
    return order


# ---------------------------------------------------------------- an agent looks for an item


@pytest.mark.parametrize(
    ("queues", "serves", "items", "expected"),
    [
        pytest.param(
            (SALES, HELP),
            {"sales": 2, "help": 1},
            [("i1", "sales", 0), ("i2", "help", 5)],
            ["i2", "i1"],
            id="level first",
        ),
        pytest.param(
            (QueuePolicy("sales", "", priority=2), HELP),
            {"sales": 1, "help": 1},
            [("i1", "sales", 0), ("i2", "help", 5)],
            ["i2", "i1"],
            id="then priority",
        ),
        pytest.param(
            (SALES, HELP),
            {"sales": 1, "help": 1},
            [("i1", "sales", 5), ("i2", "help", 0)],
            ["i2", "i1"],
            id="then the longest wait",
        ),
        pytest.param(
            (QueuePolicy("sales", "", ageing=Ageing(1, 60)), HELP),
            {"sales": 1, "help": 1},
            [("i1", "sales", 59), ("i2", "help", 0), ("i3", "sales", 61)],
            ["i1", "i2", "i3"],
            id="a boost counts as seconds waited",
        ),
        pytest.param(
            (QueuePolicy("sales", "", ageing=Ageing(0, 50)), HELP),
            {"sales": 1, "help": 1},
            [("i1", "sales", 0), ("i2", "help", 45), ("i3", "help", 55)],
            ["i2", "i1", "i3"],
            id="slope 0: the boost alone",
        ),
        pytest.param(
            (SALES, HELP),
            {"sales": 1, "help": 1},
            [("i2", "sales", 0), ("i1", "help", 0)],
            ["i1", "i2"],
            id="then the id",
        ),
    ],
)
def test_an_agent_takes_the_smallest_rank(
    queues: tuple[QueuePolicy, ...],
    serves: dict[str, int],
    items: list[tuple[str, str, int]],
    expected: list[str],
) -> None:
    stage = Stage(*queues)
    for name, queue, second in items:
        stage.item(name, queue, enqueued_at=START + second * MICROS)
    stage.now = 100
    stage.agent("a", serves, units=1)
    assert end_all(stage) == expected


def test_unequal_slopes_overtake_with_time() -> None:
    fast, slow = QueuePolicy("fast", "", ageing=Ageing(3)), QueuePolicy("slow", "")
    for seconds, first in [(14, "old"), (16, "young")]:
        stage = Stage(fast, slow)
        stage.item("old", "slow")
        stage.item("young", "fast", enqueued_at=START + 10 * MICROS)
        stage.now = seconds
        stage.agent("a", {"fast": 1, "slow": 1}, units=1)
        assert stage.offered_to(first) == "a"


def test_a_new_priority_moves_an_item() -> None:
    stage = Stage()
    stage.item("i1")
    stage.item("i2")
    stage.do(ItemPrioritised("i2", 0))
    assert stage.engine.waiting("q") == ["i2", "i1"]
    stage.agent("a", units=1)
    assert stage.offered_to("i2") == "a"


# ---------------------------------------------------------------- an item looks for an agent


def test_lowest_level_goes_before_longest_idle() -> None:
    stage = Stage()
    stage.agent("second", {"q": 2})
    stage.agent("first", {"q": 1})
    stage.item("i1")
    assert stage.offered_to("i1") == "first"


def test_idle_time_starts_at_the_end_of_work_and_not_by_being_away() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    assert stage.assigned("i1") == "a", "before any work: by order"
    assert stage.assigned("i2") == "a", "taking work ends no idle time"
    stage.now = 10
    stage.do(WorkEnded("i1"))
    assert stage.assigned("i3") == "b"
    stage.now = 20
    stage.do(WorkEnded("i3"))
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    stage.now = 30
    stage.do(PresenceSet("a", Presence.available, "", "a"))
    stage.item("i4")
    assert stage.offered_to("i4") == "a"


def test_least_loaded_compares_the_part_in_use() -> None:
    stage = Stage(QueuePolicy("q", "", agent_choice=AgentChoice.least_loaded))
    stage.agent("small", units=2)
    stage.agent("large", units=5)
    taken = [stage.assigned(f"i{n}") for n in range(5)]
    assert taken == ["small", "large", "large", "large", "small"]


def test_skills_are_minimums_and_the_item_may_bring_its_own() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 3}))
    stage.agent("weak", skills={"ja": 2, "vip": 5})
    stage.agent("strong", skills={"ja": 3})
    stage.item("i1")
    stage.item("i2", requires={"vip": 5})
    stage.item("i3", requires={"vip": 0})
    assert [stage.offered_to(name) for name in ("i1", "i2", "i3")] == ["strong", "weak", "weak"]


# ---------------------------------------------------------------- capacity


def test_weights_add_up_and_offers_count() -> None:
    stage = Stage()
    stage.agent("a", units=5)
    stage.item("i1", weight=3)
    stage.item("i2", weight=3)
    stage.item("i3", weight=2)
    assert [stage.offered_to(name) for name in ("i1", "i2", "i3")] == ["a", None, "a"]
    load = stage.engine.load("a")
    assert (load.used, load.reserved, load.free) == (0, 5, 0)
    made = stage.do(OfferAccepted("i1-1", "a"))
    assert only(AgentLoadChanged, made)[0].used == 3
    assert only(AgentLoadChanged, made)[0].reserved == 2


def test_a_heavy_item_takes_the_room_that_comes_together() -> None:
    stage = Stage()
    stage.agent("a", units=4)
    for name in ("i1", "i2", "i3"):
        stage.assigned(name)
    stage.item("heavy", weight=3)
    assert stage.offered_to("heavy") is None
    stage.do(WorkEnded("i1"))
    assert stage.offered_to("heavy") is None
    stage.do(WorkEnded("i2"))
    assert stage.offered_to("heavy") == "a"


def test_a_call_needs_an_agent_with_nothing_else_and_lets_nothing_in() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("chat")
    stage.item("call", channel="voice", exclusive=True)
    assert stage.offered_to("call") is None
    stage.do(WorkEnded("chat"))
    assert stage.offered_to("call") == "a"
    stage.item("chat2")
    assert stage.offered_to("chat2") is None
    stage.do(OfferAccepted("call-1", "a"))
    assert stage.engine.load("a").free == 0
    stage.do(WorkEnded("call"))
    assert stage.offered_to("chat2") == "a"


def test_a_waiting_call_does_not_stop_the_chats_behind_it() -> None:
    stage = Stage()
    stage.agent("a", units=2)
    stage.assigned("chat")
    stage.item("call", channel="voice", exclusive=True)
    stage.item("chat2")
    assert stage.offered_to("chat2") == "a"


def test_a_channel_has_its_own_maximum() -> None:
    stage = Stage()
    stage.agent("a", units=5, per_channel={"chat": 1})
    stage.item("i1")
    stage.item("i2")
    stage.item("i3", channel="sms")
    assert [stage.offered_to(name) for name in ("i1", "i2", "i3")] == ["a", None, "a"]
    stage.do(ItemCancelled("i1", ItemState.abandoned))
    assert stage.offered_to("i2") == "a"


# ---------------------------------------------------------------- offers


def test_an_offer_ends_by_acceptance() -> None:
    stage = Stage()
    stage.agent("a")
    (offered,) = only(Offered, stage.item("i1"))
    assert offered.deadline == START + 20 * MICROS
    assert stage.engine.next_due() == offered.deadline
    stage.now = 19
    made = stage.do(OfferAccepted("i1-1", "a"))
    assert only(OfferClosed, made) == [OfferClosed("i1-1", "i1", "a", OfferState.accepted)]
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "a", None, "i1-1", False)]
    assert stage.after(100) == []


def test_a_missed_offer_goes_on_and_its_agent_is_missed() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.item("i1")
    made = stage.after(20)
    assert only(OfferClosed, made)[0].state is OfferState.timed_out
    assert only(PresenceChanged, made) == [PresenceChanged("a", Presence.missed, "", "system")]
    assert only(Offered, made)[0].offer == "i1-2"
    assert stage.offered_to("i1") == "b"
    item = stage.engine.item("i1")
    assert item is not None
    assert item.spec.enqueued_at == START
    assert only(PresenceChanged, stage.after(20))[0].agent == "b"
    assert stage.engine.waiting("q") == ["i1"]
    stage.do(PresenceSet("a", Presence.available, "", "a"))
    assert stage.offered_to("i1") == "a"


def test_misses_count_in_a_row() -> None:
    stage = Stage(QueuePolicy("q", "", misses=2))
    stage.agent("a")
    stage.item("i1")
    assert only(PresenceChanged, stage.after(20)) == []
    stage.do(OfferAccepted("i1-2", "a"))
    stage.item("i2")
    assert only(PresenceChanged, stage.after(20)) == []
    assert only(PresenceChanged, stage.after(20))[0].presence is Presence.missed


def test_of_many_who_accept_one_wins_and_the_others_learn_who() -> None:
    stage = Stage()
    for n in range(50):
        stage.agent(f"a{n:02}")
    stage.item("i1")
    assert stage.refuse(OfferAccepted("i1-1", "a49")).agent == "a00"
    stage.do(OfferAccepted("i1-1", "a00"))
    for n in range(50):
        refused = stage.refuse(OfferAccepted("i1-1", f"a{n:02}"))
        assert (refused.code, refused.agent) == ("taken", "a00")


def test_what_a_late_answer_learns() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.item("i1")
    stage.now = 20
    with pytest.raises(Refused) as caught:
        stage.do(OfferAccepted("i1-1", "a"))
    assert (caught.value.code, caught.value.agent) == ("timed_out", "b")
    assert only(Offered, caught.value.decisions)[0].agent == "b"
    assert stage.refuse(OfferDeclined("i1-1", "a")).code == "timed_out"
    assert stage.refuse(OfferAccepted("i1-2", "a")).code == "not_yours"
    assert stage.refuse(OfferAccepted("i1-3", "a")).code == "unknown_offer"
    assert stage.refuse(OfferAccepted("i1-x", "a")).code == "unknown_offer"
    assert stage.refuse(OfferAccepted("nonsense", "a")).code == "unknown_offer"
    assert stage.refuse(OfferAccepted("i1-2", "zz")).code == "unknown_agent"
    stage.do(ItemCancelled("i1", ItemState.abandoned))
    late = stage.refuse(OfferAccepted("i1-2", "b"))
    assert (late.code, late.detail) == ("finished", "abandoned")


def test_a_decline_bars_the_agent_for_a_while() -> None:
    stage = Stage()
    stage.agent("a")
    stage.item("i1")
    made = stage.do(OfferDeclined("i1-1", "a", "lunch"))
    assert only(OfferClosed, made)[0].why == "lunch"
    (blocked,) = only(ItemBlocked, made)
    assert blocked.blocked
    assert blocked.explanation.facts == ("all_declined",)
    assert stage.engine.explain("i1").candidates[0].obstacle == "declined"
    stage.item("i2")
    assert stage.offered_to("i2") == "a", "the item behind is not stopped"
    stage.do(OfferAccepted("i2-1", "a"))
    assert stage.after(299) == []
    made = stage.after(1)
    assert only(Offered, made)[0].offer == "i1-2"


def test_when_all_have_declined_all_but_the_last_are_asked_again() -> None:
    stage = Stage()
    for name in "abc":
        stage.agent(name)
    stage.item("i1")
    asked = []
    for number in range(1, 6):
        agent = stage.offered_to("i1")
        if agent is None:
            assert number == 4
            stage.after(6)
            agent = stage.offered_to("i1")
        assert agent is not None
        asked.append(agent)
        stage.do(OfferDeclined(stage.engine.state().offers[0].id, agent))
    assert asked == ["a", "b", "c", "a", "b"]


def test_whoever_declined_last_is_asked_again_when_the_time_is_over() -> None:
    stage = Stage()
    for name in "ab":
        stage.agent(name)
    stage.item("i1")
    stage.do(OfferDeclined("i1-1", "a"))
    stage.after(10)
    stage.do(OfferDeclined("i1-2", "b"))
    stage.do(PresenceSet("a", Presence.away, "lunch", "a"))
    assert stage.offered_to("i1") is None
    stage.after(299)
    assert stage.offered_to("i1") is None
    stage.after(1)
    assert stage.offered_to("i1") == "b"


def test_a_present_agent_without_room_has_not_declined_yet() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b", units=1)
    assert stage.do(Assigned(_waiting(stage, "busy"), "b", "sv"))
    stage.item("i1")
    stage.do(OfferDeclined("i1-1", "a"))
    assert stage.offered_to("i1") is None
    stage.do(WorkEnded("busy"))
    assert stage.offered_to("i1") == "b"


def _waiting(stage: Stage, name: str) -> str:
    stage.item(name)
    return name


# ---------------------------------------------------------------- preferred agents


def test_the_preferred_agent_gets_the_first_offer_only() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    (offered,) = only(Offered, stage.item("i1", preferred="b"))
    assert offered.agent == "b"
    assert offered.explanation.facts[0] == "last_owner"
    stage.after(20)
    assert stage.offered_to("i1") == "a"


def test_without_room_the_preferred_agent_is_not_waited_for() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b", units=1)
    stage.item("i0", preferred="b")
    stage.item("i1", preferred="b")
    assert stage.offered_to("i1") == "a"
    stage.item("i2", preferred="stranger")
    assert stage.offered_to("i2") == "a"


@pytest.mark.parametrize(
    ("preference", "taker"), [(Preference.last_owner, "b"), (Preference.same_customer, None)]
)
def test_only_the_last_owner_needs_no_skill(preference: Preference, taker: str | None) -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 1}), HELP)
    stage.agent("b", {"help": 1})
    stage.item("i1", preferred="b", preference=preference)
    assert stage.offered_to("i1") == taker


def test_a_missed_preference_does_not_come_back_later() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 1}), HELP)
    stage.agent("b", {"help": 1})
    stage.do(PresenceSet("b", Presence.away, "lunch"))
    stage.item("i1", preferred="b")
    stage.do(PresenceSet("b", Presence.available))
    assert stage.offered_to("i1") is None


# ---------------------------------------------------------------- configuration


def test_a_new_configuration_looks_at_everything_again() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 5}))
    stage.agent("a", skills={"ja": 1})
    assert only(ItemBlocked, stage.item("i1"))[0].explanation.facts == ("missing_skill:ja:5",)
    made = stage.do(ConfigurationChanged((QueuePolicy("q", "", {"ja": 1}),), version=12))
    (offered,) = only(Offered, made)
    assert offered.explanation.version == stage.engine.version == 12


def test_what_is_looked_at_again_still_chooses_the_lowest_level() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 5}))
    stage.agent("a", {"q": 2}, skills={"ja": 1})
    stage.agent("b", {"q": 1}, skills={"ja": 1}, units=2)
    for number in range(3):
        stage.item(f"i{number}")
    stage.do(ConfigurationChanged((QueuePolicy("q", ""),)))
    assert [stage.offered_to(f"i{number}") for number in range(3)] == ["b", "b", "a"]


def test_agents_who_gain_room_together_take_turns() -> None:
    stage = Stage()
    for name in "ab":
        stage.agent(name, units=2)
    held = [f"held{number}" for number in range(4)]
    for name in held:
        stage.assigned(name)
        stage.do(AgentReplied(name))
    for number in range(4):
        stage.item(f"i{number}")
    stage.after(600)
    assert [stage.offered_to(f"i{number}") for number in range(4)] == ["a", "b", "a", "b"]


def test_items_that_come_back_together_do_not_overtake() -> None:
    stage = Stage(SALES, HELP)
    stage.agent("gone", {"sales": 1, "help": 1})
    for name, queue in [("i1", "sales"), ("i2", "help")]:
        stage.now += 1
        stage.assigned(name, queue=queue)
    stage.agent("b", {"sales": 2, "help": 1}, units=1)
    stage.do(AgentRemoved("gone"))
    assert stage.offered_to("i2") == "b", "for b the queue help comes first"


def test_new_skills_look_again() -> None:
    stage = Stage(QueuePolicy("q", "", {"ja": 1}))
    stage.agent("a")
    stage.item("i1")
    stage.do(AgentChanged(AgentSpec("a", 0, {"ja": 1}, {"q": 1})))
    assert stage.offered_to("i1") == "a"


def test_a_queue_with_items_stays() -> None:
    stage = Stage(SALES, HELP)
    stage.item("i1", "sales")
    refused = stage.refuse(ConfigurationChanged((HELP,)))
    assert (refused.code, refused.detail) == ("queue_in_use", "sales")
    stage.do(ItemCancelled("i1"))
    stage.do(ConfigurationChanged((HELP,)))
    assert stage.refuse(ItemPrioritised("i1", 1)).code == "finished"


@pytest.mark.parametrize(
    "make",
    [
        lambda: QueuePolicy("q", "", offer_timeout_s=0),
        lambda: QueuePolicy("q", "", decline_block_s=-1),
        lambda: QueuePolicy("q", "", misses=0),
        lambda: Ageing(slope=-1),
        lambda: Stage().item("i", weight=0),
    ],
)
def test_values_that_cannot_work(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError):  # noqa: PT011 - each value has its own words
        make()
