"""`permitted` names the first obstacle; ranks order items and agents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChoice,
    AgentSpec,
    ItemSpec,
    Preference,
    Presence,
)
from router.policy import agent_rank, item_rank, permitted, score

AT = 1_000 * MICROS


SPEC = AgentSpec("a", 1, {"ja": 3}, {"q": 1}, 5, {"chat": 2})
CHAT = ItemSpec("i", "c", "q", "chat", 0)
CALL = ItemSpec("i", "c", "q", "voice", 0, exclusive=True)
PREFERRED = ItemSpec("i", "c", "x", "chat", 0, preferred="a")


@dataclass
class Agent:
    spec: AgentSpec = SPEC
    presence: Presence = Presence.available
    connected: bool = True
    away_after: str | None = None
    used: int = 0
    reserved: int = 0
    exclusives: int = 0
    held: dict[str, int] = field(default_factory=dict)


@dataclass
class Item:
    spec: ItemSpec = CHAT
    requires: dict[str, int] = field(default_factory=lambda: {"ja": 3})
    owner: str | None = None
    blocks: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("agent", "item", "obstacle"),
    [
        (Agent(), Item(), None),
        (Agent(presence=Presence.offline), Item(requires={"x": 9}), "not_signed_in"),
        (Agent(), Item(replace(CHAT, queue="other")), "serves"),
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
    assert permitted(agent, item, AT) == obstacle


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


def test_agents_are_ranked_by_the_choice_and_then_by_idle_time() -> None:
    idle = AgentChoice.longest_idle
    least = AgentChoice.least_loaded
    assert agent_rank(idle, 0.9, 5, 2, "b") < agent_rank(idle, 0.0, 6, 1, "a")
    assert agent_rank(idle, 0.0, 5, 1, "b") < agent_rank(idle, 0.0, 5, 2, "a")
    assert agent_rank(least, 0.1, 6, 2, "b") < agent_rank(least, 0.2, 5, 1, "a")
    assert agent_rank(least, 0.2, 5, 2, "b") < agent_rank(least, 0.2, 6, 1, "a")
