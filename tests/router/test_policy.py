"""`permitted` names the first obstacle; ranks order items and agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChoice,
    AgentSpec,
    ItemSpec,
    Limit,
    Overflow,
    Preference,
    Presence,
    QueuePolicy,
    Reserve,
    Ring,
    micros,
)
from router.engine.policy import (
    agent_rank,
    item_rank,
    level_of,
    permitted,
    score,
    stages,
    tier_of,
    widened,
)

AT = 1_000 * MICROS


SPEC = AgentSpec("a", 1, {"ja": 3}, {"q": 1}, 5, {"chat": 2})
MEMBER = replace(SPEC, teams=("front",), keep_free={"q": Reserve("front", 2)})
CHAT = ItemSpec("i", "c", "q", "chat", 0)
CALL = ItemSpec("i", "c", "q", "voice", 0, exclusive=True)
PREFERRED = ItemSpec("i", "c", "x", "chat", 0, preferred="a")


@dataclass
class Agent:
    spec: AgentSpec = SPEC
    presence: Presence = Presence.available
    reason: str = ""
    connected: bool = True
    since: int = 0
    away_after: str | None = None
    used: int = 0
    reserved: int = 0
    exclusives: int = 0
    held: dict[str, int] = field(default_factory=dict)
    taking: dict[str, int] = field(default_factory=dict)
    worked_until: int = 0
    taken: int = 0
    given: dict[str, int] = field(default_factory=dict)


@dataclass
class Item:
    spec: ItemSpec = CHAT
    requires: dict[str, int] = field(default_factory=lambda: {"ja": 3})
    added_teams: tuple[str, ...] = ()
    owner: str | None = None
    blocks: dict[str, int] = field(default_factory=dict)
    kept: str | None = None


@pytest.mark.parametrize(
    ("agent", "item", "obstacle"),
    [
        (Agent(), Item(), None),
        (Agent(presence=Presence.offline), Item(requires={"x": 9}), "not_signed_in"),
        (Agent(), Item(replace(CHAT, queue="other")), "serves"),
        (Agent(MEMBER), Item(replace(CHAT, queue="other"), added_teams=("front",)), None),
        (Agent(MEMBER), Item(replace(CHAT, queue="other"), added_teams=("back",)), "serves"),
        (Agent(MEMBER), Item(), "kept_free:front:2"),
        (Agent(MEMBER, used=1), Item(), None),
        (Agent(), Item(requires={"ja": 4}), "skill:ja:4"),
        (Agent(), Item(requires={"vip": 1}), "skill:vip:1"),
        (Agent(), Item(requires={"vip": 0}), None),
        (Agent(presence=Presence.away), Item(), "presence"),
        (Agent(presence=Presence.missed), Item(), "presence"),
        (Agent(connected=False), Item(), "disconnected"),
        (Agent(away_after="", used=5), Item(), "leaving"),
        (Agent(used=5), Item(), "no_room"),
        (Agent(used=4), Item(), None),
        (Agent(used=2, reserved=3), Item(), "no_room"),
        (Agent(used=3), Item(replace(CHAT, weight=3)), "no_room"),
        (Agent(), Item(CALL), None),
        (Agent(used=1), Item(CALL), "exclusive"),
        (Agent(reserved=1), Item(CALL), "exclusive"),
        (Agent(used=1, exclusives=1), Item(), "exclusive"),
        (Agent(held={"chat": 2}), Item(), "channel_full:chat"),
        (Agent(held={"chat": 1, "sms": 9}), Item(), None),
        (Agent(reason="texts_only"), Item(CALL), "channel_full:voice"),
        (Agent(reason="texts_only"), Item(), None),
        (Agent(reason="texts_only", held={"chat": 2}), Item(), "channel_full:chat"),
        (Agent(), Item(blocks={"a": AT + 1}), "declined"),
        (Agent(), Item(blocks={"a": AT}), None),
        (Agent(), Item(blocks={"b": AT + 1}), None),
        (Agent(), Item(owner="a"), "owner"),
        (Agent(), Item(owner="b"), None),
        (Agent(), Item(PREFERRED, requires={"vip": 5}), None),
        (Agent(used=5), Item(PREFERRED), "no_room"),
        (Agent(), Item(replace(PREFERRED, preferred="b")), "serves"),
        (Agent(), Item(replace(PREFERRED, preference=Preference.same_customer)), "serves"),
    ],
)
def test_permitted(agent: Agent, item: Item, obstacle: str | None) -> None:
    assert permitted(agent, item, AT, {"front": 2}) == obstacle


def test_the_score_is_slope_times_wait_plus_boost() -> None:
    assert score(Ageing(), 0, AT) == AT
    assert score(Ageing(3, 10), AT - 5 * MICROS, AT) == 25 * MICROS
    assert score(Ageing(0, 10), 0, AT) == score(Ageing(0, 10), AT, AT)


def test_ranks_compare_in_order() -> None:
    def rank(level: int, priority: int, boost: float, enqueued: int, item: str) -> object:
        return item_rank(level, priority, Ageing(0, boost), enqueued, item, AT)

    ordered = [
        rank(1, 2, 0, 9, "z"),
        rank(2, 1, 9, 9, "z"),
        rank(2, 1, 8, 7, "z"),
        rank(2, 1, 8, 8, "y"),
        rank(2, 1, 8, 8, "z"),
    ]
    assert sorted(ordered, key=lambda each: each) == ordered  # type: ignore[arg-type,return-value]


BEFORE = [
    (AgentChoice.longest_idle, {"worked_until": 5}, {"worked_until": 6}),
    (AgentChoice.least_loaded, {"used": 1, "worked_until": 6}, {"used": 2, "worked_until": 5}),
    (AgentChoice.best_proficiency, {"skills": {"ja": 3, "vip": 2}}, {"skills": {"ja": 4}}),
    (AgentChoice.best_proficiency, {"skills": {"ja": 3}}, {"skills": {"ja": 2, "en": 5}}),
    (AgentChoice.fewest_today, {"taken": 1, "worked_until": 6}, {"taken": 2, "worked_until": 5}),
    (AgentChoice.round_robin, {"given": {"q": 5, "x": 9}}, {"given": {"q": 6}}),
    (AgentChoice.top_down, {"order": 1, "worked_until": 6}, {"order": 2, "worked_until": 5}),
]


@pytest.mark.parametrize(("choice", "first", "second"), BEFORE)
def test_agents_are_ranked_by_the_choice(
    choice: AgentChoice, first: dict[str, Any], second: dict[str, Any]
) -> None:
    queue = QueuePolicy("q", "Q", agent_choice=choice)
    ranks = [
        agent_rank(queue, ("ja", "vip"), standing(name, **one))
        for name, one in (("z", first), ("a", second))
    ]
    assert ranks[0] < ranks[1]


@pytest.mark.parametrize(
    "choice", [AgentChoice.least_loaded, AgentChoice.best_proficiency, AgentChoice.fewest_today]
)
def test_ties_go_to_the_longest_idle_and_then_by_order(choice: AgentChoice) -> None:
    queue = QueuePolicy("q", "Q", agent_choice=choice)
    ranks = [
        agent_rank(queue, (), standing(name, worked_until=until, order=order))
        for name, until, order in (("z", 5, 3), ("y", 6, 1), ("x", 6, 2))
    ]
    assert ranks == sorted(ranks)


def standing(
    name: str, *, order: int = 1, skills: dict[str, int] | None = None, **more: Any
) -> Agent:
    return Agent(AgentSpec(name, order, skills or {}), **more)


def test_an_order_of_teams_stands_for_levels_when_an_item_looks() -> None:
    queue = QueuePolicy("q", "Q", team_order=(("front",), ("back", "night")), last_level=3)
    night = AgentSpec("n", 1, serves={"q": 1}, teams=("night",))
    assert [tier_of(one, queue) for one in (MEMBER, night, SPEC)] == [0, 1, 2]
    assert [level_of(one, queue) for one in (MEMBER, night, SPEC)] == [1, 1, 1]
    assert level_of(AgentSpec("x", 1), queue) == 3


RINGS = (
    Ring(10, relax={"ja": 1}),
    Ring(20, relax={"vip": 0}, add_teams=("back",)),
    Ring(30, add_teams=("night",), priority=1),
)


@pytest.mark.parametrize(
    ("waited", "requires", "teams", "own", "priority"),
    [
        (0, {"ja": 3, "vip": 2}, (), None, 5),
        (9.999999, {"ja": 3, "vip": 2}, (), None, 5),
        (10, {"ja": 1, "vip": 2}, (), None, 5),
        (25, {"ja": 1, "vip": 0}, ("back",), None, 5),
        (30, {"ja": 1, "vip": 0}, ("back", "night"), None, 1),
        (29, {"ja": 1, "vip": 0}, ("back",), 4, 4),
        (30, {"ja": 1, "vip": 0}, ("back", "night"), 4, 1),
        (30, {"ja": 1, "vip": 0}, ("back", "night"), 0, 0),
    ],
)
def test_rings_add_up(
    waited: float,
    requires: dict[str, int],
    teams: tuple[str, ...],
    own: int | None,
    priority: int,
) -> None:
    queue = QueuePolicy("q", "Q", {"ja": 3, "vip": 2}, 5, rings=RINGS)
    wide = widened(queue, AT, AT + micros(waited))
    assert wide.requires(queue.requires) == requires
    assert wide.teams == teams
    assert wide.priority_of(own, queue.priority) == priority


def test_a_ring_never_asks_for_more_than_the_item_does() -> None:
    wide = widened(QueuePolicy("q", "Q", rings=(Ring(1, relax={"ja": 4}),)), 0, AT)
    assert wide.requires({"ja": 2, "en": 1}) == {"ja": 2, "en": 1}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Ring(5), "widens nothing"),
        (lambda: Ring(0, priority=1), "more than 0 s"),
        (lambda: Overflow(0, "x"), "more than 0 s"),
        (lambda: Limit(("q",), -1), "not be negative"),
        (lambda: QueuePolicy("q", "Q", max_waiting=-1), "not be negative"),
        (lambda: QueuePolicy("q", "Q", overflow=(Overflow(5, "q"),)), "into itself"),
        (lambda: QueuePolicy("q", "Q", rings=RINGS[::-1]), "order of their times"),
        (lambda: AgentSpec("a", 1, keep_free={"q": Reserve("front", 1)}), "own team"),
    ],
)
def test_what_cannot_work_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_however_many_ways_lead_to_a_queue_it_is_looked_at_once() -> None:
    """Six layers of eight queues, each overflowing into all of the next: 8 ** 6 ways."""
    names = [[f"q{layer}{n}" for n in range(8)] for layer in range(6)]
    queues = {
        name: QueuePolicy(
            name,
            name,
            rings=(Ring(5, priority=1), Ring(300, priority=2)),
            overflow=tuple(Overflow(60.0 + n, to) for n, to in enumerate(following)),
        )
        for layer, following in zip(names, [*names[1:], []], strict=True)
        for name in layer
    }
    ahead = list(stages(queues["q00"], queues, since=0, rung=0, stepped=0))
    # Where it is both rings are to come; elsewhere the first is over when it gets there.
    assert len(ahead) == 2 + 5 * 8 * 2
    assert {queue.id for queue, _ in ahead} == {
        "q00",
        *(name for layer in names[1:] for name in layer),
    }
